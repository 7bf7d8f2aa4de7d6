/**
 * The MADT (ACPI 6.5, section 5.2.12): I/O APICs, ISA interrupt overrides, processors.
 *
 * Neighbours: `acpi/tables` finds and checks it; `acpi/init` passes on what it says.
 */
import { AcpiTables, SIGNATURE_MADT } from "./tables";

const MADT_MIN_BYTES: u32 = 44;
const LOCAL_APIC_ADDRESS: usize = 36;

/** Entry types and their lengths. */
const ENTRY_PROCESSOR: u8 = 0;
const ENTRY_PROCESSOR_BYTES: u32 = 8;
const ENTRY_IO_APIC: u8 = 1;
const ENTRY_IO_APIC_BYTES: u32 = 12;
const ENTRY_OVERRIDE: u8 = 2;
const ENTRY_OVERRIDE_BYTES: u32 = 10;
const ENTRY_PROCESSOR_X2APIC: u8 = 9;
const ENTRY_PROCESSOR_X2APIC_BYTES: u32 = 16;

/** Processor flags: usable now, or may be brought online. */
const PROCESSOR_ENABLED: u32 = 1;

/** More processors than this are not listed. */
export const MAX_PROCESSORS: u32 = 64;
export const MAX_IO_APICS: u32 = 4;
export const ISA_IRQS: u32 = 16;
/** Polarity, bits 0 and 1 of an override's flags: 3 is active low (1 active high, 0 as the bus). */
const FLAGS_POLARITY: u16 = 3;
const POLARITY_LOW: u16 = 3;
/** Trigger mode, bits 2 and 3: 3 is level (1 edge, 0 as the bus). */
const FLAGS_TRIGGER: u16 = 3 << 2;
const TRIGGER_LEVEL: u16 = 3 << 2;

/** What the MADT says; plain numbers. */
export class MadtFacts {
  localApicAddress: u64 = 0;
  processorCount: u32 = 0;
  /** APIC ids of the processors. */
  processorApicId: StaticArray<u32> = new StaticArray<u32>(<i32>MAX_PROCESSORS);
  ioApicCount: u32 = 0;
  /** Physical addresses and first GSIs of the I/O APICs. */
  ioApicAddress: StaticArray<u64> = new StaticArray<u64>(<i32>MAX_IO_APICS);
  ioApicGsi: StaticArray<u32> = new StaticArray<u32>(<i32>MAX_IO_APICS);
  /** Which ISA IRQs are overridden, and how. */
  isaOverridden: StaticArray<bool> = new StaticArray<bool>(<i32>ISA_IRQS);
  isaGsi: StaticArray<u32> = new StaticArray<u32>(<i32>ISA_IRQS);
  isaLevelTriggered: StaticArray<bool> = new StaticArray<bool>(<i32>ISA_IRQS);
  isaActiveLow: StaticArray<bool> = new StaticArray<bool>(<i32>ISA_IRQS);
}

/** Fills `facts` from the MADT. @returns false if there is no valid one */
export function readMadt(tables: AcpiTables, facts: MadtFacts): bool {
  const table = tables.find(SIGNATURE_MADT, MADT_MIN_BYTES);
  if (table == 0) return false;
  const length = tables.lengthBytes;
  facts.localApicAddress = load<u32>(table + LOCAL_APIC_ADDRESS);
  let offset: u32 = MADT_MIN_BYTES;
  while (offset + 2 <= length) {
    const entry = table + offset;
    const entryBytes: u32 = load<u8>(entry + 1);
    if (entryBytes < 2 || offset + entryBytes > length) break;
    readEntry(entry, entryBytes, facts);
    offset += entryBytes;
  }
  return true;
}

function addProcessor(facts: MadtFacts, apicId: u32): void {
  if (facts.processorCount == MAX_PROCESSORS) return;
  facts.processorApicId[facts.processorCount] = apicId;
  facts.processorCount++;
}

function readEntry(entry: usize, entryBytes: u32, facts: MadtFacts): void {
  const type = load<u8>(entry);
  if (type == ENTRY_PROCESSOR && entryBytes >= ENTRY_PROCESSOR_BYTES) {
    if (load<u32>(entry + 4) & PROCESSOR_ENABLED) addProcessor(facts, load<u8>(entry + 3));
  } else if (type == ENTRY_PROCESSOR_X2APIC && entryBytes >= ENTRY_PROCESSOR_X2APIC_BYTES) {
    if (load<u32>(entry + 8) & PROCESSOR_ENABLED) addProcessor(facts, load<u32>(entry + 4));
  } else if (type == ENTRY_IO_APIC && entryBytes >= ENTRY_IO_APIC_BYTES) {
    if (facts.ioApicCount == MAX_IO_APICS) return;
    facts.ioApicAddress[facts.ioApicCount] = load<u32>(entry + 4);
    facts.ioApicGsi[facts.ioApicCount] = load<u32>(entry + 8);
    facts.ioApicCount++;
  } else if (type == ENTRY_OVERRIDE && entryBytes >= ENTRY_OVERRIDE_BYTES) {
    const irq: u32 = load<u8>(entry + 3);
    if (irq >= ISA_IRQS) return;
    const flags = load<u16>(entry + 8);
    facts.isaOverridden[irq] = true;
    facts.isaGsi[irq] = load<u32>(entry + 4);
    facts.isaLevelTriggered[irq] = (flags & FLAGS_TRIGGER) == TRIGGER_LEVEL;
    facts.isaActiveLow[irq] = (flags & FLAGS_POLARITY) == POLARITY_LOW;
  }
}
