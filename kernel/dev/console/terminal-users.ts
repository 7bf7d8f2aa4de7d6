/**
 * What terminals ask of those who know processes, groups and sessions. Terminals themselves only keep the
 * numbers of their session and foreground group.
 *
 * Neighbours: `tty` asks, `linux/terminals` answers.
 */
import { Tty } from "./tty";

export abstract class TerminalUsers {
  /** A key, a new window size or a hang-up sends `signal` to the foreground group. Any context. */
  abstract signalForeground(tty: Tty, signal: i32): void;

  /**
   * The running process reads from (SIGTTIN) or changes (SIGTTOU) the terminal: stops it if it is in
   * the background.
   * @returns 0 if it may, -ERESTARTSYS once it has been signalled, -EIO if nobody could continue it
   */
  abstract checkForeground(tty: Tty, signal: i32): i64;

  /** A terminal was opened without O_NOCTTY: it may become the controlling one. */
  abstract opened(tty: Tty): void;

  /** The controlling terminal of the running process, or null. */
  abstract current(): Tty | null;

  /** TIOCSCTTY. @param steals takes it from another session. @returns 0 or -EPERM */
  abstract acquire(tty: Tty, steals: bool): i64;

  /** TIOCNOTTY: 0, or -ENOTTY if it is not the running process's. */
  abstract giveUp(tty: Tty): i64;

  /** TIOCSPGRP: 0, -ENOTTY, -ESRCH, -EPERM. */
  abstract setForeground(tty: Tty, group: i32): i64;

  /** The other end is gone: tells the session, which loses the terminal. */
  abstract hangUp(tty: Tty): void;
}

let users: TerminalUsers | null = null;

/** Registers who knows the processes. */
export function setTerminalUsers(known: TerminalUsers): void {
  users = known;
}

/** Who knows the processes; null before there are any. */
export function terminalUsers(): TerminalUsers | null {
  return users;
}
