/**
 * Extended attributes stored behind an inode ("inline").
 *
 *     | header, 12 bytes: name filter 0, no shared attributes | entry | entry | ...
 *     entry: | name length u8 | prefix u8 | value size u16 | name | value | pad to 4 |
 *
 * The name is stored without its prefix, which is a small number. Reference: xattr sections of
 * Linux, Documentation/filesystems/erofs.rst.
 *
 * Neighbours: `layout.ts` reserves the space, `writer.ts` and `reader.ts` use both directions.
 */

const HEADER_SIZE_BYTES = 12;
const ENTRY_HEADER_SIZE_BYTES = 4;

/** Longer prefixes first, so that the first match is the right one. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["system.posix_acl_default", 3],
  ["system.posix_acl_access", 2],
  ["security.", 6],
  ["trusted.", 4],
  ["user.", 1],
];

function align4(sizeBytes: number): number {
  return (sizeBytes + 3) & ~3;
}

/**
 * Encodes the attributes of one inode; empty for none. Sorted by name, so that the order of
 * insertion does not show in the image. Throws a RangeError for a name that EROFS cannot store.
 */
export function encodeXattrs(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Uint8Array {
  if (xattrs === undefined || xattrs.size === 0) return new Uint8Array(0);
  const parts: Uint8Array[] = [new Uint8Array(HEADER_SIZE_BYTES)];
  for (const name of [...xattrs.keys()].sort()) {
    const value = xattrs.get(name) ?? new Uint8Array(0);
    const known = PREFIXES.find(([prefix]) => name.startsWith(prefix));
    if (known === undefined) throw new RangeError(`extended attribute ${name}: unknown prefix`);
    const [prefix, index] = known;
    const suffix = Buffer.from(name.slice(prefix.length));
    if (suffix.length > 255) throw new RangeError(`extended attribute ${name}: name too long`);
    if (value.length > 0xffff) throw new RangeError(`extended attribute ${name}: value too long`);
    const entry = Buffer.alloc(align4(ENTRY_HEADER_SIZE_BYTES + suffix.length + value.length));
    entry.writeUInt8(suffix.length, 0);
    entry.writeUInt8(index, 1);
    entry.writeUInt16LE(value.length, 2);
    entry.set(suffix, ENTRY_HEADER_SIZE_BYTES);
    entry.set(value, ENTRY_HEADER_SIZE_BYTES + suffix.length);
    parts.push(entry);
  }
  return Buffer.concat(parts);
}

/**
 * Decodes an inode's attribute area. Throws a RangeError if it is malformed or refers to shared
 * attributes, which we never write.
 */
export function decodeXattrs(area: Buffer): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  if (area.length === 0) return xattrs;
  if (area.readUInt8(4) !== 0) throw new RangeError("shared extended attributes: not supported");
  let offset = HEADER_SIZE_BYTES;
  while (offset < area.length) {
    const nameLength = area.readUInt8(offset);
    const index = area.readUInt8(offset + 1);
    const valueSize = area.readUInt16LE(offset + 2);
    const known = PREFIXES.find(([, candidate]) => candidate === index);
    const nameStart = offset + ENTRY_HEADER_SIZE_BYTES;
    const end = nameStart + nameLength + valueSize;
    if (known === undefined || end > area.length) {
      throw new RangeError(`malformed extended attribute at ${offset}`);
    }
    const name = known[0] + area.toString("utf8", nameStart, nameStart + nameLength);
    xattrs.set(name, Uint8Array.from(area.subarray(nameStart + nameLength, end)));
    offset = align4(end);
  }
  return xattrs;
}
