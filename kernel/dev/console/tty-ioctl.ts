/**
 * ioctl(2) on terminals (ioctl_tty(2), ioctl_console(2) apart): settings, window size, queues, job
 * control.
 *
 * Neighbours: `console/tty` calls it; `terminal-users` knows sessions and groups.
 */
import { EINVAL, EIO, ENOMEM, ENOTTY } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { copyInArgument, copyOutArgument, loadIntArgument, storeIntArgument } from "./ioctl";
import { SIGTTOU, Termios, TERMIOS2_BYTES, TERMIOS_BYTES } from "./termios";
import { terminalUsers } from "./terminal-users";
import { Tty } from "./tty";

const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSW: u32 = 0x5403;
const TCSETSF: u32 = 0x5404;
const TCSBRK: u32 = 0x5409;
const TCXONC: u32 = 0x540a;
const TCFLSH: u32 = 0x540b;
const TIOCEXCL: u32 = 0x540c;
const TIOCNXCL: u32 = 0x540d;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCOUTQ: u32 = 0x5411;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;
const FIONREAD: u32 = 0x541b;
const TIOCNOTTY: u32 = 0x5422;
const TIOCSETD: u32 = 0x5423;
const TIOCGETD: u32 = 0x5424;
const TCSBRKP: u32 = 0x5425;
const TIOCGSID: u32 = 0x5429;
const TCGETS2: u32 = 0x802c542a;
const TCSETS2: u32 = 0x402c542b;
const TCSETSW2: u32 = 0x402c542c;
const TCSETSF2: u32 = 0x402c542d;

/** Arguments of TCFLSH and TCXONC. */
export const TCIFLUSH: usize = 0;
export const TCOFLUSH: usize = 1;
export const TCIOFLUSH: usize = 2;
const TCOOFF: usize = 0;
const TCOON: usize = 1;
const TCION: usize = 3;

const WINDOW_SIZE_BYTES: usize = 8;

/** Does `request` on `tty`. @returns result or negative errno (-ENOTTY if it is unknown) */
export function ttyIoctl(tty: Tty, request: u32, argument: usize): i64 {
  const refused = changesTerminal(request) ? tty.checkForeground(SIGTTOU) : 0;
  return refused != 0 ? refused : terminalRequest(tty, request, argument);
}

/** True for what a process in the background may not do unasked (tty_check_change of Linux). */
function changesTerminal(request: u32): bool {
  switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCSBRK:
    case TCSBRKP:
    case TCXONC:
    case TCFLSH:
    case TIOCSETD:
      return true;
    default:
      return false;
  }
}

/** As `ttyIoctl`, whoever asks: also for the master of a pseudo-terminal. */
export function terminalRequest(tty: Tty, request: u32, argument: usize): i64 {
  switch (request) {
    case TCGETS:
      return getSettings(tty, argument, TERMIOS_BYTES);
    case TCGETS2:
      return getSettings(tty, argument, TERMIOS2_BYTES);
    case TCSETS:
      return setSettings(tty, argument, TERMIOS_BYTES, false, false);
    case TCSETSW:
      return setSettings(tty, argument, TERMIOS_BYTES, true, false);
    case TCSETSF:
      return setSettings(tty, argument, TERMIOS_BYTES, true, true);
    case TCSETS2:
      return setSettings(tty, argument, TERMIOS2_BYTES, false, false);
    case TCSETSW2:
      return setSettings(tty, argument, TERMIOS2_BYTES, true, false);
    case TCSETSF2:
      return setSettings(tty, argument, TERMIOS2_BYTES, true, true);
    case TCSBRK:
    case TCSBRKP:
      // There is no break to send on these lines; both wait for output, as tcdrain(3) wants.
      return tty.drain();
    case TCXONC:
      return flowControl(tty, argument);
    case TCFLSH:
      return flush(tty, argument);
    case TIOCGWINSZ:
      return getWindowSize(tty, argument);
    case TIOCSWINSZ:
      return setWindowSize(tty, argument);
    case FIONREAD:
      return storeIntArgument(argument, readableBytes(tty));
    case TIOCOUTQ:
      return storeIntArgument(argument, <u32>tty.outputPending());
    case TIOCGPGRP:
      if (!isOwn(tty)) return -(<i64>ENOTTY);
      return storeIntArgument(argument, <u32>tty.foregroundGroup);
    case TIOCSPGRP:
      return setForegroundGroup(tty, argument);
    case TIOCGSID:
      if (!isOwn(tty)) return -(<i64>ENOTTY);
      return storeIntArgument(argument, <u32>tty.session);
    case TIOCGETD:
      return storeIntArgument(argument, 0);
    case TIOCSETD:
      return onlyLineDiscipline(argument);
    case TIOCSCTTY: {
      const users = terminalUsers();
      return users ? users.acquire(tty, argument == 1) : 0;
    }
    case TIOCNOTTY: {
      const users = terminalUsers();
      return users ? users.giveUp(tty) : 0;
    }
    case TIOCEXCL:
    case TIOCNXCL:
      return 0;
  }
  return -(<i64>ENOTTY);
}

function getSettings(tty: Tty, argument: usize, bytes: usize): i64 {
  const copy = heapAllocate(TERMIOS2_BYTES);
  if (copy == 0) return -(<i64>ENOMEM);
  tty.lock.acquire();
  memory.copy(copy, changetype<usize>(tty.discipline.settings), TERMIOS2_BYTES);
  tty.lock.release();
  const result = copyOutArgument(argument, copy, bytes);
  heapFree(copy);
  return result;
}

function setSettings(tty: Tty, argument: usize, bytes: usize, drain: bool, flush: bool): i64 {
  const copy = heapAllocate(TERMIOS2_BYTES);
  if (copy == 0) return -(<i64>ENOMEM);
  let result = copyInArgument(copy, argument, bytes);
  if (result == 0 && drain) result = tty.drain();
  if (result == 0) {
    if (flush) tty.flushInput();
    tty.lock.acquire();
    const settings: Termios = tty.discipline.settings;
    const localFlagsBefore = settings.localFlags;
    memory.copy(changetype<usize>(settings), copy, bytes);
    tty.discipline.settingsChanged(localFlagsBefore);
    tty.wake();
    tty.lock.release();
  }
  heapFree(copy);
  return result;
}

function flowControl(tty: Tty, action: usize): i64 {
  if (action == TCOOFF) tty.setStopped(true);
  else if (action == TCOON) tty.setStopped(false);
  else if (action > TCION) return -(<i64>EINVAL);
  return 0;
}

function flush(tty: Tty, queue: usize): i64 {
  if (queue > TCIOFLUSH) return -(<i64>EINVAL);
  if (queue != TCOFLUSH) tty.flushInput();
  if (queue != TCIFLUSH) tty.flushOutput();
  return 0;
}

function getWindowSize(tty: Tty, argument: usize): i64 {
  const size = heapAllocate(WINDOW_SIZE_BYTES);
  if (size == 0) return -(<i64>ENOMEM);
  store<u16>(size, tty.rows);
  store<u16>(size, tty.columns, 2);
  store<u32>(size, 0, 4); // pixels: unknown
  const result = copyOutArgument(argument, size, WINDOW_SIZE_BYTES);
  heapFree(size);
  return result;
}

function setWindowSize(tty: Tty, argument: usize): i64 {
  const size = heapAllocate(WINDOW_SIZE_BYTES);
  if (size == 0) return -(<i64>ENOMEM);
  const result = copyInArgument(size, argument, WINDOW_SIZE_BYTES);
  if (result == 0) tty.setSize(load<u16>(size, 2), load<u16>(size));
  heapFree(size);
  return result;
}

function readableBytes(tty: Tty): u32 {
  tty.lock.acquire();
  const input = tty.discipline.input;
  const count = tty.discipline.isCanonical() ? input.lineStart - input.head : input.count();
  tty.lock.release();
  return count;
}

function setForegroundGroup(tty: Tty, argument: usize): i64 {
  const refused = tty.checkForeground(SIGTTOU);
  if (refused != 0) return refused == -(<i64>EIO) ? -(<i64>ENOTTY) : refused;
  const group = loadIntArgument(argument);
  if (group < 0) return group;
  if (<i32>group < 0) return -(<i64>EINVAL);
  const users = terminalUsers();
  if (users) return users.setForeground(tty, <i32>group);
  tty.foregroundGroup = <i32>group;
  return 0;
}

/** True if it is the controlling terminal of the running process. */
function isOwn(tty: Tty): bool {
  const users = terminalUsers();
  return users == null || users.current() == tty;
}

/** Only N_TTY (0) exists. */
function onlyLineDiscipline(argument: usize): i64 {
  const line = loadIntArgument(argument);
  if (line < 0) return line;
  return line == 0 ? 0 : -(<i64>EINVAL);
}
