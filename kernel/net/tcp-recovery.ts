/**
 * Loss: how it is noticed and what follows. RACK-TLP (RFC 8985) where the peer reports what it has
 * (SACK), otherwise duplicate acknowledgements (RFC 5681, RFC 6582); the time-out (RFC 6298).
 *
 * The list of what was sent (`tcp-sent.ts`) says what is lost; `tcp-output.ts` sends it again, as far
 * as the congestion window allows. A tail loss probe is sent when nothing has been heard for two
 * round trips: it makes the peer report a loss at the end of a burst long before the time-out.
 *
 * Everything here runs with the connection's lock held. Neighbours: `tcp-input.ts`,
 * `tcp-timers.ts`.
 */
import { monotonicNs } from "../sched/clock";
import { TcpConnection } from "./tcp-connection";
import { inFlight, resendRecord, sendBeyondWindow } from "./tcp-output";
import { before } from "./tcp-segment";
import { Sent } from "./tcp-sent";

const DUPLICATE_ACKS: u32 = 3;
/** How long a peer may keep the acknowledgement of a single segment to itself. */
const ACK_DELAY_NS: u64 = 200_000_000;
const GRANULARITY_NS: u64 = 2_000_000;

/**
 * An acknowledgement has been entered in the list.
 * @param hasAdvanced it acknowledged something @param isDuplicate it repeats the one before
 */
export function noticeLoss(
  c: TcpConnection,
  hasAdvanced: bool,
  isDuplicate: bool,
  nowNs: u64,
): void {
  if (c.probeIsOut) probeAnswered(c, isDuplicate);
  const lostBefore = c.sent.lostBytes;
  if (c.usesSack) lookForLoss(c, nowNs);
  else countDuplicates(c, hasAdvanced, isDuplicate);
  if (c.sent.lostBytes > lostBefore) enterRecovery(c);
}

/** Looks at the times, now and when the time has come for what is not lost yet. */
export function lookForLoss(c: TcpConnection, nowNs: u64): void {
  const isUrgent = c.inRecovery || c.sent.sackedBytes > (DUPLICATE_ACKS - 1) * c.segmentBytes;
  const againNs = c.sent.detectLoss(nowNs, c.congestion.smoothedNs, isUrgent);
  c.timer.startReordering(againNs);
}

/** Without SACK: the third duplicate, or a partial acknowledgement, means one lost segment. */
function countDuplicates(c: TcpConnection, hasAdvanced: bool, isDuplicate: bool): void {
  if (hasAdvanced) c.duplicateAcks = 0;
  else if (isDuplicate) c.duplicateAcks++;
  if (c.inRecovery) {
    if (hasAdvanced) c.sent.loseOldest(c.segmentBytes);
    else if (isDuplicate) c.congestion.window += c.segmentBytes;
  } else if (c.duplicateAcks == DUPLICATE_ACKS && !before(c.sendUnacknowledged, c.recoverUntil)) {
    c.sent.loseOldest(c.segmentBytes);
  }
}

/** The window shrinks once for all losses of a window of data. */
export function enterRecovery(c: TcpConnection): void {
  if (c.inRecovery || before(c.sendUnacknowledged, c.recoverUntil)) return;
  c.congestion.lost();
  c.inRecovery = true;
  c.recoverUntil = c.sendNext;
}

/** Everything that was lost has arrived when what had been sent then is acknowledged. */
export function leaveRecovery(c: TcpConnection): void {
  if (!c.inRecovery || before(c.sendUnacknowledged, c.recoverUntil)) return;
  c.inRecovery = false;
  c.congestion.window = c.congestion.threshold;
}

/** The time-out: all that is on the way counts as lost (RFC 6298, section 5). */
export function timedOut(c: TcpConnection): void {
  if (c.retransmissions == 1) c.congestion.collapsed();
  c.inRecovery = false;
  c.duplicateAcks = 0;
  c.probeIsOut = false;
  c.recoverUntil = c.sendNext;
  c.sent.loseAll();
}

/** Sets the time of a tail loss probe (RFC 8985, section 7.2), after a send or an acknowledgement. */
export function scheduleProbe(c: TcpConnection, nowNs: u64): void {
  const sent = c.sent;
  const isWanted =
    c.usesSack && !c.probeIsOut && !c.inRecovery && sent.lostBytes + sent.sackedBytes == 0;
  c.timer.probeNs = 0;
  if (!isWanted || sent.isEmpty || c.congestion.smoothedNs == 0) return;
  const isSingle = c.sendNext - c.sendUnacknowledged <= c.segmentBytes;
  const delayNs = 2 * c.congestion.smoothedNs + (isSingle ? ACK_DELAY_NS : GRANULARITY_NS);
  if (delayNs < c.congestion.rtoNs) c.timer.startProbe(nowNs + delayNs);
}

/** Sends the probe: new data if there is some, else the last segment again (section 7.3). */
export function sendTailProbe(c: TcpConnection): void {
  if (c.sent.isEmpty || c.inRecovery || c.sent.lostBytes != 0) return;
  c.probeIsOut = true;
  c.probeIsRepeat = !sendBeyondWindow(c);
  if (c.probeIsRepeat) {
    const last = changetype<Sent>(c.sent.newest);
    const most = c.segmentBytes;
    if (last.end - last.start > most) c.sent.split(last, last.end - most);
    resendRecord(c, changetype<Sent>(c.sent.newest), monotonicNs());
  }
  c.probeEnd = c.sendNext;
  c.timer.startRetransmission(c.congestion.rtoNs);
}

/** Whether the probe repaired a loss that nobody else would have noticed (section 7.4). */
function probeAnswered(c: TcpConnection, isDuplicate: bool): void {
  if (before(c.sendUnacknowledged, c.probeEnd)) return;
  const wasRepaired =
    c.probeIsRepeat && !c.sent.sawDuplicate && before(c.probeEnd, c.sendUnacknowledged);
  const isOver = !c.probeIsRepeat || c.sent.sawDuplicate || wasRepaired || isDuplicate;
  if (!isOver) return;
  c.probeIsOut = false;
  if (wasRepaired && inFlight(c) > 0) c.congestion.lost();
}
