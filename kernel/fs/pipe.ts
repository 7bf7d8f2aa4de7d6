/**
 * Pipes (pipe(7)) and what fifos share with them: a buffer between writers and readers.
 *
 * Locks: `lock` guards the buffer's ends, the counts and the two busy flags; data is copied outside
 * it by the one reader and the one writer whose flag is set. Queues are woken under no lock.
 * Neighbours: `pipe-buffer` (the ring), `pipe-file` (the ends), `fifo` (named pipes).
 */
import { SpinLock } from "../arch/spinlock";
import { EAGAIN, EBUSY, EFAULT, EINTR, EINVAL, ENOMEM, EPIPE } from "../lib/errno";
import { Counted, free } from "../lib/object";
import { kernelMemoryIsShort } from "./page-cache";
import { FOREVER, WaitQueue } from "../sched/wait";
import { O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY } from "./constants";
import { Counter } from "./counter";
import { PIPE_BYTES, PipeBuffer } from "./pipe-buffer";
import { PipeFile } from "./pipe-file";

/** Writes of up to this many bytes are not torn apart (limits.h). */
const PIPE_BUF: usize = 4096;
/** Largest capacity for F_SETPIPE_SZ (/proc/sys/fs/pipe-max-size). */
export const PIPE_BYTES_MAX: u64 = 1 << 20;

const nextInode = new Counter(1);

export class Pipe extends Counted {
  private lock: SpinLock = new SpinLock();
  private buffer: PipeBuffer = new PipeBuffer(PIPE_BYTES);
  /** Woken when there is something to read, or no writer left. */
  readable: WaitQueue = new WaitQueue();
  /** Woken when there is room, or no reader left. */
  writable: WaitQueue = new WaitQueue();
  /** Woken when an end is opened (fifos). */
  private opened: WaitQueue = new WaitQueue();
  private isReading: bool = false;
  private isWriting: bool = false;
  readers: u32 = 0;
  writers: u32 = 0;
  /** How often ends were opened, so that one who waits sees an end that has gone again. */
  readerOpens: u64 = 0;
  writerOpens: u64 = 0;
  inode: u64 = nextInode.next();

  get isUsable(): bool {
    return this.buffer.isUsable;
  }

  get available(): u64 {
    return this.buffer.available;
  }

  get capacity(): u64 {
    return this.buffer.capacity;
  }

  /** True if a write of PIPE_BUF bytes would not block. */
  get hasRoom(): bool {
    return this.buffer.space >= PIPE_BUF;
  }

  /**
   * read(2): waits for the first byte, returns what is there. 0 = no writers left.
   * @param keeps the bytes stay in the pipe (tee(2))
   */
  read(target: usize, length: usize, nonBlocking: bool, keeps: bool = false): i64 {
    if (length == 0) return 0;
    const lock = this.lock;
    lock.acquire();
    while (this.isReading || this.buffer.available == 0) {
      if (!this.isReading && this.writers == 0) {
        lock.release();
        return 0;
      }
      if (nonBlocking) {
        lock.release();
        return -EAGAIN;
      }
      if (this.readable.sleep(lock, FOREVER, true) == -EINTR) {
        lock.release();
        return -EINTR;
      }
    }
    this.isReading = true;
    const wanted = <usize>min<u64>(length, this.buffer.available);
    lock.release();
    const done = this.buffer.copyOut(target, wanted);
    lock.acquire();
    if (!keeps) this.buffer.consumed(done, !this.isWriting);
    this.isReading = false;
    const isLeft = this.buffer.available != 0;
    lock.release();
    this.writable.wakeForOne();
    if (isLeft) this.readable.wakeForOne();
    return done ? done : -EFAULT;
  }

  /** write(2): waits until everything is in the buffer; -EPIPE without readers. */
  write(source: usize, length: usize, nonBlocking: bool): i64 {
    if (length == 0) return 0;
    let done: usize = 0;
    while (done < length) {
      const result = this.writeSome(source + done, length - done, nonBlocking, done == 0);
      if (result < 0) return done ? done : result;
      done += <usize>result;
    }
    return done;
  }

  /** Waits for room and fills it. Up to PIPE_BUF bytes of a write's start go in as a whole. */
  private writeSome(source: usize, length: usize, nonBlocking: bool, isStart: bool): i64 {
    const atOnce: u64 = isStart && length <= PIPE_BUF ? length : 1;
    const lock = this.lock;
    lock.acquire();
    while (this.readers == 0 || this.isWriting || this.buffer.space < atOnce) {
      let status: i64 = 0;
      if (this.readers == 0) status = -EPIPE;
      else if (nonBlocking) status = -EAGAIN;
      else if (this.writable.sleep(lock, FOREVER, true) == -EINTR) status = -EINTR;
      if (status < 0) {
        lock.release();
        return status;
      }
    }
    this.isWriting = true;
    const room = <usize>min<u64>(length, this.buffer.space);
    lock.release();
    const copied = this.buffer.copyIn(source, room);
    lock.acquire();
    this.buffer.produced(copied);
    this.isWriting = false;
    const isSpaceLeft = this.buffer.space != 0;
    lock.release();
    if (copied) this.readable.wakeForOne();
    if (isSpaceLeft) this.writable.wakeForOne();
    if (copied) return copied;
    return kernelMemoryIsShort() ? -ENOMEM : -EFAULT;
  }

  /** Counts an end that is opened, and wakes those who wait for one. */
  open(reads: bool, writes: bool): void {
    this.lock.acquire();
    if (reads) {
      this.readers++;
      this.readerOpens++;
    }
    if (writes) {
      this.writers++;
      this.writerOpens++;
    }
    this.lock.release();
    this.opened.wakeAll();
  }

  /** Counts an end that is closed. */
  close(reads: bool, writes: bool): void {
    this.lock.acquire();
    if (reads) this.readers--;
    if (writes) this.writers--;
    this.lock.release();
    this.readable.wakeAll();
    this.writable.wakeAll();
  }

  /** Waits until a reader (or writer) opens the fifo; `since` is the count of opens seen. */
  awaitOpen(forReader: bool, since: u64): i32 {
    this.lock.acquire();
    let status: i32 = 0;
    while (status != -EINTR) {
      const opens = forReader ? this.readerOpens : this.writerOpens;
      const present = forReader ? this.readers : this.writers;
      if (present != 0 || opens != since) break;
      status = this.opened.sleep(this.lock, FOREVER, true);
    }
    this.lock.release();
    return status == -EINTR ? -EINTR : 0;
  }

  /** F_SETPIPE_SZ: the capacity becomes the next power of two of pages. @returns it, or an error */
  resize(bytes: u64): i64 {
    if (bytes == 0 || bytes > PIPE_BYTES_MAX) return -EINVAL;
    let capacity: u64 = PIPE_BUF;
    while (capacity < bytes) capacity <<= 1;
    this.lock.acquire();
    let changed = capacity == this.buffer.capacity;
    if (!changed && !this.isReading && !this.isWriting) changed = this.buffer.resize(capacity);
    this.lock.release();
    this.writable.wakeAll();
    return changed ? capacity : -EBUSY;
  }

  destroy(): void {
    this.buffer.dispose();
    free(this.buffer);
    this.readable.dispose();
    free(this.readable);
    this.writable.dispose();
    free(this.writable);
    this.opened.dispose();
    free(this.opened);
    free(this.lock);
    free(this);
  }
}

/**
 * Makes a pipe.
 * @param flags O_NONBLOCK of pipe2(2); packet mode (O_DIRECT) is not supported (-EINVAL)
 * @param endsOut address of two usize: the read File and the write File, one reference each
 * @returns 0, -EINVAL or -ENOMEM
 */
export function createPipe(flags: u32, endsOut: usize): i64 {
  if (flags & O_DIRECT) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const pipe = new Pipe();
  if (!pipe.isUsable) {
    pipe.release();
    return -ENOMEM;
  }
  const status = flags & O_NONBLOCK;
  store<usize>(endsOut, changetype<usize>(new PipeFile(pipe, null, O_RDONLY | status)));
  store<usize>(endsOut, changetype<usize>(new PipeFile(pipe, null, O_WRONLY | status)), 8);
  pipe.release();
  return 0;
}
