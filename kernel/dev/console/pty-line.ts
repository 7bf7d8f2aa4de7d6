/**
 * The line of a pseudo-terminal: what the slave writes waits in a ring until the master reads it; what
 * the master writes goes straight into the slave's line discipline.
 *
 * Neighbours: `pty` (master and slave).
 */
import { SpinLock } from "../../arch/spinlock";
import { EAGAIN, EIO } from "../../lib/errno";
import { FOREVER, WaitQueue } from "../../sched/wait";
import { InputReceiver, TerminalLine } from "./line";
import { OutputRing } from "./output-ring";

/** Output that the master has not read; the slave then waits. */
const RING_BYTES: usize = 16384;

/** The slave's output. */
export class PtyRing extends OutputRing {
  /** Every open slave is closed again: a master that has read all reads no more. */
  isAbandoned: bool = false;

  /** @param readers woken when the master may find something new */
  constructor(readonly readers: WaitQueue) {
    super(RING_BYTES, new WaitQueue());
  }

  protected advance(): bool {
    this.readers.wakeAll();
    return false;
  }

  protected notify(): void {}

  /** Bytes the master can read. */
  readable(): u64 {
    return this.written - this.sent;
  }

  /** Once written, output counts as sent, whether or not the master reads it (pty(7)). */
  pending(): u64 {
    return 0;
  }

  drain(): void {}

  drainInterruptibly(): i32 {
    return 0;
  }

  /**
   * Moves up to `length` bytes to kernel memory; waits for the first.
   * @returns bytes moved, -EAGAIN, -EINTR, or -EIO if there is no slave
   */
  take(target: usize, length: usize, nonBlocking: bool): i64 {
    this.lock.acquire();
    while (this.readable() == 0) {
      let error: i32 = 0;
      if (this.isAbandoned) error = -EIO;
      else if (nonBlocking) error = -EAGAIN;
      else error = this.readers.sleep(this.lock, FOREVER, true);
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    let done: usize = 0;
    while (done < length && this.sent != this.written) {
      const offset = <usize>(this.sent & (this.sizeBytes - 1));
      const part = min(min(length - done, this.sizeBytes - offset), <usize>this.readable());
      memory.copy(target + done, this.ring + offset, part);
      this.sent += part;
      done += part;
    }
    this.freed = this.sent;
    this.changed.wakeAll();
    this.lock.release();
    return done;
  }

  /** Says whether the slave's side has no user any more. */
  setAbandoned(isAbandoned: bool): void {
    this.lock.acquire();
    this.isAbandoned = isAbandoned;
    this.readers.wakeAll();
    this.lock.release();
  }
}

export class PtyLine extends TerminalLine {
  /** Woken when the master may read or write again. */
  readers: WaitQueue;
  ring: PtyRing;
  private lock: SpinLock = new SpinLock();
  private receiver: InputReceiver | null = null;
  /** How often the slave has made room for input. */
  private resumes: u64 = 0;

  constructor() {
    super();
    const readers = new WaitQueue();
    this.readers = readers;
    this.ring = new PtyRing(readers);
  }

  output(): OutputRing {
    return this.ring;
  }

  attach(receiver: InputReceiver): void {
    this.receiver = receiver;
  }

  resume(): void {
    this.lock.acquire();
    this.resumes++;
    this.readers.wakeAll();
    this.lock.release();
  }

  /**
   * Gives input to the slave; waits until it takes some. One caller at a time.
   * @returns bytes taken, -EAGAIN, -EINTR, or -EIO without a slave
   */
  give(bytes: usize, length: usize, nonBlocking: bool): i64 {
    const receiver = this.receiver;
    if (!receiver) return -(<i64>EIO);
    while (true) {
      const before = this.resumes;
      const used = receiver.receive(bytes, length);
      if (used != 0) return used;
      if (nonBlocking) return -(<i64>EAGAIN);
      let error: i32 = 0;
      this.lock.acquire();
      while (this.resumes == before && error == 0) {
        error = this.readers.sleep(this.lock, FOREVER, true);
      }
      this.lock.release();
      if (error != 0) return error;
    }
  }
}
