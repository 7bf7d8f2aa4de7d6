/**
 * The parts of an ELF file in which system calls can be found: machine code, the dynamic symbols,
 * the slots of imported functions, and where functions start.
 *
 *     section headers -> code (SHF_EXECINSTR), .dynsym, relocations, .eh_frame_hdr
 *     program headers -> code, when the section headers have been stripped
 *
 * Nothing in the file is trusted; damaged tables end in an `ElfError`, absent ones are empty.
 * References: System V ABI, "Sections", "Symbol Table", "Relocation"; LSB 5.0, ".eh_frame_hdr".
 *
 * Neighbours: `syscall-sites.ts` and `libc-calls.ts` search in what is read here;
 * `../package/elf-header.ts` does the checked reads.
 */
import {
  type ElfInput,
  type ElfPlace,
  readElfFile,
  readHeader,
  readSegments,
} from "../package/elf-header.ts";

const SHT_RELA = 4;
const SHT_DYNSYM = 11;
const SHF_EXECINSTR = 4n;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const SECTION_HEADER_SIZE_BYTES = 64;
const SYMBOL_SIZE_BYTES = 24;
const RELA_SIZE_BYTES = 24;
const MAX_SECTIONS = 65_536;
const MAX_CODE_BYTES = 1024 ** 3;
/** Relocation types that fill a slot with an imported function's address (x86-64 psABI, 4.4). */
const slotRelocations: ReadonlySet<number> = new Set([6, 7]);

/** A stretch of machine code. */
export interface CodeRegion {
  /** Virtual address of the first byte. */
  readonly address: number;
  readonly bytes: Buffer;
}

/** What was read of one file. */
export interface CodeFile {
  readonly path: string;
  readonly code: readonly CodeRegion[];
  /** Names of the functions and data that the file takes from others. */
  readonly imports: ReadonlySet<string>;
  /** Functions that the file offers: name to virtual address. */
  readonly exports: ReadonlyMap<string, number>;
  /** Addresses of the slots through which imported functions are called, by name. */
  readonly slots: ReadonlyMap<string, number>;
  /** Known starts of functions, ascending, also of functions without a name. */
  readonly functionStarts: readonly number[];
}

interface Section {
  readonly type: number;
  readonly flags: bigint;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
}

function readSections(input: ElfInput, header: Buffer): Section[] {
  const offset = input.toNumber(header.readBigUInt64LE(40), "the section headers' offset");
  const count = header.readUInt16LE(60);
  if (offset === 0 || count === 0 || header.readUInt16LE(58) !== SECTION_HEADER_SIZE_BYTES)
    return [];
  if (count > MAX_SECTIONS) input.fail("Malformed", `it claims ${count} sections`);
  // Some tools cut the section headers off and leave their offset: nothing is loaded from there.
  if (offset + count * SECTION_HEADER_SIZE_BYTES > input.sizeBytes) return [];
  const table = input.read(offset, count * SECTION_HEADER_SIZE_BYTES, "the section headers");
  return Array.from({ length: count }, (_, index) => {
    const at = index * SECTION_HEADER_SIZE_BYTES;
    return {
      type: table.readUInt32LE(at + 4),
      flags: table.readBigUInt64LE(at + 8),
      address: input.toNumber(table.readBigUInt64LE(at + 16), "a section's address"),
      offset: input.toNumber(table.readBigUInt64LE(at + 24), "a section's offset"),
      sizeBytes: input.toNumber(table.readBigUInt64LE(at + 32), "a section's size"),
      link: table.readUInt32LE(at + 40),
    };
  });
}

function readSection(input: ElfInput, section: Section, what: string): Buffer {
  if (section.sizeBytes > MAX_CODE_BYTES) {
    input.fail("Malformed", `${what} has ${section.sizeBytes} bytes`);
  }
  return input.read(section.offset, section.sizeBytes, what);
}

function readCode(input: ElfInput, header: Buffer, sections: readonly Section[]): CodeRegion[] {
  const isCode = (section: Section): boolean =>
    section.type === 1 && (section.flags & SHF_EXECINSTR) !== 0n;
  const found = sections.filter(isCode);
  if (found.length > 0) {
    return found.map((section) => ({
      address: section.address,
      bytes: readSection(input, section, "its code"),
    }));
  }
  return readSegments(input, header)
    .filter(({ type, isExecutable }) => type === 1 && isExecutable)
    .map((segment) => ({
      address: Number(segment.address),
      bytes: input.read(segment.offset, segment.fileSize, "its code"),
    }));
}

interface Symbols {
  readonly names: readonly string[];
  readonly imports: ReadonlySet<string>;
  readonly exports: ReadonlyMap<string, number>;
}

function readSymbols(input: ElfInput, sections: readonly Section[]): Symbols {
  const names: string[] = [];
  const imports = new Set<string>();
  const exports = new Map<string, number>();
  const table = sections.find(({ type }) => type === SHT_DYNSYM);
  const strings = table === undefined ? undefined : sections[table.link];
  if (table === undefined || strings === undefined) return { names, imports, exports };
  const symbols = readSection(input, table, "the dynamic symbols");
  const text = readSection(input, strings, "the names of the dynamic symbols");
  for (let at = 0; at + SYMBOL_SIZE_BYTES <= symbols.length; at += SYMBOL_SIZE_BYTES) {
    const start = symbols.readUInt32LE(at);
    const end = text.indexOf(0, start);
    const name = end < start ? "" : text.toString("latin1", start, end);
    names.push(name);
    if (name === "") continue;
    const type = symbols.readUInt8(at + 4) & 15;
    if (symbols.readUInt16LE(at + 6) === 0) imports.add(name);
    else if (type === STT_FUNC || type === STT_GNU_IFUNC) {
      exports.set(name, Number(symbols.readBigUInt64LE(at + 8)));
    }
  }
  return { names, imports, exports };
}

function readSlots(
  input: ElfInput,
  sections: readonly Section[],
  names: readonly string[],
): Map<string, number> {
  const slots = new Map<string, number>();
  for (const section of sections) {
    if (section.type !== SHT_RELA || sections[section.link]?.type !== SHT_DYNSYM) continue;
    const table = readSection(input, section, "its relocations");
    for (let at = 0; at + RELA_SIZE_BYTES <= table.length; at += RELA_SIZE_BYTES) {
      const name = names[table.readUInt32LE(at + 12)] ?? "";
      if (name === "" || !slotRelocations.has(table.readUInt32LE(at + 8))) continue;
      slots.set(name, Number(table.readBigUInt64LE(at)));
    }
  }
  return slots;
}

/**
 * The functions that .eh_frame_hdr lists for unwinding. Only the form that linkers write is read:
 * a table of signed 32-bit distances from the header (0x3b).
 */
function readUnwindStarts(input: ElfInput, header: Buffer): number[] {
  const PT_GNU_EH_FRAME = 0x6474e550;
  const segment = readSegments(input, header).find(({ type }) => type === PT_GNU_EH_FRAME);
  if (segment === undefined || segment.fileSize < 12) return [];
  const bytes = input.read(segment.offset, segment.fileSize, "the unwind table");
  const isUsual = bytes[0] === 1 && bytes[2] === 0x03 && bytes[3] === 0x3b;
  if (!isUsual) return [];
  const count = Math.min(bytes.readUInt32LE(8), Math.floor((bytes.length - 12) / 8));
  const base = Number(segment.address);
  return Array.from({ length: count }, (_, index) => base + bytes.readInt32LE(12 + index * 8));
}

/**
 * Reads a file.
 * @param path its path in the guest
 * @param place where it lies on the host
 * Throws an ElfError for files that are not ELF for x86-64, and Node's system errors.
 */
export function readCodeFile(path: string, place: ElfPlace): CodeFile {
  return readElfFile(path, place, (input) => {
    const header = readHeader(input);
    const sections = readSections(input, header);
    const { names, imports, exports } = readSymbols(input, sections);
    const starts = new Set([...readUnwindStarts(input, header), ...exports.values()]);
    return {
      path,
      code: readCode(input, header, sections),
      imports,
      exports,
      slots: readSlots(input, sections, names),
      functionStarts: [...starts].sort((a, b) => a - b),
    };
  });
}
