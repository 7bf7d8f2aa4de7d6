/**
 * System V message queues (msgget(2), msgop(2), msgctl(2)).
 *
 * Lock: `ipcLock`. Neighbours: `ipc-table.ts`.
 */
import {
  E2BIG,
  EAGAIN,
  EFAULT,
  EIDRM,
  EINVAL,
  ENOMEM,
  ENOMSG,
  ENOSPC,
  asError,
  isError,
} from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER, WaitQueue } from "../sched/wait";
import {
  IPC_INFO,
  IPC_NOWAIT,
  IPC_RMID,
  IPC_SET,
  IPC_SLOTS,
  IPC_STAT,
  IpcObject,
  IpcTable,
  ipcLock,
  lookUpKey,
  nowSeconds,
} from "./ipc-table";
import { currentProcess } from "./process";
import { copyIn, copyOut, load64, loadedValue, scratch, store64 } from "./user-memory";

const MSG_STAT: i32 = 11;
const MSG_INFO: i32 = 12;
const MSG_STAT_ANY: i32 = 13;

const MSG_NOERROR: u32 = 0o10000;
const MSG_EXCEPT: u32 = 0o20000;
const MSG_COPY: u32 = 0o40000;

/** Longest message, and bytes in a new queue (/proc/sys/kernel/msgmax, msgmnb). */
const MESSAGE_MAX: usize = 8192;
const QUEUE_BYTES: u64 = 16384;

/** struct msqid64_ds after the permissions. */
const MSQID_BYTES: usize = 120;
const SENT_AT: usize = 48;
const RECEIVED_AT: usize = 56;
const CHANGED_AT: usize = 64;
const BYTES_NOW: usize = 72;
const MESSAGES: usize = 80;
const BYTES_MAX: usize = 88;
const LAST_SENDER: usize = 96;
const LAST_RECEIVER: usize = 100;
/** struct msginfo: seven i32 and an u16. */
const MSGINFO_BYTES: usize = 32;

/** A message in memory: next, type i64, length, the text. */
const NEXT: usize = 0;
const TYPE: usize = 8;
const LENGTH: usize = 16;
const TEXT: usize = 24;

const table = new IpcTable();

class MessageQueue extends IpcObject {
  sentAt: i64 = 0;
  receivedAt: i64 = 0;
  lastSender: i32 = 0;
  lastReceiver: i32 = 0;
  bytesMax: u64 = QUEUE_BYTES;
  bytes: u64 = 0;
  messages: u64 = 0;
  /** Woken when a message comes, goes, or the queue is removed. */
  changed: WaitQueue = new WaitQueue();
  /** Threads that sleep on `changed`; the last one frees a removed queue. */
  sleepers: u32 = 0;
  private first: usize = 0;
  private last: usize = 0;

  append(message: usize): void {
    store<usize>(message, 0, NEXT);
    if (this.last != 0) store<usize>(this.last, message, NEXT);
    else this.first = message;
    this.last = message;
    this.bytes += load<u64>(message, LENGTH);
    this.messages++;
  }

  /**
   * The message that msgrcv(2) means by `type`, 0 if there is none.
   * @param isOther the first of another type (MSG_EXCEPT)
   */
  find(type: i64, isOther: bool): usize {
    let found: usize = 0;
    for (let at = this.first; at != 0; at = load<usize>(at, NEXT)) {
      const own = load<i64>(at, TYPE);
      if (type == 0 || (type > 0 && (own == type) != isOther)) return at;
      if (type < 0 && own <= -type && (found == 0 || own < load<i64>(found, TYPE))) found = at;
    }
    return found;
  }

  /** The message at this position, or 0 (MSG_COPY). */
  at(position: i64): usize {
    let message = this.first;
    for (let i: i64 = 0; i < position && message != 0; i++) message = load<usize>(message, NEXT);
    return message;
  }

  remove(message: usize): void {
    let before: usize = 0;
    for (let at = this.first; at != message; at = load<usize>(at, NEXT)) before = at;
    const next = load<usize>(message, NEXT);
    if (before != 0) store<usize>(before, next, NEXT);
    else this.first = next;
    if (this.last == message) this.last = before;
    this.bytes -= load<u64>(message, LENGTH);
    this.messages--;
  }

  /** Sleeps until something changes; 0, -EINTR, -EIDRM (the queue is gone, perhaps freed). */
  sleep(): i64 {
    this.sleepers++;
    const woken = this.changed.sleep(ipcLock, FOREVER, true);
    this.sleepers--;
    if (!this.isRemoved) return woken;
    if (this.sleepers == 0) this.destroy();
    return -EIDRM;
  }

  destroy(): void {
    while (this.first != 0) {
      const message = this.first;
      this.remove(message);
      heapFree(message);
    }
    this.changed.dispose();
    free(this.changed);
    free(this);
  }
}

/** The queue with this identifier, or null. Hold `ipcLock`. */
function queueOf(id: i32): MessageQueue | null {
  return changetype<MessageQueue | null>(changetype<usize>(table.find(id)));
}

/** msgget(2). */
export function sysMsgget(key: i32, flags: u32): i64 {
  if (!table.makeRoom()) return -ENOMEM;
  const made = new MessageQueue();
  ipcLock.acquire();
  const found = lookUpKey(table, key, flags);
  let result = <i64>found;
  let isUsed = false;
  if (found == 0) {
    isUsed = table.add(made, key, flags);
    result = isUsed ? made.id : -ENOSPC;
  } else if (!isError(found)) result = changetype<IpcObject>(found).id;
  ipcLock.release();
  if (!isUsed) made.destroy();
  return result;
}

/** msgsnd(2). `buffer` is a type (long) and the text. */
export function sysMsgsnd(id: i32, buffer: usize, length: usize, flags: u32): i64 {
  const error = load64(buffer);
  if (error != 0) return error;
  const type = <i64>loadedValue();
  if (id < 0 || length > MESSAGE_MAX || type < 1) return -EINVAL;
  const message = heapAllocate(TEXT + length);
  if (message == 0) return -ENOMEM;
  store<i64>(message, type, TYPE);
  store<u64>(message, length, LENGTH);
  let result: i64 = copyIn(message + TEXT, buffer + 8, length) != 0 ? -EFAULT : 0;
  if (result == 0) {
    ipcLock.acquire();
    result = send(id, message, length, (flags & IPC_NOWAIT) != 0);
    ipcLock.release();
  }
  if (result != 0) heapFree(message);
  return result;
}

/** Hold `ipcLock`. */
function send(id: i32, message: usize, length: usize, isImpatient: bool): i64 {
  const queue = queueOf(id);
  if (!queue) return -EINVAL;
  while (queue.bytes + length > queue.bytesMax || queue.messages + 1 > queue.bytesMax) {
    if (isImpatient) return -EAGAIN;
    const error = queue.sleep();
    if (error != 0) return error;
  }
  queue.append(message);
  queue.sentAt = nowSeconds();
  queue.lastSender = currentProcess().id;
  queue.changed.wakeAll();
  return 0;
}

/** msgrcv(2): the length of the text. */
export function sysMsgrcv(id: i32, buffer: usize, size: usize, type: i64, flags: u32): i64 {
  if (id < 0 || <isize>size < 0) return -EINVAL;
  const copies = (flags & MSG_COPY) != 0;
  if (copies && ((flags & MSG_EXCEPT) != 0 || (flags & IPC_NOWAIT) == 0)) return -EINVAL;
  // For a copy memory must be there before the lock is taken.
  const spare = copies ? heapAllocate(TEXT + MESSAGE_MAX) : 0;
  if (copies && spare == 0) return -ENOMEM;
  ipcLock.acquire();
  const taken = receive(id, size, type, flags, spare);
  ipcLock.release();
  if (isError(taken)) {
    if (spare != 0) heapFree(spare);
    return <i64>taken;
  }
  const message = taken;
  const length = min(<usize>load<u64>(message, LENGTH), size);
  let result: i64 = store64(buffer, load<u64>(message, TYPE));
  if (result == 0) result = copyOut(buffer + 8, message + TEXT, length);
  heapFree(message);
  return result != 0 ? result : <i64>length;
}

/** @returns the address of a message, now the caller's, or an error. Hold `ipcLock`. */
function receive(id: i32, size: usize, type: i64, flags: u32, spare: usize): usize {
  const queue = queueOf(id);
  if (!queue) return asError(-EINVAL);
  while (true) {
    const message = spare != 0 ? queue.at(type) : queue.find(type, (flags & MSG_EXCEPT) != 0);
    if (message != 0) {
      const length = <usize>load<u64>(message, LENGTH);
      if (length > size && (flags & MSG_NOERROR) == 0) return asError(-E2BIG);
      if (spare != 0) {
        memory.copy(spare, message, TEXT + length);
        return spare;
      }
      queue.remove(message);
      queue.receivedAt = nowSeconds();
      queue.lastReceiver = currentProcess().id;
      queue.changed.wakeAll();
      return message;
    }
    if ((flags & IPC_NOWAIT) != 0) return asError(-ENOMSG);
    const error = queue.sleep();
    if (error != 0) return asError(error);
  }
}

/** msgctl(2). */
export function sysMsgctl(id: i32, command: i32, buffer: usize): i64 {
  if (id < 0 || command < 0) return -EINVAL;
  if (command == IPC_INFO || command == MSG_INFO) return writeInfo(buffer, command == MSG_INFO);
  if (command == IPC_SET) {
    const error = copyIn(scratch(), buffer, MSQID_BYTES);
    if (error != 0) return error;
  }
  const isIndex = command == MSG_STAT || command == MSG_STAT_ANY;
  ipcLock.acquire();
  const object: IpcObject | null = isIndex ? table.at(<u32>id) : table.find(id);
  const queue = changetype<MessageQueue>(changetype<usize>(object));
  let result: i64 = -EINVAL;
  let writes = false;
  if (object && (isIndex || command == IPC_STAT)) {
    writes = true;
    fillStatus(queue, scratch());
    result = isIndex ? queue.id : 0;
  } else if (object && command == IPC_SET) {
    queue.takePermissions(scratch());
    queue.bytesMax = load<u64>(scratch(), BYTES_MAX);
    queue.changed.wakeAll();
    result = 0;
  } else if (object && command == IPC_RMID) {
    table.remove(queue);
    if (queue.sleepers == 0) queue.destroy();
    else queue.changed.wakeAll();
    result = 0;
  }
  ipcLock.release();
  if (!writes) return result;
  const error = copyOut(buffer, scratch(), MSQID_BYTES);
  return error != 0 ? error : result;
}

/** struct msqid64_ds. */
function fillStatus(queue: MessageQueue, out: usize): void {
  memory.fill(out, 0, MSQID_BYTES);
  queue.writePermissions(out);
  store<i64>(out, queue.sentAt, SENT_AT);
  store<i64>(out, queue.receivedAt, RECEIVED_AT);
  store<i64>(out, queue.changedAt, CHANGED_AT);
  store<u64>(out, queue.bytes, BYTES_NOW);
  store<u64>(out, queue.messages, MESSAGES);
  store<u64>(out, queue.bytesMax, BYTES_MAX);
  store<i32>(out, queue.lastSender, LAST_SENDER);
  store<i32>(out, queue.lastReceiver, LAST_RECEIVER);
}

/** struct msginfo: pool, map, largest message, bytes a queue, queues, segment size, messages, segments. */
function writeInfo(buffer: usize, countsUse: bool): i64 {
  const out = scratch();
  let bytes: u64 = 0;
  let messages: u64 = 0;
  ipcLock.acquire();
  for (let slot: u32 = 0; slot < table.end; slot++) {
    const object = table.at(slot);
    if (!object) continue;
    bytes += changetype<MessageQueue>(changetype<usize>(object)).bytes;
    messages += changetype<MessageQueue>(changetype<usize>(object)).messages;
  }
  const queues = table.count;
  const highest: i64 = table.end == 0 ? 0 : <i64>table.end - 1;
  ipcLock.release();
  memory.fill(out, 0, MSGINFO_BYTES);
  store<u32>(out, countsUse ? queues : IPC_SLOTS);
  store<u32>(out, countsUse ? <u32>messages : <u32>QUEUE_BYTES, 4);
  store<u32>(out, <u32>MESSAGE_MAX, 8);
  store<u32>(out, <u32>QUEUE_BYTES, 12);
  store<u32>(out, IPC_SLOTS, 16);
  store<u32>(out, 16, 20);
  store<u32>(out, countsUse ? <u32>bytes : <u32>QUEUE_BYTES, 24);
  store<u16>(out, 0xffff, 28);
  const error = copyOut(buffer, out, MSGINFO_BYTES);
  return error != 0 ? error : highest;
}
