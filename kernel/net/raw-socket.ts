/**
 * Raw sockets (raw(7)): packets of one IP protocol, with their IPv4 header when received, without it
 * for IPv6; and the datagram sockets of ICMP, which only send and hear echoes of their own (icmp(7)).
 *
 * Every socket of a protocol gets a copy of every packet. Lock: `lock` guards the list of sockets.
 * Neighbours: `datagram-socket.ts`, `ipv4.ts`, `ipv6-extensions.ts`, `icmp-errors.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { freePacket, gatherBytes, newPacket, Packet, packetBytes } from "../dev/packet";
import {
  EADDRNOTAVAIL,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  ENOPROTOOPT,
  ENOTCONN,
} from "../lib/errno";
import { free } from "../lib/object";
import { isOwnAddress } from "./addresses";
import { copyFromList, listTotal } from "./buffer-list";
import { addBytes, foldSum, load16, pseudoSum, store16 } from "./bytes";
import { newErrorPacket, SendControl } from "./control-data";
import { Endpoint } from "./endpoint";
import { DatagramSocket } from "./datagram-socket";
import { Interface, interfaceAt } from "./interface";
import { answer } from "./inet-options";
import { ipSend, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "./ip";
import { sendWithHeader } from "./ipv4";
import { leaveAll } from "./memberships";
import { chooseSource } from "./routes";
import { checkAddress, hostOf, peerOf, scopeOf, writeAddress } from "./sockaddr";
import { AF_INET, AF_INET6, SOCK_DGRAM } from "./socket";

/** Protocol of sockets that send packets with headers of their own making. */
const PROTOCOL_RAW: i32 = 255;
const PAYLOAD_MAX: usize = 65535;
const IP_HDRINCL: i32 = 3;
const IPV6_CHECKSUM: i32 = 7;
const ICMP_FILTER: i32 = 1;
const ICMPV6_FILTER: i32 = 1;
const ICMPV6_FILTER_BYTES: usize = 32;
const SOL_RAW: i32 = 255;
const ECHO_REPLY_V4: u8 = 0;
const ECHO_REQUEST_V4: u8 = 8;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
const ICMP_BYTES: u32 = 8;
const IDENTIFIER: usize = 4;

export class RawSocket extends DatagramSocket {
  nextRaw: RawSocket | null = null;
  /** IP_HDRINCL: the application writes IPv4 headers. */
  private hasHeader: bool = false;
  /** Where a checksum is to be put into what is sent by IPv6; -1 = nowhere (IPV6_CHECKSUM). */
  private checksumOffset: i32 = -1;
  /** A set bit keeps messages of that type away (ICMP_FILTER, ICMPV6_FILTER). */
  private filter: u32 = 0;
  private filterV6: StaticArray<u32> = new StaticArray<u32>(8);
  private isAddressFixed: bool = false;
  private isListed: bool = true;

  constructor(family: i32, type: i32, protocol: i32) {
    super(family, type, protocol);
    this.hasHeader = protocol == PROTOCOL_RAW;
    if (protocol == PROTOCOL_ICMPV6) this.checksumOffset = 2;
    lock.acquire();
    this.nextRaw = sockets;
    sockets = this;
    count++;
    lock.release();
  }

  /** Datagram sockets of ICMP are told apart by the identifier of their echoes. */
  get isEcho(): bool {
    return this.type == SOCK_DGRAM;
  }

  /** With IPV6_CHECKSUM, packets whose sum is wrong are dropped (RFC 3542, section 3.1). */
  protected open(packet: Packet): bool {
    if (this.checksumOffset < 0 || this.family != AF_INET6) return true;
    const sum = pseudoSum(packet.source, packet.destination, <u32>this.protocol, packet.length);
    return foldSum(addBytes(packet.data, packet.length, sum)) == 0xffff;
  }

  protected writeSender(packet: Packet, out: usize): usize {
    const scope = packet.source.isLinkLocal ? this.scopeOfPacket(packet) : 0;
    return <usize>writeAddress(out, this.family, packet.source, 0, scope);
  }

  /** True if a packet is for this socket; `message` is behind the IP header. */
  wants(packet: Packet, protocol: u8, message: usize, length: u32): bool {
    if (<u8>this.protocol != protocol || packet.source.isV4 != (this.family == AF_INET)) {
      return false;
    }
    const local = this.localAddress;
    if (!local.isAny && !local.equals(packet.destination)) return false;
    const remote = this.remoteAddress;
    if (!remote.isAny && !remote.equals(packet.source)) return false;
    if (this.boundTo != 0 && this.boundTo != packet.origin) return false;
    if (length < 1) return true;
    const type = load<u8>(message);
    if (this.isEcho) {
      const isReply = type == (this.family == AF_INET ? ECHO_REPLY_V4 : ECHO_REPLY_V6);
      return isReply && length >= ICMP_BYTES && load16(message + IDENTIFIER) == this.localPort;
    }
    if (protocol == PROTOCOL_ICMP) return type >= 32 || ((this.filter >> type) & 1) == 0;
    if (protocol != PROTOCOL_ICMPV6) return true;
    return ((this.filterV6[type >> 5] >> (type & 31)) & 1) == 0;
  }

  /** Linux tells the protocol in the place of the port. */
  localName(out: usize): i64 {
    const port = this.isEcho ? this.localPort : this.family == AF_INET6 ? <u16>this.protocol : 0;
    return writeAddress(out, this.family, this.localAddress, port, this.scope);
  }

  bind(address: usize, length: usize): i64 {
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = hostOf(address);
    if (!host.isAny && !host.isMulticast && !isOwnAddress(host)) return -EADDRNOTAVAIL;
    if (host.isLinkLocal && !this.bindScope(scopeOf(address, length))) return -EINVAL;
    if (host.isAny) this.localAddress.clear();
    else this.localAddress.copyFrom(host);
    this.isAddressFixed = !host.isAny;
    if (this.isEcho) this.localPort = load16(address + 2);
    return 0;
  }

  connect(address: usize, length: usize, _flags: u32): i64 {
    if (length >= 2 && load<u16>(address) == 0) {
      this.remoteAddress.clear();
      if (!this.isAddressFixed) this.localAddress.clear();
      return 0;
    }
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = peerOf(address);
    if (host.isLinkLocal && !this.bindScope(scopeOf(address, length))) return -EINVAL;
    const local = this.localAddress;
    if (!this.isAddressFixed && !chooseSource(host, local, this.boundInterface)) {
      return -ENETUNREACH;
    }
    this.remoteAddress.copyFrom(host);
    this.remotePort = load16(address + 2);
    return 0;
  }

  send(
    list: usize,
    _flags: u32,
    destination: usize,
    destinationLength: usize,
    control: usize,
    controlLength: usize,
  ): i64 {
    let host = this.remoteAddress;
    let scope: u32 = 0;
    if (destination != 0) {
      const wrong = checkAddress(this.family, destination, destinationLength);
      if (wrong != 0) return wrong;
      host = peerOf(destination);
      scope = scopeOf(destination, destinationLength);
    } else if (host.isAny) return -EDESTADDRREQ;
    const pending = this.takeError();
    if (pending != 0) return -pending;
    const total = listTotal(list);
    if (total > PAYLOAD_MAX) return -EMSGSIZE;
    const address = newPacket(total);
    if (address == 0) return -ENOBUFS;
    const packet = changetype<Packet>(address);
    packet.length = <u32>total;
    packet.destination.copyFrom(host);
    const extra = new SendControl(this, this.options, host);
    let result: i64 = extra.read(control, controlLength);
    if (result == 0) result = this.direct(packet, extra, scope);
    if (result == 0 && !copyFromList(list, 0, packet.data, total)) result = -EFAULT;
    if (result == 0) result = this.complete(packet);
    if (result != 0) freePacket(packet);
    else if (this.hasHeader) result = sendWithHeader(packet);
    else result = ipSend(packet, <u8>this.protocol, extra.hopLimit, extra.trafficClass);
    free(extra);
    return result != 0 ? result : <i64>total;
  }

  /** Sets where a packet leaves and from which address; 0 or -ENETUNREACH. */
  private direct(packet: Packet, extra: SendControl, scope: u32): i64 {
    packet.staysOut = !this.options.multicastLoops;
    packet.keepsWhole = this.options.keepsWhole;
    let through = extra.through != 0 ? extra.through : this.boundTo;
    const index = packet.destination.isMulticast ? this.options.multicastInterface : 0;
    if (through == 0 && (scope | index) != 0) {
      through = changetype<usize>(interfaceAt(scope != 0 ? scope : index));
    }
    packet.origin = through;
    packet.source.copyFrom(extra.source.isAny ? this.localAddress : extra.source);
    if (!packet.source.isAny) return 0;
    const bound = changetype<Interface | null>(through);
    const hasSource = chooseSource(packet.destination, packet.source, bound);
    // A header of the application's own may say one that is nobody's.
    return hasSource || this.hasHeader ? 0 : -ENETUNREACH;
  }

  /** What the kernel fills in: checksums, and the identifier of echoes; 0 or -EINVAL. */
  private complete(packet: Packet): i64 {
    const message = packet.data;
    if (this.isEcho) {
      const type = this.family == AF_INET ? ECHO_REQUEST_V4 : ECHO_REQUEST_V6;
      if (packet.length < ICMP_BYTES || load<u8>(message) != type) return -EINVAL;
      if (this.localPort == 0) this.localPort = takeIdentifier();
      store16(message + IDENTIFIER, this.localPort);
      if (this.family == AF_INET) {
        store<u16>(message, 0, 2);
        store<u16>(message, ~foldSum(addBytes(message, packet.length, 0)), 2);
      }
    }
    const offset = this.checksumOffset;
    if (offset < 0 || this.family != AF_INET6) return 0;
    if (<u32>offset + 2 > packet.length) return -EINVAL;
    store<u16>(message + <usize>offset, 0);
    const sum = pseudoSum(packet.source, packet.destination, <u32>this.protocol, packet.length);
    store<u16>(message + <usize>offset, ~foldSum(addBytes(message, packet.length, sum)));
    return 0;
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    if (level == SOL_RAW && name == ICMP_FILTER && this.protocol == PROTOCOL_ICMP) {
      if (length < 4) return -EINVAL;
      this.filter = load<u32>(value);
      return 0;
    }
    if (level == PROTOCOL_ICMPV6 && name == ICMPV6_FILTER) {
      if (length < ICMPV6_FILTER_BYTES) return -EINVAL;
      memory.copy(changetype<usize>(this.filterV6), value, ICMPV6_FILTER_BYTES);
      return 0;
    }
    if (level == 0 && name == IP_HDRINCL && this.family == AF_INET && !this.isEcho) {
      this.hasHeader = (length >= 4 ? load<i32>(value) : <i32>load<u8>(value)) != 0;
      return 0;
    }
    if ((level == 41 || level == SOL_RAW) && name == IPV6_CHECKSUM && this.family == AF_INET6) {
      if (length < 4 || this.protocol == PROTOCOL_ICMPV6) return -EINVAL;
      const offset = load<i32>(value);
      if (offset > 0 && (offset & 1) != 0) return -EINVAL;
      this.checksumOffset = max(offset, -1);
      return 0;
    }
    return super.setOption(level, name, value, length);
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    if (level == SOL_RAW && name == ICMP_FILTER && this.protocol == PROTOCOL_ICMP) {
      return answer(<i32>this.filter, value, capacity);
    }
    if (level == 0 && name == IP_HDRINCL && this.family == AF_INET) {
      return answer(this.hasHeader ? 1 : 0, value, capacity);
    }
    if (level == PROTOCOL_ICMPV6 && name == ICMPV6_FILTER) return -ENOPROTOOPT;
    return super.getOption(level, name, value, capacity);
  }

  peerName(out: usize): i64 {
    if (this.remoteAddress.isAny) return -ENOTCONN;
    return writeAddress(out, this.family, this.remoteAddress, 0, this.scope);
  }

  private leaveList(): void {
    lock.acquire();
    if (this.isListed) {
      let before: RawSocket | null = null;
      let at = sockets;
      while (at && at != this) {
        before = at;
        at = at.nextRaw;
      }
      if (before) before.nextRaw = this.nextRaw;
      else sockets = this.nextRaw;
      this.isListed = false;
      count--;
    }
    lock.release();
  }

  close(): void {
    leaveAll(this);
    this.leaveList();
  }

  destroy(): void {
    this.leaveList();
    free(this.filterV6);
    this.disposeDatagrams();
  }
}

const lock = new SpinLock();
let sockets: RawSocket | null = null;
/** How many there are, so that ordinary packets do not take the lock. */
let count: u32 = 0;
let lastIdentifier: u32 = 0;

function takeIdentifier(): u16 {
  lastIdentifier = (lastIdentifier % 0xffff) + 1;
  return <u16>lastIdentifier;
}

/**
 * Gives copies of a packet, `data` behind its IP header, to the sockets of its protocol; the packet
 * stays the caller's. @returns true if there was one
 */
export function rawDeliver(packet: Packet, protocol: u8): bool {
  if (count == 0) return false;
  let isWanted = false;
  lock.acquire();
  let nextRawSocket: RawSocket | null = sockets;
  while (nextRawSocket) {
    const at = nextRawSocket;
    nextRawSocket = at.nextRaw;
    if (!at.wants(packet, protocol, packet.data, packet.length)) continue;
    isWanted = true;
    const copied = copyPacket(packet, at.family == AF_INET && !at.isEcho);
    if (copied != 0) at.arrived(changetype<Packet>(copied));
  }
  lock.release();
  return isWanted;
}

/** Calls `visit` for every socket, with the list's lock held. */
export function forEachRawSocket(
  visit: (endpoint: Endpoint, argument: usize) => void,
  argument: usize,
): void {
  lock.acquire();
  let next = sockets;
  while (next) {
    visit(next, argument);
    next = next.nextRaw;
  }
  lock.release();
}

/** A copy, network header included, with `data` where the application's bytes begin. */
export function copyPacket(packet: Packet, withHeader: bool): usize {
  const start = packet.network != 0 ? packet.network : packet.data;
  const headerBytes = <u32>(packet.data - start);
  const total = headerBytes + packetBytes(packet);
  const address = newPacket(total);
  if (address == 0) return 0;
  const copy = changetype<Packet>(address);
  memory.copy(copy.data, start, headerBytes);
  gatherBytes(packet, copy.data + headerBytes);
  copy.length = total;
  copy.network = copy.data;
  copy.transport = copy.data + headerBytes;
  copy.checksum = packet.checksum;
  copy.origin = packet.origin;
  copy.source.copyFrom(packet.source);
  copy.destination.copyFrom(packet.destination);
  if (!withHeader) {
    copy.length = total - headerBytes;
    copy.data = copy.transport;
  }
  return address;
}

/** An ICMP error about a packet of `protocol`: tells the sockets that may have sent it. */
export function rawFailed(
  message: Packet,
  protocol: u8,
  transport: usize,
  length: u32,
  error: i32,
  information: u32,
): void {
  if (count == 0) return;
  lock.acquire();
  let nextRawSocket: RawSocket | null = sockets;
  while (nextRawSocket) {
    const at = nextRawSocket;
    nextRawSocket = at.nextRaw;
    if (<u8>at.protocol != protocol) continue;
    if (at.isEcho && load16(transport + IDENTIFIER) != at.localPort) continue;
    const remote = at.remoteAddress;
    if (!remote.isAny && !remote.equals(message.destination)) continue;
    if (at.options.reportsErrors) {
      const queued = newErrorPacket(message, transport, length, 0, error, information);
      if (queued != 0) at.queueError(changetype<Packet>(queued), error);
    } else if (!remote.isAny) at.failed(error);
  }
  lock.release();
}
