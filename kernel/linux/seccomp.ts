/**
 * seccomp(2): a program restricts which system calls it and its descendants may make: to four, or by
 * filters in classic BPF (`lib/bpf`).
 *
 *   thread.filter ─► newest filter ─parent─► older filter ─► …      all are asked, the strictest wins
 *
 * As long as nobody restricts anything, no call is slowed down: `dispatch.ts` looks here only after the
 * first filter.
 *
 * Neighbours: `dispatch.ts`, `prctl.ts` (the older form), `thread-inherit.ts`.
 */
import { TrapFrame } from "../arch/x86_64/trapframe";
import { EACCES, EFAULT, EINVAL, ENOMEM, ENOSYS, EOPNOTSUPP, ESRCH } from "../lib/errno";
import { BPF_INSTRUCTION_BYTES, BPF_PROGRAM_MAX, isBpfProgram, runBpf } from "../lib/bpf";
import { Counted, free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { filterCalls } from "./dispatch";
import { exitBySignal, sysExit } from "./exit";
import { currentLinuxThread, currentProcess } from "./process";
import { SIGKILL, SIGSYS } from "./signal-numbers";
import { forceSignal } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { LinuxThread } from "./thread";
import { copyIn, load32, loadedValue, scratch } from "./user-memory";

const SET_MODE_STRICT: u32 = 0;
const SET_MODE_FILTER: u32 = 1;
const GET_ACTION_AVAIL: u32 = 2;

const FLAG_TSYNC: u32 = 1;
const FLAG_LOG: u32 = 2;
const FLAG_SPEC_ALLOW: u32 = 4;
const FLAG_TSYNC_ESRCH: u32 = 16;
const KNOWN_FLAGS: u32 = FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_TSYNC_ESRCH;

export const SECCOMP_OFF: u32 = 0;
export const SECCOMP_STRICT: u32 = 1;
export const SECCOMP_FILTER: u32 = 2;

/** What a filter returns: the action in the upper half, data for it in the lower. */
const KILL_PROCESS: u32 = 0x80000000;
const KILL_THREAD: u32 = 0;
const TRAP: u32 = 0x30000;
const ERRNO: u32 = 0x50000;
const TRACE: u32 = 0x7ff00000;
const LOG: u32 = 0x7ffc0000;
const ALLOW: u32 = 0x7fff0000;
const ACTION_MASK: u32 = 0xffff0000;
const DATA_MASK: u32 = 0xffff;
const ERRNO_MAX: u32 = 4095;

/** struct seccomp_data: number i32, architecture u32, address u64, six arguments u64. */
const DATA_BYTES: u32 = 64;
const AUDIT_ARCH_X86_64: u32 = 0xc000003e;
/** Instructions in all filters of a thread together. */
const INSTRUCTIONS_MAX: u32 = 32768;
const SYS_SECCOMP: i32 = 1;

const NR_READ: u32 = 0;
const NR_WRITE: u32 = 1;
const NR_RT_SIGRETURN: u32 = 15;
const NR_EXIT: u32 = 60;

/** One filter; shared by the threads that inherited it. */
export class SeccompFilter extends Counted {
  /** Instructions of this filter and all older ones. */
  total: u32;
  /** This filter and all older ones. */
  count: u32;

  /**
   * @param program its instructions, a heap block that it takes over
   * @param parent the older filters, whose reference it takes over
   */
  constructor(
    readonly program: usize,
    length: u32,
    readonly parent: SeccompFilter | null,
  ) {
    super();
    this.total = length + (parent ? parent.total : 0);
    this.count = 1 + (parent ? parent.count : 0);
  }

  /** True if this filter is `other` or one of those after it. */
  comesFrom(other: SeccompFilter | null): bool {
    if (!other) return true;
    let filter: SeccompFilter | null = this;
    while (filter && filter != other) filter = filter.parent;
    return filter != null;
  }

  destroy(): void {
    const parent = this.parent;
    heapFree(this.program);
    free(this);
    if (parent) parent.release();
  }
}

/** seccomp(2). */
export function sysSeccomp(operation: u32, flags: u32, argument: usize): i64 {
  switch (operation) {
    case SET_MODE_STRICT:
      return flags != 0 || argument != 0 ? -EINVAL : setStrict();
    case SET_MODE_FILTER:
      return addFilter(flags, argument);
    case GET_ACTION_AVAIL: {
      if (flags != 0) return -EINVAL;
      const error = load32(argument);
      if (error != 0) return error;
      return isAction(<u32>loadedValue()) ? 0 : -EOPNOTSUPP;
    }
    default:
      return -EINVAL;
  }
}

function isAction(action: u32): bool {
  switch (action) {
    case KILL_PROCESS:
    case KILL_THREAD:
    case TRAP:
    case ERRNO:
    case TRACE:
    case LOG:
    case ALLOW:
      return true;
    default:
      return false;
  }
}

/** SECCOMP_SET_MODE_STRICT, also by prctl(2). */
export function setStrict(): i64 {
  const thread = currentLinuxThread();
  if (thread.seccompMode == SECCOMP_FILTER) return -EINVAL;
  thread.seccompMode = SECCOMP_STRICT;
  filterCalls();
  return 0;
}

/** SECCOMP_SET_MODE_FILTER, also by prctl(2). @param argument struct sock_fprog */
export function addFilter(flags: u32, argument: usize): i64 {
  if ((flags & ~KNOWN_FLAGS) != 0) return -EINVAL;
  const thread = currentLinuxThread();
  const process = currentProcess();
  if (thread.seccompMode == SECCOMP_STRICT) return -EINVAL;
  if (copyIn(scratch(), argument, 16) != 0) return -EFAULT;
  const count = <u32>load<u16>(scratch());
  const source = load<usize>(scratch(), 8);
  if (count == 0 || count > BPF_PROGRAM_MAX) return -EINVAL;
  if (process.noNewPrivileges == 0 && process.credentials.effectiveUser != 0) return -EACCES;
  const older = thread.seccompFilter;
  if ((older ? older.total : 0) + count > INSTRUCTIONS_MAX) return -ENOMEM;
  const bytes = <usize>count * BPF_INSTRUCTION_BYTES;
  const program = heapAllocate(bytes);
  if (program == 0) return -ENOMEM;
  let result = copyIn(program, source, bytes);
  if (result == 0 && !isBpfProgram(program, count, DATA_BYTES)) result = -EINVAL;
  if (result == 0 && (flags & FLAG_TSYNC) != 0) result = otherBranch(thread);
  if (result != 0) {
    heapFree(program);
    return (flags & FLAG_TSYNC_ESRCH) != 0 && result > 0 ? -ESRCH : result;
  }
  // The thread's reference of the older filters becomes the new one's.
  const filter = new SeccompFilter(program, count, older);
  thread.seccompFilter = filter;
  thread.seccompMode = SECCOMP_FILTER;
  if ((flags & FLAG_TSYNC) != 0) shareFilter(thread, filter);
  filterCalls();
  return 0;
}

/** Number of a thread of the process whose filters are not among the caller's; 0 if there is none. */
function otherBranch(self: LinuxThread): i64 {
  const process = self.owner();
  const own = self.seccompFilter;
  let found: i64 = 0;
  process.lock.acquire();
  let thread = process.threads;
  while (thread) {
    const filter = thread.seccompFilter;
    const isKnown = filter == null || (own != null && own.comesFrom(filter));
    if (thread != self && (thread.seccompMode == SECCOMP_STRICT || !isKnown)) found = thread.id;
    thread = thread.nextInProcess;
  }
  process.lock.release();
  return found;
}

/** SECCOMP_FILTER_FLAG_TSYNC: all threads of the process get the filter. */
function shareFilter(self: LinuxThread, filter: SeccompFilter): void {
  const process = self.owner();
  process.lock.acquire();
  let thread = process.threads;
  while (thread) {
    if (thread != self) {
      const before = thread.seccompFilter;
      filter.retain();
      thread.seccompFilter = filter;
      thread.seccompMode = SECCOMP_FILTER;
      // The new filter holds it too, so this is never the last reference.
      if (before) before.release();
    }
    thread = thread.nextInProcess;
  }
  process.lock.release();
}

/**
 * Asks whether the running thread may make a call.
 * @returns false if not; the result is then in `frame.rax`, or the thread has ended
 */
export function mayCall(nr: u32, frame: TrapFrame): bool {
  const thread = currentLinuxThread();
  if (thread.seccompMode == SECCOMP_OFF) return true;
  if (thread.seccompMode == SECCOMP_STRICT) {
    if (nr == NR_READ || nr == NR_WRITE || nr == NR_EXIT || nr == NR_RT_SIGRETURN) return true;
    endThread(SIGKILL);
    return false;
  }
  const verdict = ask(thread, nr, frame);
  switch (verdict & ACTION_MASK) {
    case ALLOW:
    case LOG:
      return true;
    case ERRNO:
      frame.rax = <u64>-(<i64>min(verdict & DATA_MASK, ERRNO_MAX));
      return false;
    case TRAP:
      raiseTrap(nr, frame, verdict & DATA_MASK);
      return false;
    case TRACE:
      // Nobody traces.
      frame.rax = <u64>-(<i64>ENOSYS);
      return false;
    case KILL_THREAD:
      endThread(SIGSYS);
      return false;
    default:
      exitBySignal(SIGSYS);
      return false;
  }
}

/** What the strictest filter says: actions rise from kill (negative) to allow. */
function ask(thread: LinuxThread, nr: u32, frame: TrapFrame): u32 {
  const data = scratch();
  store<u32>(data, nr);
  store<u32>(data, AUDIT_ARCH_X86_64, 4);
  store<u64>(data, frame.rip, 8);
  store<u64>(data, frame.rdi, 16);
  store<u64>(data, frame.rsi, 24);
  store<u64>(data, frame.rdx, 32);
  store<u64>(data, frame.r10, 40);
  store<u64>(data, frame.r8, 48);
  store<u64>(data, frame.r9, 56);
  let verdict = ALLOW;
  let filter = thread.seccompFilter;
  while (filter) {
    const said = runBpf(filter.program, data, DATA_BYTES, data + DATA_BYTES);
    if (<i32>(said & ACTION_MASK) < <i32>(verdict & ACTION_MASK)) verdict = said;
    filter = filter.parent;
  }
  return verdict;
}

/** SIGSYS that names the call (sigaction(2)); rax holds the number again. */
function raiseTrap(nr: u32, frame: TrapFrame, data: u32): void {
  const buffer = scratch();
  memory.fill(buffer, 0, SIGINFO_BYTES);
  const info = changetype<SignalInfo>(buffer);
  info.signo = SIGSYS;
  info.errno = <i32>data;
  info.code = SYS_SECCOMP;
  info.first = frame.rip;
  info.second = <u64>nr | ((<u64>AUDIT_ARCH_X86_64) << 32);
  frame.rax = nr;
  forceSignal(buffer);
}

/** Ends the running thread; the process with it if it is the only one. Never returns. */
function endThread(signal: i32): void {
  if (currentProcess().threadCount == 1) exitBySignal(signal);
  else sysExit(signal);
}
