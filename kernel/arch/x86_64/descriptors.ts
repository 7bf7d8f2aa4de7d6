/**
 * Segment and interrupt tables (Intel SDM vol. 3 §3.4.5, §6.10, §7.7).
 *
 * Segments exist only because the processor insists: kernel code and data, user code and data in the
 * order SYSCALL and SYSRET expect, and one task state segment a CPU, which names the stack that
 * interrupts from user mode enter on and three spare stacks for the faults that must not trust any.
 *
 * Neighbours: entry.S (the stubs behind the interrupt table), sched/switch.ts (sets RSP0).
 */
import { lgdt, lidt, ltr, wrmsr, rdmsr } from "./hw";
import { reloadSegments } from "./asm";
import { syscallEntryPoint, trapStubs } from "./sym";
import { setTaskStateAddress, taskStateAddress } from "./percpu";

export const KERNEL_CODE: u64 = 0x08;
export const KERNEL_DATA: u64 = 0x10;
export const USER_DATA: u64 = 0x20 | 3;
export const USER_CODE: u64 = 0x28 | 3;
const TASK_STATE: u16 = 0x30;

const MSR_EFER: u32 = 0xc0000080;
const MSR_STAR: u32 = 0xc0000081;
const MSR_LSTAR: u32 = 0xc0000082;
const MSR_SYSCALL_MASK: u32 = 0xc0000084;
const EFER_SCE: u64 = 1;

/** Flags cleared on SYSCALL: trap, interrupt, direction, nested task, alignment check. */
const SYSCALL_CLEARED_FLAGS: u64 = 0x100 | 0x200 | 0x400 | 0x4000 | 0x40000;

/** Where the task state segment lies in the memory given for a CPU's tables. */
const TASK_STATE_OFFSET: usize = 0x80;
const TASK_STATE_BYTES: u64 = 104;

/** Bytes that `initDescriptors` needs for the tables of one CPU, and for its spare stacks. */
export const CPU_TABLES_BYTES: usize = 0x100;
export const SPARE_STACKS_BYTES: usize = 8192;
/** Bytes of the interrupt table, which all CPUs share; aligned to 16. */
export const INTERRUPT_TABLE_BYTES: usize = 4096;

const VECTOR_NMI: u32 = 2;
const VECTOR_DOUBLE_FAULT: u32 = 8;
const VECTOR_MACHINE_CHECK: u32 = 18;
const VECTOR_BREAKPOINT: u32 = 3;
const VECTOR_OVERFLOW: u32 = 4;

/**
 * Loads this processor's segment tables and the interrupt table; enables SYSCALL.
 * @param page `CPU_TABLES_BYTES` zeroed bytes for this CPU
 * @param spareStacks `SPARE_STACKS_BYTES` for the stacks of NMI, double fault and machine check
 * @param interruptTable a table filled by `buildInterruptTable`
 */
export function initDescriptors(page: usize, spareStacks: usize, interruptTable: usize): void {
  const pointer = page + 0x70;
  store<u64>(page + 0x08, 0x00af9b000000ffff); // kernel code
  store<u64>(page + 0x10, 0x00cf93000000ffff); // kernel data
  store<u64>(page + 0x18, 0); // the base SYSRET counts from; 32-bit code is not offered
  store<u64>(page + 0x20, 0x00cff3000000ffff); // user data
  store<u64>(page + 0x28, 0x00affb000000ffff); // user code
  const taskState = page + TASK_STATE_OFFSET;
  store<u64>(
    page + 0x30,
    (TASK_STATE_BYTES - 1) |
      ((taskState & 0xffffff) << 16) |
      (0x89 << 40) |
      (((taskState >> 24) & 0xff) << 56),
  );
  store<u64>(page + 0x38, taskState >> 32);
  // IST 1 to 3: each is used once, on the way to a panic; the double fault's is the largest.
  store<u64>(taskState + 36, spareStacks + 2048);
  store<u64>(taskState + 44, spareStacks + SPARE_STACKS_BYTES);
  store<u64>(taskState + 52, spareStacks + 4096);
  store<u16>(taskState + 102, <u16>TASK_STATE_BYTES); // no I/O permission map
  store<u16>(pointer, 0x40 - 1);
  store<u64>(pointer + 2, page);
  lgdt(pointer);
  reloadSegments(KERNEL_CODE, KERNEL_DATA);
  ltr(TASK_STATE);
  setTaskStateAddress(taskState);

  store<u16>(pointer, <u16>(INTERRUPT_TABLE_BYTES - 1));
  store<u64>(pointer + 2, interruptTable);
  lidt(pointer);

  wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
  wrmsr(MSR_STAR, (0x1b << 48) | (KERNEL_CODE << 32));
  wrmsr(MSR_LSTAR, syscallEntryPoint());
  wrmsr(MSR_SYSCALL_MASK, SYSCALL_CLEARED_FLAGS);
}

/** Sets the stack that interrupts and exceptions from user mode enter on. */
export function setInterruptStack(top: usize): void {
  store<u64>(taskStateAddress() + 4, top);
}

/** Fills `table` (`INTERRUPT_TABLE_BYTES`) with gates to the stubs in entry.S. */
export function buildInterruptTable(table: usize): void {
  for (let vector: u32 = 0; vector < 256; vector++) {
    const stub = trapStubs() + <usize>vector * 16;
    let spareStack: u64 = 0;
    if (vector == VECTOR_NMI) spareStack = 1;
    else if (vector == VECTOR_DOUBLE_FAULT) spareStack = 2;
    else if (vector == VECTOR_MACHINE_CHECK) spareStack = 3;
    const userMay = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;
    const access: u64 = userMay ? 0xee : 0x8e; // present, interrupt gate, DPL 3 or 0
    const gate = table + <usize>vector * 16;
    store<u64>(
      gate,
      (stub & 0xffff) |
        (KERNEL_CODE << 16) |
        (spareStack << 32) |
        (access << 40) |
        (((stub >> 16) & 0xffff) << 48),
    );
    store<u64>(gate + 8, stub >> 32);
  }
}
