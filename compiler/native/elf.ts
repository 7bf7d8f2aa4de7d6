/**
 * Reads what the build needs from an ELF64 file: sections and symbols.
 *
 * System V ABI, chapters 4 and 5; https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
 * Neighbours: `ksyms-collect.ts`, `dwarf-lines.ts`.
 */

export interface ElfSection {
  name: string;
  address: bigint;
  offset: number;
  size: number;
  bytes: Uint8Array;
  /** Not in the file (SHT_NOBITS). */
  isEmpty: boolean;
}

export interface ElfSymbol {
  name: string;
  address: bigint;
  size: number;
  isFunction: boolean;
  /** Section index; 0 is undefined. */
  section: number;
}

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const NOBITS = 8;
const FUNCTION = 2;

function textAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  return Buffer.from(bytes.subarray(start, end)).toString("utf8");
}

/** An ELF64 little-endian file. */
export class ElfFile {
  readonly sections: ElfSection[] = [];

  constructor(file: Uint8Array) {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (view.getUint32(0) !== 0x7f454c46 || file[4] !== 2) throw new Error("not an ELF64 file");
    const headers = Number(view.getBigUint64(0x28, true));
    const count = view.getUint16(0x3c, true);
    const namesIndex = view.getUint16(0x3e, true);
    const nameOffsets: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = headers + i * SECTION_HEADER_BYTES;
      const isEmpty = view.getUint32(at + 4, true) === NOBITS;
      const offset = Number(view.getBigUint64(at + 24, true));
      const size = Number(view.getBigUint64(at + 32, true));
      nameOffsets.push(view.getUint32(at, true));
      this.sections.push({
        name: "",
        address: view.getBigUint64(at + 16, true),
        offset,
        size,
        bytes: isEmpty ? new Uint8Array(0) : file.subarray(offset, offset + size),
        isEmpty,
      });
    }
    const names = this.sections[namesIndex];
    for (const [i, section] of this.sections.entries()) {
      if (names) section.name = textAt(names.bytes, nameOffsets[i] ?? 0);
    }
  }

  /** The section called `name`; empty if there is none. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** All symbols of the symbol table. */
  symbols(): ElfSymbol[] {
    const table = this.section(".symtab")?.bytes ?? new Uint8Array(0);
    const names = this.section(".strtab")?.bytes ?? new Uint8Array(0);
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const symbols: ElfSymbol[] = [];
    for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
      symbols.push({
        name: textAt(names, view.getUint32(at, true)),
        isFunction: (view.getUint8(at + 4) & 15) === FUNCTION,
        section: view.getUint16(at + 6, true),
        address: view.getBigUint64(at + 8, true),
        size: Number(view.getBigUint64(at + 16, true)),
      });
    }
    return symbols;
  }
}
