/**
 * reboot(2): a program that runs as the only one of its machine may switch it off.
 *
 * Neighbours: `machine-end.ts`.
 */
import { EINVAL } from "../lib/errno";
import { endMachine } from "./machine-end";
import { currentProcess } from "./process";

const MAGIC1: u32 = 0xfee1dead;
const RESTART: u32 = 0x01234567;
const HALT: u32 = 0xcdef0123;
const POWER_OFF: u32 = 0x4321fedc;
const ENABLE_CTRL_ALT_DEL: u32 = 0x89abcdef;
const DISABLE_CTRL_ALT_DEL: u32 = 0;

/** reboot(2): restart, halt and power-off all end the machine, with status 0. */
export function sysReboot(magic1: u32, magic2: u32, command: u32, _argument: usize): i64 {
  if (magic1 != MAGIC1 || !isSecondMagic(magic2)) return -EINVAL;
  switch (command) {
    case ENABLE_CTRL_ALT_DEL:
    case DISABLE_CTRL_ALT_DEL:
      return 0;
    case RESTART:
    case HALT:
    case POWER_OFF:
      currentProcess().exitStatus = 0;
      endMachine(currentProcess());
      return 0;
    default:
      return -EINVAL;
  }
}

function isSecondMagic(magic: u32): bool {
  return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}
