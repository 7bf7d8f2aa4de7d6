/**
 * Terminals as character devices: they join a line (serial port, virtio console) to the application
 * through the line discipline of termios(3).
 *
 * Locks: `writing` (one `write` at a time), then `lock` (settings, input, output column). While
 * input is received the line's input lock is held before `lock`. The wait queue is that of the
 * line's output, so that poll(2) has one queue for both directions.
 *
 * Neighbours: `console/line-discipline` does the thinking, `console/tty-ioctl` the settings,
 * `console/terminals` creates terminals.
 */
import { copyUser } from "../../arch/cpu";
import { SpinLock } from "../../arch/spinlock";
import { EAGAIN, EFAULT, EINTR, EIO, ENOMEM, ESPIPE } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { Mutex } from "../../sched/mutex";
import { FOREVER, WaitLink, WaitQueue } from "../../sched/wait";
import {
  CharacterDevice,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "../character";
import { END_OF_FILE } from "./input-queue";
import { InputReceiver, TerminalLine } from "./line";
import { LineDiscipline } from "./line-discipline";
import { MAX_EXPANSION, OutputProcessor } from "./output-processor";
import { OutputRing } from "./output-ring";
import { terminalUsers } from "./terminal-users";
import { characterOf, SIGTTIN, SIGTTOU, SIGWINCH, TOSTOP, VMIN, VTIME } from "./termios";
import { ttyIoctl } from "./tty-ioctl";

let console: Tty | null = null;

/** The terminal that is the application's console (per `console=serial` or `console=hvc`), or null. */
export function consoleTty(): Tty | null {
  return console;
}

/** Makes `tty` the application's console. */
export function setConsoleTty(tty: Tty): void {
  console = tty;
}

/** Bytes of a write that are processed at a time, and what they can become. */
const WRITE_CHUNK: usize = 224;
const WRITE_BLOCK: usize = WRITE_CHUNK * (1 + MAX_EXPANSION);

/** open(2): the terminal does not become the controlling one. */
export const O_NOCTTY: u32 = 0x100;

/** Unit of VTIME. */
const DECISECOND_NS: u64 = 100_000_000;

const READY: i32 = 1;
export const AT_END: i32 = 0;

class TtyReceiver extends InputReceiver {
  constructor(readonly tty: Tty) {
    super();
  }

  receive(bytes: usize, length: usize): usize {
    return this.tty.receive(bytes, length);
  }

  setHungUp(hungUp: bool): void {
    this.tty.setHungUp(hungUp);
  }

  setSize(columns: u16, rows: u16): void {
    this.tty.setSize(columns, rows);
  }
}

export class Tty extends CharacterDevice {
  lock: SpinLock = new SpinLock();
  discipline: LineDiscipline = new LineDiscipline();
  /** Window size in characters; 0 if unknown. */
  columns: u16 = 0;
  rows: u16 = 0;
  /** Process group that reads the terminal (tcsetpgrp(3)). */
  foregroundGroup: i32 = 1;
  /** Session whose controlling terminal it is. */
  session: i32 = 1;
  private writing: Mutex = new Mutex();
  private reading: bool = false;
  private hungUp: bool = false;
  private changed: WaitQueue;
  private ring: OutputRing;

  /** Call `open` before use. */
  constructor(
    readonly line: TerminalLine,
    name: string,
    major: u32,
    minor: u32,
  ) {
    super();
    const ring = line.output();
    this.ring = ring;
    this.changed = ring.changed;
    this.name = name;
    this.major = major;
    this.minor = minor;
    this.mode = 0o620;
  }

  /** Allocates buffers and starts to take input. @returns false without memory */
  open(): bool {
    if (!this.discipline.allocate()) return false;
    this.line.attach(new TtyReceiver(this));
    return true;
  }

  isTerminal(): bool {
    return true;
  }

  /** Takes input from the line; interrupt context, the line's input lock is held. */
  receive(bytes: usize, length: usize): usize {
    const discipline = this.discipline;
    let used: usize = 0;
    let accepting = true;
    // Only one `receive` runs at a time: what the discipline leaves for the outside stays.
    while (accepting && used < length) {
      this.lock.acquire();
      while (used < length && !discipline.isEchoPending()) {
        accepting = discipline.receive(load<u8>(bytes + used));
        if (!accepting) break;
        used++;
      }
      this.changed.wakeAll();
      this.lock.release();
      this.sendEcho();
    }
    const signals = discipline.signals;
    discipline.signals = 0;
    this.sendSignals(signals);
    return used;
  }

  private sendEcho(): void {
    const discipline = this.discipline;
    if (discipline.flushOutput) {
      discipline.flushOutput = false;
      this.ring.discard();
    }
    if (discipline.echoLength == 0) return;
    // A screen that takes nothing more loses echo, not input.
    this.ring.append(discipline.echoAddress, discipline.echoLength);
    discipline.echoLength = 0;
  }

  private sendSignals(signals: u32): void {
    const users = terminalUsers();
    if (users == null) return;
    while (signals != 0) {
      const signal = <i32>ctz<u32>(signals);
      signals &= signals - 1;
      users.signalForeground(this, signal);
    }
  }

  /** 0 if the running process may read (SIGTTIN) or change (SIGTTOU) the terminal, or an error. */
  checkForeground(signal: i32): i64 {
    const users = terminalUsers();
    return users ? users.checkForeground(this, signal) : 0;
  }

  opened(flags: u32): usize {
    const users = terminalUsers();
    if (users && (flags & O_NOCTTY) == 0) users.opened(this);
    return changetype<usize>(this);
  }

  /** The other end of the line closed or opened. */
  setHungUp(hungUp: bool): void {
    this.lock.acquire();
    this.hungUp = hungUp;
    this.changed.wakeAll();
    this.lock.release();
  }

  /** Sets the window size; programs are told if it is new. */
  setSize(columns: u16, rows: u16): void {
    if (columns == this.columns && rows == this.rows) return;
    this.columns = columns;
    this.rows = rows;
    this.sendSignals((<u32>1) << SIGWINCH);
  }

  read(buffer: usize, length: usize, nonBlocking: bool): i64 {
    if (length == 0) return 0;
    const refused = this.checkForeground(SIGTTIN);
    if (refused != 0) return refused;
    this.lock.acquire();
    while (this.reading) {
      const error = nonBlocking ? -EAGAIN : this.changed.sleep(this.lock, FOREVER, true);
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    this.reading = true;
    let result: i64 = this.waitForInput(length, nonBlocking);
    if (result == READY) {
      result = this.discipline.isCanonical()
        ? this.readLine(buffer, length)
        : this.readBytes(buffer, length);
    }
    this.reading = false;
    this.changed.wakeAll();
    this.lock.release();
    this.line.resume();
    return result;
  }

  /**
   * Sleeps until the settings allow a read to return. The lock is held.
   * @returns READY, AT_END (nothing to read, and nothing to wait for), -EAGAIN, -EINTR or -EIO
   */
  private waitForInput(length: usize, nonBlocking: bool): i32 {
    const discipline = this.discipline;
    const startNs = monotonicNs();
    let deadlineNs = FOREVER;
    let countBefore: u32 = 0;
    let hasSlept = false;
    while (true) {
      const count = discipline.input.count();
      let some = count > 0;
      if (discipline.isCanonical()) {
        some = discipline.isReadable(1);
        if (some) return READY;
        deadlineNs = FOREVER;
      } else {
        const minimum: u32 = characterOf(discipline.settings, VMIN);
        const periodNs = <u64>characterOf(discipline.settings, VTIME) * DECISECOND_NS;
        if (some && (count >= minimum || <usize>count >= length)) return READY;
        if (minimum == 0 && periodNs == 0) return AT_END;
        if (periodNs == 0) deadlineNs = FOREVER;
        else if (minimum == 0) deadlineNs = startNs + periodNs;
        else if (count != countBefore) deadlineNs = monotonicNs() + periodNs;
        countBefore = count;
      }
      if (this.hungUp) return some ? READY : this.hangUpResult(hasSlept);
      if (nonBlocking) return some ? READY : -EAGAIN;
      hasSlept = true;
      const result = this.changed.sleep(this.lock, deadlineNs, true);
      if (result == -EINTR) return this.hasBytes() ? READY : -EINTR;
      if (result != 0) return this.hasBytes() ? READY : AT_END;
    }
  }

  /** What a read finds when the other end is gone. @param hasSlept it was waiting when that happened */
  protected hangUpResult(_hasSlept: bool): i32 {
    return AT_END;
  }

  /** True if a non-canonical read would find anything. */
  private hasBytes(): bool {
    return !this.discipline.isCanonical() && this.discipline.input.count() > 0;
  }

  /** Copies from the queue's head. The lock is held, but not during the copy. */
  private copyOut(buffer: usize, length: u32): u32 {
    const input = this.discipline.input;
    const flushes = input.flushes;
    let done: u32 = 0;
    while (done < length) {
      const part = min(length - done, input.contiguous(input.head));
      const source = input.addressOf(input.head);
      this.lock.release();
      const left = <u32>copyUser(buffer + done, source, part);
      this.lock.acquire();
      done += part - left;
      // Emptied by a signal key meanwhile: the position is no longer ours to move.
      if (input.flushes != flushes) break;
      input.head += part - left;
      if (left > 0) break;
    }
    return done;
  }

  private readBytes(buffer: usize, length: usize): i64 {
    const input = this.discipline.input;
    const done = this.copyOut(buffer, <u32>min<usize>(length, input.count()));
    input.lineStart = input.head;
    return done == 0 ? -(<i64>EFAULT) : <i64>done;
  }

  /** Reads up to the end of the first line. */
  private readLine(buffer: usize, length: usize): i64 {
    const input = this.discipline.input;
    const flushes = input.flushes;
    let size: u32 = 0;
    let ended = false;
    while (<usize>size < length && input.head + size != input.lineStart) {
      size++;
      ended = input.endsLine(input.head + size - 1);
      if (ended) break;
    }
    // The end-of-file character ends the line but is not part of it, even just beyond `length`.
    let skip: u32 = 0;
    if (ended && input.at(input.head + size - 1) == END_OF_FILE) {
      size--;
      skip = 1;
    } else if (!ended && input.head + size != input.lineStart) {
      const next = input.head + size;
      if (input.endsLine(next) && input.at(next) == END_OF_FILE) skip = 1;
    }
    const done = this.copyOut(buffer, size);
    if (done < size) return done == 0 ? -(<i64>EFAULT) : <i64>done;
    if (input.flushes == flushes) input.head += skip;
    return done;
  }

  write(buffer: usize, length: usize, nonBlocking: bool): i64 {
    if (this.discipline.settings.localFlags & TOSTOP) {
      const refused = this.checkForeground(SIGTTOU);
      if (refused != 0) return refused;
    }
    const block = heapAllocate(WRITE_BLOCK);
    if (block == 0) return -(<i64>ENOMEM);
    this.writing.lock();
    let done: usize = 0;
    let error: i32 = 0;
    while (done < length && error == 0) {
      const wanted = min(length - done, WRITE_CHUNK);
      const part = wanted - copyUser(block, buffer + done, wanted);
      if (part < wanted) error = -EFAULT;
      if (part == 0) break;
      const result = this.writeChunk(block, part, nonBlocking);
      if (result == 0) done += part;
      else error = result;
    }
    this.writing.unlock();
    heapFree(block);
    return done > 0 || error == 0 ? <i64>done : error;
  }

  /** Processes and sends the `length` bytes at `block`, all or nothing. @returns 0 or an error */
  private writeChunk(block: usize, length: usize, nonBlocking: bool): i32 {
    const discipline = this.discipline;
    const processor: OutputProcessor = discipline.output;
    const out = block + WRITE_CHUNK;
    this.lock.acquire();
    while (discipline.stopped && !this.hungUp) {
      const error = nonBlocking ? -EAGAIN : this.changed.sleep(this.lock, FOREVER, true);
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    const column = processor.column;
    let size: u32 = 0;
    for (let i: usize = 0; i < length; i++) {
      size += processor.process(load<u8>(block + i), discipline.settings, out + size);
    }
    this.lock.release();
    let error: i32 = 0;
    while (error == 0) {
      if (this.ring.hungUp || this.hungUp) error = -EIO;
      else if (this.ring.append(out, size)) return 0;
      else error = nonBlocking ? -EAGAIN : this.ring.waitForRoom(size);
    }
    processor.column = column;
    return error;
  }

  ioctl(request: u32, argument: usize): i64 {
    return ttyIoctl(this, request, argument);
  }

  /** Sleeps until all output is at the other end. @returns 0 or -EINTR */
  drain(): i32 {
    return this.ring.drainInterruptibly();
  }

  /** As `drain`, whatever signals come: for the end of the machine. */
  drainFully(): void {
    this.ring.drain();
  }

  /** Drops input that was not read (tcflush(3)). */
  flushInput(): void {
    this.lock.acquire();
    this.discipline.input.flush();
    this.changed.wakeAll();
    this.lock.release();
    this.line.resume();
  }

  /** Drops output that was not sent. */
  flushOutput(): void {
    this.ring.discard();
  }

  /** Stops or restarts output, as ^S and ^Q do. */
  setStopped(stopped: bool): void {
    this.lock.acquire();
    this.discipline.stopped = stopped;
    this.changed.wakeAll();
    this.lock.release();
  }

  /** Wakes whoever waits under settings that have changed; the lock is held. */
  wake(): void {
    this.changed.wakeAll();
  }

  /** Bytes of output that are not yet at the other end. */
  outputPending(): u64 {
    return this.ring.pending();
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.changed.add(link);
    let events: u32 = 0;
    this.lock.acquire();
    const settings = this.discipline.settings;
    const minimum: u32 = characterOf(settings, VTIME) != 0 ? 1 : characterOf(settings, VMIN);
    if (this.discipline.isReadable(max<u32>(minimum, 1))) events |= POLLIN | POLLRDNORM;
    if (this.hungUp) events |= POLLHUP | POLLIN | POLLRDNORM;
    const stopped = this.discipline.stopped;
    this.lock.release();
    if (!stopped && this.ring.wantRoom()) events |= POLLOUT | POLLWRNORM;
    if (this.ring.hungUp) events |= POLLERR;
    return events;
  }

  unpoll(link: WaitLink): void {
    this.changed.remove(link);
  }

  seekResult(): i64 {
    return -(<i64>ESPIPE);
  }
}
