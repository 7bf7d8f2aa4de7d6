/**
 * Two connected local sockets (socketpair(2), unix(7)): what both ends share.
 *
 * Locks: `lock` guards the queues and the state of both sides. `receiving` of a side lets one reader
 * at a time take bytes, so that a stream keeps its order; it is not held while asleep. Order:
 * receive mutex, then `lock`.
 *
 * Neighbours: `unix-socket.ts` (an end as a file), `message-queue.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { Counted, free } from "../lib/object";
import { Mutex } from "../sched/mutex";
import { WaitQueue } from "../sched/wait";
import { MessageQueue } from "./message-queue";

/** One of the two ends. */
export class PairSide {
  /** What was sent to this end. */
  incoming: MessageQueue = new MessageQueue();
  receiving: Mutex = new Mutex();
  /** Woken when something arrives here, room appears at the other end, or an end shuts down. */
  changed: WaitQueue = new WaitQueue();
  /** shutdown(SHUT_RD), shutdown(SHUT_WR), or closed altogether. */
  isReadShut: bool = false;
  isWriteShut: bool = false;
  isClosed: bool = false;
  /** Error to report once (SO_ERROR): ECONNRESET if the other end closed with unread data. */
  pendingError: i32 = 0;

  dispose(): void {
    this.incoming.clear();
    this.receiving.dispose();
    this.changed.dispose();
    free(this.incoming);
    free(this.receiving);
    free(this.changed);
    free(this);
  }
}

export class UnixPair extends Counted {
  lock: SpinLock = new SpinLock();
  private first: PairSide = new PairSide();
  private second: PairSide = new PairSide();

  /** End 0 or 1. */
  side(index: u32): PairSide {
    return index == 0 ? this.first : this.second;
  }

  destroy(): void {
    this.first.dispose();
    this.second.dispose();
    free(this.lock);
    free(this);
  }
}
