/**
 * /proc/PID/maps, smaps and smaps_rollup (proc(5)): one line for each mapping, with what it occupies
 * or with the sum of that.
 *
 *   start-end rwxp offset major:minor inode            path
 */
import { ENOMEM, ESRCH } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { MAP_GROWSDOWN, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../vm/flags";
import { AddressSpace } from "../../vm/address-space";
import { addUsage, PageUsage } from "../../vm/usage";
import { VMA_BREAK, Vma } from "../../vm/vma";
import { majorOf, minorOf } from "../constants";
import { ProcessFacts, ProcessProvider } from "./provider";
import { writeSizeLine } from "./size-line";

/** Column of the path. */
const PATH_COLUMN: usize = 73;
/** Spaces before the name in smaps_rollup. */
const ROLLUP_GAP: usize = 26;

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
    if (details) writeDetails(space, vma, out);
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

/** /proc/PID/smaps_rollup: the sums over all mappings. */
export function writeRollup(provider: ProcessProvider, pid: i32, out: ByteWriter): i64 {
  const space = provider.addressSpace(pid);
  if (!space) return -ESRCH;
  const usage = new PageUsage();
  let start: usize = 0;
  let end: usize = 0;
  space.lock();
  let vma = space.findVma(0);
  if (vma) start = vma.start;
  while (vma) {
    end = vma.end;
    addUsage(space, vma.start, vma.end, usage);
    vma = space.nextVma(vma);
  }
  space.unlock();
  space.release();
  out.writeHex(start, 8);
  out.writeByte(0x2d);
  out.writeHex(end, 8);
  out.writeString(" ---p 00000000 00:00 0");
  out.writeRepeated(0x20, ROLLUP_GAP);
  out.writeString("[rollup]\n");
  writeUsage(usage, out);
  free(usage);
  return out.overflowed ? -ENOMEM : 0;
}

/** The lines of smaps for one mapping. */
function writeDetails(space: AddressSpace, vma: Vma, out: ByteWriter): void {
  const usage = new PageUsage();
  addUsage(space, vma.start, vma.end, usage);
  writeSizeLine(out, "Size:           ", vma.length);
  out.writeString("KernelPageSize:        4 kB\nMMUPageSize:           4 kB\n");
  writeUsage(usage, out);
  free(usage);
}

/** Nothing is merged, freed lazily, swapped or in pages of hugetlbfs. */
function writeUsage(usage: PageUsage, out: ByteWriter): void {
  writeSizeLine(out, "Rss:            ", usage.resident);
  writeSizeLine(out, "Pss:            ", usage.proportional);
  writeSizeLine(out, "Pss_Dirty:      ", usage.proportionalDirty);
  writeSizeLine(out, "Shared_Clean:   ", usage.sharedClean);
  writeSizeLine(out, "Shared_Dirty:   ", usage.sharedDirty);
  writeSizeLine(out, "Private_Clean:  ", usage.privateClean);
  writeSizeLine(out, "Private_Dirty:  ", usage.privateDirty);
  writeSizeLine(out, "Referenced:     ", usage.referenced);
  writeSizeLine(out, "Anonymous:      ", usage.anonymous);
  writeSizeLine(out, "LazyFree:       ", 0);
  writeSizeLine(out, "AnonHugePages:  ", usage.large);
  writeSizeLine(out, "ShmemPmdMapped: ", 0);
  writeSizeLine(out, "FilePmdMapped:  ", 0);
  writeSizeLine(out, "Shared_Hugetlb: ", 0);
  writeSizeLine(out, "Private_Hugetlb:", 0);
  writeSizeLine(out, "Swap:           ", 0);
  writeSizeLine(out, "SwapPss:        ", 0);
  writeSizeLine(out, "Locked:         ", 0);
}
