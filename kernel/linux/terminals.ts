/**
 * Terminals and the processes that use them: sessions with their controlling terminal, foreground and
 * background groups, signals from keys and at the end of a connection (credentials(7), tty_ioctl(4)).
 *
 * Locks: `familyLock` guards `LinuxProcess.terminal` and, of terminals, `session` and `foregroundGroup`.
 * Neighbours: `dev/console/terminal-users` (calls in, partly from interrupts), `signal-send.ts`,
 * `process-table.ts`.
 */
import { TerminalUsers, setTerminalUsers } from "../dev/console/terminal-users";
import { Tty, consoleTty } from "../dev/console/tty";
import { EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from "../lib/errno";
import { currentLinuxThread, currentProcess, LinuxProcess } from "./process";
import { continueProcess } from "./job-control";
import { familyLock, groupExists, initProcess, nextProcess } from "./process-table";
import { SIGCONT, SIGHUP, SIGTTIN, SIG_IGN, signalBit } from "./signal-numbers";
import { sendKernelSignal } from "./signal-send";

class Users extends TerminalUsers {
  signalForeground(tty: Tty, signal: i32): void {
    familyLock.acquire();
    const isSent = signalGroup(tty.foregroundGroup, signal);
    // The console always has somebody to stop: the first program.
    if (!isSent && tty == consoleTty()) {
      const first: LinuxProcess = initProcess();
      if (!first.exiting) sendKernelSignal(first, signal);
    }
    familyLock.release();
  }

  checkForeground(tty: Tty, signal: i32): i64 {
    const process = currentProcess();
    const foreground = tty.foregroundGroup;
    if (process.terminal != tty || foreground == 0 || foreground == process.groupId) return 0;
    const isBlocked = (currentLinuxThread().signalMask & signalBit(signal)) != 0;
    if (isBlocked || process.signals.action(signal).handler == SIG_IGN) {
      return signal == SIGTTIN ? -(<i64>EIO) : 0;
    }
    familyLock.acquire();
    const isOrphaned = isOrphanedGroup(process.groupId);
    if (!isOrphaned) signalGroup(process.groupId, signal);
    familyLock.release();
    return isOrphaned ? -(<i64>EIO) : -(<i64>ERESTARTSYS);
  }

  opened(tty: Tty): void {
    const process = currentProcess();
    if (process.sessionId != process.id || process.terminal != null || tty.session != 0) return;
    familyLock.acquire();
    if (tty.session == 0) makeControlling(tty, process);
    familyLock.release();
  }

  current(): Tty | null {
    return currentProcess().terminal;
  }

  acquire(tty: Tty, steals: bool): i64 {
    const process = currentProcess();
    const isLeader = process.sessionId == process.id;
    familyLock.acquire();
    let result: i64 = 0;
    if (!isLeader || tty.session != process.sessionId) {
      if (!isLeader || process.terminal != null) result = -(<i64>EPERM);
      else if (tty.session != 0 && !steals) result = -(<i64>EPERM);
      else {
        if (tty.session != 0) clearTerminal(tty.session);
        makeControlling(tty, process);
      }
    }
    familyLock.release();
    return result;
  }

  giveUp(tty: Tty): i64 {
    const process = currentProcess();
    if (process.terminal != tty) return -(<i64>ENOTTY);
    leaveTerminal(process, true);
    return 0;
  }

  setForeground(tty: Tty, group: i32): i64 {
    const process = currentProcess();
    if (process.terminal != tty || tty.session != process.sessionId) return -(<i64>ENOTTY);
    familyLock.acquire();
    let result: i64 = 0;
    if (groupExists(group, process.sessionId)) tty.foregroundGroup = group;
    else result = hasMember(group) ? -(<i64>EPERM) : -(<i64>ESRCH);
    familyLock.release();
    return result;
  }

  hangUp(tty: Tty): void {
    familyLock.acquire();
    let process = nextProcess(null);
    while (process) {
      if (process.terminal == tty) {
        process.terminal = null;
        if (process.sessionId == process.id && !process.exiting) {
          sendKernelSignal(process, SIGHUP);
          continueProcess(process, true);
          sendKernelSignal(process, SIGCONT);
        }
      }
      process = nextProcess(process);
    }
    tty.session = 0;
    familyLock.release();
  }
}

/** Makes the processes known to the terminals. */
export function registerTerminalUsers(): void {
  setTerminalUsers(new Users());
}

/**
 * The process gives its terminal up, by TIOCNOTTY or by ending. If it leads the session, the foreground
 * group is told, and nobody in the session has the terminal any more.
 */
export function leaveTerminal(process: LinuxProcess, continues: bool): void {
  familyLock.acquire();
  const tty = process.terminal;
  process.terminal = null;
  if (tty && process.sessionId == process.id) {
    signalGroup(tty.foregroundGroup, SIGHUP);
    if (continues) signalGroup(tty.foregroundGroup, SIGCONT);
    tty.session = 0;
    tty.foregroundGroup = 0;
    clearTerminal(process.sessionId);
  }
  familyLock.release();
}

/** Hold `familyLock`. */
function makeControlling(tty: Tty, leader: LinuxProcess): void {
  leader.terminal = tty;
  tty.session = leader.sessionId;
  tty.foregroundGroup = leader.groupId;
}

/** Takes the terminal from every process of a session. Hold `familyLock`. */
function clearTerminal(session: i32): void {
  let process = nextProcess(null);
  while (process) {
    if (process.sessionId == session) process.terminal = null;
    process = nextProcess(process);
  }
}

/** Sends a signal to every process of a group; false if there is none. Hold `familyLock`. */
function signalGroup(group: i32, signal: i32): bool {
  let isSent = false;
  if (group == 0) return false;
  let process = nextProcess(null);
  while (process) {
    if (process.groupId == group && !process.exiting) {
      if (signal == SIGCONT) continueProcess(process, true);
      sendKernelSignal(process, signal);
      isSent = true;
    }
    process = nextProcess(process);
  }
  return isSent;
}

/** Hold `familyLock`. */
function hasMember(group: i32): bool {
  let process = nextProcess(null);
  while (process) {
    if (process.groupId == group) return true;
    process = nextProcess(process);
  }
  return false;
}

/**
 * True if no member of the group has a parent in another group of the same session, who could let it go
 * on after a stop (POSIX.1-2017, XBD 3.262 Orphaned Process Group). Hold `familyLock`.
 */
function isOrphanedGroup(group: i32): bool {
  let process = nextProcess(null);
  while (process) {
    const parent = process.parent;
    if (process.groupId == group && !process.exiting && parent) {
      if (parent.groupId != group && parent.sessionId == process.sessionId) return false;
    }
    process = nextProcess(process);
  }
  return true;
}
