/**
 * What the machine monitor tells the kernel: memory map, command line, one module, where the ACPI
 * tables are. Copied out of the PVH structures at once, so their memory can be used.
 *
 * PVH start info: xen/include/public/arch-x86/hvm/start_info.h.
 * Command line: words separated by blanks; options first, then `--`, then the program and its
 * arguments. Bytes that would disturb this are written %XX (capstan does it). A long one comes as the
 * boot module, and the monitor's own command line says only `config=initrd`.
 */
import { equalsLiteral, startsWithLiteral } from "../lib/bytes";

@unmanaged
class StartInfo {
  magic: u32;
  version: u32;
  flags: u32;
  moduleCount: u32;
  moduleList: u64;
  commandLine: u64;
  rsdp: u64;
  memoryMap: u64;
  memoryMapEntries: u32;
  reserved: u32;
}

@unmanaged
class MemoryMapEntry {
  address: u64;
  sizeBytes: u64;
  type: u32;
  reserved: u32;
}

const START_INFO_MAGIC: u32 = 0x336ec578;
const MEMORY_TYPE_RAM: u32 = 1;
const MAX_REGIONS: u32 = 32;
const COMMAND_LINE_BYTES: u32 = 4096;
/** BIOS data, the PVH structures themselves and option ROMs live below; it is not worth sharing. */
const LOW_MEMORY_END: u64 = 0x100000;

const starts = new StaticArray<u64>(MAX_REGIONS);
const ends = new StaticArray<u64>(MAX_REGIONS);
const commandLineText = new StaticArray<u8>(COMMAND_LINE_BYTES);
/** The text in force: the copy above, or the boot module if the command line refers to it. */
let commandLineStart: usize = changetype<usize>(commandLineText);
let commandLineSize: usize = 0;
let monitorLineSize: usize = 0;
let regionCount: u32 = 0;
let rsdp: u64 = 0;
let modulePhysical: u64 = 0;
let moduleBytes: u64 = 0;

/** Reads the PVH start info at physical address `physical`; `directMap` is where memory is seen. */
export function readStartInfo(physical: u64, directMap: usize): bool {
  const info = changetype<StartInfo>(directMap + physical);
  if (info.magic != START_INFO_MAGIC) return false;
  rsdp = info.rsdp;
  if (info.version >= 1) {
    for (let i: u32 = 0; i < info.memoryMapEntries; i++) {
      const entry = changetype<MemoryMapEntry>(
        directMap + info.memoryMap + <usize>i * offsetof<MemoryMapEntry>(),
      );
      if (entry.type == MEMORY_TYPE_RAM) addRegion(entry.address, entry.sizeBytes);
    }
  }
  if (info.commandLine != 0) {
    const source = directMap + info.commandLine;
    while (commandLineSize < COMMAND_LINE_BYTES - 1 && load<u8>(source + commandLineSize) != 0) {
      unchecked((commandLineText[<i32>commandLineSize] = load<u8>(source + commandLineSize)));
      commandLineSize++;
    }
  }
  monitorLineSize = commandLineSize;
  if (info.moduleCount > 0) {
    modulePhysical = load<u64>(directMap + info.moduleList);
    moduleBytes = load<u64>(directMap + info.moduleList + 8);
  }
  const config = findOption("config");
  if (config && config.is("initrd") && moduleBytes != 0) {
    commandLineStart = directMap + <usize>modulePhysical;
    commandLineSize = <usize>moduleBytes;
  }
  return true;
}

function addRegion(address: u64, sizeBytes: u64): void {
  let start = (address + 4095) & ~4095;
  const end = (address + sizeBytes) & ~4095;
  if (start < LOW_MEMORY_END) start = LOW_MEMORY_END;
  if (start >= end || regionCount == MAX_REGIONS) return;
  unchecked((starts[regionCount] = start));
  unchecked((ends[regionCount] = end));
  regionCount++;
}

/** Number of regions of usable RAM, page-aligned, above 1 MiB. */
export function memoryRegionCount(): u32 {
  return regionCount;
}

/** First physical address of region `index`. */
export function memoryRegionStart(index: u32): u64 {
  return starts[index];
}

/** Physical address after the last byte of region `index`. */
export function memoryRegionEnd(index: u32): u64 {
  return ends[index];
}

/** Address of the command line's bytes (still percent-encoded). */
export function commandLineAddress(): usize {
  return commandLineStart;
}

/** Length of the command line in bytes. */
export function commandLineLength(): usize {
  return commandLineSize;
}

/** Address of the monitor's own command line, where it may name devices. */
export function monitorLineAddress(): usize {
  return changetype<usize>(commandLineText);
}

/** Length of the monitor's own command line in bytes. */
export function monitorLineLength(): usize {
  return monitorLineSize;
}

/** Physical address of the first boot module (initrd); 0 without one. */
export function moduleAddress(): u64 {
  return modulePhysical;
}

/** Size of the first boot module in bytes. */
export function moduleSizeBytes(): u64 {
  return moduleBytes;
}

/** Physical address of the ACPI root pointer; 0 if unknown. */
export function rsdpAddress(): u64 {
  return rsdp;
}

/** A value found on the command line: `length` bytes at `address`. */
export class BootOption {
  address: usize = 0;
  length: usize = 0;
  /** Where the search for a further option of the same name goes on. */
  next: usize = 0;

  /** Whether the value is this text. */
  is(text: string): bool {
    return equalsLiteral(this.address, this.length, text);
  }
}

/** What was found last. The boot is one thread, which uses an option before it looks for another. */
const option = new BootOption();

/** Finds `name` or `name=value` among the options before `--`, from byte `from` on. For the boot only. */
export function findOption(name: string, from: usize = 0): BootOption | null {
  const text = commandLineStart;
  let position = from;
  while (position < commandLineSize) {
    while (position < commandLineSize && load<u8>(text + position) == 0x20) position++;
    const start = position;
    while (position < commandLineSize && load<u8>(text + position) != 0x20) position++;
    const length = position - start;
    if (length == 2 && load<u16>(text + start) == 0x2d2d) return null;
    const nameLength = <usize>name.length;
    if (!startsWithLiteral(text + start, length, name)) continue;
    if (length == nameLength) {
      option.address = text + position;
      option.length = 0;
    } else if (load<u8>(text + start + nameLength) == 0x3d) {
      option.address = text + start + nameLength + 1;
      option.length = length - nameLength - 1;
    } else continue;
    option.next = position;
    return option;
  }
  return null;
}
