/** Surface of the epoll mechanism for its unit tests: files whose readiness the test sets. */
import { File } from "../fs/file";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { WaitLink, WaitQueue } from "../sched/wait";
import { EpollFile, mayNest } from "./epoll-file";
import { EVENT_BYTES, EVENT_DATA, EventSink } from "./epoll-set";

let pollCalls: i32 = 0;
let disposed: i32 = 0;

class ScriptedFile extends File {
  ready: u32 = 0;
  private queue: WaitQueue = new WaitQueue();

  constructor() {
    super(2);
  }

  poll(link: WaitLink | null): u32 {
    pollCalls++;
    if (link) this.queue.add(link);
    return this.ready;
  }

  unpoll(link: WaitLink): void {
    this.queue.remove(link);
  }

  canPoll(): bool {
    return true;
  }

  wake(): void {
    this.queue.wakeAll();
  }

  hasLinks(): bool {
    return !this.queue.isEmpty();
  }

  dispose(): void {
    assert(!this.hasLinks(), "a file ended with an epoll entry on its queue");
    disposed++;
    this.queue.dispose();
    free(this.queue);
    free(this);
  }

  writePath(_out: ByteWriter): void {}
}

class Log extends EventSink {
  count: i32 = 0;
  /** Fails from this event on. */
  failAt: i32 = i32.MAX_VALUE;

  take(_target: usize, events: usize, count: u32): u32 {
    let taken: u32 = 0;
    for (; taken < count && this.count < this.failAt; taken++) {
      const event = events + <usize>taken * EVENT_BYTES;
      seenEvents[this.count] = load<u32>(event);
      seenData[this.count] = load<i32>(event, EVENT_DATA);
      this.count++;
    }
    return taken;
  }
}

const seenEvents = new StaticArray<u32>(256);
const seenData = new StaticArray<i32>(256);

export function newFile(): File {
  return new ScriptedFile();
}

export function newEpoll(): File {
  return new EpollFile();
}

export function close(file: File): void {
  file.release();
}

/** Sets what holds for a file and wakes its queue. */
export function setReady(file: File, ready: u32): void {
  const scripted = changetype<ScriptedFile>(file);
  scripted.ready = ready;
  scripted.wake();
}

/** A condition that ends without a wake-up, as when another thread reads the data. */
export function clearReady(file: File): void {
  changetype<ScriptedFile>(file).ready = 0;
}

/** EPOLL_CTL_ADD; false if it is watched already. */
export function add(epoll: File, file: File, fd: i32, events: u32, data: u64): bool {
  const set = changetype<EpollFile>(epoll).set;
  set.acquire();
  const isNew = set.find(file, fd) == null;
  if (isNew) set.add(file, fd, events, data);
  set.giveBack();
  return isNew;
}

export function modify(epoll: File, file: File, fd: i32, events: u32, data: u64): bool {
  const set = changetype<EpollFile>(epoll).set;
  set.acquire();
  const item = set.find(file, fd);
  if (item) set.modify(item, events, data);
  set.giveBack();
  return item != null;
}

export function remove(epoll: File, file: File, fd: i32): bool {
  const set = changetype<EpollFile>(epoll).set;
  set.acquire();
  const item = set.find(file, fd);
  if (item) set.remove(item);
  set.giveBack();
  return item != null;
}

/** Collects up to `maximum` events without waiting; read them with `eventAt` and `dataAt`. */
export function collect(epoll: File, maximum: u32, failAt: i32): i32 {
  const sink = new Log();
  sink.failAt = failAt;
  const result = <i32>changetype<EpollFile>(epoll).set.wait(sink, 0, maximum, 0);
  free(sink);
  return result;
}

export function eventAt(index: i32): u32 {
  return seenEvents[index];
}

export function dataAt(index: i32): i32 {
  return seenData[index];
}

/** poll(2) of the set itself. */
export function pollEpoll(epoll: File): u32 {
  return epoll.poll(null);
}

export function nestable(outer: File, inner: File): bool {
  return mayNest(changetype<EpollFile>(outer), changetype<EpollFile>(inner));
}

export function takePollCalls(): i32 {
  const count = pollCalls;
  pollCalls = 0;
  return count;
}

export function takeDisposed(): i32 {
  const count = disposed;
  disposed = 0;
  return count;
}
