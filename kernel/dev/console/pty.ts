/**
 * Pseudo-terminals (pty(7)): pairs of a master, which a terminal emulator or `script` holds, and a slave,
 * which its programs use as their terminal.
 *
 *   master ─write─► line discipline ─► slave's read
 *   master ◄─read── ring ◄── output processing ◄── slave's write
 *
 * A pair whose both sides are closed is used again for the next /dev/ptmx: nothing that still points to
 * its terminal can then point to freed memory.
 *
 * Locks: `makingLock` orders those who look for a free pair, `pairsLock` guards which are open. Neighbours: `pty-line`, `tty`, `fs/devpts` (the
 * names), `linux/terminals` (sessions).
 */
import { copyUser } from "../../arch/cpu";
import { SpinLock } from "../../arch/spinlock";
import { EFAULT, EIO, ENOMEM, ENOSPC, asError } from "../../lib/errno";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { Mutex } from "../../sched/mutex";
import { WaitLink } from "../../sched/wait";
import { CharacterDevice, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../character";
import { PtyLine } from "./pty-line";
import { ptyMasterIoctl } from "./pty-ioctl";
import { terminalUsers } from "./terminal-users";
import { PSEUDO_CONTROL_FLAGS } from "./termios";
import { AT_END, Tty } from "./tty";

/** Most pairs at a time (/proc/sys/kernel/pty/max). */
export const PTY_MAX: u32 = 4096;
/** Device numbers (Linux Documentation/admin-guide/devices.txt). */
const MAJOR_SLAVE: u32 = 136;
const MAJOR_ALIAS: u32 = 5;
const MINOR_PTMX: u32 = 2;
/** Bytes that pass from or to a master at a time. */
const CHUNK: usize = 4096;

/** The slave: a terminal that can only be opened while there is a master, which unlocked it. */
export class PtySlave extends Tty {
  isLocked: bool = true;
  hasMaster: bool = false;
  /** Open files that use it. */
  opens: u32 = 0;
  /** Owner and group of its node under /dev/pts. */
  uid: u32 = 0;
  gid: u32 = 0;

  constructor(
    readonly pty: PtyLine,
    readonly index: u32,
  ) {
    super(pty, "pts", MAJOR_SLAVE, index);
  }

  opened(flags: u32): usize {
    pairsLock.acquire();
    const isOpenable = this.hasMaster && !this.isLocked;
    if (isOpenable) this.opens++;
    pairsLock.release();
    if (!isOpenable) return asError(-EIO);
    this.pty.ring.setAbandoned(false);
    return super.opened(flags);
  }

  closed(): void {
    pairsLock.acquire();
    const isLast = --this.opens == 0;
    pairsLock.release();
    if (isLast) this.pty.ring.setAbandoned(true);
  }

  /** Linux fails a read that waits while the master closes, and gives end of file to later ones. */
  protected hangUpResult(hasSlept: bool): i32 {
    return hasSlept ? -EIO : AT_END;
  }

  /** Makes a fresh terminal of it. */
  renew(): void {
    this.isLocked = true;
    this.uid = 0;
    this.gid = 0;
    this.mode = 0o620;
    this.columns = 0;
    this.rows = 0;
    this.session = 0;
    this.foregroundGroup = 0;
    this.discipline.reset();
    this.discipline.settings.controlFlags = PSEUDO_CONTROL_FLAGS;
    this.pty.ring.discard();
    this.pty.ring.setHungUp(false);
    this.pty.ring.setAbandoned(false);
    this.setHungUp(false);
  }
}

const pairsLock = new SpinLock();
const makingLock = new Mutex();
/** Slaves by number; empty until a program wants one. */
let pairs = new StaticArray<PtySlave | null>(0);

/** The slave with this number if its master is open, or null. */
export function ptySlave(index: u32): PtySlave | null {
  const slave = index < <u32>pairs.length ? unchecked(pairs[<i32>index]) : null;
  return slave && slave.hasMaster ? slave : null;
}

/** A pair that nobody uses, now with a master; null if there are too many, or no memory. */
function takePair(): PtySlave | null {
  makingLock.lock();
  if (pairs.length == 0) pairs = new StaticArray<PtySlave | null>(<i32>PTY_MAX);
  const slave = findFreePair();
  makingLock.unlock();
  return slave;
}

function findFreePair(): PtySlave | null {
  for (let index: u32 = 0; index < PTY_MAX; index++) {
    let slave = unchecked(pairs[<i32>index]);
    if (!slave) {
      slave = new PtySlave(new PtyLine(), index);
      if (!slave.open()) return null;
      pairs[<i32>index] = slave;
    }
    pairsLock.acquire();
    const isFree = !slave.hasMaster && slave.opens == 0;
    if (isFree) slave.hasMaster = true;
    pairsLock.release();
    if (!isFree) continue;
    slave.renew();
    return slave;
  }
  return null;
}

/** A master; one for each open /dev/ptmx. */
export class PtyMaster extends CharacterDevice {
  private writing: Mutex = new Mutex();

  constructor(readonly slave: PtySlave) {
    super();
    this.name = "ptmx";
    this.major = MAJOR_ALIAS;
    this.minor = MINOR_PTMX;
  }

  read(buffer: usize, length: usize, nonBlocking: bool): i64 {
    if (length == 0) return 0;
    const size = min(length, CHUNK);
    const block = heapAllocate(size);
    if (block == 0) return -(<i64>ENOMEM);
    let result = this.slave.pty.ring.take(block, size, nonBlocking);
    if (result > 0 && copyUser(buffer, block, <usize>result) != 0) result = -(<i64>EFAULT);
    heapFree(block);
    return result;
  }

  write(buffer: usize, length: usize, nonBlocking: bool): i64 {
    const block = heapAllocate(min(max<usize>(length, 8), CHUNK));
    if (block == 0) return -(<i64>ENOMEM);
    this.writing.lock();
    let done: usize = 0;
    let error: i64 = 0;
    while (done < length && error >= 0) {
      const wanted = min(length - done, CHUNK);
      const part = wanted - copyUser(block, buffer + done, wanted);
      error = part == 0 ? -(<i64>EFAULT) : this.slave.pty.give(block, part, nonBlocking);
      if (error > 0) done += <usize>error;
    }
    this.writing.unlock();
    heapFree(block);
    return done > 0 ? <i64>done : error;
  }

  ioctl(request: u32, argument: usize): i64 {
    return ptyMasterIoctl(this.slave, request, argument);
  }

  poll(link: WaitLink | null): u32 {
    const line = this.slave.pty;
    if (link) line.readers.add(link);
    let events: u32 = 0;
    if (line.ring.readable() != 0) events |= POLLIN | POLLRDNORM;
    if (line.ring.isAbandoned) events |= POLLHUP;
    if (this.slave.discipline.input.room() > 1) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  unpoll(link: WaitLink): void {
    this.slave.pty.readers.remove(link);
  }

  isTerminal(): bool {
    return true;
  }

  seekResult(): i64 {
    return this.slave.seekResult();
  }

  /** Hangs the slave up. */
  closed(): void {
    const slave = this.slave;
    slave.setHungUp(true);
    slave.pty.ring.setHungUp(true);
    const users = terminalUsers();
    if (users) users.hangUp(slave);
    pairsLock.acquire();
    slave.hasMaster = false;
    pairsLock.release();
    this.writing.dispose();
    free(this.writing);
    free(this);
  }
}

/** /dev/ptmx: every open makes a new pair. */
export class PtmxDevice extends CharacterDevice {
  constructor() {
    super();
    this.name = "ptmx";
    this.major = MAJOR_ALIAS;
    this.minor = MINOR_PTMX;
  }

  opened(_flags: u32): usize {
    const slave = takePair();
    return slave ? changetype<usize>(new PtyMaster(slave)) : asError(-ENOSPC);
  }

  read(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return -(<i64>EIO);
  }

  write(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return -(<i64>EIO);
  }
}
