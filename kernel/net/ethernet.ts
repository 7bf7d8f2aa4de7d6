/**
 * Ethernet II framing (IEEE 802.3; RFC 894, RFC 2464) and VLAN tags (IEEE 802.1Q).
 *
 * Neighbours: `arp.ts`, `ipv4.ts` and `ipv6.ts` above, `dev/network.ts` below; `packet-socket.ts`
 * sees frames both ways.
 */
import { MAC_BYTES, NetworkDevice } from "../dev/network";
import { freePacket, Packet, packetBytes, pull, push } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { arpReceive } from "./arp";
import { load16, store16 } from "./bytes";
import { Interface, vlanOf } from "./interface";
import { ipv4Receive } from "./ipv4";
import { ipv6Receive } from "./ipv6";
import { closeBatch, openBatch } from "./receive-merge";

export const ETHERTYPE_IPV4: u16 = 0x0800;
export const ETHERTYPE_ARP: u16 = 0x0806;
export const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;

export const ETHERNET_HEADER_BYTES: u32 = 14;
const TAG_BYTES: u32 = 4;
const VLAN_MASK: u16 = 0xfff;

export const BROADCAST_MAC: u64 = 0xffffffffffff;

let watcher: ((on: Interface, frame: Packet, isOutgoing: bool) => void) | null = null;

/** Sets who sees every frame, `data` at its header; null = nobody. */
export function setFrameWatcher(
  watch: ((on: Interface, frame: Packet, isOutgoing: bool) => void) | null,
): void {
  watcher = watch;
}

/** Frames from the device, linked by `next`: interrupts are off. Takes the packets. */
export function ethernetReceiveAll(device: NetworkDevice, first: Packet): void {
  const isBatch = first.next != 0;
  if (isBatch) openBatch();
  let at = changetype<usize>(first);
  while (at != 0) {
    const packet = changetype<Packet>(at);
    at = packet.next;
    packet.next = 0;
    ethernetReceive(device, packet);
  }
  if (isBatch) closeBatch();
}

/** One of them. */
function ethernetReceive(device: NetworkDevice, packet: Packet): void {
  if (packet.length < ETHERNET_HEADER_BYTES) {
    freePacket(packet);
    return;
  }
  const isOurs = isForUs(device, packet.data);
  let from: Interface | null = changetype<Interface>(device.owner);
  let type = load16(packet.data + 2 * MAC_BYTES);
  if (type == ETHERTYPE_VLAN && packet.length >= ETHERNET_HEADER_BYTES + TAG_BYTES) {
    // Tag 0 only says a priority.
    const vlan = load16(packet.data + ETHERNET_HEADER_BYTES) & VLAN_MASK;
    if (vlan != 0) from = vlanOf(changetype<Interface>(device.owner), vlan);
    memory.copy(packet.data + TAG_BYTES, packet.data, 2 * MAC_BYTES);
    pull(packet, TAG_BYTES);
    type = load16(packet.data + 2 * MAC_BYTES);
  }
  if (!from || !from.isUp || (!isOurs && from.promiscuity == 0)) {
    freePacket(packet);
    return;
  }
  if (from.vlan != 0) {
    from.received.packets++;
    from.received.bytes += packetBytes(packet);
  }
  const watch = watcher;
  if (watch) watch(from, packet, false);
  if (!isOurs) {
    freePacket(packet);
    return;
  }
  pull(packet, ETHERNET_HEADER_BYTES);
  packet.origin = changetype<usize>(from);
  if (type == ETHERTYPE_IPV4) ipv4Receive(from, packet);
  else if (type == ETHERTYPE_IPV6) ipv6Receive(from, packet);
  else if (type == ETHERTYPE_ARP) arpReceive(from, packet);
  else freePacket(packet);
}

/** Our address, or a group's (the lowest bit of the first byte). */
function isForUs(device: NetworkDevice, destination: usize): bool {
  if ((load<u8>(destination) & 1) != 0) return true;
  const own = device.macAddress;
  return load<u32>(destination) == load<u32>(own) && load<u16>(destination, 4) == load<u16>(own, 4);
}

function writeHeader(header: usize, device: NetworkDevice, destination: u64, type: u16): void {
  store<u32>(header, <u32>destination);
  store<u16>(header, <u16>(destination >> 32), 4);
  memory.copy(header + MAC_BYTES, device.macAddress, MAC_BYTES);
  store16(header + 2 * MAC_BYTES, type);
}

/** Frames a packet and sends it. @param destination hardware address in the low 6 bytes */
export function ethernetSend(
  through: Interface,
  packet: Packet,
  destination: u64,
  type: u16,
): void {
  const device = through.device;
  if (!device || !through.isUp) {
    freePacket(packet);
    return;
  }
  const watch = watcher;
  if (watch) {
    const header = push(packet, ETHERNET_HEADER_BYTES);
    writeHeader(header, device, destination, type);
    watch(through, packet, true);
    pull(packet, ETHERNET_HEADER_BYTES);
  }
  let innerType = type;
  if (through.vlan != 0) {
    const tag = push(packet, TAG_BYTES);
    store16(tag, through.vlan);
    store16(tag + 2, type);
    innerType = ETHERTYPE_VLAN;
    through.sent.packets++;
    through.sent.bytes += packetBytes(packet) + ETHERNET_HEADER_BYTES;
  }
  writeHeader(push(packet, ETHERNET_HEADER_BYTES), device, destination, innerType);
  device.transmit(packet);
}

/** Shows a packet over `lo`, `data` at its IP header: with a header of zeroes in front, as on Linux. */
export function watchLoopback(on: Interface, packet: Packet, type: u16): void {
  const watch = watcher;
  if (!watch) return;
  const header = push(packet, ETHERNET_HEADER_BYTES);
  memory.fill(header, 0, 2 * MAC_BYTES);
  store16(header + 2 * MAC_BYTES, type);
  watch(on, packet, true);
  watch(on, packet, false);
  pull(packet, ETHERNET_HEADER_BYTES);
}

/** The hardware address of all stations, or of a group (RFC 1112, section 6.4; RFC 2464, section 7). */
export function groupMac(address: IpAddress): u64 {
  if (!address.isMulticast) return BROADCAST_MAC;
  const low = <u32>(address.last >> 32); // the last four bytes, as they are in the packet
  if (!address.isV4) return 0x3333 | ((<u64>low) << 16);
  return 0x5e0001 | ((<u64>(low & 0xffff7f00)) << 16);
}
