/**
 * Texts of /proc/PID about a process or thread (proc(5)).
 *
 * Neighbours: `provider` tells the facts, `status-text` writes the long ones.
 */
import { ENOENT, ENOMEM, ESRCH } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { readSpace } from "../../vm/foreign";
import { heapAllocate, heapFree } from "../../mm/heap";
import { LimitFacts, ProcessFacts, ProcessProvider } from "./provider";
import { writeProcessStat, writeStatm, writeStatus } from "./status-text";
import { oomScoreAdjustment } from "./store";
import {
  KIND_AUXV,
  KIND_CMDLINE,
  KIND_COMM,
  KIND_ENVIRON,
  KIND_FD_FACTS,
  KIND_IO,
  KIND_LIMITS,
  KIND_OOM_SCORE_ADJ,
  KIND_PROCESS_STAT,
  KIND_SCHEDSTAT,
  KIND_STATM,
  KIND_STATUS,
} from "./table";

/** Most bytes shown of arguments or environment. */
const STRINGS_MAX: usize = 1 << 20;
const UNLIMITED: u64 = u64.MAX_VALUE;
const LIMIT_COUNT: u32 = 16;
/** Names and units of the resource limits, by number, as /proc/PID/limits prints them. */
const LIMIT_NAMES =
  "Max cpu time|Max file size|Max data size|Max stack size|Max core file size|Max resident set|Max processes|Max open files|Max locked memory|Max address space|Max file locks|Max pending signals|Max msgqueue size|Max nice priority|Max realtime priority|Max realtime timeout";
const LIMIT_UNITS =
  "seconds|bytes|bytes|bytes|bytes|bytes|processes|files|bytes|bytes|locks|signals|bytes|||us";

/** @returns 0, -ESRCH if the process has gone, -ENOENT for a kind not known here */
export function renderProcess(
  provider: ProcessProvider,
  kind: u32,
  pid: i32,
  tid: i32,
  out: ByteWriter,
): i64 {
  if (kind == KIND_LIMITS) return writeLimits(provider, pid, out);
  if (kind == KIND_FD_FACTS) return writeDescriptor(provider, pid, tid, out);
  if (kind == KIND_AUXV) {
    provider.writeAuxiliaryVector(pid, out);
    return 0;
  }
  const facts = new ProcessFacts();
  let status: i64 = provider.facts(pid, tid, facts) ? 0 : -ESRCH;
  if (status == 0) status = writeFacts(provider, kind, facts, out);
  free(facts);
  return status;
}

function writeFacts(
  provider: ProcessProvider,
  kind: u32,
  facts: ProcessFacts,
  out: ByteWriter,
): i64 {
  switch (kind) {
    case KIND_PROCESS_STAT:
      writeProcessStat(provider, facts, out);
      return 0;
    case KIND_STATM:
      writeStatm(provider, facts, out);
      return 0;
    case KIND_STATUS:
      writeStatus(provider, facts, out);
      return 0;
    case KIND_COMM:
      out.writeBytes(facts.commBytes, facts.commLength);
      out.writeByte(0x0a);
      return 0;
    case KIND_CMDLINE:
      return writeMemory(provider, facts, facts.argumentsStart, facts.argumentsEnd, out);
    case KIND_ENVIRON:
      return writeMemory(provider, facts, facts.environmentStart, facts.environmentEnd, out);
    case KIND_OOM_SCORE_ADJ:
      out.writeSigned(oomScoreAdjustment());
      out.writeByte(0x0a);
      return 0;
    case KIND_SCHEDSTAT:
      out.writeDecimal(facts.userTimeNs + facts.systemTimeNs);
      out.writeString(" 0 ");
      out.writeDecimal(facts.voluntarySwitches + facts.involuntarySwitches);
      out.writeByte(0x0a);
      return 0;
    case KIND_IO:
      out.writeString("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\n");
      out.writeString("read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
      return 0;
    default:
      return -ENOENT;
  }
}

/** Copies a part of a process's memory. */
function writeMemory(
  provider: ProcessProvider,
  facts: ProcessFacts,
  start: usize,
  end: usize,
  out: ByteWriter,
): i64 {
  if (end <= start) return 0;
  const space = provider.addressSpace(facts.pid);
  if (!space) return 0;
  const length = min<usize>(end - start, STRINGS_MAX);
  const buffer = heapAllocate(length);
  if (buffer) {
    out.writeBytes(buffer, readSpace(space, buffer, start, length));
    heapFree(buffer);
  }
  space.release();
  return buffer ? 0 : -ENOMEM;
}

/** Writes part `index` of a text divided by bars, padded to `width`. */
function writePart(out: ByteWriter, parts: string, index: u32, width: usize): void {
  let at = 0;
  for (let bars = index; bars > 0; at++) if (parts.charCodeAt(at) == 0x7c) bars--;
  let written: usize = 0;
  while (at < parts.length && parts.charCodeAt(at) != 0x7c) {
    out.writeByte(<u8>parts.charCodeAt(at++));
    written++;
  }
  if (written < width) out.writeRepeated(0x20, width - written);
}

function writeLimits(provider: ProcessProvider, pid: i32, out: ByteWriter): i64 {
  out.writeString(
    "Limit                     Soft Limit           Hard Limit           Units     \n",
  );
  const facts = new LimitFacts();
  for (let i: u32 = 0; i < LIMIT_COUNT; i++) {
    if (!provider.limit(pid, i, facts)) continue;
    writePart(out, LIMIT_NAMES, i, 26);
    writeLimit(out, facts.soft);
    writeLimit(out, facts.hard);
    writePart(out, LIMIT_UNITS, i, 10);
    out.writeByte(0x0a);
  }
  free(facts);
  return 0;
}

/** A value in a column of 21 characters. */
function writeLimit(out: ByteWriter, value: u64): void {
  const start = out.length;
  if (value == UNLIMITED) out.writeString("unlimited");
  else out.writeDecimal(value);
  out.writeRepeated(0x20, 21 - (out.length - start));
}

/** /proc/PID/fdinfo/N. */
function writeDescriptor(
  provider: ProcessProvider,
  pid: i32,
  descriptor: i32,
  out: ByteWriter,
): i64 {
  const file = provider.file(pid, descriptor);
  if (!file) return -ENOENT;
  out.writeString("pos:\t");
  out.writeDecimal(file.offset);
  out.writeString("\nflags:\t0");
  out.writeOctal(file.flags);
  out.writeString("\nmnt_id:\t20\nino:\t");
  const vnode = file.vnode;
  out.writeDecimal(vnode ? vnode.inode : 0);
  out.writeByte(0x0a);
  file.release();
  return 0;
}
