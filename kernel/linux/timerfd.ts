/**
 * timerfd_create(2): a timer whose expirations are read from a descriptor.
 *
 * Expirations of a periodic timer are counted from the clock when somebody looks; the kernel timer
 * only wakes those who wait, once per expiration that nobody has read.
 *
 * Lock: `lock` guards the settings; it is taken in the timer interrupt.
 */
import { copyUser } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN, POLLRDNORM } from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { Timer, armTimer, cancelTimer } from "../sched/timer";
import { FOREVER, WaitLink, WaitQueue } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { FD_CLOEXEC } from "./fd-table";
import { drop, heldFile, hold } from "./held-file";
import { installFile } from "./install";
import { NS_PER_SECOND, deadlineAt } from "./timespec";
import { copyIn, copyOut, scratch } from "./user-memory";

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const CLOCK_BOOTTIME: i32 = 7;
const CLOCK_REALTIME_ALARM: i32 = 8;
const CLOCK_BOOTTIME_ALARM: i32 = 9;

const TFD_TIMER_ABSTIME: u32 = 1;
const TFD_TIMER_CANCEL_ON_SET: u32 = 2;

/** struct itimerspec: interval, then value, as two struct timespec. */
const ITIMERSPEC_BYTES: usize = 32;
const VALUE: usize = 16;
const COUNT_BYTES: usize = 8;
/** Longest time in seconds that still fits nanoseconds in 63 bits. */
const SECONDS_MAX: u64 = 9_223_372_036;

/** Wakes the readers of its file. */
class ReadyTimer extends Timer {
  constructor(private file: TimerFile) {
    super();
  }

  expired(): void {
    this.file.wake();
  }
}

class TimerFile extends AnonymousFile {
  private lock: SpinLock = new SpinLock();
  private queue: WaitQueue = new WaitQueue();
  private timer: ReadyTimer = changetype<ReadyTimer>(<usize>0);
  /** Monotonic time of the next expiration that has not been read; 0 = disarmed. */
  private nextNs: u64 = 0;
  /** Time between expirations; 0 = one only. */
  private intervalNs: u64 = 0;

  constructor(
    private clock: i32,
    flags: u32,
  ) {
    super(flags);
    this.timer = new ReadyTimer(this);
  }

  typeName(): string {
    return "timerfd";
  }

  /** Called by the timer interrupt. */
  wake(): void {
    this.queue.wakeForOne();
  }

  /**
   * timerfd_settime: takes the struct itimerspec at `setting` and leaves the previous one there.
   * @returns 0 or -EINVAL
   */
  set(flags: u32, setting: usize): i64 {
    if (!isTime(setting) || !isTime(setting + VALUE)) return -EINVAL;
    const intervalNs = spanOf(setting);
    const valueNs = spanOf(setting + VALUE);
    const isAbsolute = (flags & TFD_TIMER_ABSTIME) != 0;
    // A deadline of 0 would mean "disarmed".
    const nextNs = valueNs == 0 ? 0 : max<u64>(deadlineAt(valueNs, this.clock, isAbsolute), 1);
    this.lock.acquire();
    this.describe(setting);
    this.nextNs = nextNs;
    this.intervalNs = intervalNs;
    this.rearm();
    this.lock.release();
    return 0;
  }

  /** timerfd_gettime: writes struct itimerspec to kernel memory. */
  get(out: usize): void {
    this.lock.acquire();
    this.describe(out);
    this.lock.release();
  }

  read(buffer: usize, length: usize): i64 {
    if (length < COUNT_BYTES) return -EINVAL;
    this.lock.acquire();
    let count = this.expirations();
    while (count == 0) {
      const status = this.flags & O_NONBLOCK ? -EAGAIN : this.queue.sleep(this.lock, FOREVER, true);
      if (status < 0) {
        this.lock.release();
        return status;
      }
      count = this.expirations();
    }
    this.nextNs = this.intervalNs == 0 ? 0 : this.nextNs + count * this.intervalNs;
    this.rearm();
    this.lock.release();
    const slot = scratch();
    store<u64>(slot, count);
    return copyUser(buffer, slot, COUNT_BYTES) == 0 ? <i64>COUNT_BYTES : -EFAULT;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.queue.add(link);
    this.lock.acquire();
    const isReady = this.expirations() != 0;
    this.lock.release();
    return isReady ? POLLIN | POLLRDNORM : 0;
  }

  unpoll(link: WaitLink): void {
    this.queue.remove(link);
  }

  dispose(): void {
    cancelTimer(this.timer);
    free(this.timer);
    this.queue.dispose();
    free(this.queue);
    free(this.lock);
    free(this);
  }

  /** Expirations since the last read. (lock) */
  private expirations(): u64 {
    const now = monotonicNs();
    if (this.nextNs == 0 || now < this.nextNs) return 0;
    return this.intervalNs == 0 ? 1 : (now - this.nextNs) / this.intervalNs + 1;
  }

  /** Lets the kernel timer go off at the next expiration. (lock) */
  private rearm(): void {
    if (this.nextNs == 0 || this.nextNs == FOREVER) cancelTimer(this.timer);
    else armTimer(this.timer, this.nextNs);
  }

  /** Writes interval and time to the next expiration. (lock) */
  private describe(out: usize): void {
    let leftNs: u64 = 0;
    const now = monotonicNs();
    if (this.nextNs > now) leftNs = this.nextNs - now;
    else if (this.nextNs != 0 && this.intervalNs != 0) {
      leftNs = this.intervalNs - ((now - this.nextNs) % this.intervalNs);
    }
    putTime(out, this.intervalNs);
    putTime(out + VALUE, leftNs);
  }
}

/** timerfd_create(2). */
export function sysTimerfdCreate(clock: i32, flags: u32): i64 {
  const isKnown =
    clock == CLOCK_REALTIME ||
    clock == CLOCK_MONOTONIC ||
    clock == CLOCK_BOOTTIME ||
    clock == CLOCK_REALTIME_ALARM ||
    clock == CLOCK_BOOTTIME_ALARM;
  if (!isKnown || (flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const file = new TimerFile(clock, O_RDWR | (flags & O_NONBLOCK));
  return installFile(file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}

/** timerfd_settime(2). */
export function sysTimerfdSettime(fd: i32, flags: u32, newValue: usize, oldValue: usize): i64 {
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) return -EINVAL;
  const setting = scratch();
  const copied = copyIn(setting, newValue, ITIMERSPEC_BYTES);
  if (copied < 0) return copied;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  if (file instanceof TimerFile) result = (<TimerFile>file).set(flags, setting);
  drop(held);
  if (result < 0 || oldValue == 0) return result;
  return copyOut(oldValue, setting, ITIMERSPEC_BYTES);
}

/** timerfd_gettime(2). */
export function sysTimerfdGettime(fd: i32, value: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  const isTimer = file instanceof TimerFile;
  if (isTimer) (<TimerFile>file).get(scratch());
  drop(held);
  return isTimer ? copyOut(value, scratch(), ITIMERSPEC_BYTES) : -EINVAL;
}

function isTime(address: usize): bool {
  return load<i64>(address) >= 0 && load<u64>(address, 8) < NS_PER_SECOND;
}

/** A struct timespec in nanoseconds; FOREVER if it is more than 292 years. */
function spanOf(address: usize): u64 {
  const seconds = load<u64>(address);
  return seconds >= SECONDS_MAX ? FOREVER : seconds * NS_PER_SECOND + load<u64>(address, 8);
}

function putTime(address: usize, timeNs: u64): void {
  store<u64>(address, timeNs / NS_PER_SECOND);
  store<u64>(address, timeNs % NS_PER_SECOND, 8);
}
