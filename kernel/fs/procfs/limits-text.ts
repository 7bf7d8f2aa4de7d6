/**
 * Limits of the whole system under /proc/sys: what memory allows.
 */
import { ByteWriter } from "../../lib/format";
import { totalFrameCount } from "../../mm/frames";

/** A thread takes about this many frames: kernel stack, registers, user stack in use. */
const FRAMES_PER_THREAD: u64 = 8;
/** An open file takes about a quarter of a frame. */
const FILES_PER_FRAME: u64 = 4;

function writeLine(value: u64, out: ByteWriter): void {
  out.writeDecimal(value);
  out.writeByte(0x0a);
}

export function writeThreadsMaximum(out: ByteWriter): void {
  writeLine(totalFrameCount() / FRAMES_PER_THREAD, out);
}

export function writeFileMaximum(out: ByteWriter): void {
  writeLine(totalFrameCount() * FILES_PER_FRAME, out);
}

/** file-nr: allocated, unused, maximum. Open files are not counted. */
export function writeFileNumbers(out: ByteWriter): void {
  out.writeString("0\t0\t");
  writeLine(totalFrameCount() * FILES_PER_FRAME, out);
}
