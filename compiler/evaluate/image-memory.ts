/**
 * Memory as it is before the machine starts: the static data, and behind it the objects that the
 * initialisers make. Nothing else can be read or written.
 *
 * Neighbours: `evaluate.ts` makes it and takes the result, `interpreter.ts` reads and writes.
 */
import type { DataSegment } from "../wasm/module.ts";
import { EvaluationTrap } from "./numbers.ts";

/** What objects are aligned to, as the kernel's heap does. */
const ALIGNMENT = 16;
/** More than this in initialisers is a mistake: it all goes into the image. */
const OBJECTS_MAX = 1 << 20;

/** How an instruction accesses memory. */
export interface Access {
  bytes: number;
  isSigned: boolean;
}

/** Parses `i64.load32_s`, `i32.store8`, `i64.atomic.rmw16.add_u` and the like. */
export function accessOf(name: string): Access {
  const width = /(?:load|store|rmw)(8|16|32)?/.exec(name)?.[1];
  const bits = width ? Number(width) : name.startsWith("i32") ? 32 : 64;
  return { bytes: bits / 8, isSigned: name.endsWith("_s") };
}

export class ImageMemory {
  readonly #base: bigint;
  readonly #bytes: Uint8Array;
  readonly #objects: { start: number; end: number }[] = [];
  #used: number;

  constructor(segments: readonly DataSegment[]) {
    let low = segments[0]?.address ?? 0n;
    let high = low;
    for (const { address, bytes } of segments) {
      const end = address + BigInt(bytes.length);
      if (address < low) low = address;
      if (end > high) high = end;
    }
    this.#base = low;
    const aligned = (high + BigInt(ALIGNMENT - 1)) & ~BigInt(ALIGNMENT - 1);
    this.#used = Number(aligned - low);
    this.#bytes = new Uint8Array(this.#used + OBJECTS_MAX);
    for (const { address, bytes } of segments) this.#bytes.set(bytes, Number(address - low));
  }

  /** Memory for an object, zeroed. */
  allocate(sizeBytes: bigint): bigint {
    const start = this.#used;
    const end = start + Math.ceil(Number(sizeBytes) / ALIGNMENT) * ALIGNMENT;
    if (end > this.#bytes.length) {
      throw new EvaluationTrap(`objects of more than ${OBJECTS_MAX} bytes in all`);
    }
    this.#used = end;
    this.#objects.push({ start, end });
    return this.#base + BigInt(start);
  }

  #offset(address: bigint, bytes: bigint): number {
    const offset = address - this.#base;
    if (offset < 0n || offset + bytes > BigInt(this.#used)) {
      throw new EvaluationTrap(`an access to 0x${address.toString(16)}, which is no static data`);
    }
    return Number(offset);
  }

  /** Reads an unsigned, or sign-extended to 64 bits, number. */
  load(address: bigint, { bytes, isSigned }: Access): bigint {
    const offset = this.#offset(address, BigInt(bytes));
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      value = (value << 8n) | BigInt(this.#bytes[offset + i] ?? 0);
    }
    return isSigned ? BigInt.asIntN(bytes * 8, value) : value;
  }

  /** Writes the low `bytes` bytes of a number. */
  store(address: bigint, value: bigint, bytes: number): void {
    const offset = this.#offset(address, BigInt(bytes));
    for (let i = 0; i < bytes; i++) {
      this.#bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }

  fill(address: bigint, value: bigint, length: bigint): void {
    const offset = this.#offset(address, length);
    this.#bytes.fill(Number(value & 0xffn), offset, offset + Number(length));
  }

  copy(to: bigint, from: bigint, length: bigint): void {
    const source = this.#offset(from, length);
    this.#bytes.copyWithin(this.#offset(to, length), source, source + Number(length));
  }

  /** The bytes of [address, address + length) now. */
  read(address: bigint, length: number): Uint8Array {
    const offset = this.#offset(address, BigInt(length));
    return this.#bytes.slice(offset, offset + length);
  }

  /** The objects as they are now, each with its header. */
  objects(): DataSegment[] {
    return this.#objects.map(({ start, end }) => ({
      address: this.#base + BigInt(start),
      bytes: this.#bytes.slice(start, end),
    }));
  }
}
