/**
 * Looks into a .deb file: an ar archive of `debian-binary`, `control.tar.*` and `data.tar.*`, deb(5).
 */

import { type ByteRange, RangeReader, wholeFile } from "../../archive/byte-range.ts";
import { UserError } from "../../errors.ts";

const MAGIC = "!<arch>\n";
const HEADER_BYTES = 60;

/** The archives within a .deb file; compressed. */
export interface DebFile {
  readonly control: ByteRange;
  readonly data: ByteRange;
}

/**
 * Finds the archives of a package.
 * @throws UserError `BadPackage`
 */
export function openDeb(path: string): DebFile {
  const members = new Map<string, ByteRange>();
  const reader = new RangeReader(wholeFile(path));
  try {
    if (reader.read(0, MAGIC.length).toString("latin1") !== MAGIC) {
      throw badPackage(path, "it is no ar archive");
    }
    for (let at = MAGIC.length; at + HEADER_BYTES <= reader.range.sizeBytes; ) {
      // Name 16 bytes, time 12, owner 6, group 6, mode 8, size 10, end 2: ar(5).
      const header = reader.read(at, HEADER_BYTES).toString("latin1");
      const name = header.slice(0, 16).replace(/\/?\s*$/, "");
      const sizeBytes = Number(header.slice(48, 58));
      const offsetBytes = at + HEADER_BYTES;
      if (!header.endsWith("`\n") || !Number.isInteger(sizeBytes)) {
        throw badPackage(path, "a header in it is damaged");
      }
      members.set(name.replace(/\.(xz|gz|zst|bz2)$/, ""), { path, offsetBytes, sizeBytes });
      at = offsetBytes + sizeBytes + (sizeBytes % 2);
    }
  } finally {
    reader.close();
  }
  const control = members.get("control.tar");
  const data = members.get("data.tar");
  if (control === undefined || data === undefined) {
    throw badPackage(path, "it has no control.tar or no data.tar");
  }
  return { control, data };
}

function badPackage(path: string, why: string): UserError {
  return new UserError({
    code: "BadPackage",
    what: `cannot unpack ${path}`,
    why,
    fix: "remove the file, so that it is fetched again",
  });
}
