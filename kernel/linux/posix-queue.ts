/**
 * POSIX message queues (mq_overview(7)): the queues, their names, and the open file that a descriptor
 * of mq_open(3) is.
 *
 * A queue lives while it has a name or is open. Messages are kept sorted: highest priority first, and in
 * the order of sending within a priority.
 *
 * Locks: `namesLock` guards the list of names; each queue's `lock` the rest.
 * Neighbour: `posix-queue-calls.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, S_IFREG } from "../fs/constants";
import { Stat } from "../fs/stat";
import { EAGAIN } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { List } from "../lib/list";
import { Counted, free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { WaitLink, WaitQueue } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { LinuxProcess } from "./process";
import { sendToProcess } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";

/** st_dev of all queues. */
const QUEUE_DEVICE: u64 = 16;
/** si_code of the signal of mq_notify(3). */
const SI_MESGQ: i32 = -3;

/** A message in memory: next, priority, length, the text. */
const NEXT: usize = 0;
const PRIORITY: usize = 8;
const LENGTH: usize = 16;
export const MESSAGE_TEXT: usize = 24;

const namesLock = new SpinLock();
const names = new List<PosixQueue>(offsetof<PosixQueue>("listNext"));
let lastInode: u64 = 2;

export class PosixQueue extends Counted {
  listNext: usize = 0;
  listPrevious: usize = 0;
  lock: SpinLock = new SpinLock();
  /** Woken when a message comes or goes. */
  changed: WaitQueue = new WaitQueue();
  messages: u64 = 0;
  inode: u64 = 0;
  /** Who gets a signal when a message comes into the empty queue; with a hold. */
  private listener: LinuxProcess | null = null;
  private listenerSignal: i32 = 0;
  private listenerValue: u64 = 0;
  private receivers: u32 = 0;
  private first: usize = 0;
  private isNamed: bool = false;

  /** @param name heap block with the name's bytes, taken over */
  constructor(
    readonly name: usize,
    readonly nameLength: usize,
    readonly mode: u32,
    readonly messagesMax: u64,
    readonly messageBytes: u64,
  ) {
    super();
  }

  private hasName(name: usize, length: usize): bool {
    return this.nameLength == length && memory.compare(this.name, name, length) == 0;
  }

  /** The queue with this name, with a reference, or null. */
  static find(name: usize, length: usize): PosixQueue | null {
    namesLock.acquire();
    let queue = names.first;
    while (queue && !queue.hasName(name, length)) queue = names.next(queue);
    if (queue) queue.retain();
    namesLock.release();
    return queue;
  }

  /** Makes its name known, with a reference; false if another queue has it. */
  publish(): bool {
    namesLock.acquire();
    let other = names.first;
    while (other && !other.hasName(this.name, this.nameLength)) other = names.next(other);
    if (!other) {
      names.pushBack(this);
      this.isNamed = true;
      this.inode = ++lastInode;
      this.retain();
    }
    namesLock.release();
    return other == null;
  }

  /** Takes the name away; false if somebody else has. */
  unlink(): bool {
    namesLock.acquire();
    const wasNamed = this.isNamed;
    if (wasNamed) names.remove(this);
    this.isNamed = false;
    namesLock.release();
    if (wasNamed) this.release();
    return wasNamed;
  }

  /**
   * Adds a message, a heap block with the text at MESSAGE_TEXT; takes it over if the result is 0.
   * @returns 0, -EAGAIN, -ETIMEDOUT, -EINTR
   */
  send(message: usize, length: usize, priority: u32, waits: bool, deadlineNs: u64): i64 {
    store<u64>(message, priority, PRIORITY);
    store<u64>(message, length, LENGTH);
    this.lock.acquire();
    while (this.messages >= this.messagesMax) {
      const error = waits ? this.changed.sleep(this.lock, deadlineNs, true) : -EAGAIN;
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    this.insert(message);
    const listener: LinuxProcess | null =
      this.messages == 1 && this.receivers == 0 ? this.listener : null;
    if (listener) this.listener = null;
    const signal = this.listenerSignal;
    const value = this.listenerValue;
    this.lock.release();
    this.changed.wakeAll();
    if (listener) tell(listener, signal, value);
    return 0;
  }

  private insert(message: usize): void {
    const priority = load<u64>(message, PRIORITY);
    let before: usize = 0;
    let at = this.first;
    while (at != 0 && load<u64>(at, PRIORITY) >= priority) {
      before = at;
      at = load<usize>(at, NEXT);
    }
    store<usize>(message, at, NEXT);
    if (before != 0) store<usize>(before, message, NEXT);
    else this.first = message;
    this.messages++;
  }

  /**
   * Takes the first message.
   * @returns 0 once `received` has its address, or -EAGAIN, -ETIMEDOUT, -EINTR
   */
  receive(received: usize, waits: bool, deadlineNs: u64): i64 {
    this.lock.acquire();
    while (this.first == 0) {
      this.receivers++;
      const error = waits ? this.changed.sleep(this.lock, deadlineNs, true) : -EAGAIN;
      this.receivers--;
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    const message = this.first;
    this.first = load<usize>(message, NEXT);
    this.messages--;
    this.lock.release();
    this.changed.wakeAll();
    store<usize>(received, message);
    return 0;
  }

  /** mq_notify(3): false if somebody is registered already. Takes over a hold if true. */
  listen(process: LinuxProcess, signal: i32, value: u64): bool {
    this.lock.acquire();
    const isFree = this.listener == null;
    if (isFree) {
      this.listener = process;
      this.listenerSignal = signal;
      this.listenerValue = value;
    }
    this.lock.release();
    return isFree;
  }

  /** The process is no longer to be told. */
  unlisten(process: LinuxProcess): void {
    this.lock.acquire();
    const isOwn = this.listener == process;
    if (isOwn) this.listener = null;
    this.lock.release();
    if (isOwn) process.letGo();
  }

  destroy(): void {
    while (this.first != 0) {
      const message = this.first;
      this.first = load<usize>(message, NEXT);
      heapFree(message);
    }
    const listener = this.listener;
    if (listener) listener.letGo();
    this.changed.dispose();
    free(this.changed);
    free(this.lock);
    heapFree(this.name);
    free(this);
  }
}

/** Length and priority of a message in memory. */
export function messageLength(message: usize): usize {
  return <usize>load<u64>(message, LENGTH);
}

export function messagePriority(message: usize): u32 {
  return <u32>load<u64>(message, PRIORITY);
}

/** Sends the signal of mq_notify(3), 0 = none; takes over the hold. */
function tell(process: LinuxProcess, signal: i32, value: u64): void {
  const info = signal != 0 ? heapAllocate(SIGINFO_BYTES) : 0;
  if (info != 0) {
    memory.fill(info, 0, SIGINFO_BYTES);
    changetype<SignalInfo>(info).signo = signal;
    changetype<SignalInfo>(info).code = SI_MESGQ;
    changetype<SignalInfo>(info).second = value;
    sendToProcess(process, info);
    heapFree(info);
  }
  process.letGo();
}

/** An open queue. */
export class PosixQueueFile extends AnonymousFile {
  /** Takes over a reference of the queue. */
  constructor(
    readonly queue: PosixQueue,
    flags: u32,
  ) {
    super(flags);
  }

  typeName(): string {
    return "mqueue";
  }

  writePath(out: ByteWriter): void {
    out.writeString("/");
    out.writeBytes(this.queue.name, this.queue.nameLength);
  }

  stat(out: Stat): i64 {
    out.device = QUEUE_DEVICE;
    out.inode = this.queue.inode;
    out.mode = S_IFREG | this.queue.mode;
    out.sizeBytes = 80;
    return 0;
  }

  poll(link: WaitLink | null): u32 {
    const queue = this.queue;
    if (link) queue.changed.add(link);
    let events: u32 = 0;
    if (queue.messages != 0) events |= POLLIN | POLLRDNORM;
    if (queue.messages < queue.messagesMax) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  unpoll(link: WaitLink): void {
    this.queue.changed.remove(link);
  }

  dispose(): void {
    const queue = this.queue;
    free(this);
    queue.release();
  }
}
