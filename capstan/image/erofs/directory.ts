/**
 * Directories as EROFS stores them: blocks that each stand for themselves.
 *
 *     | entry 0 | entry 1 | ... | entry n-1 | name 0 | name 1 | ... | name n-1 | zeros |
 *     entry: | nid u64 | name offset in the block u16 | type u8 | reserved u8 |
 *
 * The first entry's name offset also tells the number of entries (offset / 12). Names have no
 * terminator: a name ends where the next begins, the last at the first zero or the block's end.
 * Entries, `.` and `..` among them, ascend by their names' bytes over the whole directory, so that
 * readers can look for a name by bisection, first of blocks and then within one.
 * Reference: "Directories" in Linux, Documentation/filesystems/erofs.rst.
 *
 * Neighbours: `layout.ts` needs the size before nids are known, `writer.ts` the bytes after.
 */
import { BLOCK_SIZE_BYTES, DIRENT_SIZE_BYTES } from "./format.ts";

/** A name together with where it points; `target` is filled in by the caller's own type. */
export interface NamedEntry<Target> {
  readonly name: Buffer;
  readonly target: Target;
}

/** Sorted entries cut into blocks. */
export interface DirectoryBlocks<Target> {
  readonly blocks: readonly (readonly NamedEntry<Target>[])[];
  /** Size of the directory's contents: whole blocks, then the used part of the last one. */
  readonly sizeBytes: number;
}

function usedBytes(entries: readonly { name: Buffer }[]): number {
  return entries.reduce((sum, entry) => sum + DIRENT_SIZE_BYTES + entry.name.length, 0);
}

/** Cuts sorted entries into as few blocks as possible. */
function cutTightly<Target>(sorted: readonly NamedEntry<Target>[]): NamedEntry<Target>[][] {
  const blocks: NamedEntry<Target>[][] = [];
  let current: NamedEntry<Target>[] = [];
  let used = 0;
  for (const entry of sorted) {
    const needed = DIRENT_SIZE_BYTES + entry.name.length;
    if (used + needed > BLOCK_SIZE_BYTES) {
      blocks.push(current);
      current = [];
      used = 0;
    }
    current.push(entry);
    used += needed;
  }
  blocks.push(current);
  return blocks;
}

/** Cuts sorted entries into this many blocks with equal numbers; undefined if that is impossible. */
function cutEvenly<Target>(
  sorted: readonly NamedEntry<Target>[],
  count: number,
): NamedEntry<Target>[][] | undefined {
  if (count > sorted.length) return undefined;
  const blocks = Array.from({ length: count }, (_, index) =>
    sorted.slice(
      Math.floor((index * sorted.length) / count),
      Math.floor(((index + 1) * sorted.length) / count),
    ),
  );
  return blocks.every((block) => usedBytes(block) <= BLOCK_SIZE_BYTES) ? blocks : undefined;
}

/**
 * Sorts entries by their names' bytes and cuts them into blocks: as few as possible, or enough for
 * `listedSizeBytes` (a multiple of 4096) if that is more and there are enough entries.
 */
export function arrangeDirectory<Target>(
  entries: readonly NamedEntry<Target>[],
  listedSizeBytes = 0,
): DirectoryBlocks<Target> {
  const sorted = [...entries].sort((a, b) => Buffer.compare(a.name, b.name));
  const tight = cutTightly(sorted);
  const wanted = listedSizeBytes / BLOCK_SIZE_BYTES;
  const spread = wanted > tight.length ? cutEvenly(sorted, wanted) : undefined;
  const blocks = spread ?? tight;
  const last = blocks.at(-1) ?? [];
  return { blocks, sizeBytes: (blocks.length - 1) * BLOCK_SIZE_BYTES + usedBytes(last) };
}

/** Encodes one block of entries; the result has the used length, at most 4096 bytes. */
export function encodeDirectoryBlock<Target>(
  entries: readonly NamedEntry<Target>[],
  describe: (target: Target) => { nid: number; direntType: number },
): Buffer {
  const bytes = Buffer.alloc(usedBytes(entries));
  let nameOffset = entries.length * DIRENT_SIZE_BYTES;
  for (const [index, entry] of entries.entries()) {
    const { nid, direntType } = describe(entry.target);
    const offset = index * DIRENT_SIZE_BYTES;
    bytes.writeBigUInt64LE(BigInt(nid), offset);
    bytes.writeUInt16LE(nameOffset, offset + 8);
    bytes.writeUInt8(direntType, offset + 10);
    bytes.set(entry.name, nameOffset);
    nameOffset += entry.name.length;
  }
  return bytes;
}

/** An entry as read back. */
export interface DecodedEntry {
  readonly name: string;
  readonly nid: number;
  readonly direntType: number;
}

/**
 * Decodes one directory block (4096 bytes, or fewer at the directory's end).
 * Throws a RangeError if offsets are out of order or outside of the block.
 */
export function decodeDirectoryBlock(block: Buffer): DecodedEntry[] {
  const first = block.length >= DIRENT_SIZE_BYTES ? block.readUInt16LE(8) : 0;
  if (first === 0 || first % DIRENT_SIZE_BYTES !== 0 || first > block.length) {
    throw new RangeError(`directory block: bad first name offset ${first}`);
  }
  const count = first / DIRENT_SIZE_BYTES;
  const entries: DecodedEntry[] = [];
  for (let index = 0; index < count; index++) {
    const offset = index * DIRENT_SIZE_BYTES;
    const start = block.readUInt16LE(offset + 8);
    let end = index + 1 < count ? block.readUInt16LE(offset + DIRENT_SIZE_BYTES + 8) : block.length;
    if (index + 1 === count) {
      const zero = block.indexOf(0, start);
      if (zero !== -1) end = Math.min(end, zero);
    }
    if (start < first || end <= start || end > block.length) {
      throw new RangeError(`directory block: bad name offset ${start} of entry ${index}`);
    }
    entries.push({
      name: block.toString("utf8", start, end),
      nid: Number(block.readBigUInt64LE(offset)),
      direntType: block.readUInt8(offset + 10),
    });
  }
  return entries;
}
