/**
 * POSIX message queues, the system calls: mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2),
 * mq_notify(2), mq_getsetattr(2). Names come without the slash that mq_open(3) wants in front.
 *
 * Neighbour: `posix-queue.ts`.
 */
import { O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, S_PERMISSIONS } from "../fs/constants";
import {
  EACCES,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENOENT,
  ENOMEM,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER } from "../sched/wait";
import { CLOCK_REALTIME } from "./clocks";
import { FD_CLOEXEC } from "./fd-table";
import { drop, heldFile, hold } from "./held-file";
import { installFile } from "./install";
import {
  MESSAGE_TEXT,
  messageLength,
  messagePriority,
  PosixQueue,
  PosixQueueFile,
} from "./posix-queue";
import { currentProcess } from "./process";
import { SIGNAL_MAX } from "./signal-numbers";
import { deadlineFrom, readTimespec } from "./timespec";
import { copyIn, copyInString, copyOut, scratch, store32 } from "./user-memory";

/** struct mq_attr: flags, most messages, bytes in a message, messages now; i64 each, four reserved. */
const ATTRIBUTES_BYTES: usize = 64;
const MESSAGES_MAX: u64 = 65536;
const MESSAGE_BYTES_MAX: u64 = 16 << 20;
const DEFAULT_MESSAGES: u64 = 10;
const DEFAULT_BYTES: u64 = 8192;
const PRIORITY_MAX: u32 = 32768;
const NAME_CAPACITY: usize = 256;
const SLASH: u8 = 0x2f;

/** struct sigevent: value u64, signal i32, kind i32. */
const SIGEV_SIGNAL: i32 = 0;
const SIGEV_NONE: i32 = 1;

/** Copies a name to a block of NAME_CAPACITY bytes; its length or an error. */
function takeName(userName: usize, block: usize): i64 {
  const length = copyInString(userName, block, NAME_CAPACITY);
  if (length == 0) return -ENOENT;
  if (length < 0) return length;
  for (let i: usize = 0; i < <usize>length; i++) {
    if (load<u8>(block + i) == SLASH) return -EACCES;
  }
  return length;
}

/** mq_open(2). @param attributes struct mq_attr for a new queue, 0 = the defaults */
export function sysMqOpen(userName: usize, flags: u32, mode: u32, attributes: usize): i64 {
  if ((flags & O_ACCMODE) == O_ACCMODE) return -EINVAL;
  let messages = DEFAULT_MESSAGES;
  let bytes = DEFAULT_BYTES;
  if (attributes != 0) {
    if (copyIn(scratch(), attributes, ATTRIBUTES_BYTES) != 0) return -EFAULT;
    messages = load<u64>(scratch(), 8);
    bytes = load<u64>(scratch(), 16);
  }
  const name = heapAllocate(NAME_CAPACITY);
  if (name == 0) return -ENOMEM;
  const length = takeName(userName, name);
  if (length < 0) {
    heapFree(name);
    return length;
  }
  let queue = PosixQueue.find(name, <usize>length);
  if (queue && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
    queue.release();
    heapFree(name);
    return -EEXIST;
  }
  let error: i64 = 0;
  if (queue == null) {
    if ((flags & O_CREAT) == 0) error = -ENOENT;
    else if (messages == 0 || messages > MESSAGES_MAX) error = -EINVAL;
    else if (bytes == 0 || bytes > MESSAGE_BYTES_MAX) error = -EINVAL;
  }
  if (queue != null || error != 0) heapFree(name);
  else {
    const permissions = mode & S_PERMISSIONS & ~currentProcess().fsContext.umask;
    const made = new PosixQueue(name, <usize>length, permissions, messages, bytes);
    // Somebody was quicker: theirs is the queue, unless it must be a new one.
    if (!made.publish()) {
      made.release();
      return sysMqOpen(userName, flags, mode, attributes);
    }
    queue = made;
  }
  if (queue == null) return error;
  const kept = flags & (O_ACCMODE | O_NONBLOCK);
  return installFile(new PosixQueueFile(queue, kept), FD_CLOEXEC);
}

/** mq_unlink(2). */
export function sysMqUnlink(userName: usize): i64 {
  const name = heapAllocate(NAME_CAPACITY);
  if (name == 0) return -ENOMEM;
  let result = takeName(userName, name);
  if (result >= 0) {
    const queue = PosixQueue.find(name, <usize>result);
    result = queue && queue.unlink() ? 0 : -ENOENT;
    if (queue) queue.release();
  }
  heapFree(name);
  return result;
}

/** Reads an absolute time-out of CLOCK_REALTIME to be taken by `deadlineFrom`; 0, -EINVAL, -EFAULT. */
function readTimeout(timeout: usize): i64 {
  return timeout == 0 ? 0 : readTimespec(timeout);
}

/** mq_timedsend(2). */
export function sysMqTimedsend(
  fd: i32,
  buffer: usize,
  length: usize,
  priority: u32,
  timeout: usize,
): i64 {
  if (priority >= PRIORITY_MAX) return -EINVAL;
  const error = readTimeout(timeout);
  if (error != 0) return error;
  const deadlineNs = timeout == 0 ? FOREVER : deadlineFrom(CLOCK_REALTIME, true);
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EBADF;
  if (file instanceof PosixQueueFile && file.isWritable) {
    const queue = (file as PosixQueueFile).queue;
    const waits = (file.flags & O_NONBLOCK) == 0;
    result = sendFrom(queue, buffer, length, priority, waits, deadlineNs);
  }
  drop(held);
  return result;
}

function sendFrom(
  queue: PosixQueue,
  buffer: usize,
  length: usize,
  priority: u32,
  waits: bool,
  deadlineNs: u64,
): i64 {
  if (length > queue.messageBytes) return -EMSGSIZE;
  const message = heapAllocate(MESSAGE_TEXT + length);
  if (message == 0) return -ENOMEM;
  let result: i64 = copyIn(message + MESSAGE_TEXT, buffer, length);
  if (result == 0) result = queue.send(message, length, priority, waits, deadlineNs);
  if (result != 0) heapFree(message);
  return result;
}

/** mq_timedreceive(2): the length of the message. */
export function sysMqTimedreceive(
  fd: i32,
  buffer: usize,
  length: usize,
  priority: usize,
  timeout: usize,
): i64 {
  const error = readTimeout(timeout);
  if (error != 0) return error;
  const deadlineNs = timeout == 0 ? FOREVER : deadlineFrom(CLOCK_REALTIME, true);
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EBADF;
  if (file instanceof PosixQueueFile && file.isReadable) {
    const queue = (file as PosixQueueFile).queue;
    if (length < queue.messageBytes) result = -EMSGSIZE;
    else {
      const slot = scratch();
      result = queue.receive(slot, (file.flags & O_NONBLOCK) == 0, deadlineNs);
      if (result == 0) result = deliver(load<usize>(slot), buffer, priority);
    }
  }
  drop(held);
  return result;
}

/** Copies a message out and frees it. */
function deliver(message: usize, buffer: usize, priority: usize): i64 {
  const length = messageLength(message);
  let result: i64 = copyOut(buffer, message + MESSAGE_TEXT, length);
  if (result == 0 && priority != 0) result = store32(priority, messagePriority(message));
  heapFree(message);
  return result != 0 ? result : <i64>length;
}

/** mq_notify(2). SIGEV_THREAD, which needs netlink sockets, is refused. */
export function sysMqNotify(fd: i32, event: usize): i64 {
  let kind = SIGEV_NONE;
  let signal: i32 = 0;
  let value: u64 = 0;
  if (event != 0) {
    if (copyIn(scratch(), event, 16) != 0) return -EFAULT;
    value = load<u64>(scratch());
    signal = load<i32>(scratch(), 8);
    kind = load<i32>(scratch(), 12);
    if (kind != SIGEV_SIGNAL && kind != SIGEV_NONE) return -EINVAL;
    if (kind == SIGEV_SIGNAL && (signal < 1 || signal > SIGNAL_MAX)) return -EINVAL;
  }
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EBADF;
  if (file instanceof PosixQueueFile) {
    const queue = (file as PosixQueueFile).queue;
    const process = currentProcess();
    result = 0;
    if (event == 0) queue.unlisten(process);
    else {
      process.hold();
      if (!queue.listen(process, kind == SIGEV_SIGNAL ? signal : 0, value)) {
        process.letGo();
        result = -EBUSY;
      }
    }
  }
  drop(held);
  return result;
}

/** mq_getsetattr(2): only O_NONBLOCK can be changed. */
export function sysMqGetsetattr(fd: i32, newAttributes: usize, oldAttributes: usize): i64 {
  let wanted: u64 = 0;
  if (newAttributes != 0) {
    if (copyIn(scratch(), newAttributes, ATTRIBUTES_BYTES) != 0) return -EFAULT;
    wanted = load<u64>(scratch());
    if ((wanted & ~(<u64>O_NONBLOCK)) != 0) return -EINVAL;
  }
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EBADF;
  if (file instanceof PosixQueueFile) {
    const queue = (file as PosixQueueFile).queue;
    const out = scratch();
    memory.fill(out, 0, ATTRIBUTES_BYTES);
    store<u64>(out, file.flags & O_NONBLOCK);
    store<u64>(out, queue.messagesMax, 8);
    store<u64>(out, queue.messageBytes, 16);
    store<u64>(out, queue.messages, 24);
    if (newAttributes != 0) file.flags = (file.flags & ~O_NONBLOCK) | <u32>wanted;
    result = oldAttributes == 0 ? 0 : copyOut(oldAttributes, out, ATTRIBUTES_BYTES);
  }
  drop(held);
  return result;
}
