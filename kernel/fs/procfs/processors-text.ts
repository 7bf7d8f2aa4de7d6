/**
 * Sets of processors as /proc and /sys write them: lists ("0-3") and masks ("f").
 */
import { ByteWriter } from "../../lib/format";
import { onlineCpus } from "../../sched/run-queue";

/** All processors as a list. */
export function writeProcessorList(out: ByteWriter): void {
  const count = onlineCpus();
  out.writeByte(0x30);
  if (count < 2) return;
  out.writeByte(0x2d);
  out.writeDecimal(count - 1);
}

/** All processors as a mask: groups of eight digits, the highest first, with commas between. */
export function writeProcessorMask(out: ByteWriter): void {
  const count = max<u32>(onlineCpus(), 1);
  const mask = count >= 64 ? u64.MAX_VALUE : ((<u64>1) << count) - 1;
  if (mask >> 32) {
    out.writeHex(mask >> 32);
    out.writeByte(0x2c);
    out.writeHex(mask & 0xffffffff, 8);
  } else {
    out.writeHex(mask);
  }
}
