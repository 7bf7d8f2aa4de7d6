/**
 * What the ACPI tables tell the rest of the kernel: I/O APICs, ISA overrides, power-off. Without
 * tables (microvm) the machine is assumed to have the one I/O APIC every PC has.
 *
 * Neighbours: `acpi/tables`, `acpi/madt`, `acpi/fadt` read; `arch/x86_64/ioapic` is told.
 */
import { rsdpAddress } from "../../arch/bootinfo";
import { addIoApic, setIsaOverride } from "../../arch/x86_64/ioapic";
import { mapKernel } from "../../mm/pagetable";
import { hasPci } from "../pci/enumeration";
import { addProcessor } from "../processors";
import { PowerFacts, readFadt } from "./fadt";
import { ISA_IRQS, MadtFacts, readMadt } from "./madt";
import { setPowerFacts } from "./power";
import { AcpiTables, PhysicalView } from "./tables";

const DEFAULT_IO_APIC: u64 = 0xfec00000;
const PAGE_BYTES: u64 = 4096;
/** Mapped at a time: firmware puts the tables side by side. */
const WINDOW_BYTES: u64 = 0x10000;

/** Reads physical memory through the last window that was mapped. */
class MappedView extends PhysicalView {
  private start: u64 = 0;
  private end: u64 = 0;
  private address: usize = 0;

  at(physical: u64, lengthBytes: u32): usize {
    const last = physical + lengthBytes;
    if (last < physical) return 0;
    if (physical < this.start || last > this.end) {
      const start = physical & ~(PAGE_BYTES - 1);
      let size = (last - start + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
      if (size < WINDOW_BYTES) size = WINDOW_BYTES;
      const mapped = mapKernel(start, <usize>size);
      if (mapped == 0) return 0;
      this.start = start;
      this.end = start + size;
      this.address = mapped;
    }
    return this.address + <usize>(physical - this.start);
  }
}

const tables = new AcpiTables(new MappedView());
const madt = new MadtFacts();
const power = new PowerFacts();

/** Makes the I/O APICs known and prepares power-off. Before any device interrupt is registered. */
export function initAcpi(): void {
  let ioApics: u32 = 0;
  if (openRoot()) {
    ioApics = useMadt();
    if (readFadt(tables, power)) setPowerFacts(power);
  }
  if (ioApics == 0) useIoApic(DEFAULT_IO_APIC, 0);
}

/** A boot loader does not know where the root pointer is; it runs on machines with PCI and a BIOS. */
function openRoot(): bool {
  if (rsdpAddress() != 0) return tables.openRoot(rsdpAddress());
  return hasPci() && tables.findRoot();
}

function useMadt(): u32 {
  if (!readMadt(tables, madt)) return 0;
  const count = madt.ioApicCount;
  for (let i: u32 = 0; i < count; i++) useIoApic(madt.ioApicAddress[i], madt.ioApicGsi[i]);
  for (let irq: u32 = 0; irq < ISA_IRQS; irq++) {
    if (!madt.isaOverridden[irq]) continue;
    setIsaOverride(irq, madt.isaGsi[irq], madt.isaLevelTriggered[irq], madt.isaActiveLow[irq]);
  }
  for (let i: u32 = 0; i < madt.processorCount; i++) addProcessor(madt.processorApicId[i]);
  return count;
}

function useIoApic(physical: u64, firstGsi: u32): void {
  const window = mapKernel(physical, <usize>PAGE_BYTES);
  if (window != 0) addIoApic(window, firstGsi);
}
