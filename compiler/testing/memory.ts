/**
 * Typed access to the linear memory of a kernel module under test. Addresses are bigints, as
 * `usize` is 64 bits wide.
 *
 * Neighbours: `heap.ts` and `hardware.ts` work on it, `../testing.ts` creates it.
 */

/** Bytes before a managed object's payload that hold its size (AssemblyScript's `rtSize`). */
const OBJECT_SIZE_OFFSET = 4;

/** The memory of one instance. */
export class TestMemory {
  readonly wasm: WebAssembly.Memory;

  constructor(wasm: WebAssembly.Memory) {
    this.wasm = wasm;
  }

  /** Size in bytes. */
  get sizeBytes(): number {
    return this.wasm.buffer.byteLength;
  }

  /** View of everything; do not keep it across a call that may grow the memory. */
  get view(): DataView {
    return new DataView(this.wasm.buffer);
  }

  /** View of `length` bytes from `address`; writes through. */
  bytes(address: bigint, length: number): Uint8Array {
    return new Uint8Array(this.wasm.buffer, this.offset(address, length), length);
  }

  /**
   * Checks that `length` bytes from `address` exist and returns the address as a number.
   * @throws {RangeError} if they do not
   */
  offset(address: bigint, length = 1): number {
    const unsigned = BigInt.asUintN(64, address);
    if (unsigned + BigInt(length) > BigInt(this.sizeBytes)) {
      throw new RangeError(`address 0x${unsigned.toString(16)} lies outside the test's memory`);
    }
    return Number(unsigned);
  }

  /** Reads an unsigned integer. */
  read(address: bigint, bits: 8 | 16 | 32 | 64): bigint {
    const view = this.view;
    const at = this.offset(address, bits / 8);
    if (bits === 64) return view.getBigUint64(at, true);
    if (bits === 32) return BigInt(view.getUint32(at, true));
    return BigInt(bits === 16 ? view.getUint16(at, true) : view.getUint8(at));
  }

  /** Writes an integer; excess upper bits are dropped. */
  write(address: bigint, bits: 8 | 16 | 32 | 64, value: bigint): void {
    const view = this.view;
    const at = this.offset(address, bits / 8);
    const low = BigInt.asUintN(bits, value);
    if (bits === 64) view.setBigUint64(at, low, true);
    else if (bits === 32) view.setUint32(at, Number(low), true);
    else if (bits === 16) view.setUint16(at, Number(low), true);
    else view.setUint8(at, Number(low));
  }

  /** The text of an AssemblyScript `string` object. */
  readString(pointer: bigint): string {
    const length = Number(this.read(pointer - BigInt(OBJECT_SIZE_OFFSET), 32));
    return Buffer.from(this.bytes(pointer, length)).toString("utf16le");
  }

  /** The zero-terminated UTF-8 text at `pointer`. */
  readCString(pointer: bigint): string {
    const all = new Uint8Array(this.wasm.buffer);
    const start = this.offset(pointer);
    const end = all.indexOf(0, start);
    if (end < 0) throw new RangeError("the text has no terminating zero");
    return Buffer.from(all.subarray(start, end)).toString("utf8");
  }
}
