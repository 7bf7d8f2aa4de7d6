/**
 * The timers of a TCP connection: retransmission (RFC 6298), delayed acknowledgement (RFC 9293,
 * section 3.8.6.3), window probes, keep-alive (section 3.8.4), and the waits at the end.
 *
 * One kernel timer serves all deadlines of a connection. It is only ever moved forward in time: a
 * deadline that was postponed lets it expire once for nothing, which is cheaper than moving it with
 * every acknowledgement.
 *
 * A reference to the connection goes with each arming and comes back with its expiry: while one CPU
 * waits in `expired` for the connection's lock, another one that has it may arm the timer anew.
 *
 * Lock: the connection's. Neighbours: `tcp-connection.ts`, `tcp-output.ts`.
 */
import { ETIMEDOUT } from "../lib/errno";
import { monotonicNs } from "../sched/clock";
import { armTimer, disarmTimer, Timer } from "../sched/timer";
import { count, TCP_RETRANSMITTED, TCP_TIMEOUTS } from "./counters";
import {
  CLOSED,
  FIN_WAIT_2,
  SYN_RECEIVED,
  SYN_SENT,
  TcpConnection,
  TIME_WAIT,
} from "./tcp-connection";
import { offerToAccept, processChannel } from "./tcp-input";
import { output, sendAck, sendProbe, sendReset, sendSyn, sendWindowProbe } from "./tcp-output";
import { enterRecovery, lookForLoss, sendTailProbe, timedOut } from "./tcp-recovery";

const DELAYED_ACK_NS: u64 = 40_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;
const PERSIST_MAX_NS: u64 = 60 * NS_PER_SECOND;
/** How often a SYN is sent again before the connection is given up (tcp(7)). */
const SYN_RETRIES_MAX: u32 = 6;
const SYN_ANSWER_RETRIES_MAX: u32 = 5;
/**
 * How long other segments are sent again: what 15 and, for orphans, 8 retransmissions take that begin
 * after 200 ms (tcp(7): tcp_retries2, tcp_orphan_retries).
 */
const RETRIES_NS: u64 = 924_600_000_000;
const ORPHAN_RETRIES_NS: u64 = 102_200_000_000;

export class TcpTimer extends Timer {
  /** Address of the connection. */
  connection: usize = 0;
  /** Deadlines; 0 = none. */
  retransmitNs: u64 = 0;
  ackNs: u64 = 0;
  persistNs: u64 = 0;
  keepNs: u64 = 0;
  probeNs: u64 = 0;
  reorderingNs: u64 = 0;
  endNs: u64 = 0;
  /** The present interval of window probes. */
  persistIntervalNs: u64 = 0;

  /** Sets the retransmission deadline. */
  startRetransmission(delayNs: u64): void {
    this.retransmitNs = monotonicNs() + delayNs;
    this.schedule(this.retransmitNs);
  }

  /** Sets it unless it is set. */
  ensureRetransmission(delayNs: u64): void {
    if (this.retransmitNs == 0) this.startRetransmission(delayNs);
  }

  /** Begins to probe a closed window, unless that is going on. */
  startPersist(delayNs: u64): void {
    if (this.persistNs != 0 || this.retransmitNs != 0) return;
    this.persistIntervalNs = delayNs;
    this.persistNs = monotonicNs() + delayNs;
    this.schedule(this.persistNs);
  }

  startDelayedAck(): void {
    if (this.ackNs != 0) return;
    this.ackNs = monotonicNs() + DELAYED_ACK_NS;
    this.schedule(this.ackNs);
  }

  startKeepAlive(delaySeconds: u32): void {
    this.keepNs = monotonicNs() + <u64>delaySeconds * NS_PER_SECOND;
    this.schedule(this.keepNs);
  }

  /** Sets the time of a tail loss probe. */
  startProbe(deadlineNs: u64): void {
    this.probeNs = deadlineNs;
    this.schedule(deadlineNs);
  }

  /** Sets when to look for losses again, 0 = not. */
  startReordering(deadlineNs: u64): void {
    this.reorderingNs = deadlineNs;
    if (deadlineNs != 0) this.schedule(deadlineNs);
  }

  /** Ends the connection (TIME-WAIT, an orphan in FIN-WAIT-2) after a while. */
  startEnd(delayNs: u64): void {
    this.endNs = monotonicNs() + delayNs;
    this.schedule(this.endNs);
  }

  /** No more deadlines. The kernel timer expires once more, to give its reference back. */
  stop(): void {
    this.retransmitNs = 0;
    this.ackNs = 0;
    this.persistNs = 0;
    this.keepNs = 0;
    this.probeNs = 0;
    this.reorderingNs = 0;
    this.endNs = 0;
    // Never waits: its `expired` may be what waits for our lock.
    if (disarmTimer(this)) armTimer(this, monotonicNs());
  }

  private schedule(deadlineNs: u64): void {
    if (this.armed && this.deadlineNs <= deadlineNs) return;
    if (!disarmTimer(this)) changetype<TcpConnection>(this.connection).retain();
    armTimer(this, deadlineNs);
  }

  private scheduleAll(): void {
    let first = earlier(this.retransmitNs, this.ackNs);
    first = earlier(first, this.persistNs);
    first = earlier(first, this.keepNs);
    first = earlier(first, this.probeNs);
    first = earlier(first, this.reorderingNs);
    first = earlier(first, this.endNs);
    if (first != 0) this.schedule(first);
  }

  expired(): void {
    const c = changetype<TcpConnection>(this.connection);
    c.enter();
    // What is waited for may have arrived and not been looked at.
    while (c.hasArrivals) processChannel(c);
    if (c.state != CLOSED) this.serve(c, monotonicNs());
    if (c.state != CLOSED) this.scheduleAll();
    c.leave();
    c.release();
  }

  private serve(c: TcpConnection, nowNs: u64): void {
    if (this.endNs != 0 && this.endNs <= nowNs) {
      this.endNs = 0;
      if (c.listener)
        offerToAccept(c); // no data came in the time of TCP_DEFER_ACCEPT
      else c.finish(0);
      return;
    }
    if (this.ackNs != 0 && this.ackNs <= nowNs) {
      this.ackNs = 0;
      if (c.ackLater) sendAck(c);
    }
    if (this.reorderingNs != 0 && this.reorderingNs <= nowNs) {
      this.reorderingNs = 0;
      const lostBefore = c.sent.lostBytes;
      lookForLoss(c, nowNs);
      if (c.sent.lostBytes > lostBefore) enterRecovery(c);
      output(c);
    }
    if (this.probeNs != 0 && this.probeNs <= nowNs) {
      this.probeNs = 0;
      sendTailProbe(c);
    }
    if (this.retransmitNs != 0 && this.retransmitNs <= nowNs) {
      this.retransmitNs = 0;
      retransmit(c);
      if (c.state == CLOSED) return;
    }
    if (this.persistNs != 0 && this.persistNs <= nowNs) {
      this.persistIntervalNs = min(this.persistIntervalNs * 2, PERSIST_MAX_NS);
      this.persistNs = nowNs + this.persistIntervalNs;
      if (c.isOrphan && this.persistIntervalNs == PERSIST_MAX_NS) {
        c.finish(ETIMEDOUT);
        return;
      }
      sendWindowProbe(c);
    }
    if (this.keepNs != 0 && this.keepNs <= nowNs) {
      this.keepNs = 0;
      keepAlive(c, nowNs);
    }
  }
}

/** The earlier of two deadlines, 0 meaning none. */
function earlier(a: u64, b: u64): u64 {
  if (a == 0) return b;
  if (b == 0) return a;
  return min(a, b);
}

/** No acknowledgement came in time (RFC 6298, section 5). */
function retransmit(c: TcpConnection): void {
  c.retransmissions++;
  if (c.retransmissions == 1) c.retransmittingSinceNs = monotonicNs();
  if (isGivenUp(c) || isOverUserTimeout(c)) {
    if (c.state != SYN_SENT && c.state != SYN_RECEIVED) sendReset(c);
    c.finish(ETIMEDOUT);
    return;
  }
  c.congestion.backOff();
  c.timedSinceNs = 0;
  if (c.state == SYN_SENT || c.state == SYN_RECEIVED) {
    c.totalRetransmissions++;
    count(TCP_RETRANSMITTED);
    sendSyn(c);
    return;
  }
  if (c.sent.isEmpty) {
    output(c); // memory was short when it was to be sent
    return;
  }
  count(TCP_TIMEOUTS);
  timedOut(c);
  output(c);
  c.timer.ensureRetransmission(c.congestion.rtoNs);
}

/** True if a segment has been sent again for long enough. */
function isGivenUp(c: TcpConnection): bool {
  if (c.state == SYN_SENT) return c.retransmissions > SYN_RETRIES_MAX;
  if (c.state == SYN_RECEIVED) return c.retransmissions > SYN_ANSWER_RETRIES_MAX;
  const mostNs = c.isOrphan ? ORPHAN_RETRIES_NS : RETRIES_NS;
  return monotonicNs() - c.retransmittingSinceNs >= mostNs;
}

/** TCP_USER_TIMEOUT (RFC 5482). */
function isOverUserTimeout(c: TcpConnection): bool {
  return c.userTimeoutMs != 0 && monotonicNs() - c.heardNs > <u64>c.userTimeoutMs * NS_PER_MS;
}

function keepAlive(c: TcpConnection, nowNs: u64): void {
  if (!c.options.keepsAlive || c.state == TIME_WAIT || c.state == FIN_WAIT_2) return;
  if (c.state == SYN_SENT || c.state == SYN_RECEIVED) return;
  const silentNs = nowNs - c.heardNs;
  const idleNs = <u64>c.keepIdleSeconds * NS_PER_SECOND;
  if (silentNs < idleNs) {
    c.keepSent = 0;
    c.timer.startKeepAlive(<u32>((idleNs - silentNs) / NS_PER_SECOND) + 1);
    return;
  }
  if (c.keepSent >= c.keepCount) {
    sendReset(c);
    c.finish(ETIMEDOUT);
    return;
  }
  c.keepSent++;
  sendProbe(c);
  c.timer.startKeepAlive(c.keepIntervalSeconds);
}
