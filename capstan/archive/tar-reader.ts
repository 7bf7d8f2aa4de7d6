/**
 * Walks over the headers of a tar archive and says where each file's contents lie. The contents
 * themselves stay where they are: an image of a container is built out of the archives of its
 * layers without unpacking them. (Libraries for tar hand out streams; header blocks are decoded by
 * one, the walk is ours.)
 *
 * Formats: ustar, pax, GNU long names. References: POSIX.1-2017 pax, tar(5).
 * Neighbours: `pax.ts` reads extended headers; `tar-tree.ts` makes a tree of the entries.
 */
import { Header } from "tar/header";
import { type ByteRange, RangeReader } from "./byte-range.ts";
import { decodePax, type PaxRecords, parsePaxTime, xattrsOf } from "./pax.ts";

const BLOCK_BYTES = 512;

/** Extended headers hold names and attributes; anything longer is damage. */
const MAX_EXTENDED_BYTES = 16 * 1024 ** 2;

/** What an entry is. */
export type TarKind = "file" | "directory" | "symlink" | "link" | "character" | "block" | "fifo";

/** One entry. */
export interface TarEntry {
  readonly kind: TarKind;
  /** As it stands in the archive: `./usr/bin/`, `usr/bin`. */
  readonly path: string;
  /** Target of a symbolic link, name of the other entry for a hard link. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Where the contents lie, from the start of the archive. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** The archive is damaged, or has something that cannot be understood. */
export class TarError extends Error {
  constructor(path: string, offsetBytes: number, why: string) {
    super(`${path}, byte ${offsetBytes}: ${why}`);
    this.name = "TarError";
  }
}

const kinds: Readonly<Record<string, TarKind>> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "directory",
  GNUDumpDir: "directory",
  SymbolicLink: "symlink",
  Link: "link",
  CharacterDevice: "character",
  BlockDevice: "block",
  FIFO: "fifo",
};

/** Whose size field means nothing: some makers leave there what stat(2) said. */
const hasNoContents: ReadonlySet<string> = new Set([
  "Directory",
  "SymbolicLink",
  "Link",
  "CharacterDevice",
  "BlockDevice",
  "FIFO",
]);

const nothing: PaxRecords = new Map();

/** Headers that describe the entry after them. */
interface Pending {
  pax: PaxRecords;
  path: string | undefined;
  target: string | undefined;
}

/**
 * All entries of an archive, in their order.
 * @throws TarError, Node's system errors
 */
export function* readTar(range: ByteRange): Generator<TarEntry> {
  const reader = new RangeReader(range);
  let at = 0;
  const fail = (why: string): never => {
    throw new TarError(range.path, range.offsetBytes + at, why);
  };
  try {
    let global: PaxRecords = nothing;
    let pending: Pending = { pax: nothing, path: undefined, target: undefined };
    for (;;) {
      const block = reader.read(at, BLOCK_BYTES);
      // Archives end with two blocks of zeros; some makers leave them out.
      if (block.length === 0) return;
      if (block.length < BLOCK_BYTES) fail("the archive is cut off within a header");
      const path = pending.pax.get("path")?.toString("utf8") ?? pending.path;
      // A name that was cut may end in a slash, which says "directory" to the library.
      const header = new Header(block, 0, path === undefined ? undefined : { path });
      if (header.nullBlock) return;
      if (!header.cksumValid) fail("the checksum of a header is wrong");
      const pax = new Map([...global, ...pending.pax]);
      const size = hasNoContents.has(header.type) ? 0 : Number(pax.get("size") ?? header.size ?? 0);
      const offset = at + BLOCK_BYTES;
      if (!Number.isSafeInteger(size) || size < 0) fail("a size is not a number");
      if (offset + size > range.sizeBytes) fail("the archive is cut off within a file");
      const extended = (): Buffer => {
        if (size > MAX_EXTENDED_BYTES) fail("an extended header is too long");
        return reader.read(offset, size);
      };
      switch (header.type) {
        case "ExtendedHeader":
        case "OldExtendedHeader":
          pending.pax = decodePax(extended());
          break;
        case "GlobalExtendedHeader":
          global = decodePax(extended());
          break;
        case "NextFileHasLongPath":
        case "OldGnuLongPath":
          pending.path = zeroTerminated(extended());
          break;
        case "NextFileHasLongLinkpath":
          pending.target = zeroTerminated(extended());
          break;
        default:
          yield entryOf(header, block, pax, pending, offset, size, fail);
          pending = { pax: nothing, path: undefined, target: undefined };
      }
      at = offset + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    }
  } catch (error) {
    if (error instanceof RangeError) fail(error.message);
    throw error;
  } finally {
    reader.close();
  }
}

function entryOf(
  header: Header,
  block: Buffer,
  pax: PaxRecords,
  pending: Pending,
  offsetBytes: number,
  sizeBytes: number,
  fail: (why: string) => never,
): TarEntry {
  const text = (key: string): string | undefined => pax.get(key)?.toString("utf8");
  const path = text("path") ?? pending.path ?? header.path ?? "";
  const kind = kinds[header.type];
  if (kind === undefined || [...pax.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    const what = kind === undefined ? `an entry of type ${header.type}` : "a sparse file";
    return fail(`${path} is ${what}, which is not supported`);
  }
  const mtime = text("mtime");
  return {
    kind,
    path,
    target: text("linkpath") ?? pending.target ?? header.linkpath ?? "",
    mode: (header.mode ?? 0) & 0o7777,
    uid: Number(text("uid") ?? header.uid ?? 0),
    gid: Number(text("gid") ?? header.gid ?? 0),
    mtimeNs:
      mtime === undefined
        ? BigInt(Math.floor((header.mtime?.getTime() ?? 0) / 1000)) * 1_000_000_000n
        : parsePaxTime(mtime),
    major: octalField(block, 329),
    minor: octalField(block, 337),
    xattrs: xattrsOf(pax),
    offsetBytes,
    sizeBytes: kind === "file" ? sizeBytes : 0,
  };
}

/** Device numbers have 8 bytes each; the library reads them in one of the formats only. */
function octalField(block: Buffer, offsetBytes: number): number {
  const text = block.toString("latin1", offsetBytes, offsetBytes + 8);
  return Number.parseInt(/[0-7]+/.exec(text)?.[0] ?? "0", 8);
}

function zeroTerminated(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}
