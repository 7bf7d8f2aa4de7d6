/**
 * /proc/PID/stat, statm and status (proc(5)).
 */
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { AddressSpace } from "../../vm/address-space";
import { MAP_GROWSDOWN, PROT_EXEC, PROT_WRITE } from "../../vm/flags";
import { addUsage, PageUsage } from "../../vm/usage";
import { allProcessors, writeProcessorList, writeProcessorMask } from "./processors-text";
import { ProcessFacts, ProcessProvider } from "./provider";
import { writeSizeLine } from "./size-line";

/** Nanoseconds of a clock tick (USER_HZ is 100). */
const NS_PER_TICK: u64 = 10_000_000;

/** Sizes of an address space in bytes, by purpose. */
class Sizes {
  total: u64 = 0;
  resident: u64 = 0;
  /** Pages of files and shared memory, a part of `resident`. */
  residentFile: u64 = 0;
  peakResident: u64 = 0;
  data: u64 = 0;
  stack: u64 = 0;
  code: u64 = 0;
}

function measure(provider: ProcessProvider, pid: i32): Sizes {
  const sizes = new Sizes();
  const space = provider.addressSpace(pid);
  if (!space) return sizes;
  sizes.resident = space.residentPages() << 12;
  sizes.peakResident = space.peakResidentPages() << 12;
  sizes.total = space.mappedBytes();
  addUp(space, sizes);
  space.release();
  return sizes;
}

function addUp(space: AddressSpace, sizes: Sizes): void {
  const usage = new PageUsage();
  space.lock();
  let vma = space.findVma(0);
  while (vma) {
    if (vma.pager) addUsage(space, vma.start, vma.end, usage);
    if (vma.flags & MAP_GROWSDOWN) sizes.stack += vma.length;
    else if (vma.prot & PROT_EXEC) sizes.code += vma.length;
    else if (vma.prot & PROT_WRITE && !vma.isShared) sizes.data += vma.length;
    vma = space.nextVma(vma);
  }
  space.unlock();
  sizes.residentFile = usage.file;
  free(usage);
}

/** /proc/PID/statm: size, resident, shared, text, 0, data, 0 in pages. */
export function writeStatm(provider: ProcessProvider, facts: ProcessFacts, out: ByteWriter): void {
  const sizes = measure(provider, facts.pid);
  pages(out, sizes.total);
  pages(out, sizes.resident);
  pages(out, sizes.residentFile);
  pages(out, sizes.code);
  pages(out, 0);
  out.writeDecimal((sizes.data + sizes.stack) >> 12);
  out.writeString(" 0\n");
  free(sizes);
}

function pages(out: ByteWriter, bytes: u64): void {
  out.writeDecimal(bytes >> 12);
  out.writeByte(0x20);
}

/** /proc/PID/stat: 52 fields in one line. */
export function writeProcessStat(
  provider: ProcessProvider,
  facts: ProcessFacts,
  out: ByteWriter,
): void {
  const sizes = measure(provider, facts.pid);
  out.writeSigned(facts.tid);
  out.writeString(" (");
  out.writeBytes(facts.commBytes, facts.commLength);
  out.writeString(") ");
  out.writeByte(facts.state);
  out.writeByte(0x20);
  number(out, facts.parentPid);
  number(out, facts.groupId);
  number(out, facts.sessionId);
  // tty_nr tpgid flags minflt cminflt majflt cmajflt
  out.writeString("0 -1 4194304 0 0 0 0 ");
  number(out, facts.userTimeNs / NS_PER_TICK);
  number(out, facts.systemTimeNs / NS_PER_TICK);
  out.writeString("0 0 ");
  number(out, 20 + facts.nice);
  number(out, facts.nice);
  number(out, facts.threadCount);
  out.writeString("0 ");
  number(out, facts.startTimeNs / NS_PER_TICK);
  number(out, sizes.total);
  number(out, sizes.resident >> 12);
  out.writeString("18446744073709551615 ");
  number(out, facts.codeStart);
  number(out, facts.codeEnd);
  number(out, facts.stackStart);
  // kstkesp kstkeip signal blocked sigignore sigcatch: the masks are the low 31 bits
  out.writeString("0 0 ");
  number(out, facts.pendingSignals & 0x7fffffff);
  number(out, facts.blockedSignals & 0x7fffffff);
  number(out, facts.ignoredSignals & 0x7fffffff);
  number(out, facts.caughtSignals & 0x7fffffff);
  // wchan nswap cnswap exit_signal processor rt_priority policy blkio guest cguest data brk
  out.writeString("0 0 0 17 ");
  number(out, facts.processor);
  out.writeString("0 0 0 0 0 0 0 0 ");
  number(out, facts.argumentsStart);
  number(out, facts.argumentsEnd);
  number(out, facts.environmentStart);
  number(out, facts.environmentEnd);
  out.writeString("0\n");
  free(sizes);
}

function number(out: ByteWriter, value: i64): void {
  out.writeSigned(value);
  out.writeByte(0x20);
}

/** /proc/PID/status. */
export function writeStatus(provider: ProcessProvider, facts: ProcessFacts, out: ByteWriter): void {
  const sizes = measure(provider, facts.pid);
  out.writeString("Name:\t");
  out.writeBytes(facts.commBytes, facts.commLength);
  out.writeString("\nUmask:\t");
  out.writeOctal(facts.umask, 4);
  out.writeString("\nState:\t");
  writeState(out, facts.state);
  line(out, "\nTgid:\t", facts.pid);
  line(out, "Ngid:\t", 0);
  line(out, "Pid:\t", facts.tid);
  line(out, "PPid:\t", facts.parentPid);
  line(out, "TracerPid:\t", 0);
  identity(out, "Uid:", facts.uid, facts.effectiveUid, facts.savedUid);
  identity(out, "Gid:", facts.gid, facts.effectiveGid, facts.savedGid);
  line(out, "FDSize:\t", 64);
  writeGroups(provider, facts.pid, out);
  line(out, "NStgid:\t", facts.pid);
  line(out, "NSpid:\t", facts.tid);
  line(out, "NSpgid:\t", facts.groupId);
  line(out, "NSsid:\t", facts.sessionId);
  writeSizeLine(out, "VmPeak:\t", sizes.total);
  writeSizeLine(out, "VmSize:\t", sizes.total);
  writeSizeLine(out, "VmLck:\t", 0);
  writeSizeLine(out, "VmPin:\t", 0);
  writeSizeLine(out, "VmHWM:\t", sizes.peakResident);
  writeSizeLine(out, "VmRSS:\t", sizes.resident);
  writeSizeLine(out, "RssAnon:\t", sizes.resident - min(sizes.residentFile, sizes.resident));
  writeSizeLine(out, "RssFile:\t", sizes.residentFile);
  writeSizeLine(out, "RssShmem:\t", 0);
  writeSizeLine(out, "VmData:\t", sizes.data);
  writeSizeLine(out, "VmStk:\t", sizes.stack);
  writeSizeLine(out, "VmExe:\t", facts.codeEnd - facts.codeStart);
  writeSizeLine(out, "VmLib:\t", sizes.code);
  writeSizeLine(out, "VmPTE:\t", 0);
  writeSizeLine(out, "VmSwap:\t", 0);
  free(sizes);
  line(out, "Threads:\t", facts.threadCount);
  out.writeString("SigQ:\t0/1024\n");
  mask(out, "SigPnd:\t", facts.pendingSignals);
  mask(out, "ShdPnd:\t", facts.sharedPendingSignals);
  mask(out, "SigBlk:\t", facts.blockedSignals);
  mask(out, "SigIgn:\t", facts.ignoredSignals);
  mask(out, "SigCgt:\t", facts.caughtSignals);
  mask(out, "CapInh:\t", facts.inheritableCapabilities);
  mask(out, "CapPrm:\t", facts.permittedCapabilities);
  mask(out, "CapEff:\t", facts.effectiveCapabilities);
  mask(out, "CapBnd:\t", facts.boundingCapabilities);
  mask(out, "CapAmb:\t", facts.ambientCapabilities);
  line(out, "NoNewPrivs:\t", facts.hasNoNewPrivileges ? 1 : 0);
  line(out, "Seccomp:\t", facts.seccompMode);
  line(out, "Seccomp_filters:\t", facts.seccompFilters);
  const set = facts.affinity & allProcessors();
  out.writeString("Cpus_allowed:\t");
  writeProcessorMask(out, set);
  out.writeString("\nCpus_allowed_list:\t");
  writeProcessorList(out, set);
  out.writeByte(0x0a);
  out.writeString("Mems_allowed:\t1\nMems_allowed_list:\t0\n");
  line(out, "voluntary_ctxt_switches:\t", facts.voluntarySwitches);
  line(out, "nonvoluntary_ctxt_switches:\t", facts.involuntarySwitches);
}

function writeGroups(provider: ProcessProvider, pid: i32, out: ByteWriter): void {
  out.writeString("Groups:\t");
  let group = provider.group(pid, 0);
  if (group < 0) out.writeByte(0x20);
  for (let index: u32 = 1; group >= 0; index++) {
    out.writeSigned(group);
    out.writeByte(0x20);
    group = provider.group(pid, index);
  }
  out.writeByte(0x0a);
}

function writeState(out: ByteWriter, state: u8): void {
  out.writeByte(state);
  if (state == 0x52) out.writeString(" (running)");
  else if (state == 0x53) out.writeString(" (sleeping)");
  else if (state == 0x44) out.writeString(" (disk sleep)");
  else if (state == 0x5a) out.writeString(" (zombie)");
  else if (state == 0x54) out.writeString(" (stopped)");
}

function line(out: ByteWriter, name: string, value: i64): void {
  out.writeString(name);
  out.writeSigned(value);
  out.writeByte(0x0a);
}

function identity(out: ByteWriter, name: string, real: u32, effective: u32, saved: u32): void {
  out.writeString(name);
  out.writeByte(0x09);
  out.writeDecimal(real);
  out.writeByte(0x09);
  out.writeDecimal(effective);
  out.writeByte(0x09);
  out.writeDecimal(saved);
  out.writeByte(0x09);
  out.writeDecimal(effective);
  out.writeByte(0x0a);
}

function mask(out: ByteWriter, name: string, value: u64): void {
  out.writeString(name);
  out.writeHex(value, 16);
  out.writeByte(0x0a);
}
