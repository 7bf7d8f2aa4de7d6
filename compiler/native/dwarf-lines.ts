/**
 * Reads the line table of an ELF file: which source line each instruction comes from.
 *
 * DWARF 5, section 6.2; https://dwarfstd.org/doc/DWARF5.pdf
 * Neighbours: `elf.ts` finds the sections, `ksyms-collect.ts` uses the rows.
 */
import type { ElfFile } from "./elf.ts";

/** The instructions from `address` up to the next row's address come from `file`:`line`. */
export interface LineRow {
  address: bigint;
  file: string;
  line: number;
  /** The address is one past the last instruction of a run. */
  endsRun: boolean;
}

const VERSION = 5;

// Content types (table 7.27) and forms (table 7.6) of the file table.
const CONTENT_PATH = 1;
const CONTENT_DIRECTORY = 2;
const FORM_DATA2 = 0x05;
const FORM_STRING = 0x08;
const FORM_DATA1 = 0x0b;
const FORM_STRP = 0x0e;
const FORM_UDATA = 0x0f;
const FORM_DATA16 = 0x1e;
const FORM_LINE_STRP = 0x1f;

class Reader {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  u8(): number {
    return this.view.getUint8(this.position++);
  }

  u16(): number {
    this.position += 2;
    return this.view.getUint16(this.position - 2, true);
  }

  u32(): number {
    this.position += 4;
    return this.view.getUint32(this.position - 4, true);
  }

  u64(): bigint {
    this.position += 8;
    return this.view.getBigUint64(this.position - 8, true);
  }

  uleb(): number {
    let result = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
    }
  }

  sleb(): number {
    let result = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return byte & 0x40 ? result - factor * 128 : result;
    }
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.position);
    const text = Buffer.from(this.bytes.subarray(this.position, end)).toString("utf8");
    this.position = end + 1;
    return text;
  }
}

interface Strings {
  line: Uint8Array;
  general: Uint8Array;
}

function readForm(reader: Reader, form: number, strings: Strings): string | number {
  switch (form) {
    case FORM_STRING:
      return reader.text();
    case FORM_LINE_STRP:
      return new Reader(strings.line, reader.u32()).text();
    case FORM_STRP:
      return new Reader(strings.general, reader.u32()).text();
    case FORM_UDATA:
      return reader.uleb();
    case FORM_DATA1:
      return reader.u8();
    case FORM_DATA2:
      return reader.u16();
    case FORM_DATA16:
      reader.position += 16;
      return 0;
    default:
      throw new Error(`line table: form 0x${form.toString(16)} is not supported`);
  }
}

interface Entry {
  path: string;
  directory: number;
}

function readEntries(reader: Reader, strings: Strings): Entry[] {
  const formats: [number, number][] = [];
  for (let i = reader.u8(); i > 0; i--) formats.push([reader.uleb(), reader.uleb()]);
  const entries: Entry[] = [];
  for (let i = reader.uleb(); i > 0; i--) {
    const entry: Entry = { path: "", directory: 0 };
    for (const [content, form] of formats) {
      const value = readForm(reader, form, strings);
      if (content === CONTENT_PATH) entry.path = String(value);
      else if (content === CONTENT_DIRECTORY) entry.directory = Number(value);
    }
    entries.push(entry);
  }
  return entries;
}

/** Path of each file, relative to the directory of compilation. */
function filePaths(directories: Entry[], files: Entry[]): string[] {
  return files.map(({ path, directory }) => {
    const folder = directory === 0 ? "" : (directories[directory]?.path ?? "");
    return (folder && !path.startsWith("/") ? `${folder}/${path}` : path).replace(/^\.\//, "");
  });
}

interface Header {
  minimumLength: number;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  operandCounts: number[];
  files: string[];
}

function readHeader(reader: Reader, strings: Strings): Header {
  const minimumLength = reader.u8();
  reader.u8(); // operations per instruction
  reader.u8(); // default of is_stmt
  const lineBase = reader.view.getInt8(reader.position++);
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(reader.u8());
  const directories = readEntries(reader, strings);
  const files = filePaths(directories, readEntries(reader, strings));
  return { minimumLength, lineBase, lineRange, opcodeBase, operandCounts, files };
}

/** The registers of the line-number machine that we need. */
interface Machine {
  address: bigint;
  file: number;
  line: number;
}

/** Standard opcodes (section 6.2.5.2) that change a register we need. */
function standardOpcode(opcode: number, reader: Reader, header: Header, machine: Machine): boolean {
  switch (opcode) {
    case 1: // copy
      return true;
    case 2: // advance_pc
      machine.address += BigInt(reader.uleb() * header.minimumLength);
      return false;
    case 3: // advance_line
      machine.line += reader.sleb();
      return false;
    case 4: // set_file
      machine.file = reader.uleb();
      return false;
    case 8: // const_add_pc
      machine.address += BigInt(
        Math.floor((255 - header.opcodeBase) / header.lineRange) * header.minimumLength,
      );
      return false;
    case 9: // fixed_advance_pc
      machine.address += BigInt(reader.u16());
      return false;
    default: // column, is_stmt, prologue end …
      for (let i = header.operandCounts[opcode] ?? 0; i > 0; i--) reader.uleb();
      return false;
  }
}

function runProgram(reader: Reader, end: number, header: Header, rows: LineRow[]): void {
  let machine: Machine = { address: 0n, file: 1, line: 1 };
  const emit = (endsRun: boolean): void => {
    const file = header.files[machine.file] ?? "?";
    rows.push({ address: machine.address, file, line: machine.line, endsRun });
  };
  while (reader.position < end) {
    const opcode = reader.u8();
    if (opcode >= header.opcodeBase) {
      const adjusted = opcode - header.opcodeBase;
      const advance = Math.floor(adjusted / header.lineRange) * header.minimumLength;
      machine.address += BigInt(advance);
      machine.line += header.lineBase + (adjusted % header.lineRange);
      emit(false);
    } else if (opcode === 0) {
      const length = reader.uleb();
      const next = reader.position + length;
      const extended = reader.u8();
      if (extended === 1) {
        emit(true);
        machine = { address: 0n, file: 1, line: 1 };
      } else if (extended === 2) machine.address = reader.u64();
      reader.position = next;
    } else if (standardOpcode(opcode, reader, header, machine)) emit(false);
  }
}

/**
 * All rows of the file in order of address. Runs that the linker dropped (address 0) are left out.
 * @throws if the table is not DWARF 5
 */
export function readLineTable(elf: ElfFile): LineRow[] {
  const empty = new Uint8Array(0);
  const strings = {
    line: elf.section(".debug_line_str")?.bytes ?? empty,
    general: elf.section(".debug_str")?.bytes ?? empty,
  };
  const table = elf.section(".debug_line")?.bytes ?? empty;
  const rows: LineRow[] = [];
  const reader = new Reader(table);
  while (reader.position < table.length) {
    const length = reader.u32();
    const end = reader.position + length;
    const version = reader.u16();
    if (version !== VERSION) throw new Error(`line table: DWARF ${version}, not ${VERSION}`);
    reader.u8(); // address size
    reader.u8(); // segment selector size
    const headerLength = reader.u32();
    const start = reader.position + headerLength;
    const header = readHeader(reader, strings);
    reader.position = start;
    runProgram(reader, end, header, rows);
    reader.position = end;
  }
  return sortRuns(rows);
}

/** Sorts runs by address, keeping each run together; drops what has no address. */
function sortRuns(rows: readonly LineRow[]): LineRow[] {
  const runs: LineRow[][] = [];
  let run: LineRow[] = [];
  for (const row of rows) {
    run.push(row);
    if (!row.endsRun) continue;
    if ((run[0]?.address ?? 0n) !== 0n) runs.push(run);
    run = [];
  }
  runs.sort((a, b) => Number((a[0]?.address ?? 0n) - (b[0]?.address ?? 0n)));
  return runs.flat();
}

/** Finds the row that covers an address; null between runs. */
export function findRow(rows: readonly LineRow[], address: bigint): LineRow | null {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.address ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  const row = rows[low - 1];
  return row && !row.endsRun ? row : null;
}
