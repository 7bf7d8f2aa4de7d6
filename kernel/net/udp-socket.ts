/**
 * UDP sockets: udp(7), ip(7).
 *
 *     channel ──drain: checksum, header──► queue ──receive──► the application
 *
 * Locks: `lock` guards the queue and the addresses; bytes are copied without it, from a packet that
 * has left the queue (or, with MSG_PEEK, under `reading`, which keeps other readers away).
 * Neighbours: `udp.ts`, `endpoint.ts`, `inet-options.ts`.
 */
import { freePacket, freePackets, newPacket, Packet } from "../dev/packet";
import {
  EACCES,
  EADDRNOTAVAIL,
  EAGAIN,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  ENOTCONN,
  EPIPE,
} from "../lib/errno";
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
import { copyFromList, copyToList, listTotal } from "./buffer-list";
import { Endpoint } from "./endpoint";
import { getInetOption, InetOptions, setInetOption } from "./inet-options";
import { chooseSource, isBroadcast, isOwnAddress } from "./interface";
import { udpPorts } from "./ports";
import { anyAddress, checkAddress, hostOf, peerOf, portOf, writeAddress } from "./sockaddr";
import { AF_INET, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, ReceiveFacts, SOCK_DGRAM } from "./socket";
import { isIntact, openDatagram, UDP_PAYLOAD_MAX, udpSend } from "./udp";

const IPPROTO_UDP: i32 = 17;
/** What a datagram counts against the receive buffer besides its bytes. */
const OVERHEAD_BYTES: u32 = 256;

export class UdpSocket extends Endpoint {
  options: InetOptions = new InetOptions();
  private reading: Mutex = new Mutex();
  private first: usize = 0;
  private last: usize = 0;
  /** Bytes in channel and queue, with overhead; atomic. */
  private queuedBytes: u32 = 0;
  private error: i32 = 0;
  /** Bound to one address by bind(2). */
  private isAddressFixed: bool = false;
  private isReadShut: bool = false;
  private isWriteShut: bool = false;
  drops: u64 = 0;

  /** @param family AF_INET or AF_INET6 */
  constructor(family: i32) {
    super(family, SOCK_DGRAM, IPPROTO_UDP);
  }

  /** A datagram from the receive path: takes it. Any context. */
  arrived(packet: Packet): void {
    const cell = changetype<usize>(this) + offsetof<UdpSocket>("queuedBytes");
    const cost = packet.length + OVERHEAD_BYTES;
    if (atomic.add<u32>(cell, cost) > this.options.receiveBytes || this.isReadShut) {
      atomic.sub<u32>(cell, cost);
      this.drops++;
      freePacket(packet);
      return;
    }
    packet.headerBytes = cost;
    if (this.append(packet)) this.changed.wakeAll();
  }

  /** An error to report. Any context. */
  failed(error: i32): void {
    this.lock.acquire();
    this.error = error;
    this.changed.wakeAll();
    this.lock.release();
  }

  /** Moves what has arrived to the queue. The lock is held. */
  private drain(): void {
    let address = this.takeChannel();
    while (address != 0) {
      const packet = changetype<Packet>(address);
      address = packet.next;
      packet.next = 0;
      if (!isIntact(packet)) {
        this.uncount(packet);
        this.drops++;
        freePacket(packet);
        continue;
      }
      openDatagram(packet);
      if (this.last != 0) changetype<Packet>(this.last).next = changetype<usize>(packet);
      else this.first = changetype<usize>(packet);
      this.last = changetype<usize>(packet);
    }
  }

  private uncount(packet: Packet): void {
    atomic.sub<u32>(
      changetype<usize>(this) + offsetof<UdpSocket>("queuedBytes"),
      packet.headerBytes,
    );
  }

  bind(address: usize, length: usize): i64 {
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = hostOf(address);
    if (!host.isAny && !isOwnAddress(host) && !isBroadcast(host) && !host.isMulticast) {
      return -EADDRNOTAVAIL;
    }
    if (host.isV4 && this.isV6Only) return -EINVAL;
    if (this.isPortBound) return -EINVAL;
    this.isAddressFixed = !host.isAny;
    return udpPorts.bind(this, host, portOf(address));
  }

  /** Chooses a port if there is none yet. */
  private ensurePort(): i64 {
    return this.isPortBound ? 0 : udpPorts.bind(this, anyAddress(), 0);
  }

  connect(address: usize, length: usize, _flags: u32): i64 {
    if (length >= 2 && load<u16>(address) == 0) {
      this.dissolve();
      return 0;
    }
    const wrong = this.checkPeer(address, length);
    if (wrong != 0) return wrong;
    const host = peerOf(address);
    if (isBroadcast(host) && !this.options.mayBroadcast) return -EACCES;
    const bound = this.ensurePort();
    if (bound != 0) return bound;
    this.dissolve();
    this.lock.acquire();
    const hasSource = this.isAddressFixed || chooseSource(host, this.localAddress);
    if (hasSource) {
      this.remoteAddress.copyFrom(host);
      this.remotePort = portOf(address);
    }
    this.lock.release();
    return hasSource ? 0 : -ENETUNREACH;
  }

  /** Forgets the peer, and the own address that was chosen for it. */
  private dissolve(): void {
    this.lock.acquire();
    this.remotePort = 0;
    this.remoteAddress.clear();
    if (!this.isAddressFixed) this.localAddress.clear();
    this.lock.release();
  }

  /** What is wrong with whom to send to: an AF_INET6 socket takes a sockaddr_in, too (ipv6(7)). */
  private checkPeer(address: usize, length: usize): i64 {
    const isV4 = length >= 2 && load<u16>(address) == <u16>AF_INET;
    const wrong = checkAddress(isV4 ? AF_INET : this.family, address, length);
    if (wrong != 0) return wrong;
    return this.isV6Only && hostOf(address).isV4 ? -ENETUNREACH : 0;
  }

  send(list: usize, _flags: u32, destination: usize, destinationLength: usize): i64 {
    let host = this.remoteAddress;
    let port = this.remotePort;
    if (destination != 0) {
      const wrong = this.checkPeer(destination, destinationLength);
      if (wrong != 0) return wrong;
      host = peerOf(destination);
      port = portOf(destination);
      if (port == 0) return -EINVAL;
    } else if (port == 0) return -EDESTADDRREQ;
    if (this.isWriteShut) return -EPIPE;
    const pending = this.takeError();
    if (pending != 0) return -pending;
    const total = listTotal(list);
    if (total > UDP_PAYLOAD_MAX) return -EMSGSIZE;
    if (isBroadcast(host) && !this.options.mayBroadcast) return -EACCES;
    const bound = this.ensurePort();
    if (bound != 0) return bound;
    const address = newPacket(total);
    if (address == 0) return -ENOBUFS;
    const packet = changetype<Packet>(address);
    packet.destination.copyFrom(host);
    if (!this.sourceOf(packet)) {
      freePacket(packet);
      return -ENETUNREACH;
    }
    if (!copyFromList(list, 0, packet.data, total)) {
      freePacket(packet);
      return -EFAULT;
    }
    packet.length = <u32>total;
    const hopLimit = host.isMulticast ? this.options.multicastTtl : this.timeToLive;
    const result = udpSend(packet, this.localPort, port, hopLimit, this.typeOfService);
    return result != 0 ? <i64>result : <i64>total;
  }

  /** Sets the own address towards the packet's destination; false if there is none. */
  private sourceOf(packet: Packet): bool {
    const local = this.localAddress;
    const source = packet.source;
    if (!local.isAny && !local.isMulticast && !isBroadcast(local)) {
      source.copyFrom(local);
      return local.isV4 == packet.destination.isV4;
    }
    if (chooseSource(packet.destination, source)) return true;
    // Without an address of our own, only everybody can be asked (DHCP).
    source.setV4(0);
    return isBroadcast(packet.destination);
  }

  receive(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
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
        if (slept != 0) result = slept == -110 ? -EAGAIN : <i64>slept;
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
      if (facts.address != 0) {
        facts.addressLength = <usize>(
          writeAddress(facts.address, this.family, packet.source, <u16>packet.sequence)
        );
      }
    }
    if (!copyToList(list, 0, packet.data, part)) return -EFAULT;
    return (flags & MSG_TRUNC) != 0 ? <i64>length : <i64>part;
  }

  shutDown(how: u32): i64 {
    this.lock.acquire();
    if (how != 1) this.isReadShut = true;
    if (how != 0) this.isWriteShut = true;
    this.changed.wakeAll();
    this.lock.release();
    return this.remotePort != 0 ? 0 : -ENOTCONN;
  }

  peerName(out: usize): i64 {
    if (this.remotePort == 0) return -ENOTCONN;
    return writeAddress(out, this.family, this.remoteAddress, this.remotePort);
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
    if (this.error != 0) events |= POLLERR;
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

  close(): void {
    udpPorts.unbind(this);
  }

  destroy(): void {
    udpPorts.unbind(this);
    freePackets(this.takeChannel());
    freePackets(this.first);
    this.reading.dispose();
    free(this.reading);
    free(this.options);
    this.disposeEndpoint();
  }
}
