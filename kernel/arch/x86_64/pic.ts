/**
 * The two 8259 interrupt controllers of a PC (Intel 8259A data sheet): only silenced, the I/O APICs
 * take their place.
 *
 * Neighbour: `apic` calls it while the local APIC still passes the 8259's interrupts on. Done later,
 * an interrupt that firmware's timer has raised meanwhile stays pending at the processor with no
 * controller to name its vector.
 */
import { outb } from "./hw";

const MASTER_MASK: u16 = 0x21;
const SLAVE_MASK: u16 = 0xa1;
const ALL_LINES: u8 = 0xff;

/** Masks all lines of both controllers; harmless where there are none. */
export function silenceLegacyPic(): void {
  outb(MASTER_MASK, ALL_LINES);
  outb(SLAVE_MASK, ALL_LINES);
}
