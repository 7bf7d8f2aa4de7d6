/**
 * Making other processors forget translations ("TLB shoot-down", Intel SDM vol. 3 §4.10.5).
 *
 * One request at a time, written to the variables below by whoever holds `requestBusy`. Each processor
 * named in `waitingFor` serves it when the interrupt arrives, or, if it has interrupts off because it
 * spins on a lock or makes a request itself, from that loop. So nobody waits for somebody who waits.
 *
 * Neighbours: mm/tlb (asks), kernel/smp.ts (knows who runs which page tables).
 */
import { cpuId, invlpg, pause, readCr3, writeCr3 } from "./cpu";

const PAGE_SIZE: usize = 4096;
const KERNEL_HALF: usize = 0xffff800000000000;
/** More pages than this are cheaper to invalidate all at once. */
const SINGLE_PAGES: usize = 32;

/** Word that is 1 while a request is being made. */
const requestBusy = memory.data(4, 4);
/** Bit n: processor n has not served the request yet. */
const waitingFor = memory.data(8, 8);
let requestStart: usize = 0;
let requestEnd: usize = 0;
/** Not 0: whoever has these page tables loaded is to load `rootToLoad` instead. */
let rootToLeave: u64 = 0;
let rootToLoad: u64 = 0;

/** Bits of CR3 that hold the address of the root table (Intel SDM vol. 3 §2.5). */
const CR3_ADDRESS: u64 = 0x000ffffffffff000;

/** Serves a request that names this processor, if there is one. Any context, interrupts off. */
export function serveFlush(): void {
  const bit = (<u64>1) << cpuId();
  if ((atomic.load<u64>(waitingFor) & bit) == 0) return;
  const start = requestStart;
  const end = requestEnd;
  if (rootToLeave != 0) {
    if ((readCr3() & CR3_ADDRESS) == rootToLeave) writeCr3(rootToLoad);
    atomic.and<u64>(waitingFor, ~bit);
    return;
  }
  // Translations of kernel addresses are global: loading CR3 keeps them.
  if (start >= KERNEL_HALF || (end - start) / PAGE_SIZE <= SINGLE_PAGES) {
    for (let address = start; address < end; address += PAGE_SIZE) invlpg(address);
  } else {
    writeCr3(readCr3());
  }
  atomic.and<u64>(waitingFor, ~bit);
}

/**
 * Has the processors in `targets` (bit n: processor n) invalidate [start, end), waiting until they
 * have. Interrupts are off.
 * @param interrupt raises the interrupt that makes a processor call `serveFlush`
 */
export function requestFlush(
  targets: u64,
  start: usize,
  end: usize,
  interrupt: (cpu: u32) => void,
): void {
  beginRequest();
  requestStart = start;
  requestEnd = end;
  finishRequest(targets, interrupt);
}

/**
 * Has the processors in `targets` stop using the page tables `root`, which no thread runs with any
 * more: those that have them loaded load `replacement`. Interrupts are off.
 */
export function requestLeave(
  targets: u64,
  root: u64,
  replacement: u64,
  interrupt: (cpu: u32) => void,
): void {
  beginRequest();
  rootToLoad = replacement;
  rootToLeave = root;
  finishRequest(targets, interrupt);
}

function beginRequest(): void {
  while (atomic.xchg<u32>(requestBusy, 1) != 0) {
    serveFlush();
    pause();
  }
}

function finishRequest(targets: u64, interrupt: (cpu: u32) => void): void {
  atomic.store<u64>(waitingFor, targets);
  for (let rest = targets; rest != 0; rest &= rest - 1) interrupt(<u32>ctz<u64>(rest));
  while (atomic.load<u64>(waitingFor) != 0) pause();
  rootToLeave = 0;
  atomic.store<u32>(requestBusy, 0);
}
