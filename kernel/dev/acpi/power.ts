/**
 * Power-off through ACPI: sleep state S5 by the PM1 control registers or, on hardware-reduced
 * machines, the sleep control register (ACPI 6.5, sections 4.8.3.2 and 4.8.3.7).
 *
 * Neighbours: `acpi/init` prepares it at boot; `arch/power` and the panic screen end the machine.
 */
import { inw, mmioWrite8, outb, outw } from "../../arch/cpu";
import { mapKernel } from "../../mm/pagetable";
import { PowerFacts } from "./fadt";

const PM1_SLEEP_TYPE: u16 = 7 << 10;
const PM1_SLEEP_TYPE_SHIFT: u16 = 10;
const PM1_SLEEP_ENABLE: u16 = 1 << 13;
const SLEEP_TYPE_SHIFT: u8 = 2;
const SLEEP_ENABLE: u8 = 1 << 5;
const PAGE_MASK: u64 = 4095;

let facts: PowerFacts | null = null;
/** Where the sleep control register is mapped; mapped early, because a panic cannot allocate. */
let sleepControl: usize = 0;

/** Keeps `found` for `acpiPowerOff`. */
export function setPowerFacts(found: PowerFacts): void {
  facts = found;
  const physical = found.sleepControlPhysical;
  if (physical == 0) return;
  const page = mapKernel(physical & ~PAGE_MASK, <usize>PAGE_MASK + 1);
  if (page != 0) sleepControl = page + <usize>(physical & PAGE_MASK);
}

/** Powers the machine off if its ACPI tables say how; returns if they do not. Any context. */
export function acpiPowerOff(): void {
  const how = facts;
  if (how == null || !how.hasS5) return;
  const reduced = (how.sleepTypeA << SLEEP_TYPE_SHIFT) | SLEEP_ENABLE;
  if (sleepControl != 0) mmioWrite8(sleepControl, reduced);
  if (how.sleepControlPort != 0) outb(how.sleepControlPort, reduced);
  if (how.pm1aPort != 0) enterS5(how.pm1aPort, how.sleepTypeA);
  if (how.pm1bPort != 0) enterS5(how.pm1bPort, how.sleepTypeB);
}

function enterS5(port: u16, type: u8): void {
  const kept = inw(port) & ~PM1_SLEEP_TYPE;
  outw(port, kept | ((<u16>type) << PM1_SLEEP_TYPE_SHIFT) | PM1_SLEEP_ENABLE);
}
