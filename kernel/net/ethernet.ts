/**
 * Ethernet II framing (IEEE 802.3; RFC 894), with one VLAN tag (802.1Q) removed on receipt.
 *
 * Neighbours: `arp.ts` and `ipv4.ts` above, `dev/network.ts` below.
 */
import { MAC_BYTES, NetworkDevice } from "../dev/network";
import { freePacket, Packet, pull, push } from "../dev/packet";
import { arpReceive } from "./arp";
import { load16, store16 } from "./bytes";
import { Interface } from "./interface";
import { ipv4Receive } from "./ipv4";

export const ETHERTYPE_IPV4: u16 = 0x0800;
export const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;

const HEADER_BYTES: u32 = 14;
const TAG_BYTES: u32 = 4;

/** A frame from the device: interrupt context. Takes the packet. */
export function ethernetReceive(device: NetworkDevice, packet: Packet): void {
  if (packet.length < HEADER_BYTES || !isForUs(device, packet.data)) {
    freePacket(packet);
    return;
  }
  let type = load16(packet.data + 2 * MAC_BYTES);
  if (type == ETHERTYPE_VLAN && packet.length >= HEADER_BYTES + TAG_BYTES) {
    pull(packet, TAG_BYTES);
    type = load16(packet.data + 2 * MAC_BYTES);
  }
  pull(packet, HEADER_BYTES);
  const from = changetype<Interface>(device.owner);
  packet.origin = device.owner;
  if (type == ETHERTYPE_IPV4) ipv4Receive(from, packet);
  else if (type == ETHERTYPE_ARP) arpReceive(from, packet);
  else freePacket(packet);
}

/** Our address, or a group's (the lowest bit of the first byte). */
function isForUs(device: NetworkDevice, destination: usize): bool {
  if ((load<u8>(destination) & 1) != 0) return true;
  const own = device.macAddress;
  return load<u32>(destination) == load<u32>(own) && load<u16>(destination, 4) == load<u16>(own, 4);
}

/** Frames a packet and sends it. @param destination hardware address in the low 6 bytes */
export function ethernetSend(
  device: NetworkDevice,
  packet: Packet,
  destination: u64,
  type: u16,
): void {
  const header = push(packet, HEADER_BYTES);
  store<u32>(header, <u32>destination);
  store<u16>(header, <u16>(destination >> 32), 4);
  memory.copy(header + MAC_BYTES, device.macAddress, MAC_BYTES);
  store16(header + 2 * MAC_BYTES, type);
  device.transmit(packet);
}
