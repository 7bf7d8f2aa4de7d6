/**
 * The boot story, read top to bottom.
 *
 * The hypervisor enters at arch/x86_64/boot.S, which turns on paging and calls
 * `enableProcessorFeatures` and then `kmain`. The initialisers of all modules ran when the kernel was
 * built (compiler/evaluate). The functions exported here are those that assembly and the compiler's
 * runtime call.
 */
import { findOption, readStartInfo } from "./arch/bootinfo";
import { startAppliance } from "./appliances/start";
import { sti } from "./arch/cpu";
import { setFirmwarePowerOff } from "./arch/power";
import { setControlSink } from "./arch/x86_64/control";
import { APIC_WINDOW, hasX2apic, initLocalApic } from "./arch/x86_64/apic";
import {
  CPU_TABLES_BYTES,
  SPARE_STACKS_BYTES,
  buildInterruptTable,
  initDescriptors,
} from "./arch/x86_64/descriptors";
import { initFpu } from "./arch/x86_64/fpu";
import { acpiPowerOff } from "./dev/acpi/power";
import { BlockDevice, findBlockDevice } from "./dev/block";
import { serialWriteByte, serialWriteRaw } from "./dev/console/serial";
import { initDevices } from "./dev/devices";
import { findPartition } from "./dev/partition";
import { initRandom } from "./dev/random";
import { readRtcSeconds } from "./dev/rtc";
import { initFs } from "./fs/init";
import { log, logDec, setLogClock, setLogSink, setLogVerbose } from "./lib/log";
import { panic } from "./lib/panic";
import { startInit } from "./linux/init";
import { initNetwork } from "./net/init";
import { allocateZeroedFrame } from "./mm/frames";
import { heapAllocate } from "./mm/heap";
import { initMemory } from "./mm/init";
import { DIRECT_MAP, PAGE_SIZE, toPhysical, toVirtual } from "./mm/layout";
import { kernelRoot, mapKernel } from "./mm/pagetable";
import { initPanic, panicAssertion } from "./panic-screen";
import { initClock, lendPvclockArea, monotonicNs, refineClock, setRealtime } from "./sched/clock";
import { adoptBootThread, idle } from "./sched/idle";
import { createKernelThread } from "./sched/kernel-thread";
import { MAX_CPUS } from "./sched/run-queue";
import { startProcessors } from "./smp";
import { initRunQueue } from "./sched/switch";
import { currentThread } from "./sched/thread";
import { initTimers } from "./sched/timer";

export { enableProcessorFeatures } from "./arch/cpu";
export { trapEntry, trapFatalEntry, userReturn } from "./trap";
export { systemCall } from "./linux/dispatch";
export { threadMain } from "./sched/kernel-thread";
export { apMain } from "./smp";

const PARTITION_PREFIX: usize = 9; // "PARTUUID="

/** First line of TypeScript: physical memory is seen at DIRECT_MAP, interrupts are off. */
export function kmain(startInfo: u64): void {
  setLogSink(serialWriteByte);
  initPanic();
  if (!readStartInfo(startInfo, DIRECT_MAP)) panic("the boot loader gave no PVH start info");
  setLogVerbose(findOption("verbose") != null);
  if (findOption("control")) setControlSink(serialWriteRaw);
  initMemory();
  initProcessor();
  initRandom();
  createKernelThread(bootThread, 0);
  sti();
  idle(currentThread());
}

/** What the first processor made and all others use. */
let interruptTable: usize = 0;
let apicWindow: usize = 0;

/** Tables, FPU, interrupt controller, clock and run queue of this CPU. */
function initProcessor(): void {
  const tables = heapAllocate(CPU_TABLES_BYTES);
  memory.fill(tables, 0, CPU_TABLES_BYTES);
  interruptTable = toVirtual(allocateZeroedFrame());
  buildInterruptTable(interruptTable);
  initDescriptors(tables, heapAllocate(SPARE_STACKS_BYTES), interruptTable);
  initFpu();
  apicWindow = hasX2apic() ? 0 : mapKernel(APIC_WINDOW, PAGE_SIZE);
  initLocalApic(apicWindow);
  const pvclock = heapAllocate(64);
  lendPvclockArea(pvclock, toPhysical(pvclock));
  initClock();
  setLogClock(monotonicNs);
  initTimers();
  initRunQueue(kernelRoot());
  adoptBootThread();
}

/** The part of the boot that waits for devices. */
function bootThread(_argument: usize): void {
  setFirmwarePowerOff(acpiPowerOff);
  log("boot: devices");
  initDevices();
  log("boot: file systems");
  startProcessors(interruptTable, apicWindow, MAX_CPUS);
  initFs(rootDisk());
  setRealtimeFromHost();
  refineClock();
  initNetwork();
  logDec("boot: ns to the program", monotonicNs());
  if (!startAppliance()) startInit();
}

/**
 * Sets the date from `epoch=SECONDS.NANOSECONDS` (nine digits behind the point), the host's clock when
 * it started the machine, else from the machine's clock chip.
 */
function setRealtimeFromHost(): void {
  const option = findOption("epoch");
  if (option) {
    let ns: u64 = 0;
    for (let i: usize = 0; i < option.length; i++) {
      const digit = load<u8>(option.address + i) - 0x30;
      if (digit <= 9) ns = ns * 10 + digit;
    }
    setRealtime(ns);
  } else {
    setRealtime(readRtcSeconds() * 1_000_000_000);
  }
}

/** The disk named by `root=/dev/NAME` or `root=PARTUUID=ID`; null without the option. */
function rootDisk(): BlockDevice | null {
  const option = findOption("root");
  if (!option) return null;
  const isPartition = option.length > PARTITION_PREFIX && load<u8>(option.address) == 0x50; // "P"
  const disk = isPartition
    ? findPartition(option.address + PARTITION_PREFIX, option.length - PARTITION_PREFIX)
    : findBlockDevice(option.address, option.length);
  if (disk == null) panic("root= names a disk that this machine does not have");
  return disk;
}

/** Called by generated code where an assertion or a bounds check fails. */
function kernelAbort(message: string | null, file: string | null, line: u32, _column: u32): void {
  panicAssertion(message, file, line);
}

export { kernelAbort as abort };
