/**
 * The state of a TCP connection (the transmission control block of RFC 9293, section 3.3.1) and the
 * rule for who works on it.
 *
 * The receive path calls `arrived`, which appends to the channel. If a thread sleeps on the
 * connection, it is woken and does the protocol work itself, where the data is wanted; if the channel
 * already held something, or nobody waits, the work is done at once, unless somebody holds the lock:
 * whoever gives it back works off what came meanwhile (`leave`). So nobody waits for a connection's
 * lock while holding another's, and segments over `lo` are neither lost nor processed recursively.
 *
 * Lock: `lock`, by `enter` and `leave`; nothing is shared with other connections. A connection that
 * is alive holds one reference to itself. Neighbours: `tcp-input.ts`, `tcp-output.ts`,
 * `tcp-timers.ts` work on it; `tcp-socket.ts` is its upper half.
 */
import { NetworkDevice, SendWaiter } from "../dev/network";
import { freePackets, Packet } from "../dev/packet";
import { free } from "../lib/object";
import { currentThread } from "../sched/thread";
import { Endpoint } from "./endpoint";
import { InetOptions } from "./inet-options";
import { removeFlow, tcpPorts } from "./ports";
import { SendBuffer } from "./send-buffer";
import { serve, StreamService } from "./stream-service";
import { SOCK_STREAM } from "./socket";
import { chargeMemory, letGoAll } from "./tcp-buffers";
import { Congestion } from "./tcp-congestion";
import { NOT_ENDING, setEnding } from "./tcp-ending";
import { processChannel } from "./tcp-input";
import { SegmentOptions } from "./tcp-segment";
import { SentList } from "./tcp-sent";
import { TcpTimer } from "./tcp-timers";

// States, numbered as in tcp_info (tcp(7)).
export const ESTABLISHED: u32 = 1;
export const SYN_SENT: u32 = 2;
export const SYN_RECEIVED: u32 = 3;
export const FIN_WAIT_1: u32 = 4;
export const FIN_WAIT_2: u32 = 5;
export const TIME_WAIT: u32 = 6;
export const CLOSED: u32 = 7;
export const CLOSE_WAIT: u32 = 8;
export const LAST_ACK: u32 = 9;
export const LISTEN: u32 = 10;
export const CLOSING: u32 = 11;

const IPPROTO_TCP: i32 = 6;
/** Receive buffer of a connection whose owner does not set one; memory is used only when filled. */
const RECEIVE_BYTES: u32 = 512 * 1024;
const SEND_BYTES: u32 = 256 * 1024;
/** Acknowledgements that are sent at once while a connection starts, as in Linux. */
export const QUICK_ACKS: u32 = 16;
/** Window scale that lets a receive buffer of 8 MiB be told. */
export const RECEIVE_SCALE: u32 = 7;

/** Lets a connection send when the device has taken its last segment; holds it while it waits. */
export class Pusher extends SendWaiter {
  connection: usize = 0;

  deviceTook(): void {
    const c = changetype<TcpConnection>(this.connection);
    c.requestOutput();
    c.release();
  }
}

let useChannels: bool = true;

/** `nochannels` on the kernel command line: all work in the interrupt, to compare with. */
export function turnChannelsOff(): void {
  useChannels = false;
}

export abstract class TcpConnection extends Endpoint {
  state: u32 = CLOSED;
  options: InetOptions = new InetOptions();
  congestion: Congestion = new Congestion();
  outgoing: SendBuffer = new SendBuffer();
  sent: SentList = new SentList();
  timer: TcpTimer = new TcpTimer();
  segmentOptions: SegmentOptions = new SegmentOptions();

  // Sending (RFC 9293, section 3.3.1): SND.UNA, SND.NXT, SND.WND, SND.WL1, WL2.
  initialSend: u32 = 0;
  sendUnacknowledged: u32 = 0;
  sendNext: u32 = 0;
  sendWindow: u32 = 0;
  sendWindowMax: u32 = 0;
  windowSequence: u32 = 0;
  windowAck: u32 = 0;
  sendScale: u32 = 0;
  /** Payload of a full segment, options taken off. */
  segmentBytes: u32 = 536;
  /** The application has no more to send; the FIN has been sent at least once. */
  finQueued: bool = false;
  finSent: bool = false;

  // Receiving: RCV.NXT, the right edge that was told, the last acknowledgement sent.
  initialReceive: u32 = 0;
  receiveNext: u32 = 0;
  advertisedEdge: u32 = 0;
  lastAckSent: u32 = 0;
  receiveScale: u32 = 0;
  /** In order, for the application: packets linked by `next`, their bytes together. */
  incomingFirst: usize = 0;
  incomingLast: usize = 0;
  incomingBytes: u32 = 0;
  /** Out of order, sorted by `sequence`, and bytes they hold. */
  aheadFirst: usize = 0;
  aheadBytes: u32 = 0;
  /** Memory that the packets of both queues keep. */
  heldBytes: u32 = 0;
  /** First sequence number of the segment that arrived last out of order, for the first SACK block. */
  aheadLatest: u32 = 0;
  finReceived: bool = false;
  // Buffer sizes (`tcp-buffers.ts`): what is counted as held, and bytes read since when.
  chargedUnits: u32 = 0;
  tuneBytes: u32 = 0;
  tuneSinceNs: u64 = 0;

  // Options in force.
  usesTimestamps: bool = false;
  usesSack: bool = false;
  timestampOffset: u32 = 0;
  timestampRecent: u32 = 0;
  /** ECN (`tcp-ecn.ts`): acknowledgements carry ECE; the next new data is to carry CWR. */
  usesEcn: bool = false;
  echoesCongestion: bool = false;
  tellsReduction: bool = false;

  // Loss recovery (`tcp-recovery.ts`).
  duplicateAcks: u32 = 0;
  inRecovery: bool = false;
  recoverUntil: u32 = 0;
  /** A tail loss probe is out: where it ended, and whether it was a repetition. */
  probeIsOut: bool = false;
  probeIsRepeat: bool = false;
  probeEnd: u32 = 0;
  retransmissions: u32 = 0;
  /** When the first of them was sent. */
  retransmittingSinceNs: u64 = 0;
  totalRetransmissions: u32 = 0;
  /** When the SYN was sent, for the first measurement of the round trip; 0 = do not measure. */
  timedSinceNs: u64 = 0;

  /** When a segment that does not fit was answered last; 0 = never. */
  challengedNs: u64 = 0;
  /** An acknowledgement is owed: now, or when the delay is over. */
  ackNow: bool = false;
  ackLater: bool = false;
  /** So many acknowledgements are not delayed: at the start, until the application answers. */
  quickAcks: u32 = QUICK_ACKS;
  /** TCP_DEFER_ACCEPT of a listener: how long an accept waits for data; 0 = not. */
  defersSeconds: u32 = 0;
  noDelay: bool = false;
  /** TCP_MAXSEG, TCP_WINDOW_CLAMP: most bytes of a segment, and of the window that is told. */
  segmentLimit: u32 = u32.MAX_VALUE;
  windowLimit: u32 = u32.MAX_VALUE;
  corked: bool = false;
  /** TCP_NOTSENT_LOWAT: no more is taken while so many bytes have not been sent once. */
  notSentLimit: u32 = u32.MAX_VALUE;
  /** TCP_USER_TIMEOUT in milliseconds, 0 = none; keep-alive parameters in seconds. */
  userTimeoutMs: u32 = 0;
  keepIdleSeconds: u32 = 7200;
  keepIntervalSeconds: u32 = 75;
  keepCount: u32 = 9;
  keepSent: u32 = 0;
  heardNs: u64 = 0;

  error: i32 = 0;
  isReadShut: bool = false;
  isWriteShut: bool = false;
  /** No file refers to it any more. */
  isOrphan: bool = false;
  /** What it is counted as since it goes on by itself (`tcp-ending.ts`). */
  ending: u8 = 0;
  /** True once it may hand data to the application (for poll). */
  wasConnected: bool = false;
  offloadsChecksum: bool = false;
  offloadsSegmentation: bool = false;
  /** The device that segments go to, null for `lo`, and its number when the last one went. */
  device: NetworkDevice | null = null;
  sendNumber: u32 = 0;
  /** The device's queue for its segments (Packet.sendQueue); changes only while none is in flight. */
  sendQueue: u8 = 0;
  pusher: Pusher = new Pusher();
  /** The device has taken a segment that others waited behind; atomic. */
  wantsOutput: u32 = 0;
  /** The device takes packets of several parts. */
  gathers: bool = false;
  /** Something came that a reader waits for; wakes it when the channel is worked off. */
  hasNews: bool = false;
  /** The listener that made it, until it is accepted; with a reference. */
  listener: TcpConnection | null = null;
  /** Room to collect four SACK blocks in: see `sackScratch`. */
  private sackFirst: u64 = 0;
  private sackSecond: u64 = 0;
  private sackThird: u64 = 0;
  private sackFourth: u64 = 0;

  /** The program linked with the kernel that it belongs to, and what that keeps of it. */
  service: StreamService | null = null;
  serviceState: usize = 0;
  /** The service has requests that it will answer when the send buffer has room. */
  answersWait: bool = false;

  private isAlive: bool = false;
  private lifeEnds: bool = false;

  /** @param family AF_INET or AF_INET6 */
  constructor(family: i32) {
    super(family, SOCK_STREAM, IPPROTO_TCP);
    this.options.receiveBytes = RECEIVE_BYTES;
    this.options.sendBytes = SEND_BYTES;
    this.timer.connection = changetype<usize>(this);
    this.pusher.connection = changetype<usize>(this);
  }

  /** A connection made by a listener has been established. */
  abstract childEstablished(child: TcpConnection): void;
  /** A connection made by a listener has ended before it was established. */
  abstract childLost(): void;

  /** Ends it as close(2) does: what is queued is still sent. The lock is held. */
  abstract endInOrder(): void;

  get sackScratch(): usize {
    return changetype<usize>(this) + offsetof<TcpConnection>("sackFirst");
  }

  /** Takes the lock. Not with another connection's lock held, which may want this one's. */
  enter(): void {
    this.lock.acquire();
  }

  /** Works off what has arrived and gives the lock back. */
  leave(): void {
    do {
      while (this.hasWork) processChannel(this);
      if (this.service) serve(this);
      chargeMemory(this);
      const ends = this.lifeEnds;
      this.lifeEnds = false;
      this.lock.release();
      // Whoever found the lock taken has left its packet to us; it cannot come after the look below.
      if (ends) {
        this.release();
        return;
      }
    } while (this.hasWork && this.lock.tryAcquire());
  }

  /** True if there is something for whoever has the lock to do before giving it back. */
  private get hasWork(): bool {
    return this.hasArrivals || atomic.load<u32>(this.wantsOutputCell) != 0;
  }

  private get wantsOutputCell(): usize {
    return changetype<usize>(this) + offsetof<TcpConnection>("wantsOutput");
  }

  /** Asks whoever has the lock, or takes it next, to send what waits. Any context. */
  requestOutput(): void {
    atomic.store<u32>(this.wantsOutputCell, 1);
    if (this.lock.tryAcquire()) this.leave();
  }

  /** Forgets such a request, which is being fulfilled. @returns true if there was one */
  takeOutputRequest(): bool {
    return atomic.xchg<u32>(this.wantsOutputCell, 0) != 0;
  }

  /** Sleeps until `changed`; the lock is held before and after. @returns as WaitQueue.sleep */
  sleep(deadlineNs: u64): i32 {
    const thread = currentThread();
    thread.waiter.reset();
    this.changed.add(thread.link);
    // In the queue before the lock goes: what is worked off from here on wakes us.
    this.leave();
    const result = thread.waiter.wait(deadlineNs, true);
    this.changed.remove(thread.link);
    this.enter();
    while (this.hasArrivals) processChannel(this);
    return thread.waiter.wasWoken() ? 0 : result;
  }

  /** A segment for this connection: takes the packet. Any context. */
  arrived(packet: Packet): void {
    const wasEmpty = this.append(packet);
    if (useChannels && wasEmpty && this.state == ESTABLISHED && this.changed.wakeForOne()) return;
    // The sender may hold its own connection's lock (over `lo`): never wait for this one.
    if (this.lock.tryAcquire()) this.leave();
  }

  /** The connection begins to live by itself. The lock is held. */
  begin(): void {
    this.isAlive = true;
    this.retain();
  }

  /** The connection has ended: forgotten by the tables, no timers. The lock is held. */
  finish(error: i32): void {
    this.state = CLOSED;
    if (error != 0) this.error = error;
    setEnding(this, NOT_ENDING);
    removeFlow(this);
    tcpPorts.unbind(this);
    this.outgoing.clear();
    this.sent.clear();
    this.dropAhead();
    this.timer.stop();
    const parent = this.listener;
    if (parent) {
      parent.childLost();
      this.listener = null;
      parent.release();
    }
    this.changed.wakeAll();
    if (this.isAlive) {
      this.isAlive = false;
      this.lifeEnds = true;
    }
  }

  private dropAhead(): void {
    letGoAll(this, this.aheadFirst);
    this.aheadFirst = 0;
    this.aheadBytes = 0;
  }

  /** Frees what the connection owns. */
  protected disposeConnection(): void {
    const service = this.service;
    if (service && this.serviceState != 0) service.closed(this.serviceState);
    tcpPorts.unbind(this);
    freePackets(this.takeChannel());
    letGoAll(this, this.incomingFirst);
    this.incomingBytes = 0;
    this.dropAhead();
    this.outgoing.clear();
    chargeMemory(this);
    this.sent.clear();
    free(this.sent);
    free(this.segmentOptions);
    free(this.timer);
    free(this.pusher);
    free(this.outgoing);
    free(this.congestion);
    free(this.options);
    this.disposeEndpoint();
  }
}
