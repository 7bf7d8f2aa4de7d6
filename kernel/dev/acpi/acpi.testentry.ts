/** Surface of the ACPI readers for their tests: tables lie in one block of test memory. */
import { PowerFacts, readFadt } from "./fadt";
import { MadtFacts, readMadt } from "./madt";
import { AcpiTables, PhysicalView } from "./tables";

let blockStart: u64 = 0;
let blockBytes: u64 = 0;

/** Where a BIOS keeps the root pointer, and the test memory that stands for it; 0 = none. */
const BIOS_AREA: u64 = 0xe0000;
const BIOS_AREA_BYTES: u64 = 0x20000;
let biosArea: usize = 0;

/**
 * Only the block and the BIOS area exist; reading outside them is refused as unmapped memory would
 * be.
 */
class BlockView extends PhysicalView {
  at(physical: u64, lengthBytes: u32): usize {
    if (biosArea != 0 && physical >= BIOS_AREA && physical < BIOS_AREA + BIOS_AREA_BYTES) {
      return biosArea + <usize>(physical - BIOS_AREA);
    }
    if (physical < blockStart || physical - blockStart > blockBytes) return 0;
    if (lengthBytes > blockBytes - (physical - blockStart)) return 0;
    return <usize>physical;
  }
}

let facts: MadtFacts = new MadtFacts();
let power: PowerFacts = new PowerFacts();

/** Makes memory the BIOS area; from then on a root pointer at 0 means that it is looked for. */
export function setBiosArea(address: usize): void {
  biosArea = address;
}

/** Bits: 1 root found, 2 MADT found, 4 FADT found. */
export function read(start: u64, bytes: u64, rsdp: u64): u32 {
  blockStart = start;
  blockBytes = bytes;
  facts = new MadtFacts();
  power = new PowerFacts();
  const tables = new AcpiTables(new BlockView());
  if (rsdp != 0 ? !tables.openRoot(rsdp) : !tables.findRoot()) return 0;
  let found: u32 = 1;
  if (readMadt(tables, facts)) found |= 2;
  if (readFadt(tables, power)) found |= 4;
  return found;
}

export function processors(): u32 {
  return facts.processorCount;
}

export function ioApics(): u32 {
  return facts.ioApicCount;
}

export function ioApicAddress(index: u32): u64 {
  return facts.ioApicAddress[index];
}

export function ioApicGsi(index: u32): u32 {
  return facts.ioApicGsi[index];
}

/** GSI, with bit 8 for level-triggered, bit 9 for active low, bit 10 for overridden. */
export function isa(irq: u32): u32 {
  return (
    facts.isaGsi[irq] |
    (facts.isaLevelTriggered[irq] ? 0x100 : 0) |
    (facts.isaActiveLow[irq] ? 0x200 : 0) |
    (facts.isaOverridden[irq] ? 0x400 : 0)
  );
}

export function pm1a(): u32 {
  return power.pm1aPort;
}

/** Sleep type of PM1a, with bit 8 if \_S5 was found. */
export function sleepType(): u32 {
  return power.sleepTypeA | (power.hasS5 ? 0x100 : 0);
}

export function sleepControl(): u64 {
  return power.sleepControlPhysical;
}
