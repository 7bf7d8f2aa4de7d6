/**
 * epoll_create(2), epoll_ctl(2), epoll_wait(2) and their variants.
 *
 * Neighbours: `epoll-set.ts` (the mechanism), `epoll-file.ts`, `poll.ts` (time and mask arguments).
 */
import { copyUser } from "../arch/cpu";
import { O_CLOEXEC, POLLERR, POLLHUP, POLLIN, POLLOUT } from "../fs/constants";
import { File } from "../fs/file";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EBADF, EEXIST, EFAULT, EINVAL, ELOOP, ENOENT, ENOMEM, EPERM } from "../lib/errno";
import { EpollFile, mayNest, nestingMutex } from "./epoll-file";
import { EPOLLET, EPOLLEXCLUSIVE, EPOLLWAKEUP } from "./epoll-item";
import { EVENT_BYTES, EVENT_DATA, EpollSet, EventSink } from "./epoll-set";
import { FD_CLOEXEC } from "./fd-table";
import { drop, heldFile, hold } from "./held-file";
import { installFile } from "./install";
import { deadlineArgument, deadlineFromMs, maskArgument, sleepDeadline } from "./poll";
import { endTemporaryMask } from "./signal-calls";
import { checkRange, copyIn, scratch } from "./user-memory";

const EPOLL_CTL_ADD: i32 = 1;
const EPOLL_CTL_DEL: i32 = 2;
const EPOLL_CTL_MOD: i32 = 3;

const EVENTS_MAX: i32 = i32.MAX_VALUE / 12;

/** What may be combined with EPOLLEXCLUSIVE (epoll_ctl(2)). */
const EXCLUSIVE_OK: u32 =
  POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

/** Writes events to the application's array. */
class UserEvents extends EventSink {
  take(target: usize, events: usize, count: u32): u32 {
    const bytes = <usize>count * EVENT_BYTES;
    const missed = copyUser(target, events, bytes);
    return <u32>((bytes - missed) / EVENT_BYTES);
  }
}

const userEvents = new UserEvents();

/** epoll_create(2): the size is a hint that has no meaning since Linux 2.6.8. */
export function sysEpollCreate(size: i32): i64 {
  return size <= 0 ? -EINVAL : sysEpollCreate1(0);
}

/** epoll_create1(2). */
export function sysEpollCreate1(flags: u32): i64 {
  if ((flags & ~O_CLOEXEC) != 0) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  return installFile(new EpollFile(), flags != 0 ? FD_CLOEXEC : 0);
}

/** epoll_ctl(2). */
export function sysEpollCtl(epollFd: i32, operation: i32, fd: i32, event: usize): i64 {
  let events: u32 = 0;
  let data: u64 = 0;
  if (operation != EPOLL_CTL_DEL) {
    const slot = scratch();
    const copied = copyIn(slot, event, EVENT_BYTES);
    if (copied < 0) return copied;
    events = load<u32>(slot);
    data = load<u64>(slot, EVENT_DATA);
  }
  const heldSet = hold(epollFd);
  if (heldSet == 0) return -EBADF;
  const heldTarget = hold(fd);
  let result: i64 = -EBADF;
  if (heldTarget != 0) {
    result = control(heldFile(heldSet), operation, heldFile(heldTarget), fd, events, data);
    drop(heldTarget);
  }
  drop(heldSet);
  return result;
}

function control(outer: File, operation: i32, target: File, fd: i32, events: u32, data: u64): i64 {
  if (!target.canPoll()) return -EPERM;
  if (outer == target || !(outer instanceof EpollFile)) return -EINVAL;
  const isNested = target instanceof EpollFile;
  if (operation != EPOLL_CTL_DEL && (events & EPOLLEXCLUSIVE) != 0) {
    if (operation == EPOLL_CTL_MOD || isNested || (events & ~EXCLUSIVE_OK) != 0) return -EINVAL;
  }
  const set = (<EpollFile>outer).set;
  if (operation != EPOLL_CTL_ADD || !isNested) {
    return change(set, operation, target, fd, events, data);
  }
  nestingMutex.lock();
  let result: i64 = -ELOOP;
  if (mayNest(<EpollFile>outer, <EpollFile>target)) {
    result = change(set, operation, target, fd, events, data);
  }
  nestingMutex.unlock();
  return result;
}

function change(set: EpollSet, operation: i32, target: File, fd: i32, events: u32, data: u64): i64 {
  let result: i64 = 0;
  const reported = events | POLLERR | POLLHUP;
  set.acquire();
  const item = set.find(target, fd);
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (item) result = -EEXIST;
      else if (kernelMemoryIsShort()) result = -ENOMEM;
      else set.add(target, fd, reported, data);
      break;
    case EPOLL_CTL_DEL:
      if (item) set.remove(item);
      else result = -ENOENT;
      break;
    case EPOLL_CTL_MOD:
      if (!item) result = -ENOENT;
      else if ((item.events & EPOLLEXCLUSIVE) != 0) result = -EINVAL;
      else set.modify(item, reported, data);
      break;
    default:
      result = -EINVAL;
  }
  set.giveBack();
  return result;
}

/** epoll_wait(2). */
export function sysEpollWait(epollFd: i32, events: usize, maxEvents: i32, timeoutMs: i32): i64 {
  return waitOn(epollFd, events, maxEvents, deadlineFromMs(timeoutMs));
}

/** epoll_pwait(2). */
export function sysEpollPwait(
  epollFd: i32,
  events: usize,
  maxEvents: i32,
  timeoutMs: i32,
  signalMask: usize,
  signalSetSize: usize,
): i64 {
  const masked = maskArgument(signalMask, signalSetSize);
  if (masked < 0) return masked;
  return endTemporaryMask(waitOn(epollFd, events, maxEvents, deadlineFromMs(timeoutMs)));
}

/** epoll_pwait2(2). */
export function sysEpollPwait2(
  epollFd: i32,
  events: usize,
  maxEvents: i32,
  timeout: usize,
  signalMask: usize,
  signalSetSize: usize,
): i64 {
  const deadlineNs = deadlineArgument(timeout);
  if (deadlineNs < 0) return deadlineNs;
  const masked = maskArgument(signalMask, signalSetSize);
  if (masked < 0) return masked;
  return endTemporaryMask(waitOn(epollFd, events, maxEvents, <u64>deadlineNs));
}

function waitOn(epollFd: i32, events: usize, maxEvents: i32, deadlineNs: u64): i64 {
  if (maxEvents <= 0 || maxEvents > EVENTS_MAX) return -EINVAL;
  if (!checkRange(events, <usize>maxEvents * EVENT_BYTES)) return -EFAULT;
  const held = hold(epollFd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  if (file instanceof EpollFile) {
    const set = (<EpollFile>file).set;
    result = set.wait(userEvents, events, <u32>maxEvents, sleepDeadline(deadlineNs));
  }
  drop(held);
  return result;
}
