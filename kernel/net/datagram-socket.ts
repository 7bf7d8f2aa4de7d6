/**
 * What sockets that carry datagrams have in common, UDP's and raw ones: the queue of what has
 * arrived, the queue of errors (ip(7), IP_RECVERR), waiting and polling.
 *
 *     channel ──drain: `open`──► queue ──receive──► the application
 *
 * Locks: `lock` guards the queues and the addresses; bytes are copied without it, from a packet that
 * has left the queue (or, with MSG_PEEK, under `reading`, which keeps other readers away).
 * Neighbours: `udp-socket.ts`, `raw-socket.ts`, `packet-socket.ts`; `endpoint.ts`, `control-data.ts`.
 */
import { compacted, freePacket, freePackets, Packet } from "../dev/packet";
import { EAGAIN, EFAULT, ENOTCONN, ETIMEDOUT } from "../lib/errno";
import { free } from "../lib/object";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from "../fs/constants";
import { monotonicNs } from "../sched/clock";
import { Mutex } from "../sched/mutex";
import { FOREVER, WaitLink } from "../sched/wait";
import { copyToList, listTotal } from "./buffer-list";
import { describeError, describePacket } from "./control-data";
import { count, UDP_BUFFER_ERRORS } from "./counters";
import { Endpoint } from "./endpoint";
import { getInetOption, InetOptions, setInetOption } from "./inet-options";
import { Interface } from "./interface";
import { Membership } from "./memberships";
import { MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK, MSG_TRUNC, ReceiveFacts } from "./socket";

/** What a datagram counts against the receive buffer besides its bytes. */
const OVERHEAD_BYTES: u32 = 256;
/** Up to here datagrams keep the buffers that they came in. */
const SHORT_QUEUE_BYTES: u32 = 16384;
const ERRORS_MAX: u32 = 32;
const IPPROTO_UDP: i32 = 17;

export abstract class DatagramSocket extends Endpoint {
  options: InetOptions = new InetOptions();
  /** Groups it has joined (`memberships.ts`). */
  memberships: Membership | null = null;
  protected isReadShut: bool = false;
  protected isWriteShut: bool = false;
  private reading: Mutex = new Mutex();
  private first: usize = 0;
  private last: usize = 0;
  /** Bytes in channel and queue, with overhead; atomic. */
  private queuedBytes: u32 = 0;
  private error: i32 = 0;
  private errors: usize = 0;
  private errorCount: u32 = 0;
  drops: u64 = 0;

  /** Checks a packet that has arrived and takes its header off; false drops it. The lock is held. */
  protected abstract open(packet: Packet): bool;

  /** Writes the sender's address of an opened packet. @returns its length */
  protected abstract writeSender(packet: Packet, out: usize): usize;

  /** A datagram from the receive path: takes it. Any context. */
  arrived(arrival: Packet): void {
    const cell = changetype<usize>(this) + offsetof<DatagramSocket>("queuedBytes");
    const cost = arrival.length + OVERHEAD_BYTES;
    const queued = atomic.add<u32>(cell, cost);
    if (queued > this.options.receiveBytes || this.isReadShut) {
      atomic.sub<u32>(cell, cost);
      this.drops++;
      if (this.protocol == IPPROTO_UDP) count(UDP_BUFFER_ERRORS);
      freePacket(arrival);
      return;
    }
    // A short queue is soon read; what waits in a longer one is not to keep a page a datagram.
    const packet = queued < SHORT_QUEUE_BYTES ? arrival : compacted(arrival);
    packet.headerBytes = cost;
    if (this.options.needsTime) this.options.stamp(packet);
    if (!this.append(packet)) return;
    // A reader that found the channel empty holds the lock until it can be woken.
    this.lock.acquire();
    this.lock.release();
    this.changed.wakeForOne();
  }

  /** An error to report. Any context. */
  failed(error: i32): void {
    this.lock.acquire();
    this.error = error;
    this.changed.wakeAll();
    this.lock.release();
  }

  /** A described error for the queue (`describeError`): takes the packet. Any context. */
  queueError(packet: Packet, error: i32): void {
    packet.next = 0;
    this.lock.acquire();
    const isKept = this.errorCount < ERRORS_MAX;
    if (isKept) {
      let at = this.errors;
      while (at != 0 && changetype<Packet>(at).next != 0) at = changetype<Packet>(at).next;
      if (at != 0) changetype<Packet>(at).next = changetype<usize>(packet);
      else this.errors = changetype<usize>(packet);
      this.errorCount++;
    }
    this.error = error;
    this.changed.wakeAll();
    this.lock.release();
    if (!isKept) freePacket(packet);
  }

  /** Moves what has arrived to the queue. The lock is held. */
  private drain(): void {
    let address = this.takeChannel();
    while (address != 0) {
      const packet = changetype<Packet>(address);
      address = packet.next;
      packet.next = 0;
      if (!this.open(packet)) {
        this.uncount(packet);
        this.drops++;
        freePacket(packet);
        continue;
      }
      if (this.last != 0) changetype<Packet>(this.last).next = changetype<usize>(packet);
      else this.first = changetype<usize>(packet);
      this.last = changetype<usize>(packet);
    }
  }

  private uncount(packet: Packet): void {
    atomic.sub<u32>(
      changetype<usize>(this) + offsetof<DatagramSocket>("queuedBytes"),
      packet.headerBytes,
    );
  }

  /** The interface that SO_BINDTODEVICE names, or null. */
  get boundInterface(): Interface | null {
    return changetype<Interface | null>(this.boundTo);
  }

  receive(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    if ((flags & MSG_ERRQUEUE) != 0) return this.receiveError(list, facts);
    const deadlineNs =
      this.receiveTimeoutNs == FOREVER ? FOREVER : monotonicNs() + this.receiveTimeoutNs;
    this.lock.acquire();
    while (true) {
      this.drain();
      if (this.first != 0) {
        if ((flags & MSG_PEEK) == 0) break;
        this.lock.release();
        this.reading.lock();
        this.lock.acquire();
        if (this.first != 0) break;
        this.reading.unlock();
        continue;
      }
      const error = this.error;
      this.error = 0;
      let result: i64 = 1;
      if (error != 0) result = -error;
      else if (this.isReadShut) result = 0;
      else if ((flags & MSG_DONTWAIT) != 0) result = -EAGAIN;
      else {
        const slept = this.changed.sleep(this.lock, deadlineNs);
        if (slept != 0) result = slept == -ETIMEDOUT ? -EAGAIN : <i64>slept;
      }
      if (result <= 0) {
        this.lock.release();
        return result;
      }
    }
    return (flags & MSG_PEEK) != 0 ? this.peek(list, flags, facts) : this.take(list, flags, facts);
  }

  /** Takes the first datagram. The lock is held; released on return. */
  private take(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    // A thread that peeks without the lock still looks at the first datagram: it goes first.
    const packet = changetype<Packet>(this.first);
    this.first = packet.next;
    if (this.first == 0) this.last = 0;
    packet.next = 0;
    this.lock.release();
    this.reading.lock();
    this.reading.unlock();
    this.uncount(packet);
    const result = this.deliver(packet, list, flags, facts);
    freePacket(packet);
    return result;
  }

  /** Copies the first datagram. Lock and `reading` are held; released on return. */
  private peek(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    const packet = changetype<Packet>(this.first);
    this.lock.release();
    const result = this.deliver(packet, list, flags, facts);
    this.reading.unlock();
    return result;
  }

  private deliver(packet: Packet, list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    const length = <usize>packet.length;
    const part = min(length, listTotal(list));
    if (facts) {
      facts.flags = part < length ? MSG_TRUNC : 0;
      if (facts.address != 0) facts.addressLength = this.writeSender(packet, facts.address);
      describePacket(facts, this.options, packet, this.family);
    }
    if (!copyToList(list, 0, packet.data, part)) return -EFAULT;
    return (flags & MSG_TRUNC) != 0 ? <i64>length : <i64>part;
  }

  /** Takes the first error of the queue, with the packet it is about (MSG_ERRQUEUE). */
  private receiveError(list: usize, facts: ReceiveFacts | null): i64 {
    this.lock.acquire();
    const address = this.errors;
    if (address != 0) {
      this.errors = changetype<Packet>(address).next;
      this.errorCount--;
      if (this.errors == 0) this.error = 0;
    }
    this.lock.release();
    if (address == 0) return -EAGAIN;
    const packet = changetype<Packet>(address);
    const part = describeError(facts, packet, list, this.family);
    freePacket(packet);
    return part;
  }

  shutDown(how: u32): i64 {
    this.lock.acquire();
    if (how != 1) this.isReadShut = true;
    if (how != 0) this.isWriteShut = true;
    this.changed.wakeAll();
    this.lock.release();
    return this.remoteAddress.isAny ? -ENOTCONN : 0;
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    return setInetOption(this, this.options, level, name, value, length);
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    return getInetOption(this, this.options, level, name, value, capacity);
  }

  takeError(): i32 {
    this.lock.acquire();
    const error = this.error;
    this.error = 0;
    this.lock.release();
    return error;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.changed.add(link);
    this.lock.acquire();
    this.drain();
    let events = POLLOUT | POLLWRNORM;
    if (this.first != 0 || this.isReadShut) events |= POLLIN | POLLRDNORM;
    if (this.isReadShut) events |= POLLRDHUP;
    if (this.isReadShut && this.isWriteShut) events |= POLLHUP;
    if (this.error != 0 || this.errors != 0) events |= POLLERR;
    this.lock.release();
    return events;
  }

  readableBytes(): i64 {
    this.lock.acquire();
    this.drain();
    const bytes = this.first != 0 ? <i64>changetype<Packet>(this.first).length : 0;
    this.lock.release();
    return bytes;
  }

  /** Bytes that wait to be read, with overhead, for /proc/net. */
  get waitingBytes(): u32 {
    return this.queuedBytes;
  }

  unsentBytes(): i64 {
    return 0;
  }

  protected disposeDatagrams(): void {
    freePackets(this.takeChannel());
    freePackets(this.first);
    freePackets(this.errors);
    this.reading.dispose();
    free(this.reading);
    free(this.options);
    this.disposeEndpoint();
  }
}
