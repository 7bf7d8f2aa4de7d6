/**
 * Address resolution for IPv4 over Ethernet: RFC 826, RFC 5227 section 2.3 (announcement; addresses
 * are not defended).
 *
 * Neighbours: `neighbours.ts` keeps what is learnt, `ethernet.ts` carries the messages.
 */
import { MAC_BYTES } from "../dev/network";
import { freePacket, newPacket, Packet } from "../dev/packet";
import { firstV4, isOwnAddress } from "./addresses";
import { load16, load32, store16, store32 } from "./bytes";
import { BROADCAST_MAC, ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernetSend } from "./ethernet";
import { Interface } from "./interface";
import { learnNeighbour } from "./neighbours";

const ARP_BYTES: u32 = 28;
const HARDWARE_ETHERNET: u16 = 1;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/** Fills and sends a message; `target` is 0 in a request. */
function sendMessage(
  through: Interface,
  operation: u16,
  sender: u32,
  target: u64,
  targetAddress: u32,
  link: u64,
): void {
  const address = newPacket(ARP_BYTES);
  if (address == 0) return;
  const packet = changetype<Packet>(address);
  packet.length = ARP_BYTES;
  const message = packet.data;
  store16(message, HARDWARE_ETHERNET);
  store16(message + 2, ETHERTYPE_IPV4);
  store<u8>(message, <u8>MAC_BYTES, 4);
  store<u8>(message, 4, 5);
  store16(message + 6, operation);
  memory.copy(message + 8, through.macAddress, MAC_BYTES);
  store32(message + 14, sender);
  store<u32>(message, <u32>target, 18);
  store<u16>(message, <u16>(target >> 32), 22);
  store32(message + 24, targetAddress);
  ethernetSend(through, packet, link, ETHERTYPE_ARP);
}

/** Asks who has an address. */
export function arpRequest(through: Interface, address: u32): void {
  sendMessage(through, REQUEST, firstV4(through), 0, address, BROADCAST_MAC);
}

/** Tells everybody one of our addresses (RFC 5227, section 2.3: an announcement). */
export function announce(through: Interface, address: u32): void {
  sendMessage(through, REQUEST, address, 0, address, BROADCAST_MAC);
}

/** A message arrived. Takes the packet. */
export function arpReceive(from: Interface, packet: Packet): void {
  const message = packet.data;
  if (
    packet.length >= ARP_BYTES &&
    load16(message) == HARDWARE_ETHERNET &&
    load16(message + 2) == ETHERTYPE_IPV4 &&
    load<u8>(message, 4) == <u8>MAC_BYTES &&
    load<u8>(message, 5) == 4
  ) {
    const operation = load16(message + 6);
    const sender = load32(message + 14);
    const target = load32(message + 24);
    packet.source.setV4(sender);
    packet.destination.setV4(target);
    const isForUs =
      target != 0 && !packet.destination.isLoopback && isOwnAddress(packet.destination);
    if (sender != 0 && !isOwnAddress(packet.source)) {
      learnNeighbour(from, packet.source, macAt(message + 8), isForUs);
    }
    if (operation == REQUEST && isForUs) {
      const mac = macAt(message + 8);
      sendMessage(from, REPLY, target, mac, sender, mac);
    }
  }
  freePacket(packet);
}

function macAt(address: usize): u64 {
  return <u64>load<u32>(address) | ((<u64>load<u16>(address, 4)) << 32);
}
