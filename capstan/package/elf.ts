/**
 * Reads what the packager must know about an ELF file: whether it can run on x86-64, its loader,
 * the libraries it needs and where it wants them looked for.
 *
 * Only headers and the dynamic section are read. Nothing in the file is trusted: sizes are bounded
 * and every offset is checked, so that a hostile file ends in an `ElfError` and nothing else.
 *
 *     | ELF header | program headers ... | segments ... |
 *                        PT_INTERP  -> path of the loader (ld.so)
 *                        PT_DYNAMIC -> tags: DT_NEEDED, DT_RPATH ... as offsets into DT_STRTAB
 *                        PT_LOAD    -> maps addresses (DT_STRTAB is one) to file offsets
 *
 * References: System V ABI, "Object Files" and "Program Loading"; elf(5).
 *
 * Neighbours: `elf-header.ts` reads and checks the fixed part; `elf-error.ts` is what goes wrong;
 * `libraries.ts` follows the dependencies.
 */
import { closeSync, openSync, readSync } from "node:fs";
import {
  type ElfInput,
  type ElfPlace,
  ET_EXEC,
  locate,
  readElfFile,
  readHeader,
  readSegments,
  type Segment,
} from "./elf-header.ts";

const DYNAMIC_ENTRY_SIZE_BYTES = 16;
const MAX_DYNAMIC_BYTES = 4 * 1024 * 1024;
const MAX_STRING_TABLE_BYTES = 64 * 1024 * 1024;
/** PATH_MAX. */
const MAX_INTERPRETER_BYTES = 4096;

const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_NOTE = 4;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
const DT_SONAME = 14n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;
const DT_FLAGS_1 = 0x6fff_fffbn;
const DF_1_NODEFLIB = 0x800n;
const DF_1_PIE = 0x0800_0000n;

/** How a program is linked. */
export type Linkage =
  /** Fixed address, no loader. */
  | "static"
  /** Any address, no loader; relocates itself. */
  | "static-pie"
  /** Fixed address, with a loader. */
  | "dynamic"
  /** Any address, with a loader. */
  | "dynamic-pie"
  /** A shared library. */
  | "library";

/** What is known about an ELF file. */
export interface ElfFile {
  readonly path: string;
  readonly linkage: Linkage;
  /** PT_INTERP: the loader's path, as it stands in the file. */
  readonly interpreter: string | undefined;
  readonly needed: readonly string[];
  readonly soname: string | undefined;
  /** DT_RPATH split at colons, unexpanded; ld.so ignores it if there is a DT_RUNPATH. */
  readonly rpath: readonly string[];
  /** DT_RUNPATH split at colons, unexpanded. */
  readonly runpath: readonly string[];
  /** DF_1_NODEFLIB: neither the cache nor the default directories may be searched. */
  readonly ignoresDefaultDirectories: boolean;
  /** Names of the notes' owners, such as `GNU` and `Go`; not read for libraries. */
  readonly noteOwners: ReadonlySet<string>;
}

function readInterpreter(input: ElfInput, segments: readonly Segment[]): string | undefined {
  const segment = segments.find((candidate) => candidate.type === PT_INTERP);
  if (segment === undefined) return undefined;
  if (segment.fileSize < 2 || segment.fileSize > MAX_INTERPRETER_BYTES) {
    input.fail("Malformed", `the loader's path has ${segment.fileSize} bytes`);
  }
  const bytes = input.read(segment.offset, segment.fileSize, "the loader's path");
  const end = bytes.indexOf(0);
  if (end < 1) input.fail("Malformed", "the loader's path does not end");
  return bytes.toString("utf8", 0, end);
}

interface DynamicSection {
  readonly values: ReadonlyMap<bigint, readonly bigint[]>;
  /** The string at an offset of the string table. */
  text(offset: bigint): string;
}

function readDynamic(input: ElfInput, segments: readonly Segment[]): DynamicSection | undefined {
  const segment = segments.find((candidate) => candidate.type === PT_DYNAMIC);
  if (segment === undefined || segment.fileSize === 0) return undefined;
  if (segment.fileSize > MAX_DYNAMIC_BYTES) {
    input.fail("Malformed", `the dynamic section has ${segment.fileSize} bytes`);
  }
  const bytes = input.read(segment.offset, segment.fileSize, "the dynamic section");
  const values = new Map<bigint, bigint[]>();
  for (
    let start = 0;
    start + DYNAMIC_ENTRY_SIZE_BYTES <= bytes.length;
    start += DYNAMIC_ENTRY_SIZE_BYTES
  ) {
    const tag = bytes.readBigUInt64LE(start);
    if (tag === DT_NULL) break;
    const value = bytes.readBigUInt64LE(start + 8);
    const known = values.get(tag);
    if (known === undefined) values.set(tag, [value]);
    else known.push(value);
  }
  let strings: Buffer | undefined;
  const text = (offset: bigint): string => {
    strings ??= readStrings(input, segments, values);
    const start = offset < BigInt(strings.length) ? Number(offset) : strings.length;
    const end = strings.indexOf(0, start);
    if (start === strings.length || end === -1) {
      input.fail("Malformed", `a name lies outside of the string table, at ${offset}`);
    }
    return strings.toString("utf8", start, end);
  };
  return { values, text };
}

function readStrings(
  input: ElfInput,
  segments: readonly Segment[],
  values: ReadonlyMap<bigint, readonly bigint[]>,
): Buffer {
  const address = values.get(DT_STRTAB)?.[0];
  const place = address === undefined ? undefined : locate(segments, address);
  if (place === undefined) input.fail("Malformed", "its names have no string table");
  const claimed = input.toNumber(values.get(DT_STRSZ)?.[0] ?? 0n, "the string table's size");
  const size = Math.min(claimed, place.available);
  if (size > MAX_STRING_TABLE_BYTES) input.fail("Malformed", `a string table of ${size} bytes`);
  return input.read(place.offset, size, "the string table");
}

/** The owners of notes; damaged notes are passed over, because nothing depends on them. */
function readNoteOwners(input: ElfInput, segments: readonly Segment[]): Set<string> {
  const owners = new Set<string>();
  for (const segment of segments) {
    const end = segment.offset + segment.fileSize;
    if (segment.type !== PT_NOTE || segment.fileSize > 65536 || end > input.sizeBytes) continue;
    const bytes = input.read(segment.offset, segment.fileSize, "a note");
    let start = 0;
    while (start + 12 <= bytes.length) {
      const nameSize = bytes.readUInt32LE(start);
      const descriptionSize = bytes.readUInt32LE(start + 4);
      if (nameSize > 64) break;
      owners.add(bytes.toString("latin1", start + 12, start + 12 + nameSize).replace(/\0.*$/, ""));
      start += 12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(descriptionSize / 4) * 4;
    }
  }
  return owners;
}

function linkageOf(
  type: number,
  interpreter: string | undefined,
  flags1: bigint,
  hasSoname: boolean,
): Linkage {
  if (type === ET_EXEC) return interpreter === undefined ? "static" : "dynamic";
  const isPie = (flags1 & DF_1_PIE) !== 0n;
  // libc.so.6 and some other libraries have a loader so that they can be started, too.
  if (interpreter !== undefined) return isPie || !hasSoname ? "dynamic-pie" : "library";
  // Not every linker marks static programs as position-independent ones, but none names them.
  return isPie || !hasSoname ? "static-pie" : "library";
}

function parse(input: ElfInput): ElfFile {
  const header = readHeader(input);
  const segments = readSegments(input, header);
  const interpreter = readInterpreter(input, segments);
  const dynamic = readDynamic(input, segments);
  const all = (tag: bigint): readonly bigint[] => dynamic?.values.get(tag) ?? [];
  const texts = (tag: bigint): string[] =>
    all(tag).map((offset) => (dynamic === undefined ? "" : dynamic.text(offset)));
  const paths = (tag: bigint): string[] => texts(tag).flatMap((list) => list.split(":"));
  const flags1 = all(DT_FLAGS_1)[0] ?? 0n;
  const soname = texts(DT_SONAME)[0];
  const type = header.readUInt16LE(16);
  const linkage = linkageOf(type, interpreter, flags1, soname !== undefined);
  return {
    path: input.path,
    linkage,
    interpreter,
    needed: texts(DT_NEEDED),
    soname,
    rpath: paths(DT_RPATH),
    runpath: paths(DT_RUNPATH),
    ignoresDefaultDirectories: (flags1 & DF_1_NODEFLIB) !== 0n,
    noteOwners: linkage === "library" ? new Set() : readNoteOwners(input, segments),
  };
}

/**
 * Reads an ELF file.
 * @param place where it lies, if that is not `path`
 * Throws an ElfError if it cannot run on x86-64 Linux, and Node's system errors.
 */
export function readElf(path: string, place: ElfPlace = { path }): ElfFile {
  return readElfFile(path, place, parse);
}

/** The first `sizeBytes` bytes of a file, or fewer. Throws Node's system errors. */
export function readStart(path: string, sizeBytes: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, sizeBytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whether a file starts like an ELF file. Throws Node's system errors. */
export function hasElfMagic(path: string): boolean {
  return readStart(path, 4).equals(Buffer.from("\x7fELF", "latin1"));
}
