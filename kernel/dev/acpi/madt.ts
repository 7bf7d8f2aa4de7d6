/**
 * The MADT (ACPI 6.5, section 5.2.12): I/O APICs, ISA interrupt overrides, processors.
 */

/** What the MADT says; plain numbers, filled by `readMadt`. */
export class MadtFacts {
  found: bool = false;
  localApicAddress: u64 = 0;
  processorCount: u32 = 0;
  ioApicCount: u32 = 0;
  /** Physical addresses and first GSIs of the first four I/O APICs. */
  ioApicAddress: StaticArray<u64> = new StaticArray<u64>(4);
  ioApicGsiBase: StaticArray<u32> = new StaticArray<u32>(4);
  /** For each ISA IRQ its GSI; the identity where nothing else is said. */
  isaGsi: StaticArray<u32> = new StaticArray<u32>(16);
  /** For each ISA IRQ its MADT flags (polarity bits 0-1, trigger bits 2-3). */
  isaFlags: StaticArray<u32> = new StaticArray<u32>(16);
}

/** Fills `facts` from the tables at the RSDP (physical address, 0 = none). */
export function readMadt(rsdp: u64, facts: MadtFacts): void {
  abort("unwritten");
}
