/**
 * Switching the machine off, from any context: by what the firmware offers if a driver registered
 * it, by a reset otherwise (monitors are started with "no reboot", so that a reset ends them).
 */
import { cli, tripleFault } from "./cpu";

let firmwareOff: (() => void) | null = null;

/** Registers how the firmware switches off; the function returns if it cannot. */
export function setFirmwarePowerOff(off: () => void): void {
  firmwareOff = off;
}

/** Ends the machine. Never returns. */
export function powerOff(): void {
  cli();
  const off = firmwareOff;
  if (off) off();
  tripleFault();
}
