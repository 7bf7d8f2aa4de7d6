/**
 * The library cache of glibc, /etc/ld.so.cache: read, looked up, and cut down to what an image has.
 *
 *     [ old format, optional: "ld.so-1.7.0" ... ]
 *     | "glibc-ld.so.cache1.1" | count u32 | strings u32 | flags u8, 3 pad | extension u32 | 12 pad |
 *     | entry: flags i32, name u32, path u32, os version u32, hardware u64 | ... | strings ... |
 *
 * Name and path are offsets from the start of the new format's header. The entries are sorted (by
 * ldconfig's own order), so removing some keeps the file valid. Reference: ldconfig(8), and the
 * format as found in the files that glibc 2.2 and later write.
 *
 * Neighbours: `library-search.ts` looks names up, `collect.ts` puts the reduced cache into an image.
 */

const NEW_MAGIC = Buffer.from("glibc-ld.so.cache1.1");
const OLD_MAGIC = Buffer.from("ld.so-1.7.0");
const HEADER_SIZE_BYTES = 48;
const ENTRY_SIZE_BYTES = 24;
const OLD_HEADER_SIZE_BYTES = 16;
const OLD_ENTRY_SIZE_BYTES = 12;
/** Kind of entry: ELF for libc 6 (low byte 3) on x86-64 (0x0300). */
const FLAGS_X86_64 = 0x0303;

/** One library in the cache. */
export interface LdCacheEntry {
  readonly flags: number;
  /** The name that programs ask for. */
  readonly name: string;
  readonly path: string;
  /** Processor features that the file needs; 0 for none. */
  readonly hardware: bigint;
}

/** Where the new format starts, or undefined if there is none. */
function findHeader(bytes: Buffer): number | undefined {
  if (bytes.subarray(0, NEW_MAGIC.length).equals(NEW_MAGIC)) return 0;
  if (!bytes.subarray(0, OLD_MAGIC.length).equals(OLD_MAGIC)) return undefined;
  if (bytes.length < OLD_HEADER_SIZE_BYTES) return undefined;
  const end = OLD_HEADER_SIZE_BYTES + bytes.readUInt32LE(12) * OLD_ENTRY_SIZE_BYTES;
  const start = Math.ceil(end / 8) * 8;
  return bytes.subarray(start, start + NEW_MAGIC.length).equals(NEW_MAGIC) ? start : undefined;
}

/** The entries of a cache in their order; empty for a file that is not a cache or is damaged. */
export function parseLdCache(file: Buffer): LdCacheEntry[] {
  const start = findHeader(file);
  if (start === undefined || file.length < start + HEADER_SIZE_BYTES) return [];
  const bytes = file.subarray(start);
  const count = bytes.readUInt32LE(20);
  if (HEADER_SIZE_BYTES + count * ENTRY_SIZE_BYTES > bytes.length) return [];
  // One conversion for all strings; Latin-1 keeps offsets. Library names are ASCII in practice.
  const all = bytes.toString("latin1");
  const text = (offset: number): string | undefined => {
    const end = offset < all.length ? all.indexOf("\0", offset) : -1;
    return end === -1 ? undefined : all.slice(offset, end);
  };
  const entries: LdCacheEntry[] = [];
  for (let index = 0; index < count; index++) {
    const offset = HEADER_SIZE_BYTES + index * ENTRY_SIZE_BYTES;
    const name = text(bytes.readUInt32LE(offset + 4));
    const path = text(bytes.readUInt32LE(offset + 8));
    if (name === undefined || path === undefined) return [];
    const flags = bytes.readInt32LE(offset);
    entries.push({ flags, name, path, hardware: bytes.readBigUInt64LE(offset + 16) });
  }
  return entries;
}

/** Paths for a name, all hardware variants, in the cache's order. */
export function lookUpLdCache(entries: readonly LdCacheEntry[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry.flags !== FLAGS_X86_64) continue;
    const known = paths.get(entry.name);
    if (known === undefined) paths.set(entry.name, [entry.path]);
    else known.push(entry.path);
  }
  return paths;
}

/**
 * Encodes entries, which must be in the order of the cache they come from, in the new format.
 * Entries for special hardware refer to a list that is not written: leave them out.
 */
export function encodeLdCache(entries: readonly LdCacheEntry[]): Buffer {
  const strings: Buffer[] = [];
  const offsets = new Map<string, number>();
  let end = HEADER_SIZE_BYTES + entries.length * ENTRY_SIZE_BYTES;
  const place = (text: string): number => {
    const known = offsets.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${text}\0`, "latin1");
    const offset = end;
    strings.push(bytes);
    offsets.set(text, offset);
    end += bytes.length;
    return offset;
  };
  const table = Buffer.alloc(HEADER_SIZE_BYTES + entries.length * ENTRY_SIZE_BYTES);
  for (const [index, entry] of entries.entries()) {
    const offset = HEADER_SIZE_BYTES + index * ENTRY_SIZE_BYTES;
    table.writeInt32LE(entry.flags, offset);
    table.writeUInt32LE(place(entry.name), offset + 4);
    table.writeUInt32LE(place(entry.path), offset + 8);
    table.writeBigUInt64LE(entry.hardware, offset + 16);
  }
  table.set(NEW_MAGIC, 0);
  table.writeUInt32LE(entries.length, 20);
  table.writeUInt32LE(end - table.length, 24);
  // Byte order of the cache: 2 means little-endian.
  table.writeUInt8(2, 28);
  return Buffer.concat([table, ...strings]);
}
