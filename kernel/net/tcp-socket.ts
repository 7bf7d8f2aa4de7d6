/**
 * TCP sockets, the upper half: tcp(7), ip(7). Connecting, sending, receiving, closing.
 *
 * Locks: the connection's (`enter`, `leave`) for its state; `reading` lets one thread at a time take
 * bytes, so that a stream keeps its order, and is not held while asleep. Order: `reading`, the
 * connection's, `acceptLock` of `tcp-backlog.ts`. Application memory is touched with none but
 * `reading` held.
 *
 * Neighbours: `tcp-connection.ts` (lower half), `tcp-backlog.ts` (listening), `tcp-options.ts`.
 */
import { Packet } from "../dev/packet";
import { randomU64 } from "../dev/random";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "../fs/constants";
import {
  EADDRNOTAVAIL,
  EAGAIN,
  EALREADY,
  ECONNABORTED,
  ECONNREFUSED,
  EFAULT,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOTCONN,
  EPIPE,
  ETIMEDOUT,
  isError,
} from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { Mutex } from "../sched/mutex";
import { WaitLink } from "../sched/wait";
import { copyToList, listTotal } from "./buffer-list";
import { isBroadcast, isOwnAddress } from "./addresses";
import { chooseSource } from "./routes";
import { count, TCP_ACTIVE_OPENS } from "./counters";
import { addFlow, tcpPorts } from "./ports";
import { checkAddress, hostOf, peerOf, portOf, writeAddress } from "./sockaddr";
import { MSG_DONTWAIT, MSG_MORE, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, ReceiveFacts } from "./socket";
import { copyToChunks, freeChunks } from "./send-buffer";
import { isNotSentLow, letGo, notSentBytes, sendLimit, tuneReceive } from "./tcp-buffers";
import { ORPHAN, setEnding } from "./tcp-ending";
import { deadline, TcpBacklog } from "./tcp-backlog";
import {
  CLOSE_WAIT,
  CLOSED,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "./tcp-connection";
import { processChannel } from "./tcp-input";
import { getTcpOption, setTcpOption } from "./tcp-options";
import { offerOptions, output, sendAck, sendReset, sendSyn, shouldTellWindow } from "./tcp-output";

/** Most bytes copied from the application before the first of them are sent. */
const BATCH_MAX: u64 = 65536;
const ORPHAN_WAIT_NS: u64 = 60_000_000_000;
/** How often another port is tried if the addresses and ports of a connection are taken. */
const PORT_TRIES: i32 = 64;

export class TcpSocket extends TcpBacklog {
  private reading: Mutex = new Mutex();
  private isBound: bool = false;

  // Connecting.

  bind(address: usize, length: usize): i64 {
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = hostOf(address);
    if (!host.isAny && !isOwnAddress(host)) return -EADDRNOTAVAIL;
    if (host.isV4 && this.isV6Only) return -EINVAL;
    if (this.isPortBound || this.state != CLOSED) return -EINVAL;
    const result = tcpPorts.bind(this, host, portOf(address));
    this.isBound = result == 0;
    return result;
  }

  connect(address: usize, length: usize, flags: u32): i64 {
    if (length >= 2 && load<u16>(address) == 0) return this.dissolve();
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = peerOf(address);
    this.enter();
    let result: i64 = 0;
    if (this.state == CLOSED && this.error == 0 && !this.wasConnected) {
      result = this.startConnection(host, portOf(address));
      if (result == 0) result = -EINPROGRESS;
    } else if (this.state == SYN_SENT || this.state == SYN_RECEIVED) {
      result = (flags & MSG_DONTWAIT) != 0 ? -EALREADY : -EINPROGRESS;
    } else if (this.state == CLOSED) {
      result = this.error != 0 ? -this.error : -ECONNABORTED;
      this.error = 0;
    } else result = -EISCONN;
    if (result == -EINPROGRESS && (flags & MSG_DONTWAIT) == 0) result = this.awaitConnection();
    this.leave();
    return result;
  }

  private dissolve(): i64 {
    this.enter();
    if (this.state != CLOSED && this.state != LISTEN) {
      sendReset(this);
      this.finish(0);
    }
    this.wasConnected = false;
    this.error = 0;
    this.leave();
    return 0;
  }

  /** Chooses the ends and sends a SYN. The lock is held. */
  private startConnection(host: IpAddress, port: u16): i64 {
    if (host.isMulticast || isBroadcast(host)) return -ENETUNREACH;
    if (port == 0) return -ECONNREFUSED;
    if (host.isV4 && this.isV6Only) return -ENETUNREACH;
    const local = this.localAddress;
    const isFixed = this.isBound && !local.isAny;
    if (isFixed ? local.isV4 != host.isV4 : !chooseSource(host, local)) return -ENETUNREACH;
    this.remoteAddress.copyFrom(host);
    this.remotePort = port;
    if (!this.takeFlow()) {
      if (!isFixed) local.clear();
      return -EADDRNOTAVAIL;
    }
    const random = randomU64();
    this.initialSend = <u32>random;
    this.timestampOffset = <u32>(random >> 32);
    this.sendUnacknowledged = this.initialSend;
    this.sendNext = this.initialSend;
    offerOptions(this);
    this.state = SYN_SENT;
    count(TCP_ACTIVE_OPENS);
    this.isReadShut = false;
    this.isWriteShut = false;
    this.begin();
    this.timedSinceNs = monotonicNs();
    sendSyn(this);
    return 0;
  }

  /** Enters the connection in the tables, with a port of its own if it has none yet. */
  private takeFlow(): bool {
    if (this.isPortBound) return addFlow(this);
    for (let tries: i32 = 0; tries < PORT_TRIES; tries++) {
      if (tcpPorts.bind(this, this.localAddress, 0) != 0) return false;
      if (addFlow(this)) return true;
      tcpPorts.unbind(this);
    }
    return false;
  }

  /** Waits for the handshake to end. The lock is held. */
  private awaitConnection(): i64 {
    const deadlineNs = deadline(this.sendTimeoutNs);
    while (this.hasArrivals) processChannel(this);
    while (this.state == SYN_SENT || this.state == SYN_RECEIVED) {
      const slept = this.sleep(deadlineNs);
      if (slept == -ETIMEDOUT) return -EINPROGRESS;
      if (slept != 0) return <i64>slept;
    }
    if (this.wasConnected && this.error == 0) return 0;
    const error = this.error != 0 ? this.error : ECONNREFUSED;
    this.error = 0;
    return -error;
  }

  // Sending.

  send(
    list: usize,
    flags: u32,
    _destination: usize,
    _destinationLength: usize,
    _control: usize,
    _controlLength: usize,
  ): i64 {
    const total = listTotal(list);
    const deadlineNs = deadline(this.sendTimeoutNs);
    let done: usize = 0;
    let failure: i64 = 0;
    while (done < total || total == 0) {
      this.enter();
      const room = this.awaitRoom(flags, deadlineNs);
      this.leave();
      if (room <= 0 || total == 0) {
        failure = min<i64>(room, 0);
        break;
      }
      const part = <u32>min<u64>(min<u64>(<u64>room, BATCH_MAX), total - done);
      const chunks = copyToChunks(list, done, part);
      if (isError(chunks)) {
        failure = <i64>chunks;
        break;
      }
      this.enter();
      if (!this.canSend) {
        freeChunks(chunks);
        failure = -EPIPE;
        this.leave();
        break;
      }
      this.outgoing.append(chunks);
      done += part;
      const wasCorked = this.corked;
      if ((flags & MSG_MORE) != 0) this.corked = true;
      output(this);
      this.corked = wasCorked;
      this.leave();
    }
    return done > 0 ? <i64>done : failure;
  }

  private get canSend(): bool {
    return (this.state == ESTABLISHED || this.state == CLOSE_WAIT) && !this.isWriteShut;
  }

  private get sendRoom(): i64 {
    const limit = sendLimit(this);
    if (this.notSentLimit != u32.MAX_VALUE && notSentBytes(this) >= this.notSentLimit) return 0;
    return this.outgoing.length < limit ? <i64>(limit - this.outgoing.length) : 0;
  }

  /** Waits until something can be sent: how much, or a negative error. The lock is held. */
  private awaitRoom(flags: u32, deadlineNs: u64): i64 {
    if (this.sendRoom == 0 || this.state != ESTABLISHED) {
      while (this.hasArrivals) processChannel(this);
    }
    while (true) {
      if (this.error != 0) return -this.takeErrorLocked();
      if (this.state != SYN_SENT && this.state != SYN_RECEIVED) {
        if (!this.canSend) return -EPIPE;
        const room = this.sendRoom;
        if (room > 0) return room;
      }
      if ((flags & MSG_DONTWAIT) != 0) return -EAGAIN;
      const slept = this.sleep(deadlineNs);
      if (slept == -ETIMEDOUT) return -EAGAIN;
      if (slept != 0) return <i64>slept;
    }
  }

  // Receiving.

  receive(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    const total = listTotal(list);
    const deadlineNs = deadline(this.receiveTimeoutNs);
    if (facts) {
      facts.addressLength = 0;
      facts.flags = 0;
    }
    let done: usize = 0;
    let result: i64 = 0;
    this.reading.lock();
    this.enter();
    while (done < total || total == 0) {
      while (this.hasArrivals) processChannel(this);
      if (this.incomingBytes > 0) {
        if (total == 0) break;
        const moved =
          (flags & MSG_PEEK) != 0 ? this.peek(list, total) : this.take(list, done, total, flags);
        if (moved < 0) result = moved;
        else done += <usize>moved;
        if (moved < 0 || (flags & MSG_PEEK) != 0) break;
        if ((flags & MSG_WAITALL) == 0 && this.incomingBytes == 0) break;
        continue;
      }
      if (done > 0 && (flags & MSG_WAITALL) == 0) break;
      result = this.emptyResult(flags);
      if (result != 1 || (done > 0 && this.isAtEnd)) break;
      this.leave();
      this.reading.unlock();
      this.enter();
      const slept = this.isStillEmpty ? this.sleep(deadlineNs) : 0;
      this.leave();
      this.reading.lock();
      this.enter();
      if (slept != 0) {
        result = slept == -ETIMEDOUT ? -EAGAIN : <i64>slept;
        break;
      }
    }
    if (this.state != CLOSED && shouldTellWindow(this)) sendAck(this);
    this.leave();
    this.reading.unlock();
    return done > 0 ? <i64>done : min<i64>(result, 0);
  }

  private get isAtEnd(): bool {
    return this.finReceived || this.isReadShut || this.state == CLOSED;
  }

  private get isStillEmpty(): bool {
    while (this.hasArrivals) processChannel(this);
    return this.incomingBytes == 0 && !this.isAtEnd && this.error == 0;
  }

  /** What an empty queue means: 1 wait, 0 the end, or a negative error. The lock is held. */
  private emptyResult(flags: u32): i64 {
    if (this.error != 0) return -this.takeErrorLocked();
    if (this.finReceived || this.isReadShut) return 0;
    if (this.state == CLOSED || this.state == LISTEN) return this.wasConnected ? 0 : -ENOTCONN;
    return (flags & MSG_DONTWAIT) != 0 ? -EAGAIN : 1;
  }

  /** Moves bytes of the first packet to the list. The lock is held, given up for the copy. */
  private take(list: usize, done: usize, total: usize, flags: u32): i64 {
    const packet = changetype<Packet>(this.incomingFirst);
    const part = <u32>min<u64>(packet.length, total - done);
    const source = packet.data;
    this.leave();
    const isMoved = (flags & MSG_TRUNC) != 0 || copyToList(list, done, source, part);
    this.enter();
    if (!isMoved) return -EFAULT;
    packet.data += part;
    packet.length -= part;
    this.incomingBytes -= part;
    tuneReceive(this, part);
    if (packet.length == 0) {
      this.incomingFirst = packet.next;
      if (packet.next == 0) this.incomingLast = 0;
      letGo(this, packet);
    }
    return <i64>part;
  }

  /** Copies what is there without taking it. The lock is held, given up for the copies. */
  private peek(list: usize, total: usize): i64 {
    let done: usize = 0;
    let at = this.incomingFirst;
    while (at != 0 && done < total) {
      const packet = changetype<Packet>(at);
      const part = <u32>min<u64>(packet.length, total - done);
      this.leave();
      const isMoved = copyToList(list, done, packet.data, part);
      this.enter();
      if (!isMoved) return done > 0 ? <i64>done : -EFAULT;
      done += part;
      at = packet.next;
    }
    return <i64>done;
  }

  // Ending.

  shutDown(how: u32): i64 {
    if (this.state == LISTEN) {
      if (how != 1) this.stopListening();
      return 0;
    }
    this.enter();
    const isOpen = this.state != CLOSED && this.state != SYN_SENT;
    if (isOpen) {
      if (how != 1) this.isReadShut = true;
      if (how != 0) this.finishSending();
      this.changed.wakeAll();
    }
    this.leave();
    return isOpen ? 0 : -ENOTCONN;
  }

  /** Queues a FIN. The lock is held. */
  private finishSending(): void {
    this.isWriteShut = true;
    if (this.finQueued) return;
    if (this.state == ESTABLISHED || this.state == SYN_RECEIVED) this.state = FIN_WAIT_1;
    else if (this.state == CLOSE_WAIT) this.state = LAST_ACK;
    else return;
    this.finQueued = true;
    this.corked = false;
    output(this);
  }

  close(): void {
    if (this.state == LISTEN) {
      this.stopListening();
      return;
    }
    this.enter();
    while (this.hasArrivals) processChannel(this);
    this.endInOrder();
    this.leave();
  }

  endInOrder(): void {
    this.isOrphan = true;
    this.options.keepsAlive = false;
    const state = this.state;
    if (state == CLOSED) tcpPorts.unbind(this);
    else if (state == SYN_SENT) this.finish(0);
    else if (this.incomingBytes > 0 || (this.options.lingers && this.options.lingerSeconds == 0)) {
      // Data that nobody will read: the peer must learn of it (RFC 2525, section 2.17).
      if (state != TIME_WAIT) sendReset(this);
      this.finish(0);
    } else if (state != TIME_WAIT && !setEnding(this, ORPHAN)) {
      sendReset(this);
      this.finish(0);
    } else if (state == FIN_WAIT_2) this.timer.startEnd(ORPHAN_WAIT_NS);
    else this.finishSending();
  }

  // Facts.

  peerName(out: usize): i64 {
    if (this.state == CLOSED || this.state == LISTEN || this.state == SYN_SENT) return -ENOTCONN;
    return writeAddress(out, this.family, this.remoteAddress, this.remotePort);
  }

  acceptedName(out: usize): i64 {
    return writeAddress(out, this.family, this.remoteAddress, this.remotePort);
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    return setTcpOption(this, level, name, value, length);
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    return getTcpOption(this, level, name, value, capacity);
  }

  private takeErrorLocked(): i32 {
    const error = this.error;
    this.error = 0;
    return error;
  }

  takeError(): i32 {
    this.enter();
    while (this.hasArrivals) processChannel(this);
    const error = this.takeErrorLocked();
    this.leave();
    return error;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.changed.add(link);
    if (this.state == LISTEN) return this.hasWaiting ? POLLIN | POLLRDNORM : 0;
    let events: u32 = 0;
    this.enter();
    while (this.hasArrivals) processChannel(this);
    const state = this.state;
    const isConnecting = state == SYN_SENT || state == SYN_RECEIVED;
    const isEnded = state == CLOSED;
    if (this.incomingBytes > 0 || this.finReceived || this.isReadShut || isEnded) {
      events |= POLLIN | POLLRDNORM;
    }
    if (this.finReceived || this.isReadShut || isEnded) events |= POLLRDHUP;
    if (isEnded && !this.wasConnected && this.error == 0) events = 0; // never connected
    if (isEnded || (this.finReceived && this.isWriteShut)) events |= POLLHUP;
    if (!isConnecting) {
      const isRoomy = 3 * <u64>this.outgoing.length <= 2 * <u64>sendLimit(this);
      if (isEnded || this.isWriteShut || (isRoomy && isNotSentLow(this)))
        events |= POLLOUT | POLLWRNORM;
    }
    if (this.error != 0) events |= POLLERR;
    this.leave();
    return events;
  }

  readableBytes(): i64 {
    if (this.state == LISTEN) return -EINVAL;
    this.enter();
    while (this.hasArrivals) processChannel(this);
    const bytes = <i64>this.incomingBytes;
    this.leave();
    return bytes;
  }

  unsentBytes(): i64 {
    return <i64>this.outgoing.length;
  }

  destroy(): void {
    this.reading.dispose();
    free(this.reading);
    this.disposeBacklog();
  }
}
