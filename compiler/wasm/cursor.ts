/**
 * Reads the primitive encodings of the WebAssembly binary format from a byte array.
 *
 * https://webassembly.github.io/spec/core/binary/values.html
 * Neighbours: `module.ts` (sections) and `code.ts` (function bodies) read through it.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The bytes are not a WebAssembly module that this compiler understands. */
export class WasmFormatError extends Error {}

/** A position in a byte array. */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Offset of the next byte, from the start of the file. */
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** Fails with the offset at hand. */
  fail(what: string): never {
    throw new WasmFormatError(`WebAssembly module, offset ${this.position}: ${what}`);
  }

  u8(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined || this.position >= this.end) this.fail("unexpected end");
    this.position++;
    return byte;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return this.fail("a 32-bit number has over 5 bytes");
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    return Number(BigInt.asIntN(32, this.s64()));
  }

  /** Unsigned LEB128 of at most 64 bits. */
  u64(): bigint {
    return BigInt.asUintN(64, this.#leb64(false));
  }

  /** Signed LEB128 of at most 64 bits. */
  s64(): bigint {
    return this.#leb64(true);
  }

  #leb64(signed: boolean): bigint {
    // Most numbers are short: plain arithmetic for up to 4 bytes, bigint beyond.
    let low = 0;
    let shift = 0;
    for (; shift < 28; shift += 7) {
      const byte = this.u8();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        const unused = 25 - shift;
        return BigInt(signed ? (low << unused) >> unused : low);
      }
    }
    let result = BigInt(low);
    for (let wide = BigInt(shift); wide < 70n; wide += 7n) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << wide;
      if (byte < 0x80) return signed ? BigInt.asIntN(Number(wide) + 7, result) : result;
    }
    return this.fail("a 64-bit number has over 10 bytes");
  }

  /** IEEE 754 bits of an f32. */
  f32Bits(): number {
    const bits = this.#view.getUint32(this.skip(4), true);
    return bits;
  }

  /** IEEE 754 bits of an f64. */
  f64Bits(): bigint {
    return this.#view.getBigUint64(this.skip(8), true);
  }

  /** Passes `length` bytes; returns where they started. */
  skip(length: number): number {
    const start = this.position;
    if (start + length > this.end) this.fail("unexpected end");
    this.position += length;
    return start;
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A length-prefixed UTF-8 name. */
  name(): string {
    return utf8.decode(this.take(this.u32()));
  }

  /** A vector: its count, then each element. */
  vector<T>(element: () => T): T[] {
    const count = this.u32();
    const result: T[] = [];
    for (let i = 0; i < count; i++) result.push(element());
    return result;
  }
}
