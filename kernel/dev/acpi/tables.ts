/**
 * Finds ACPI tables: RSDP, then RSDT or XSDT, then the table wanted (ACPI 6.5, section 5.2).
 *
 * Firmware is not trusted to be right: lengths are bounded, checksums verified, and a table that
 * fails is treated as absent. Tables are read through a `PhysicalView`, so that tests can supply
 * memory of their own. Neighbours: `acpi/madt`, `acpi/fadt`, `acpi/init`.
 */

/** How physical memory is read. */
export abstract class PhysicalView {
  /** Address where `lengthBytes` bytes at `physical` can be read; 0 if they cannot. */
  abstract at(physical: u64, lengthBytes: u32): usize;
}

/** Bytes before a table's own fields: signature, length, revision, checksum, identities. */
export const TABLE_HEADER_BYTES: u32 = 36;
const TABLE_LENGTH: usize = 4;
/** No table that matters is larger; the limit bounds the time a wrong length costs. */
const MAX_TABLE_BYTES: u32 = 1 << 20;
const MAX_ROOT_ENTRIES: u32 = 256;

/** "RSD PTR ", little-endian. */
const RSDP_SIGNATURE: u64 = 0x2052545020445352;
/** Where a BIOS puts the root pointer, on a multiple of 16 (section 5.2.5.1). */
const BIOS_AREA: u64 = 0xe0000;
const BIOS_AREA_BYTES: u32 = 0x20000;
const RSDP_ALIGNMENT: u32 = 16;
const RSDP_V1_BYTES: u32 = 20;
const RSDP_V2_BYTES: u32 = 36;
const RSDP_REVISION: usize = 15;
const RSDP_RSDT: usize = 16;
const RSDP_XSDT: usize = 24;

export const SIGNATURE_RSDT: u32 = 0x54445352;
export const SIGNATURE_XSDT: u32 = 0x54445358;
export const SIGNATURE_MADT: u32 = 0x43495041;
export const SIGNATURE_FADT: u32 = 0x50434146;
export const SIGNATURE_DSDT: u32 = 0x54445344;

export class AcpiTables {
  private root: usize = 0;
  private entryBytes: u32 = 4;
  private entries: u32 = 0;
  /** Length in bytes of the table that `find` or `open` returned last. */
  lengthBytes: u32 = 0;

  constructor(readonly view: PhysicalView) {}

  /** Reads the root pointer at physical address `rsdp`. @returns false if it is not one */
  openRoot(rsdp: u64): bool {
    const pointer = this.view.at(rsdp, RSDP_V1_BYTES);
    if (pointer == 0 || load<u64>(pointer) != RSDP_SIGNATURE) return false;
    if (!sumsToZero(pointer, RSDP_V1_BYTES)) return false;
    if (load<u8>(pointer + RSDP_REVISION) >= 2) {
      const extended = this.view.at(rsdp, RSDP_V2_BYTES);
      if (extended != 0 && sumsToZero(extended, RSDP_V2_BYTES)) {
        if (this.useRoot(load<u64>(extended + RSDP_XSDT), SIGNATURE_XSDT, 8)) return true;
      }
    }
    return this.useRoot(load<u32>(pointer + RSDP_RSDT), SIGNATURE_RSDT, 4);
  }

  /**
   * Looks for the root pointer in the BIOS area: a boot loader on a disk does not know where it is.
   * @returns false if there is none
   */
  findRoot(): bool {
    let area = this.view.at(BIOS_AREA, BIOS_AREA_BYTES);
    for (let at: u32 = 0; at < BIOS_AREA_BYTES && area != 0; at += RSDP_ALIGNMENT) {
      if (load<u64>(area + at) != RSDP_SIGNATURE) continue;
      if (this.openRoot(BIOS_AREA + at)) return true;
      area = this.view.at(BIOS_AREA, BIOS_AREA_BYTES); // the tables moved the window
    }
    return false;
  }

  private useRoot(physical: u64, signature: u32, entryBytes: u32): bool {
    if (physical == 0) return false;
    const root = this.open(physical, signature, TABLE_HEADER_BYTES);
    if (root == 0) return false;
    this.root = root + TABLE_HEADER_BYTES;
    this.entryBytes = entryBytes;
    this.entries = min((this.lengthBytes - TABLE_HEADER_BYTES) / entryBytes, MAX_ROOT_ENTRIES);
    return true;
  }

  /**
   * Finds the first valid table with this signature and at least `minimumBytes` bytes.
   * @returns its address, 0 if there is none; its length is in `lengthBytes`
   */
  find(signature: u32, minimumBytes: u32): usize {
    for (let i: u32 = 0; i < this.entries; i++) {
      const entry = this.root + <usize>i * this.entryBytes;
      const physical: u64 = this.entryBytes == 8 ? load<u64>(entry) : load<u32>(entry);
      const table = this.open(physical, signature, minimumBytes);
      if (table != 0) return table;
    }
    return 0;
  }

  /** The table at a physical address, if it is valid and has this signature; else 0. */
  open(physical: u64, signature: u32, minimumBytes: u32): usize {
    const header = this.view.at(physical, TABLE_HEADER_BYTES);
    if (header == 0 || load<u32>(header) != signature) return 0;
    const length = load<u32>(header + TABLE_LENGTH);
    if (length < minimumBytes || length < TABLE_HEADER_BYTES || length > MAX_TABLE_BYTES) return 0;
    const table = this.view.at(physical, length);
    if (table == 0 || !sumsToZero(table, length)) return 0;
    this.lengthBytes = length;
    return table;
  }
}

/** True if the bytes add up to 0, as in every valid table (section 5.2.6). */
function sumsToZero(address: usize, lengthBytes: u32): bool {
  let sum: u8 = 0;
  for (let i: usize = 0; i < lengthBytes; i++) sum += load<u8>(address + i);
  return sum == 0;
}
