/**
 * The image of static data: every data segment at its place in one run of bytes.
 *
 * Neighbours: `emit.ts` asks for it; the linker script puts it at its address.
 */
import type { DataSegment } from "../wasm/module.ts";
import { BackendError } from "./context.ts";

/** Bytes for memory from `address`. */
export interface DataImage {
  address: bigint;
  bytes: Uint8Array;
}

/** The image starts at a multiple of this, so that its start does not depend on the first segment. */
const ALIGNMENT = 4096n;
/** More than this between segments is a mistake, not a gap. */
const SIZE_MAX = 64n << 20n;

/** Lays all segments out; null if there are none. */
export function makeDataImage(segments: readonly DataSegment[]): DataImage | null {
  let low: bigint | null = null;
  let high = 0n;
  for (const { address, bytes } of segments) {
    if (low === null || address < low) low = address;
    const end = address + BigInt(bytes.length);
    if (end > high) high = end;
  }
  if (low === null) return null;
  const start = low - (low % ALIGNMENT);
  if (high - start > SIZE_MAX) {
    throw new BackendError(`static data spans ${high - start} bytes; at most 64 MiB make sense`);
  }
  const image = new Uint8Array(Number(high - start));
  for (const { address, bytes } of segments) image.set(bytes, Number(address - start));
  return { address: start, bytes: image };
}
