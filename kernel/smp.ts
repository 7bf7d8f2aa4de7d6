/**
 * The other processors: finding, starting and interrupting them.
 *
 * They are started one after another, late in the boot, so that their start does not delay the first;
 * each brings up its own tables, FPU, interrupt controller, timers and run queue, then idles until
 * the scheduler gives it a thread (sched/run-queue.ts).
 *
 * Neighbours: arch/x86_64/ap.S (their first code), arch/shootdown.ts, dev/processors.ts (the list).
 */
import {
  CPU_BLOCK_BYTES,
  apCodeEnd,
  apCodeStart,
  apParameters,
  cpuId,
  enableProcessorFeatures,
  mfence,
  prepareCpuBlock,
  prepareIdleThread,
  sti,
  writeCr3,
} from "./arch/cpu";
import { requestFlush, requestLeave } from "./arch/shootdown";
import { disableInterrupts, enableInterrupts } from "./arch/spinlock";
import {
  VECTOR_FLUSH,
  initLocalApic,
  sendInit,
  sendInterrupt,
  sendStartup,
  unmaskApicTimer,
} from "./arch/x86_64/apic";
import { CPU_TABLES_BYTES, SPARE_STACKS_BYTES, initDescriptors } from "./arch/x86_64/descriptors";
import { processorApicId, processorCount } from "./dev/processors";
import { log, logDec } from "./lib/log";
import { heapAllocate, initHeapOfCpu } from "./mm/heap";
import { toVirtual } from "./mm/layout";
import { tableSlot } from "./mm/kernel-tables";
import { PTE_PRESENT, createRoot, kernelRoot } from "./mm/pagetable";
import { setRemoteFlush, setRemoteLeave } from "./mm/tlb";
import { monotonicNs } from "./sched/clock";
import { idle } from "./sched/idle";
import { MAX_CPUS, RunQueue, initRunQueue, onlineCpus, queueOf } from "./sched/run-queue";
import { sleepUntil } from "./sched/sleep";
import { Thread, THREAD_RUNNING, currentThread } from "./sched/thread";
import { initTimers } from "./sched/timer";

/** Where ap.S expects to lie: below 1 MiB, which the page allocator leaves alone. */
const STARTUP_PAGE: u32 = 8;
const STARTUP_BASE: u64 = (<u64>STARTUP_PAGE) << 12;
/** Intel SDM vol. 3 §9.4.4: 10 ms after INIT. */
const INIT_WAIT_NS: u64 = 10_000_000;
const POLL_NS: u64 = 100_000;
/** A processor that has not come up after this time is left out. */
const GIVE_UP_NS: u64 = 1_000_000_000;

let interruptTable: usize = 0;
let apicWindow: usize = 0;

/**
 * Starts the processors beyond this one. May sleep.
 * @param wanted number of processors to use, this one included
 */
export function startProcessors(table: usize, window: usize, wanted: u32): void {
  const count = min(min(processorCount(), wanted), MAX_CPUS);
  if (count <= 1) return;
  interruptTable = table;
  apicWindow = window;
  // The page tables for the first instructions: the kernel's, and the start-up page as itself.
  const root = createRoot();
  const slot = root == 0 ? 0 : tableSlot(root, 1, <usize>STARTUP_BASE);
  if (slot == 0 || root > u32.MAX_VALUE) {
    log("smp: no memory to start processors with");
    return;
  }
  store<u64>(slot, STARTUP_BASE | PTE_PRESENT);
  const code = toVirtual(STARTUP_BASE);
  memory.copy(code, apCodeStart(), apCodeEnd() - apCodeStart());
  const parameters = code + (apParameters() - apCodeStart());
  setRemoteFlush(flushOthers);
  setRemoteLeave(leaveRoot);
  for (let cpu: u32 = 1; cpu < count; cpu++) {
    if (!startProcessor(cpu, processorApicId(cpu), root, parameters)) {
      logDec("smp: this processor does not start:", cpu);
      break;
    }
  }
  logDec("smp: processors", onlineCpus());
}

function startProcessor(cpu: u32, apicId: u32, root: u64, parameters: usize): bool {
  const thread = new Thread();
  const block = heapAllocate(CPU_BLOCK_BYTES);
  if (!thread.hasStack() || block == 0 || !initHeapOfCpu(cpu)) return false;
  memory.fill(block, 0, CPU_BLOCK_BYTES);
  prepareCpuBlock(block, cpu, apicId);
  thread.state = THREAD_RUNNING;
  thread.cpu = cpu;
  prepareIdleThread(block, changetype<usize>(thread));
  store<u64>(parameters, root);
  store<u64>(parameters + 8, thread.stackTop);
  store<u64>(parameters + 16, block);
  sendInit(apicId);
  sleepUntil(monotonicNs() + INIT_WAIT_NS, false);
  sendStartup(apicId, STARTUP_PAGE);
  const deadline = monotonicNs() + GIVE_UP_NS;
  while (onlineCpus() <= cpu && monotonicNs() < deadline) {
    sleepUntil(monotonicNs() + POLL_NS, false);
  }
  return onlineCpus() > cpu;
}

/** First TypeScript of a started processor (called by ap.S), on the stack of its idle thread. */
export function apMain(): void {
  writeCr3(kernelRoot());
  enableProcessorFeatures();
  const tables = heapAllocate(CPU_TABLES_BYTES);
  memory.fill(tables, 0, CPU_TABLES_BYTES);
  initDescriptors(tables, heapAllocate(SPARE_STACKS_BYTES), interruptTable);
  initLocalApic(apicWindow);
  unmaskApicTimer();
  initTimers();
  initRunQueue(kernelRoot());
  sti();
  idle(currentThread());
}

/** Has the other processors that may have used them forget the translations of a range. */
function flushOthers(root: u64, start: usize, end: usize): void {
  disableInterrupts();
  // The changed entries come before the look at who uses the tables: a processor that loads them
  // after that look sees the entries.
  mfence();
  let targets: u64 = 0;
  for (let cpu: u32 = 0; cpu < onlineCpus(); cpu++) {
    if (cpu == cpuId()) continue;
    if (root == 0 || queueOf(cpu).loadedRoot == root) targets |= (<u64>1) << cpu;
  }
  if (targets != 0) requestFlush(targets, start, end, interruptForFlush);
  enableInterrupts();
}

/** Has the other processors forget the page tables of a space that is being destroyed. */
function leaveRoot(root: u64): void {
  disableInterrupts();
  let targets: u64 = 0;
  for (let cpu: u32 = 0; cpu < onlineCpus(); cpu++) {
    if (cpu != cpuId() && queueOf(cpu).loadedRoot == root) targets |= (<u64>1) << cpu;
  }
  if (targets != 0) requestLeave(targets, root, kernelRoot(), interruptForFlush);
  for (let rest = targets; rest != 0; rest &= rest - 1) {
    // Unless that processor has loaded other tables in the meantime.
    const slot = changetype<usize>(queueOf(<u32>ctz<u64>(rest))) + offsetof<RunQueue>("loadedRoot");
    atomic.cmpxchg<u64>(slot, root, kernelRoot());
  }
  enableInterrupts();
}

function interruptForFlush(cpu: u32): void {
  sendInterrupt(queueOf(cpu).apicId, VECTOR_FLUSH);
}
