/**
 * Texts of /proc about the machine and the kernel as a whole (proc(5)).
 */
import { commandLineAddress, commandLineLength } from "../../arch/bootinfo";
import { blockDeviceAt, blockDeviceCount } from "../../dev/block";
import { randomBytes } from "../../dev/random";
import { ByteWriter } from "../../lib/format";
import { freeFrameCount, totalFrameCount } from "../../mm/frames";
import { heapAllocate, heapFree, largeFrameCount } from "../../mm/heap";
import { slabFrameCount } from "../../mm/slab";
import { onlineCpus } from "../../sched/run-queue";
import { monotonicNs, realtimeNs } from "../../sched/clock";
import { cachedFrameCount, memoryFileFrameCount } from "../page-cache";
import { nameCount } from "../name-cache";
import { ProcessFacts, processProvider } from "./provider";
import { free } from "../../lib/object";

const NS_PER_SECOND: u64 = 1_000_000_000;
/** Nanoseconds of a clock tick (USER_HZ is 100). */
const NS_PER_TICK: u64 = 10_000_000;
const KIB_PER_FRAME: u64 = 4;
/** About what a cached name with its vnodes takes, in bytes. */
const NAME_BYTES: u64 = 512;

/** /proc/meminfo: what free(1), Node.js, Go and the JVM look at. */
export function writeMeminfo(out: ByteWriter): void {
  const total = totalFrameCount();
  const unused = freeFrameCount();
  const cached = cachedFrameCount();
  const shared = memoryFileFrameCount();
  const slabs = slabFrameCount();
  const names = min(slabs, (<u64>nameCount() * NAME_BYTES) >> 12);
  const used = unused + cached + shared + slabs + largeFrameCount();
  const anonymous = total > used ? total - used : 0;
  line(out, "MemTotal:", total);
  line(out, "MemFree:", unused);
  line(out, "MemAvailable:", unused + cached);
  line(out, "Buffers:", 0);
  line(out, "Cached:", cached + shared);
  line(out, "SwapCached:", 0);
  line(out, "Active:", cached + anonymous);
  line(out, "Inactive:", 0);
  line(out, "SwapTotal:", 0);
  line(out, "SwapFree:", 0);
  line(out, "Dirty:", 0);
  line(out, "Writeback:", 0);
  line(out, "AnonPages:", anonymous);
  line(out, "Mapped:", 0);
  line(out, "Shmem:", shared);
  line(out, "KReclaimable:", names);
  line(out, "Slab:", slabs);
  line(out, "SReclaimable:", names);
  line(out, "SUnreclaim:", slabs - names);
  line(out, "PageTables:", 0);
  line(out, "CommitLimit:", total);
  line(out, "Committed_AS:", anonymous);
  line(out, "HugePages_Total:", 0, "");
  line(out, "HugePages_Free:", 0, "");
  line(out, "Hugepagesize:", 512);
}

/** One line of meminfo: a name, and frames as KiB in a column. */
function line(out: ByteWriter, name: string, frames: u64, unit: string = " kB"): void {
  out.writeString(name);
  out.writeRepeated(0x20, 16 - <usize>name.length);
  out.writePadded(frames * KIB_PER_FRAME, 8);
  out.writeString(unit);
  out.writeByte(0x0a);
}

/** Nanoseconds the application has run on CPUs. */
function busyNs(): u64 {
  const provider = processProvider();
  if (!provider) return 0;
  const facts = new ProcessFacts();
  const pid = provider.currentPid();
  const busy = provider.facts(pid, pid, facts) ? facts.userTimeNs + facts.systemTimeNs : 0;
  free(facts);
  return busy;
}

/** /proc/stat. */
export function writeStat(out: ByteWriter): void {
  const upNs = monotonicNs();
  const cpus = onlineCpus();
  const busy = min<u64>(busyNs(), upNs * cpus);
  out.writeString("cpu  ");
  writeTimes(out, busy, upNs * cpus);
  // Who ran where is not counted: each processor is shown its share.
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    out.writeString("cpu");
    out.writeDecimal(cpu);
    out.writeByte(0x20);
    writeTimes(out, busy / cpus, upNs);
  }
  out.writeString("intr 0\nctxt 0\nbtime ");
  out.writeDecimal((realtimeNs() - upNs) / NS_PER_SECOND);
  const provider = processProvider();
  out.writeString("\nprocesses 1\nprocs_running ");
  out.writeDecimal(provider ? provider.runnableCount() : 0);
  out.writeString("\nprocs_blocked 0\n");
}

/** user nice system idle iowait irq softirq steal guest guest_nice, in ticks. */
function writeTimes(out: ByteWriter, busyNs: u64, totalNs: u64): void {
  out.writeDecimal(busyNs / NS_PER_TICK);
  out.writeString(" 0 0 ");
  out.writeDecimal((totalNs - busyNs) / NS_PER_TICK);
  out.writeString(" 0 0 0 0 0 0\n");
}

/** Seconds with two decimals. */
function writeSeconds(out: ByteWriter, ns: u64): void {
  out.writeDecimal(ns / NS_PER_SECOND);
  out.writeByte(0x2e);
  out.writePadded((ns % NS_PER_SECOND) / NS_PER_TICK, 2, 0x30);
}

/** /proc/uptime: since boot, and idle over all processors. */
export function writeUptime(out: ByteWriter): void {
  const upNs = monotonicNs();
  writeSeconds(out, upNs);
  out.writeByte(0x20);
  const cpuNs = upNs * onlineCpus();
  writeSeconds(out, cpuNs - min<u64>(busyNs(), cpuNs));
  out.writeByte(0x0a);
}

/** /proc/loadavg: no history is kept, so the averages are what runs now. */
export function writeLoadAverage(out: ByteWriter): void {
  const provider = processProvider();
  const running = provider ? provider.runnableCount() : 0;
  for (let i = 0; i < 3; i++) {
    out.writeDecimal(running);
    out.writeString(".00 ");
  }
  out.writeDecimal(running);
  out.writeByte(0x2f);
  out.writeDecimal(provider ? provider.threadCount() : 0);
  out.writeByte(0x20);
  out.writeSigned(provider ? provider.currentTid() : 0);
  out.writeByte(0x0a);
}

/** /proc/version. */
export function writeVersion(out: ByteWriter): void {
  const provider = processProvider();
  out.writeString("Linux version ");
  if (provider) out.writeString(provider.osRelease());
  out.writeString(" (OSv.ts) ");
  if (provider) out.writeString(provider.osVersion());
  out.writeByte(0x0a);
}

/** /proc/filesystems. */
export function writeFilesystems(out: ByteWriter): void {
  out.writeString("nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\toverlay\n");
  out.writeString("\terofs\n");
}

/** /proc/cmdline. */
export function writeCommandLine(out: ByteWriter): void {
  out.writeBytes(commandLineAddress(), commandLineLength());
  out.writeByte(0x0a);
}

/** /proc/vmstat: the few values that are known. */
export function writeVmstat(out: ByteWriter): void {
  out.writeString("nr_free_pages ");
  out.writeDecimal(freeFrameCount());
  out.writeString("\nnr_file_pages ");
  out.writeDecimal(cachedFrameCount() + memoryFileFrameCount());
  out.writeString("\nnr_shmem ");
  out.writeDecimal(memoryFileFrameCount());
  out.writeByte(0x0a);
}

/** /proc/devices. */
export function writeDevices(out: ByteWriter): void {
  out.writeString("Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n");
  out.writeString("\nBlock devices:\n254 virtblk\n");
}

/** /proc/partitions: the disks, in KiB. */
export function writePartitions(out: ByteWriter): void {
  out.writeString("major minor  #blocks  name\n\n");
  for (let i: u32 = 0; i < blockDeviceCount(); i++) {
    const device = blockDeviceAt(i);
    if (!device) continue;
    out.writePadded(254, 4);
    out.writePadded(i * 16, 9);
    out.writePadded(device.sectorCount / 2, 11);
    out.writeByte(0x20);
    out.writeString(device.name);
    out.writeByte(0x0a);
  }
}

/** 16 random bytes that stay the same until the next boot. */
const bootId = new StaticArray<u8>(16);
let hasBootId: bool = false;

/** /proc/sys/kernel/random/boot_id. */
export function writeBootId(out: ByteWriter): void {
  if (!hasBootId) makeUuid(changetype<usize>(bootId));
  hasBootId = true;
  writeUuidBytes(out, changetype<usize>(bootId));
}

/** /proc/sys/kernel/random/uuid: a new one at every read. */
export function writeUuid(out: ByteWriter): void {
  const uuid = heapAllocate(16);
  if (!uuid) return;
  makeUuid(uuid);
  writeUuidBytes(out, uuid);
  heapFree(uuid);
}

/** A random UUID, version 4 (RFC 9562 section 5.4). */
function makeUuid(at: usize): void {
  randomBytes(at, 16);
  store<u8>(at, (load<u8>(at, 6) & 0x0f) | 0x40, 6);
  store<u8>(at, (load<u8>(at, 8) & 0x3f) | 0x80, 8);
}

function writeUuidBytes(out: ByteWriter, at: usize): void {
  for (let i: usize = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.writeByte(0x2d);
    out.writeHex(load<u8>(at + i), 2);
  }
  out.writeByte(0x0a);
}
