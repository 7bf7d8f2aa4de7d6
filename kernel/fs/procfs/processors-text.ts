/**
 * Sets of processors as /proc and /sys write them: lists ("0-3,6") and masks ("4f"). A set is a word
 * with a bit for each.
 */
import { ByteWriter } from "../../lib/format";
import { onlineCpus } from "../../sched/run-queue";

const PROCESSORS_MAX: u64 = 64;

/** The set of all processors. */
export function allProcessors(): u64 {
  const count = max<u32>(onlineCpus(), 1);
  return count >= 64 ? u64.MAX_VALUE : ((<u64>1) << count) - 1;
}

/** A set as a list of numbers and ranges. */
export function writeProcessorList(out: ByteWriter, set: u64): void {
  let isFirst = true;
  let at: u64 = 0;
  while (at < PROCESSORS_MAX) {
    if (((set >> at) & 1) == 0) {
      at++;
      continue;
    }
    const start = at;
    while (at < PROCESSORS_MAX && ((set >> at) & 1) != 0) at++;
    if (!isFirst) out.writeByte(0x2c);
    isFirst = false;
    out.writeDecimal(start);
    if (at - 1 == start) continue;
    out.writeByte(0x2d);
    out.writeDecimal(at - 1);
  }
}

/** A set as a mask: groups of eight digits, the highest first, with commas between. */
export function writeProcessorMask(out: ByteWriter, set: u64): void {
  if (set >> 32) {
    out.writeHex(set >> 32);
    out.writeByte(0x2c);
    out.writeHex(set & 0xffffffff, 8);
  } else {
    out.writeHex(set);
  }
}
