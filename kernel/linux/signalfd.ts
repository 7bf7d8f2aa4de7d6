/**
 * signalfd(2): pending signals read from a descriptor instead of taken by handlers.
 *
 * As in Linux the signals are those of the process and thread that reads or polls.
 *
 * Neighbours: `signal-send.ts` (takeSignal), `signal-state.ts` (arrival queue).
 */
import { copyUser } from "../arch/cpu";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN, POLLRDNORM } from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER, WaitLink } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { FD_CLOEXEC } from "./fd-table";
import { drop, heldFile, hold } from "./held-file";
import { installFile } from "./install";
import { currentProcess } from "./process";
import { SIGCHLD, UNBLOCKABLE } from "./signal-numbers";
import { pendingSignals, takeSignal } from "./signal-send";
import { SIGINFO_BYTES } from "./signal-state";
import { load64, loadedValue } from "./user-memory";

const SIGNAL_SET_BYTES: usize = 8;
/** Bytes of struct signalfd_siginfo. */
const RECORD_BYTES: usize = 128;

const SIGPOLL: i32 = 29;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: their siginfo carries an address. */
const FAULTS: u64 = (1 << 3) | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 10);
const SI_TIMER: i32 = -2;

class SignalFile extends AnonymousFile {
  /** @param mask signals to read, bit n-1 for signal n */
  constructor(
    public mask: u64,
    flags: u32,
  ) {
    super(flags);
  }

  typeName(): string {
    return "signalfd";
  }

  /** Takes as many pending signals as fit; sleeps until there is one. */
  read(buffer: usize, length: usize): i64 {
    if (length < RECORD_BYTES) return -EINVAL;
    const block = heapAllocate(SIGINFO_BYTES + RECORD_BYTES);
    if (block == 0) return -ENOMEM;
    let result: i64 = this.await();
    if (result == 0) result = this.takeAll(buffer, length, block);
    heapFree(block);
    return result;
  }

  poll(link: WaitLink | null): u32 {
    if (link) currentProcess().signals.arrival.add(link);
    return (pendingSignals() & this.mask) != 0 ? POLLIN | POLLRDNORM : 0;
  }

  unpoll(link: WaitLink): void {
    const queue = link.queue;
    if (queue) queue.remove(link);
  }

  dispose(): void {
    free(this);
  }

  /** Sleeps until a signal of the mask is pending; 0, -EAGAIN or -EINTR. */
  private await(): i64 {
    const process = currentProcess();
    let status: i64 = 0;
    process.lock.acquire();
    while (status == 0 && (pendingSignals() & this.mask) == 0) {
      if ((this.flags & O_NONBLOCK) != 0) status = -EAGAIN;
      else status = process.signals.arrival.sleep(process.lock, FOREVER, true);
    }
    process.lock.release();
    return status;
  }

  private takeAll(buffer: usize, length: usize, block: usize): i64 {
    const record = block + SIGINFO_BYTES;
    let done: usize = 0;
    while (length - done >= RECORD_BYTES) {
      // Another thread may have been quicker.
      if (takeSignal(~this.mask, block) == 0) break;
      describe(block, record);
      if (copyUser(buffer + done, record, RECORD_BYTES) != 0) return done != 0 ? done : -EFAULT;
      done += RECORD_BYTES;
    }
    return done != 0 ? <i64>done : -EAGAIN;
  }
}

/** Turns a siginfo_t into a struct signalfd_siginfo. */
function describe(info: usize, record: usize): void {
  memory.fill(record, 0, RECORD_BYTES);
  memory.copy(record, info, 12); // signo, errno, code
  const signo = load<i32>(info);
  const code = load<i32>(info, 8);
  const first = load<u32>(info, 16);
  const second = load<u32>(info, 20);
  if (code > 0 && ((FAULTS >> (signo - 1)) & 1) != 0) {
    store<u64>(record, load<u64>(info, 16), 72);
    return;
  }
  if (code > 0 && signo == SIGPOLL) {
    store<u32>(record, first, 28);
    store<i32>(record, load<i32>(info, 24), 20);
    return;
  }
  if (code == SI_TIMER) {
    store<u32>(record, first, 24);
    store<u32>(record, second, 32);
  } else {
    store<u32>(record, first, 12);
    store<u32>(record, second, 16);
  }
  if (code > 0 && signo == SIGCHLD) {
    store<i32>(record, load<i32>(info, 24), 40);
    store<u64>(record, load<u64>(info, 32), 56);
    store<u64>(record, load<u64>(info, 40), 64);
    return;
  }
  store<i32>(record, load<i32>(info, 24), 44);
  store<u64>(record, load<u64>(info, 24), 48);
}

/** signalfd(2) in its first form. */
export function sysSignalfd(fd: i32, mask: usize, signalSetSize: usize): i64 {
  return sysSignalfd4(fd, mask, signalSetSize, 0);
}

/** signalfd4(2): makes a descriptor (fd -1), or changes the mask of one. */
export function sysSignalfd4(fd: i32, mask: usize, signalSetSize: usize, flags: u32): i64 {
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  const loaded = load64(mask);
  if (loaded < 0) return loaded;
  const signals = loadedValue() & ~UNBLOCKABLE;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
  if (fd == -1) {
    if (kernelMemoryIsShort()) return -ENOMEM;
    const file = new SignalFile(signals, O_RDWR | (flags & O_NONBLOCK));
    return installFile(file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  }
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  if (file instanceof SignalFile) {
    (<SignalFile>file).mask = signals;
    currentProcess().signals.arrival.wakeAll();
    result = fd;
  }
  drop(held);
  return result;
}
