/**
 * Linux's asynchronous I/O, as databases use it through libaio: io_setup(2), io_submit(2),
 * io_getevents(2), io_cancel(2), io_destroy(2).
 *
 * A request is carried out while it is submitted, as Linux does with files that are read and written
 * through the page cache: when io_submit returns, its events are there. So there is nothing to cancel.
 *
 * Neighbours: `aio-context.ts` (who waits for what), `file-io.ts`, `file-io-vector.ts` (the work).
 */
import { SEEK_CUR } from "../fs/constants";
import { EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP, ESPIPE, ETIMEDOUT } from "../lib/errno";
import { PAGE_SIZE } from "../mm/layout";
import {
  AioContext,
  createContext,
  EVENT_BYTES,
  endContext,
  findContext,
  isContextId,
} from "./aio-context";
import { EventFile } from "./eventfd";
import { sysPread64, sysPwrite64, sysRead, sysWrite } from "./file-io";
import { sysPreadv, sysPwritev, sysReadv, sysWritev } from "./file-io-vector";
import { drop, heldFile, hold } from "./held-file";
import { beginMaskedWait, deadlineArgument, sleepDeadline } from "./poll";
import { currentProcess } from "./process";
import { endTemporaryMask } from "./signal-calls";
import { sysFdatasync, sysFsync } from "./sync";
import {
  checkRange,
  copyIn,
  copyOut,
  load32,
  load64,
  loadedValue,
  scratch,
  store32,
  store64,
} from "./user-memory";

const COMMAND_PREAD: u32 = 0;
const COMMAND_PWRITE: u32 = 1;
const COMMAND_FSYNC: u32 = 2;
const COMMAND_FDSYNC: u32 = 3;
const COMMAND_PREADV: u32 = 7;
const COMMAND_PWRITEV: u32 = 8;

/** IOCB_FLAG_RESFD: the end of the request is told to an eventfd. */
const FLAG_RESFD: u32 = 1;
/** Flags of preadv2(2) that ask for nothing we do not do anyway: HIPRI, DSYNC, SYNC. */
const KNOWN_RW_FLAGS: u32 = 7;
const RWF_DSYNC: u32 = 2;
const RWF_SYNC: u32 = 4;

/**
 * struct iocb: data u64, key u32, rw_flags u32, opcode u16, priority i16, fd u32, buffer u64,
 * length u64, offset i64, reserved u64, flags u32, resfd u32.
 */
const IOCB_BYTES: usize = 64;
const IOCB_KEY: usize = 8;

/** io_setup(2). */
export function sysIoSetup(requests: u32, out: usize): i64 {
  const loaded = load64(out);
  if (loaded < 0) return loaded;
  if (requests == 0 || requests > <u32>i32.MAX_VALUE || loadedValue() != 0) return -EINVAL;
  const process = currentProcess();
  const id = createContext(process, requests);
  if (id < 0) return id;
  const stored = store64(out, <u64>id);
  if (stored < 0) sysIoDestroy(<usize>id);
  return stored;
}

/** io_destroy(2). */
export function sysIoDestroy(id: usize): i64 {
  const process = currentProcess();
  const ended = isContextId(id) ? endContext(process, id) : -EINVAL;
  if (ended == 0) process.addressSpace.unmap(id, PAGE_SIZE);
  return ended;
}

/** io_submit(2): how many requests were taken, or the error of the first. */
export function sysIoSubmit(id: usize, count: i64, requests: usize): i64 {
  if (count < 0) return -EINVAL;
  const context = findContext(currentProcess(), id);
  if (!context) return -EINVAL;
  const most = min(count, <i64>context.capacity);
  let done: i64 = 0;
  let error: i64 = 0;
  while (done < most && error == 0) {
    error = load64(requests + <usize>done * 8);
    if (error == 0) error = submit(context, <usize>loadedValue());
    if (error == 0) done++;
  }
  context.release();
  return done != 0 ? done : error;
}

/** Carries out the request at `address`: 0, or the error for which it is refused. */
function submit(context: AioContext, address: usize): i64 {
  const iocb = scratch();
  const copied = copyIn(iocb, address, IOCB_BYTES);
  if (copied < 0) return copied;
  const data = load<u64>(iocb);
  const rwFlags = load<u32>(iocb, 12);
  const command = <u32>load<u16>(iocb, 16);
  const fd = load<i32>(iocb, 20);
  const buffer = load<usize>(iocb, 24);
  const length = load<usize>(iocb, 32);
  const offset = load<i64>(iocb, 40);
  const tells = (load<u32>(iocb, 56) & FLAG_RESFD) != 0;
  const teller = load<i32>(iocb, 60);
  if (load<u64>(iocb, 48) != 0 || <i64>length < 0) return -EINVAL;
  if (!context.reserve()) return -EAGAIN;
  let refusal = store32(address + IOCB_KEY, 0);
  if (refusal == 0) refusal = refuse(command, fd, buffer, length, offset, rwFlags);
  const told = refusal == 0 && tells ? hold(teller) : 0;
  if (refusal == 0 && tells) refusal = told == 0 ? -EBADF : isCounter(told) ? 0 : -EINVAL;
  if (refusal != 0) context.unreserve();
  else {
    context.post(data, address, perform(command, fd, buffer, length, offset, rwFlags));
    if (told != 0) changetype<EventFile>(heldFile(told)).add(1);
  }
  if (told != 0) drop(told);
  return refusal;
}

function isCounter(held: usize): bool {
  return heldFile(held) instanceof EventFile;
}

/** Why a request is not even tried; 0 if it is. */
function refuse(
  command: u32,
  fd: i32,
  buffer: usize,
  length: usize,
  offset: i64,
  rwFlags: u32,
): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const isReadable = heldFile(held).isReadable;
  const isWritable = heldFile(held).isWritable;
  drop(held);
  if (command == COMMAND_FSYNC || command == COMMAND_FDSYNC) {
    return buffer != 0 || length != 0 || offset != 0 || rwFlags != 0 ? -EINVAL : 0;
  }
  const isRead = command == COMMAND_PREAD || command == COMMAND_PREADV;
  if (!isRead && command != COMMAND_PWRITE && command != COMMAND_PWRITEV) return -EINVAL;
  if ((rwFlags & ~KNOWN_RW_FLAGS) != 0) return -EOPNOTSUPP;
  if (!(isRead ? isReadable : isWritable)) return -EBADF;
  const isPlain = command == COMMAND_PREAD || command == COMMAND_PWRITE;
  if (isPlain && !checkRange(buffer, length)) return -EFAULT;
  return offset < 0 ? -EINVAL : 0;
}

/** Does what a request asks for: the result of its event. */
function perform(
  command: u32,
  fd: i32,
  buffer: usize,
  length: usize,
  offset: i64,
  rwFlags: u32,
): i64 {
  if (command == COMMAND_FSYNC) return sysFsync(fd);
  if (command == COMMAND_FDSYNC) return sysFdatasync(fd);
  const hasPlaces = hasPosition(fd);
  if (command == COMMAND_PREAD) {
    return hasPlaces ? sysPread64(fd, buffer, length, offset) : sysRead(fd, buffer, length);
  }
  const count = <i32>min<usize>(length, i32.MAX_VALUE);
  if (command == COMMAND_PREADV) {
    return hasPlaces ? sysPreadv(fd, buffer, count, offset) : sysReadv(fd, buffer, count);
  }
  let result: i64;
  if (command == COMMAND_PWRITE) {
    result = hasPlaces ? sysPwrite64(fd, buffer, length, offset) : sysWrite(fd, buffer, length);
  } else result = hasPlaces ? sysPwritev(fd, buffer, count, offset) : sysWritev(fd, buffer, count);
  if (result <= 0 || (rwFlags & (RWF_DSYNC | RWF_SYNC)) == 0) return result;
  const synced = (rwFlags & RWF_SYNC) != 0 ? sysFsync(fd) : sysFdatasync(fd);
  return synced < 0 ? synced : result;
}

/** False for pipes and sockets, where a request's offset means nothing. */
function hasPosition(fd: i32): bool {
  const held = hold(fd);
  if (held == 0) return true;
  const answer = heldFile(held).seek(0, SEEK_CUR);
  drop(held);
  return answer != -ESPIPE;
}

/** io_getevents(2). */
export function sysIoGetevents(
  id: usize,
  least: i64,
  most: i64,
  events: usize,
  timeout: usize,
): i64 {
  const deadlineNs = deadlineArgument(timeout);
  if (deadlineNs < 0) return deadlineNs;
  return waitForEvents(id, least, most, events, <u64>deadlineNs);
}

/** io_pgetevents(2): the last argument leads to the signal mask's address and size. */
export function sysIoPgetevents(
  id: usize,
  least: i64,
  most: i64,
  events: usize,
  timeout: usize,
  signalMask: usize,
): i64 {
  const deadlineNs = beginMaskedWait(timeout, signalMask);
  if (deadlineNs < 0) return deadlineNs;
  return endTemporaryMask(waitForEvents(id, least, most, events, <u64>deadlineNs));
}

/** @param deadlineNs monotonic, 0 = do not wait */
function waitForEvents(id: usize, least: i64, most: i64, events: usize, deadlineNs: u64): i64 {
  const context = findContext(currentProcess(), id);
  if (!context) return -EINVAL;
  const isWrong = least < 0 || most < least;
  const result = isWrong ? -EINVAL : collect(context, least, most, events, deadlineNs);
  context.release();
  return result;
}

/** Hands out events until there are `least`, the time is over or a signal comes. */
function collect(context: AioContext, least: i64, most: i64, events: usize, deadlineNs: u64): i64 {
  const event = scratch();
  let got: i64 = 0;
  let end: i64 = 0;
  context.lock.acquire();
  while (got < most && end == 0) {
    if (context.take(event)) {
      context.lock.release();
      end = copyOut(events + <usize>got * EVENT_BYTES, event, EVENT_BYTES);
      context.lock.acquire();
      if (end == 0) got++;
      else context.putBack(event);
    } else if (got >= least || deadlineNs == 0) break;
    else if (context.hasEnded) end = -EINVAL;
    else end = context.finished.sleep(context.lock, sleepDeadline(deadlineNs));
  }
  context.lock.release();
  return got != 0 || end == -ETIMEDOUT ? got : end;
}

/** io_cancel(2): whatever was submitted has finished. */
export function sysIoCancel(_id: usize, request: usize, _result: usize): i64 {
  const loaded = load32(request + IOCB_KEY);
  return loaded < 0 ? loaded : -EINVAL;
}
