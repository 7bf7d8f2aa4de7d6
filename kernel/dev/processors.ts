/**
 * The processors of the machine: the ACPI tables' list, or the monitor's count where there are no
 * tables (microvm), in which case APIC ids are taken to be 0, 1, 2, …
 */
import { MAX_PROCESSORS } from "./acpi/madt";
import { fwCfgCpuCount } from "./fw-cfg";

const apicIds = new StaticArray<u32>(MAX_PROCESSORS);
let listed: u32 = 0;

/** Adds a processor that firmware lists. */
export function addProcessor(apicId: u32): void {
  if (listed == MAX_PROCESSORS) return;
  apicIds[listed] = apicId;
  listed++;
}

/** Number of processors, running or not; at least 1. */
export function processorCount(): u32 {
  if (listed == 0) {
    const count = min(max(fwCfgCpuCount(), 1), MAX_PROCESSORS);
    for (let id: u32 = 0; id < count; id++) addProcessor(id);
  }
  return listed;
}

/** APIC id of processor `index`; the first is the one that booted. */
export function processorApicId(index: u32): u32 {
  return apicIds[index];
}
