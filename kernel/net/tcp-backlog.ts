/**
 * The listening half of a TCP socket: the connections that have been made and wait for accept(2), or
 * that go to a program of the kernel's own.
 *
 * Locks: `acceptLock` guards the queue; it may be taken with a connection's lock held, never the other
 * way round. Neighbours: `tcp-listener.ts` (handshakes), `tcp-socket.ts` (extends it).
 */
import { SpinLock } from "../arch/spinlock";
import { EADDRINUSE, EAGAIN, ECONNABORTED, EINVAL, ETIMEDOUT, asError } from "../lib/errno";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { FOREVER } from "../sched/wait";
import { tcpPorts } from "./ports";
import { anyAddress } from "./sockaddr";
import { MSG_DONTWAIT } from "./socket";
import { CLOSED, LISTEN, SYN_SENT, TcpConnection, TIME_WAIT } from "./tcp-connection";
import { inheritOptions } from "./tcp-options";
import { sendReset } from "./tcp-output";

const BACKLOG_MAX: i32 = 4096;
/** Handshakes of one listener that may be going on at a time. */
const HANDSHAKES_MAX: u32 = 512;

export abstract class TcpBacklog extends TcpConnection {
  private acceptLock: SpinLock = new SpinLock();
  /** Connections to accept, linked by `acceptNext`, each with a reference. */
  private acceptFirst: TcpBacklog | null = null;
  private acceptLast: TcpBacklog | null = null;
  acceptNext: TcpBacklog | null = null;
  /** Connections that are not accepted yet, established or not; atomic. */
  private children: u32 = 0;
  /** Established ones among them; guarded by `acceptLock`. */
  private waiting: u32 = 0;
  private backlog: u32 = 0;
  /** Until when acknowledgements may answer SYN cookies of this listener. */
  cookiesUntilNs: u64 = 0;

  isListening(): bool {
    return this.state == LISTEN;
  }

  listen(backlog: i32): i64 {
    if (this.state != CLOSED && this.state != LISTEN) return -EINVAL;
    if (!this.isPortBound) {
      const bound = tcpPorts.bind(this, anyAddress(), 0);
      if (bound != 0) return bound;
    }
    if (this.state != LISTEN && tcpPorts.hasOtherListener(this)) return -EADDRINUSE;
    this.backlog = <u32>(backlog < 0 || backlog > BACKLOG_MAX ? BACKLOG_MAX : backlog) + 1;
    this.state = LISTEN;
    return 0;
  }

  /** Counts one more connection that is not accepted yet; false if there are too many. */
  countChild(): bool {
    const cell = changetype<usize>(this) + offsetof<TcpBacklog>("children");
    if (atomic.add<u32>(cell, 1) < this.backlog + HANDSHAKES_MAX) return true;
    atomic.sub<u32>(cell, 1);
    return false;
  }

  /** Counts one more, whose handshake is already over. */
  countAnyChild(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<TcpBacklog>("children"), 1);
  }

  /** Connections that wait to be accepted, and how many may. */
  get waitingCount(): u32 {
    return this.waiting;
  }

  get waitingLimit(): u32 {
    return this.backlog != 0 ? this.backlog - 1 : 0;
  }

  /** As in Linux the backlog is about established connections (listen(2), NOTES). */
  get isBacklogFull(): bool {
    return this.waiting >= this.backlog;
  }

  childLost(): void {
    atomic.sub<u32>(changetype<usize>(this) + offsetof<TcpBacklog>("children"), 1);
  }

  /** Gives a new connection the listener's options. */
  bequeath(child: TcpConnection): void {
    inheritOptions(this, child);
  }

  childEstablished(child: TcpConnection): void {
    const socket = changetype<TcpBacklog>(child);
    if (this.service) {
      this.serveChild(child);
      return;
    }
    this.acceptLock.acquire();
    const isOpen = this.state == LISTEN;
    if (isOpen) {
      socket.retain();
      socket.acceptNext = null;
      this.waiting++;
      const last = this.acceptLast;
      if (last) last.acceptNext = socket;
      else this.acceptFirst = socket;
      this.acceptLast = socket;
    }
    this.acceptLock.release();
    if (isOpen) this.changed.wakeForOne();
    else {
      sendReset(socket);
      socket.finish(ECONNABORTED);
    }
  }

  /** Gives a new connection to the listener's service. Its lock is held. */
  private serveChild(child: TcpConnection): void {
    this.childLost();
    const service = this.service;
    if (!service) return;
    child.serviceState = this.state == LISTEN ? service.opened(child) : 0;
    if (child.serviceState != 0) child.service = service;
    else {
      sendReset(child);
      child.finish(ECONNABORTED);
    }
  }

  private takeChild(): TcpBacklog | null {
    const child = this.acceptFirst;
    if (child) {
      this.acceptFirst = child.acceptNext;
      if (this.acceptFirst == null) this.acceptLast = null;
      child.acceptNext = null;
      this.waiting--;
      this.childLost();
    }
    return child;
  }

  accept(flags: u32): usize {
    const deadlineNs = deadline(this.receiveTimeoutNs);
    let result: usize = 0;
    this.acceptLock.acquire();
    while (result == 0) {
      const child = this.takeChild();
      if (child) result = changetype<usize>(child);
      else if (this.state != LISTEN) result = asError(-EINVAL);
      else if ((flags & MSG_DONTWAIT) != 0) result = asError(-EAGAIN);
      else {
        const slept = this.changed.sleepForOne(this.acceptLock, deadlineNs);
        if (slept != 0) result = asError(slept == -ETIMEDOUT ? -EAGAIN : <i64>slept);
      }
    }
    this.acceptLock.release();
    return result;
  }

  /** True if a connection can be accepted. */
  get hasWaiting(): bool {
    return this.acceptFirst != null;
  }

  protected stopListening(): void {
    this.acceptLock.acquire();
    this.state = CLOSED;
    let child = this.acceptFirst;
    this.acceptFirst = null;
    this.acceptLast = null;
    this.waiting = 0;
    this.acceptLock.release();
    tcpPorts.unbind(this);
    this.changed.wakeAll();
    while (child) {
      const next = child.acceptNext;
      this.childLost();
      child.abort();
      child.release();
      child = next;
    }
  }

  /** Ends the connection with a reset. */
  abort(): void {
    this.enter();
    this.isOrphan = true;
    if (this.state != CLOSED) {
      if (this.state != SYN_SENT && this.state != TIME_WAIT) sendReset(this);
      this.finish(0);
    }
    this.leave();
  }

  protected disposeBacklog(): void {
    free(this.acceptLock);
    this.disposeConnection();
  }
}

/** The deadline of a wait that may last `durationNs`. */
export function deadline(durationNs: u64): u64 {
  return durationNs == FOREVER ? FOREVER : monotonicNs() + durationNs;
}
