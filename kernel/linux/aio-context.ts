/**
 * Contexts of asynchronous I/O (io_setup(2)): each a ring of finished requests of one process.
 *
 * A context is named by the address of a page that Linux shares with the application. libaio looks
 * there for a mark before it reads events without a system call; ours is empty, so it always asks.
 *
 * Locks: `contextsLock` guards the list, each context's `lock` its ring; nobody holds both.
 * Neighbours: `aio.ts` (the system calls), `process-end.ts` and `exec-call.ts` end what is left.
 */
import { SpinLock } from "../arch/spinlock";
import { EAGAIN, EINVAL, ENOMEM, isError } from "../lib/errno";
import { List } from "../lib/list";
import { Counted, free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { PAGE_SIZE } from "../mm/layout";
import { WaitQueue } from "../sched/wait";
import { MADV_DONTFORK, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../vm/flags";
import { LinuxProcess } from "./process";

/** struct io_event: data u64, address of the request u64, result i64, second result i64. */
export const EVENT_BYTES: usize = 32;
/** Most requests of all contexts together (/proc/sys/fs/aio-max-nr). */
const REQUESTS_MAX: u32 = 65536;
/** In the place of an id: whichever there is. No page begins there. */
const ANY_CONTEXT: usize = usize.MAX_VALUE;

const contextsLock = new SpinLock();
const contexts = new List<AioContext>(offsetof<AioContext>("listNext"));
let requestsReserved: u32 = 0;

export class AioContext extends Counted {
  listNext: usize = 0;
  listPrevious: usize = 0;
  readonly lock: SpinLock = new SpinLock();
  /** Woken when a request has finished and when the context ends. */
  readonly finished: WaitQueue = new WaitQueue();
  private head: u32 = 0;
  private count: u32 = 0;
  private running: u32 = 0;
  hasEnded: bool = false;

  /**
   * @param owner the process, compared only
   * @param id what the application calls it
   * @param ring `capacity` events, a heap block that it takes over
   */
  constructor(
    readonly owner: usize,
    readonly id: usize,
    private ring: usize,
    readonly capacity: u32,
  ) {
    super();
  }

  /** Keeps room for the event of a request; false if there is none. */
  reserve(): bool {
    this.lock.acquire();
    const hasRoom = this.count + this.running < this.capacity;
    if (hasRoom) this.running++;
    this.lock.release();
    return hasRoom;
  }

  /** Appends the event of a request that room was kept for. */
  post(data: u64, request: usize, result: i64): void {
    this.lock.acquire();
    const event = this.ring + <usize>((this.head + this.count) % this.capacity) * EVENT_BYTES;
    store<u64>(event, data);
    store<usize>(event, request, 8);
    store<i64>(event, result, 16);
    store<i64>(event, 0, 24);
    this.count++;
    this.running--;
    this.finished.wakeAll();
    this.lock.release();
  }

  /** Gives back room that was kept for a request which was refused. */
  unreserve(): void {
    this.lock.acquire();
    this.running--;
    this.lock.release();
  }

  /** Copies the oldest event and forgets it; false if there is none. Hold `lock`. */
  take(out: usize): bool {
    if (this.count == 0) return false;
    memory.copy(out, this.ring + <usize>this.head * EVENT_BYTES, EVENT_BYTES);
    this.head = (this.head + 1) % this.capacity;
    this.count--;
    return true;
  }

  /** Makes an event the oldest again, as far as there is room. Hold `lock`. */
  putBack(event: usize): void {
    if (this.count + this.running == this.capacity) return;
    this.head = (this.head + this.capacity - 1) % this.capacity;
    memory.copy(this.ring + <usize>this.head * EVENT_BYTES, event, EVENT_BYTES);
    this.count++;
  }

  /** No event will come any more: those who wait leave. */
  end(): void {
    this.lock.acquire();
    this.hasEnded = true;
    this.finished.wakeAll();
    this.lock.release();
  }

  destroy(): void {
    heapFree(this.ring);
    this.finished.dispose();
    free(this.finished);
    free(this.lock);
    free(this);
  }
}

/** Makes a context for `capacity` requests: its id, or -EAGAIN, -ENOMEM. */
export function createContext(process: LinuxProcess, capacity: u32): i64 {
  contextsLock.acquire();
  const isAffordable = capacity <= REQUESTS_MAX - requestsReserved;
  if (isAffordable) requestsReserved += capacity;
  contextsLock.release();
  if (!isAffordable) return -EAGAIN;
  const space = process.addressSpace;
  const ring = heapAllocate(<usize>capacity * EVENT_BYTES);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const page =
    ring == 0 ? -ENOMEM : space.map(0, PAGE_SIZE, PROT_READ | PROT_WRITE, flags, null, 0);
  if (isError(<usize>page)) {
    if (ring != 0) heapFree(ring);
    unreserve(capacity);
    return -ENOMEM;
  }
  const id = <usize>page;
  space.advise(id, PAGE_SIZE, MADV_DONTFORK);
  const context = new AioContext(changetype<usize>(process), id, ring, capacity);
  contextsLock.acquire();
  contexts.pushBack(context);
  contextsLock.release();
  return <i64>id;
}

function unreserve(capacity: u32): void {
  contextsLock.acquire();
  requestsReserved -= capacity;
  contextsLock.release();
}

/** Whether a context may have this id. */
export function isContextId(id: usize): bool {
  return id != ANY_CONTEXT;
}

/** A context of the process with a reference, or null. */
export function findContext(process: LinuxProcess, id: usize): AioContext | null {
  if (!isContextId(id)) return null;
  contextsLock.acquire();
  const context = search(process, id);
  if (context) context.retain();
  contextsLock.release();
  return context;
}

/** The context with an id, or any one of the process (ANY_CONTEXT). Hold `contextsLock`. */
function search(process: LinuxProcess, id: usize): AioContext | null {
  const owner = changetype<usize>(process);
  let context = contexts.first;
  while (context && (context.owner != owner || (id != ANY_CONTEXT && context.id != id))) {
    context = contexts.next(context);
  }
  return context;
}

/** Ends a context: 0 or -EINVAL. */
export function endContext(process: LinuxProcess, id: usize): i64 {
  contextsLock.acquire();
  const context = search(process, id);
  if (context) {
    contexts.remove(context);
    requestsReserved -= context.capacity;
  }
  contextsLock.release();
  if (!context) return -EINVAL;
  context.end();
  context.release();
  return 0;
}

/** Ends all contexts of a process whose memory goes. */
export function endContexts(process: LinuxProcess): void {
  // Hardly any program has one.
  if (requestsReserved == 0) return;
  while (endContext(process, ANY_CONTEXT) == 0) {}
}
