/**
 * Packet sockets (packet(7)): frames as they come from and go to an interface, for tcpdump(8) and
 * DHCP clients. Rings are those of TPACKET_V2 (`packet-ring.ts`), which libpcap takes where there is no
 * version 3. Filters (SO_ATTACH_FILTER) are refused: libpcap filters by itself.
 *
 *     struct sockaddr_ll: family 2 | protocol 2 | index 4 | hardware type 2 | packet type 1 |
 *                         address length 1 | address 8                                 20 bytes
 *
 * Every socket gets a copy of every frame it asked for. Lock: `lock` guards the list of sockets.
 * Neighbours: `ethernet.ts` shows the frames; `datagram-socket.ts`, `packet-ring.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { MAC_BYTES } from "../dev/network";
import { freePacket, gatherBytes, newPacket, Packet, packetBytes } from "../dev/packet";
import {
  asError,
  EADDRNOTAVAIL,
  EBUSY,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETDOWN,
  ENOBUFS,
  ENODEV,
  ENOENT,
  ENOPROTOOPT,
  ENXIO,
  EOPNOTSUPP,
  ESOCKTNOSUPPORT,
  isError,
} from "../lib/errno";
import { POLLIN, POLLRDNORM } from "../fs/constants";
import { WaitLink } from "../sched/wait";
import { copyFromList, listTotal } from "./buffer-list";
import { load16 } from "./bytes";
import { DatagramSocket } from "./datagram-socket";
import { ETHERNET_HEADER_BYTES, ethernetSend, setFrameWatcher } from "./ethernet";
import { Interface, interfaceAt } from "./interface";
import { PacketRing, RING_REQUEST_BYTES, SLOT_HEADER_BYTES } from "./packet-ring";
import { AF_PACKET, SOCK_DGRAM, SOCK_RAW } from "./socket";

const SOCKADDR_LL_BYTES: usize = 20;
const SOL_PACKET: i32 = 263;
const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_DROP_MEMBERSHIP: i32 = 2;
const PACKET_MREQ_BYTES: usize = 16;
const MEMBER_MULTICAST: u16 = 0;
const MEMBER_PROMISCUOUS: u16 = 1;
const MEMBER_ALL_MULTICAST: u16 = 2;
const PACKET_RX_RING: i32 = 5;
const PACKET_STATISTICS: i32 = 6;
const PACKET_AUXDATA: i32 = 8;
const PACKET_VERSION: i32 = 10;
const PACKET_HDRLEN: i32 = 11;
const PACKET_RESERVE: i32 = 12;
const TPACKET_V2: u32 = 1;
const RESERVE_MAX: u32 = 4096;
const SO_ATTACH_FILTER: i32 = 26;
const SO_DETACH_FILTER: i32 = 27;
const SOL_SOCKET: i32 = 1;
/** Any protocol (linux/if_ether.h). */
const ETH_P_ALL: u16 = 3;

// Kinds of frames (packet(7), sll_pkttype).
const TO_HOST: u8 = 0;
const TO_ALL: u8 = 1;
const TO_GROUP: u8 = 2;
const TO_OTHER: u8 = 3;
const OUTGOING: u8 = 4;
const HARDWARE_ETHERNET: u16 = 1;
const HARDWARE_LOOPBACK: u16 = 772;

const lock = new SpinLock();
let sockets: PacketSocket | null = null;

/** Makes a socket. @param protocol an Ethernet type in network order, 0 = nothing yet */
export function newPacketSocket(type: i32, protocol: i32): usize {
  if (type != SOCK_RAW && type != SOCK_DGRAM) return asError(-ESOCKTNOSUPPORT);
  return changetype<usize>(new PacketSocket(type, protocol));
}

export class PacketSocket extends DatagramSocket {
  nextSocket: PacketSocket | null = null;
  /** Ethernet type that it wants, in host order; 0 = none. */
  private wanted: u16;
  private isListed: bool = true;
  private seen: u32 = 0;
  /** How often it has asked for frames to all stations, and on which interface. */
  private promiscuity: u32 = 0;
  private promiscuousOn: u32 = 0;
  private ring: PacketRing | null = null;
  private ringVersion: u32 = 0;
  private ringReserve: u32 = 0;

  constructor(type: i32, protocol: i32) {
    super(AF_PACKET, type, protocol);
    this.wanted = <u16>(((protocol & 0xff) << 8) | ((protocol >> 8) & 0xff));
    lock.acquire();
    this.nextSocket = sockets;
    sockets = this;
    setFrameWatcher(watchFrame);
    lock.release();
  }

  wants(on: Interface, type: u16): bool {
    if (this.wanted == 0 || (this.wanted != ETH_P_ALL && this.wanted != type)) return false;
    return this.boundTo == 0 || this.boundTo == changetype<usize>(on);
  }

  /** Takes a copy of a frame; `flags` says which way it goes. */
  watch(frame: Packet, on: Interface, isOutgoing: bool): void {
    const ring = this.ring;
    if (ring) {
      this.record(ring, frame, on, isOutgoing);
      return;
    }
    const length = packetBytes(frame);
    const made = newPacket(length);
    if (made == 0) return;
    const copy = changetype<Packet>(made);
    gatherBytes(frame, copy.data);
    copy.length = length;
    copy.origin = changetype<usize>(on);
    copy.network = copy.data;
    copy.staysOut = isOutgoing;
    if (this.type == SOCK_DGRAM) {
      copy.data += ETHERNET_HEADER_BYTES;
      copy.length -= ETHERNET_HEADER_BYTES;
    }
    this.seen++;
    this.arrived(copy);
  }

  /** Copies a frame into the ring. */
  private record(ring: PacketRing, frame: Packet, on: Interface, isOutgoing: bool): void {
    this.seen++;
    const isRaw = this.type == SOCK_RAW;
    const linkBytes: u32 = isRaw ? ETHERNET_HEADER_BYTES : 0;
    const address = ring.fill(frame, linkBytes, ETHERNET_HEADER_BYTES - linkBytes);
    if (address == 0) {
      this.drops++;
      return;
    }
    this.describe(frame.data, on, isOutgoing, address);
    ring.publish(frame);
    this.changed.wakeForOne();
  }

  protected open(_packet: Packet): bool {
    return true;
  }

  protected writeSender(packet: Packet, out: usize): usize {
    const on = changetype<Interface>(packet.origin);
    this.describe(packet.network, on, packet.staysOut, out);
    return SOCKADDR_LL_BYTES;
  }

  /** Writes the struct sockaddr_ll of a frame: who sent it, to whom, which way it goes. */
  private describe(frame: usize, on: Interface, isOutgoing: bool, out: usize): void {
    this.writeName(out, on, load<u16>(frame, 2 * MAC_BYTES));
    store<u8>(out, kindOf(frame, on, isOutgoing), 10);
    memory.copy(out + 12, frame + MAC_BYTES, MAC_BYTES);
  }

  /** Writes a struct sockaddr_ll. @param protocol in network order */
  private writeName(out: usize, on: Interface | null, protocol: u16): void {
    memory.fill(out, 0, SOCKADDR_LL_BYTES);
    store<u16>(out, <u16>AF_PACKET);
    store<u16>(out, protocol, 2);
    if (!on) return;
    store<u32>(out, on.index, 4);
    store<u16>(out, on.isLoopback ? HARDWARE_LOOPBACK : HARDWARE_ETHERNET, 8);
    store<u8>(out, <u8>MAC_BYTES, 11);
    if (on.macAddress != 0) memory.copy(out + 12, on.macAddress, MAC_BYTES);
  }

  localName(out: usize): i64 {
    const protocol = <u16>((this.wanted << 8) | (this.wanted >> 8));
    this.writeName(out, this.boundInterface, protocol);
    return <i64>SOCKADDR_LL_BYTES;
  }

  bind(address: usize, length: usize): i64 {
    if (length < SOCKADDR_LL_BYTES || load<u16>(address) != <u16>AF_PACKET) return -EINVAL;
    const index = load<u32>(address, 4);
    const on = interfaceAt(index);
    if (index != 0 && !on) return -ENODEV;
    this.boundTo = changetype<usize>(on);
    if (load<u16>(address, 2) != 0) this.wanted = load16(address + 2);
    return 0;
  }

  connect(_address: usize, _length: usize, _flags: u32): i64 {
    return -EOPNOTSUPP;
  }

  send(
    list: usize,
    _flags: u32,
    destination: usize,
    destinationLength: usize,
    _control: usize,
    _controlLength: usize,
  ): i64 {
    let on = this.boundInterface;
    let type = this.wanted;
    if (destination != 0) {
      if (destinationLength < SOCKADDR_LL_BYTES) return -EINVAL;
      on = interfaceAt(load<u32>(destination, 4));
      type = load16(destination + 2);
    } else if (this.type == SOCK_DGRAM) return -EINVAL;
    if (!on) return -ENXIO;
    if (!on.isUp || on.isLoopback) return -ENETDOWN;
    const total = listTotal(list);
    const headerBytes: u32 = this.type == SOCK_RAW ? ETHERNET_HEADER_BYTES : 0;
    if (total < headerBytes) return -EINVAL;
    if (total > on.mtuBytes + headerBytes) return -EMSGSIZE;
    const made = newPacket(total);
    if (made == 0) return -ENOBUFS;
    const packet = changetype<Packet>(made);
    packet.length = <u32>total;
    if (!copyFromList(list, 0, packet.data, total)) {
      freePacket(packet);
      return -EFAULT;
    }
    let target = destination != 0 ? destination + 12 : 0;
    if (headerBytes != 0) {
      target = packet.data;
      type = load16(packet.data + 2 * MAC_BYTES);
    }
    const mac = <u64>load<u32>(target) | ((<u64>load<u16>(target, 4)) << 32);
    packet.data += headerBytes;
    packet.length -= headerBytes;
    ethernetSend(on, packet, mac, type);
    return <i64>total;
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    // "There is none to detach": libpcap accepts no other answer.
    if (level == SOL_SOCKET && name == SO_DETACH_FILTER) return -ENOENT;
    if (level == SOL_SOCKET && name == SO_ATTACH_FILTER) return -ENOPROTOOPT;
    if (level != SOL_PACKET) return super.setOption(level, name, value, length);
    switch (name) {
      case PACKET_ADD_MEMBERSHIP:
      case PACKET_DROP_MEMBERSHIP:
        if (length < PACKET_MREQ_BYTES) return -EINVAL;
        return this.changeMembership(value, name == PACKET_ADD_MEMBERSHIP);
      case PACKET_AUXDATA:
        if (length < 4) return -EINVAL;
        return load<i32>(value) == 0 ? 0 : -ENOPROTOOPT;
      case PACKET_RX_RING:
        return this.setRing(value, length);
      case PACKET_VERSION:
      case PACKET_RESERVE:
        if (length < 4) return -EINVAL;
        return this.setRingNumber(name, load<u32>(value));
    }
    return -ENOPROTOOPT;
  }

  private setRingNumber(name: i32, value: u32): i64 {
    if (this.ring) return -EBUSY;
    if (name == PACKET_VERSION) {
      if (value != TPACKET_V2) return -EINVAL;
      this.ringVersion = value;
    } else {
      if (value > RESERVE_MAX) return -EINVAL;
      this.ringReserve = value;
    }
    return 0;
  }

  /** PACKET_RX_RING: from now on frames go to the ring. No blocks end it. */
  private setRing(request: usize, length: usize): i64 {
    if (length < RING_REQUEST_BYTES || this.ringVersion != TPACKET_V2) return -EINVAL;
    const isEnd = load<u32>(request, 4) == 0;
    if (isEnd == (this.ring == null)) return isEnd ? 0 : -EBUSY;
    const made: usize = isEnd ? 0 : PacketRing.make(request, this.ringReserve);
    if (isError(made)) return <i64>made;
    lock.acquire();
    const before = this.ring;
    this.ring = changetype<PacketRing | null>(made);
    lock.release();
    if (before) before.release();
    return 0;
  }

  pager(): usize {
    const ring = this.ring;
    if (!ring) return asError(-EINVAL);
    ring.retain();
    return changetype<usize>(ring);
  }

  poll(link: WaitLink | null): u32 {
    const events = super.poll(link);
    const ring = this.ring;
    return ring && ring.hasFrames ? events | POLLIN | POLLRDNORM : events;
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    if (level != SOL_PACKET) return super.getOption(level, name, value, capacity);
    if (name == PACKET_HDRLEN) {
      // The caller says of which version.
      if (capacity < 4 || load<u32>(value) != TPACKET_V2) return -EINVAL;
      store<u32>(value, SLOT_HEADER_BYTES);
      return 4;
    }
    if (name != PACKET_STATISTICS || capacity < 8) return -ENOPROTOOPT;
    store<u32>(value, this.seen);
    store<u32>(value, <u32>this.drops, 4);
    this.seen = 0;
    this.drops = 0;
    return 8;
  }

  /**
   * Frames of groups and for other stations. The device is not told, as it filters nothing: only
   * `ethernet.ts` does. @param request a struct packet_mreq
   */
  private changeMembership(request: usize, joins: bool): i64 {
    const index = load<u32>(request);
    const on = interfaceAt(index);
    if (!on) return joins ? -ENODEV : 0; // as Linux does
    const type = load<u16>(request, 4);
    if (type == MEMBER_MULTICAST || type == MEMBER_ALL_MULTICAST) return 0; // they all come
    if (type != MEMBER_PROMISCUOUS) return -EOPNOTSUPP;
    if (!joins && (this.promiscuousOn != index || this.promiscuity == 0)) return -EADDRNOTAVAIL;
    // One interface a socket at a time: that is what programs do.
    if (joins && this.promiscuity != 0 && this.promiscuousOn != index) return -ENOBUFS;
    lock.acquire();
    this.promiscuousOn = index;
    this.promiscuity += joins ? 1 : -1;
    on.promiscuity += joins ? 1 : -1;
    lock.release();
    return 0;
  }

  private leaveList(): void {
    lock.acquire();
    if (this.promiscuity != 0) interfaceAt(this.promiscuousOn)!.promiscuity -= this.promiscuity;
    this.promiscuity = 0;
    if (this.isListed) {
      let before: PacketSocket | null = null;
      let at = sockets;
      while (at && at != this) {
        before = at;
        at = at.nextSocket;
      }
      if (before) before.nextSocket = this.nextSocket;
      else sockets = this.nextSocket;
      this.isListed = false;
      if (!sockets) setFrameWatcher(null);
    }
    lock.release();
  }

  close(): void {
    this.leaveList();
  }

  destroy(): void {
    this.leaveList();
    const ring = this.ring;
    if (ring) ring.release();
    this.disposeDatagrams();
  }
}

function kindOf(frame: usize, on: Interface, isOutgoing: bool): u8 {
  if (isOutgoing) return OUTGOING;
  if ((load<u8>(frame) & 1) == 0) return isForStation(on, frame) ? TO_HOST : TO_OTHER;
  return load<u32>(frame) == u32.MAX_VALUE ? TO_ALL : TO_GROUP;
}

function isForStation(on: Interface, frame: usize): bool {
  return on.mac == (<u64>load<u32>(frame) | ((<u64>load<u16>(frame, 4)) << 32));
}

/** Shows a frame, `data` at its Ethernet header, to the sockets that want it. */
function watchFrame(on: Interface, frame: Packet, isOutgoing: bool): void {
  const type = load16(frame.data + 2 * MAC_BYTES);
  lock.acquire();
  let next = sockets;
  while (next) {
    // Sockets for one protocol see what arrives; only those for all see what leaves (packet(7)).
    if (next.wants(on, type) && (!isOutgoing || next.wants(on, ETH_P_ALL))) {
      next.watch(frame, on, isOutgoing);
    }
    next = next.nextSocket;
  }
  lock.release();
}
