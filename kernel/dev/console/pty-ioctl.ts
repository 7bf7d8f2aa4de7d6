/**
 * ioctl(2) on the master of a pseudo-terminal (ioctl_tty(2), pts(4)): its number and lock; everything
 * about settings, size and groups concerns the slave. TIOCGPTPEER, which opens a file, is in `linux/`.
 *
 * Neighbours: `pty`, `tty-ioctl`.
 */
import { EINVAL, ENOTTY } from "../../lib/errno";
import { loadIntArgument, storeIntArgument } from "./ioctl";
import { PtySlave } from "./pty";
import { terminalUsers } from "./terminal-users";
import { terminalRequest, TCIFLUSH, TCIOFLUSH, TCOFLUSH } from "./tty-ioctl";

const TCFLSH: u32 = 0x540b;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const FIONREAD: u32 = 0x541b;
const TIOCNOTTY: u32 = 0x5422;
const TIOCGSID: u32 = 0x5429;
const TIOCGPTN: u32 = 0x80045430;
const TIOCSPTLCK: u32 = 0x40045431;
const TIOCGPTLCK: u32 = 0x80045439;
const TIOCSIG: u32 = 0x40045436;

const LAST_SIGNAL: usize = 64;

/** Does `request` on the master of `slave`. @returns result or negative errno */
export function ptyMasterIoctl(slave: PtySlave, request: u32, argument: usize): i64 {
  switch (request) {
    case TIOCGPTN:
      return storeIntArgument(argument, slave.index);
    case TIOCSPTLCK: {
      const wanted = loadIntArgument(argument);
      if (wanted < 0) return wanted;
      slave.isLocked = wanted != 0;
      return 0;
    }
    case TIOCGPTLCK:
      return storeIntArgument(argument, slave.isLocked ? 1 : 0);
    case FIONREAD:
      return storeIntArgument(argument, <u32>slave.pty.ring.readable());
    case TIOCGPGRP:
      return storeIntArgument(argument, <u32>slave.foregroundGroup);
    case TIOCGSID:
      if (slave.session == 0) return -(<i64>ENOTTY);
      return storeIntArgument(argument, <u32>slave.session);
    case TIOCSIG: {
      if (argument == 0 || argument > LAST_SIGNAL) return -(<i64>EINVAL);
      const users = terminalUsers();
      if (users) users.signalForeground(slave, <i32>argument);
      return 0;
    }
    case TCFLSH:
      // Input of the master is output of the slave.
      if (argument > TCIOFLUSH) return -(<i64>EINVAL);
      if (argument != TCOFLUSH) slave.flushOutput();
      if (argument != TCIFLUSH) slave.flushInput();
      return 0;
    case TIOCSCTTY:
    case TIOCNOTTY:
      return -(<i64>ENOTTY);
    default:
      return terminalRequest(slave, request, argument);
  }
}
