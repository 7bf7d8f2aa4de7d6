/**
 * /proc/PID/maps and smaps (proc(5)): one line for each mapping.
 *
 *   start-end rwxp offset major:minor inode            path
 */
import { ENOMEM, ESRCH } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { MAP_GROWSDOWN, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../vm/flags";
import { VMA_BREAK, Vma } from "../../vm/vma";
import { majorOf, minorOf } from "../constants";
import { ProcessFacts, ProcessProvider } from "./provider";

/** Column of the path. */
const PATH_COLUMN: usize = 73;

/** Writes all mappings; `details` adds the lines of smaps. */
export function writeMaps(
  provider: ProcessProvider,
  pid: i32,
  details: bool,
  out: ByteWriter,
): i64 {
  const space = provider.addressSpace(pid);
  if (!space) return -ESRCH;
  const facts = new ProcessFacts();
  provider.facts(pid, pid, facts);
  const stack = facts.stackStart;
  free(facts);
  space.lock();
  let vma = space.findVma(0);
  while (vma) {
    writeMapping(vma, stack, out);
    if (details) writeDetails(vma, out);
    vma = space.nextVma(vma);
  }
  space.unlock();
  space.release();
  return out.overflowed ? -ENOMEM : 0;
}

function writeMapping(vma: Vma, stack: usize, out: ByteWriter): void {
  const lineStart = out.length;
  const pager = vma.pager;
  const device = pager ? pager.device() : 0;
  out.writeHex(vma.start, 8);
  out.writeByte(0x2d);
  out.writeHex(vma.end, 8);
  out.writeByte(0x20);
  out.writeByte(vma.prot & PROT_READ ? 0x72 : 0x2d);
  out.writeByte(vma.prot & PROT_WRITE ? 0x77 : 0x2d);
  out.writeByte(vma.prot & PROT_EXEC ? 0x78 : 0x2d);
  out.writeByte(vma.isShared ? 0x73 : 0x70);
  out.writeByte(0x20);
  out.writeHex(pager ? vma.offset : 0, 8);
  out.writeByte(0x20);
  out.writeHex(majorOf(device), 2);
  out.writeByte(0x3a);
  out.writeHex(minorOf(device), 2);
  out.writeByte(0x20);
  out.writeDecimal(pager ? pager.inode() : 0);
  out.writeByte(0x20);
  const column = out.length - lineStart;
  const isHeap = (vma.flags & VMA_BREAK) != 0;
  const isStack = (vma.flags & MAP_GROWSDOWN) != 0 || (stack >= vma.start && stack < vma.end);
  if (pager || isHeap || isStack) {
    out.writeRepeated(0x20, column < PATH_COLUMN ? PATH_COLUMN - column : 1);
    if (pager) pager.writePath(out);
    else out.writeString(isHeap ? "[heap]" : "[stack]");
  }
  out.writeByte(0x0a);
}

/** The lines of smaps that are known for one mapping: its size and page size. */
function writeDetails(vma: Vma, out: ByteWriter): void {
  out.writeString("Size:           ");
  out.writePadded(vma.length >> 10, 8);
  out.writeString(" kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n");
}
