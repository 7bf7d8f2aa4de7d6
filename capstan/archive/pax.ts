/**
 * Extended headers of tar archives: what does not fit into the header block (long names, exact
 * times, extended attributes). POSIX.1-2017, pax, "pax Extended Header".
 *
 *     30 mtime=1700000000.123456789\n
 *     `-- length of the whole record, decimal
 *
 * Values are bytes: extended attributes need not be text. Neighbours: `tar-reader.ts`,
 * `tar-writer.ts`.
 */

/** Prefix of extended attributes, by GNU tar, bsdtar and all makers of container images. */
const XATTR_PREFIX = "SCHILY.xattr.";

/** Records of one extended header. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Takes the records apart. Throws a RangeError if they are damaged. */
export function decodePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, space));
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    const isWhole = space > at && length > 0 && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isWhole || equals === -1 || equals >= end) {
      throw new RangeError("an extended header is damaged");
    }
    records.set(bytes.toString("utf8", space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** Puts records together. */
export function encodePax(records: PaxRecords): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of records) {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
    // The length counts its own digits.
    let length = rest.length + 1;
    while (length !== rest.length + String(length).length) {
      length = rest.length + String(length).length;
    }
    parts.push(Buffer.from(String(length)), rest);
  }
  return Buffer.concat(parts);
}

/** The extended attributes among the records. */
export function xattrsOf(records: PaxRecords): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith(XATTR_PREFIX)) xattrs.set(key.slice(XATTR_PREFIX.length), value);
  }
  return xattrs;
}

/** The record's key for an extended attribute. */
export function xattrKey(name: string): string {
  return `${XATTR_PREFIX}${name}`;
}

/** A time such as `1700000000.25` in nanoseconds. Throws a RangeError for anything else. */
export function parsePaxTime(text: string): bigint {
  const [, sign = "", seconds = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  if (seconds === "") throw new RangeError(`"${text}" is not a time`);
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return sign === "-" ? -ns : ns;
}
