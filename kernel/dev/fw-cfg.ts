/**
 * QEMU's firmware configuration device (QEMU docs/specs/fw_cfg.rst), by its I/O ports.
 */
import { inb, outw } from "../arch/cpu";

const SELECTOR: u16 = 0x510;
const DATA: u16 = 0x511;
const KEY_SIGNATURE: u16 = 0;
const KEY_CPU_COUNT: u16 = 5;

/** Number of processors the monitor started with; 0 if there is no such device. */
export function fwCfgCpuCount(): u32 {
  outw(SELECTOR, KEY_SIGNATURE);
  if (inb(DATA) != 0x51 || inb(DATA) != 0x45 || inb(DATA) != 0x4d || inb(DATA) != 0x55) return 0;
  outw(SELECTOR, KEY_CPU_COUNT);
  const low = <u32>inb(DATA);
  return low | ((<u32>inb(DATA)) << 8);
}
