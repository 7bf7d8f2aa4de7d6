/**
 * UDP sockets: udp(7), ip(7), ipv6(7).
 *
 * Neighbours: `datagram-socket.ts` (receiving), `udp.ts` (the protocol), `control-data.ts`;
 * `udp-lite-socket.ts` is a relative.
 */
import { freePacket, newPacket, Packet } from "../dev/packet";
import {
  EACCES,
  EADDRNOTAVAIL,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  ENOPROTOOPT,
  ENOTCONN,
  EPIPE,
} from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { isBroadcast, isOwnAddress } from "./addresses";
import { copyFromList, listTotal } from "./buffer-list";
import { SendControl } from "./control-data";
import { count, UDP_CHECKSUM_ERRORS } from "./counters";
import { DatagramSocket } from "./datagram-socket";
import { answer } from "./inet-options";
import { Interface, interfaceAt } from "./interface";
import { pathPayloadBytes } from "./ip";
import { leaveAll } from "./memberships";
import { PortTable, udpPorts } from "./ports";
import { chooseSource } from "./routes";
import {
  anyAddress,
  checkAddress,
  hostOf,
  peerOf,
  portOf,
  scopeOf,
  writeAddress,
} from "./sockaddr";
import { AF_INET, SOCK_DGRAM } from "./socket";
import { isIntact, openDatagram, UDP_PAYLOAD_MAX, udpSend } from "./udp";

const IPPROTO_UDP: i32 = 17;
const UDP_SEGMENT: i32 = 103;
const UDP_GRO: i32 = 104;
const SEGMENT_MAX: i32 = 65535;
/** Datagrams that one call may send (Linux: UDP_MAX_SEGMENTS). */
const SEGMENTS_MAX: usize = 64;
const UDP_HEADER_BYTES: u32 = 8;

/** True if a payload may be cut so: no fragments, not too many datagrams. */
function maySegment(host: IpAddress, segment: usize, total: usize): bool {
  return segment + UDP_HEADER_BYTES <= pathPayloadBytes(host) && total <= segment * SEGMENTS_MAX;
}

export class UdpSocket extends DatagramSocket {
  /** Bound to one address by bind(2). */
  private isAddressFixed: bool = false;
  /** UDP_SEGMENT and UDP_GRO (udp(7)). */
  private segmentBytes: u32 = 0;
  private takesMerged: bool = false;

  /** @param family AF_INET or AF_INET6 */
  constructor(family: i32, protocol: i32 = 17 /* IPPROTO_UDP */) {
    super(family, SOCK_DGRAM, protocol);
  }

  /** Where the sockets of the protocol are found. */
  protected get ports(): PortTable {
    return udpPorts;
  }

  protected open(packet: Packet): bool {
    if (!isIntact(packet)) {
      count(UDP_CHECKSUM_ERRORS);
      return false;
    }
    openDatagram(packet);
    return true;
  }

  protected writeSender(packet: Packet, out: usize): usize {
    const scope = packet.source.isLinkLocal ? this.scopeOfPacket(packet) : 0;
    return <usize>writeAddress(out, this.family, packet.source, <u16>packet.sequence, scope);
  }

  bind(address: usize, length: usize): i64 {
    const wrong = checkAddress(this.family, address, length);
    if (wrong != 0) return wrong;
    const host = hostOf(address);
    if (host.isLinkLocal && !this.bindScope(scopeOf(address, length))) return -EINVAL;
    if (!host.isAny && !isOwnAddress(host) && !isBroadcast(host) && !host.isMulticast) {
      return -EADDRNOTAVAIL;
    }
    if (host.isV4 && this.isV6Only) return -EINVAL;
    if (this.isPortBound) return -EINVAL;
    this.isAddressFixed = !host.isAny;
    return this.ports.bind(this, host, portOf(address));
  }

  /** Chooses a port if there is none yet. */
  private ensurePort(): i64 {
    return this.isPortBound ? 0 : this.ports.bind(this, anyAddress(), 0);
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
    if (host.isLinkLocal && !this.bindScope(scopeOf(address, length))) return -EINVAL;
    const bound = this.ensurePort();
    if (bound != 0) return bound;
    this.dissolve();
    this.lock.acquire();
    const hasSource =
      this.isAddressFixed || chooseSource(host, this.localAddress, this.boundInterface);
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

  send(
    list: usize,
    _flags: u32,
    destination: usize,
    destinationLength: usize,
    control: usize,
    controlLength: usize,
  ): i64 {
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
    const scope = destination != 0 ? scopeOf(destination, destinationLength) : 0;
    const extra = new SendControl(this, this.options, host);
    extra.segmentBytes = this.segmentBytes;
    let result: i64 = extra.read(control, controlLength);
    const segment = extra.segmentBytes != 0 ? <usize>extra.segmentBytes : total;
    if (segment < total && !maySegment(host, segment, total)) result = -EINVAL;
    let done: usize = 0;
    while (result == 0) {
      const part = min(segment, total - done);
      result = this.sendPart(list, done, part, host, port, scope, extra);
      done += part;
      if (done >= total) break;
    }
    free(extra);
    return result != 0 ? result : <i64>total;
  }

  /** Sends a part of the list as one datagram. @returns 0 or a negative error */
  private sendPart(
    list: usize,
    offset: usize,
    bytes: usize,
    host: IpAddress,
    port: u16,
    scope: u32,
    extra: SendControl,
  ): i64 {
    const address = newPacket(bytes);
    if (address == 0) return -ENOBUFS;
    const packet = changetype<Packet>(address);
    packet.length = <u32>bytes;
    packet.destination.copyFrom(host);
    let result = this.direct(packet, extra, scope);
    if (result == 0 && !copyFromList(list, offset, packet.data, bytes)) result = -EFAULT;
    if (result == 0) return this.transmit(packet, port, extra);
    freePacket(packet);
    return result;
  }

  /** Puts the header on a payload and sends it. Takes it. @returns 0 or a negative error */
  protected transmit(packet: Packet, port: u16, extra: SendControl): i32 {
    return udpSend(packet, this.localPort, port, extra.hopLimit, extra.trafficClass);
  }

  /** Sets where a packet leaves and from which address; 0 or -ENETUNREACH. */
  private direct(packet: Packet, extra: SendControl, scope: u32): i64 {
    packet.staysOut = !this.options.multicastLoops;
    packet.keepsWhole = this.options.keepsWhole;
    const through = extra.through != 0 ? extra.through : this.outgoingInterface(packet, scope);
    packet.origin = through;
    const source = packet.source;
    source.copyFrom(extra.source);
    if (source.isAny) source.copyFrom(this.localAddress);
    if (!source.isAny && !source.isMulticast && !isBroadcast(source)) {
      return source.isV4 == packet.destination.isV4 ? 0 : -ENETUNREACH;
    }
    if (chooseSource(packet.destination, source, changetype<Interface | null>(through))) return 0;
    // Without an address of our own, only everybody can be asked (DHCP).
    source.setV4(0);
    return isBroadcast(packet.destination) ? 0 : -ENETUNREACH;
  }

  /** The interface that the destination's scope, the socket or its options ask for; 0 = any. */
  private outgoingInterface(packet: Packet, scope: u32): usize {
    if (this.boundTo != 0) return this.boundTo;
    if (scope != 0 && packet.destination.isLinkLocal) return changetype<usize>(interfaceAt(scope));
    if (!packet.destination.isMulticast) return 0;
    const index = scope != 0 ? scope : this.options.multicastInterface;
    return index != 0 ? changetype<usize>(interfaceAt(index)) : 0;
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    if (level != IPPROTO_UDP) return super.setOption(level, name, value, length);
    if (length < 4) return -EINVAL;
    const number = load<i32>(value);
    switch (name) {
      case UDP_SEGMENT:
        if (number < 0 || number > SEGMENT_MAX) return -EINVAL;
        this.segmentBytes = <u32>number;
        return 0;
      case UDP_GRO:
        // Allows the kernel to give several datagrams at once, which it never does.
        this.takesMerged = number != 0;
        return 0;
    }
    return -ENOPROTOOPT;
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    if (level != IPPROTO_UDP) return super.getOption(level, name, value, capacity);
    if (name == UDP_SEGMENT) return answer(<i32>this.segmentBytes, value, capacity);
    if (name == UDP_GRO) return answer(this.takesMerged ? 1 : 0, value, capacity);
    return -ENOPROTOOPT;
  }

  peerName(out: usize): i64 {
    if (this.remotePort == 0) return -ENOTCONN;
    return writeAddress(out, this.family, this.remoteAddress, this.remotePort, this.scope);
  }

  close(): void {
    leaveAll(this);
    this.ports.unbind(this);
  }

  destroy(): void {
    this.ports.unbind(this);
    this.disposeDatagrams();
  }
}
