/**
 * The image of static data: every data segment and object at its place in one run of bytes; and
 * names for them, so that code refers to data by name.
 *
 * An edit that adds a string moves all data after it. With addresses written as numbers every C file
 * would change; a name made of the segment's content, or of the constant that holds the object,
 * stays, and only the linker sees it move.
 *
 * Neighbours: `emit.ts` asks for both; the linker script puts the image at its address.
 */
import { createHash } from "node:crypto";
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

/** A segment by its name. */
export interface NamedSegment {
  symbol: string;
  address: bigint;
  size: number;
}

/** Names segments by content; equal ones are counted. In order of address. */
export function nameSegments(segments: readonly DataSegment[]): NamedSegment[] {
  const seen = new Map<string, number>();
  return [...segments]
    .sort((a, b) => Number(a.address - b.address))
    .map(({ address, bytes }) => {
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
      const count = (seen.get(hash) ?? 0) + 1;
      seen.set(hash, count);
      const symbol = `data_${hash}${count > 1 ? `_${count}` : ""}`;
      return { symbol, address, size: bytes.length };
    });
}

/** Names the objects that constants point to. `constants`: values by the constant's name. */
export function nameObjects(
  objects: readonly DataSegment[],
  constants: ReadonlyMap<string, bigint>,
): NamedSegment[] {
  const owners = [...constants].sort(([, a], [, b]) => Number(a - b));
  let next = 0;
  return objects.flatMap(({ address, bytes }) => {
    const end = address + BigInt(bytes.length);
    while ((owners[next]?.[1] ?? end) < address) next++;
    const [name, value = end] = owners[next] ?? [];
    return value < end ? [{ symbol: `object_${name}`, address, size: bytes.length }] : [];
  });
}

/** The segment that `address` lies in (or just behind); null if there is none. */
export function findSegment(
  segments: readonly NamedSegment[],
  address: bigint,
): NamedSegment | null {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]?.address ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  const segment = segments[low - 1];
  return segment && address <= segment.address + BigInt(segment.size) ? segment : null;
}
