/**
 * Address resolution for IPv4 over Ethernet: RFC 826, RFC 1122 section 2.3.2, RFC 5227 section 2.4
 * (no defence of addresses).
 *
 * An entry that is being resolved keeps a few packets. There is no timer of its own: whoever sends
 * again (TCP's retransmission, an application) asks again, at most once a second.
 *
 * Lock: `lock` guards the table; not held while packets are sent.
 * Neighbours: `ethernet.ts`, `ipv4.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { MAC_BYTES, NetworkDevice } from "../dev/network";
import { freePacket, freePackets, newPacket, Packet } from "../dev/packet";
import { monotonicNs } from "../sched/clock";
import { load16, load32, store16, store32 } from "./bytes";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernetSend } from "./ethernet";
import { Interface } from "./interface";

const ARP_BYTES: u32 = 28;
const HARDWARE_ETHERNET: u16 = 1;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/** How long an answer is believed before it is asked for again. */
const FRESH_NS: u64 = 60_000_000_000;
const ASK_INTERVAL_NS: u64 = 1_000_000_000;
const PENDING_MAX: u32 = 16;
const TABLE_MAX: u32 = 256;
const BROADCAST_MAC: u64 = 0xffffffffffff;

class Neighbour {
  next: Neighbour | null = null;
  address: u32 = 0;
  /** Hardware address in the low 6 bytes. */
  mac: u64 = 0;
  isResolved: bool = false;
  /** When the address was confirmed, and when it was last asked for. */
  confirmedNs: u64 = 0;
  askedNs: u64 = 0;
  pendingFirst: usize = 0;
  pendingLast: usize = 0;
  pendingCount: u32 = 0;
}

const lock = new SpinLock();
let neighbours: Neighbour | null = null;
let neighbourCount: u32 = 0;

function find(address: u32): Neighbour | null {
  let entry = neighbours;
  while (entry && entry.address != address) entry = entry.next;
  return entry;
}

/** Adds an entry, in place of the one confirmed longest ago if there are too many. */
function add(address: u32): Neighbour {
  let entry: Neighbour | null = null;
  if (neighbourCount >= TABLE_MAX) {
    let candidate = neighbours;
    while (candidate) {
      if (entry == null || candidate.confirmedNs < entry.confirmedNs) entry = candidate;
      candidate = candidate.next;
    }
  }
  if (entry == null) {
    entry = new Neighbour();
    entry.next = neighbours;
    neighbours = entry;
    neighbourCount++;
  }
  freePackets(entry.pendingFirst);
  entry.pendingFirst = 0;
  entry.pendingLast = 0;
  entry.pendingCount = 0;
  entry.address = address;
  entry.isResolved = false;
  entry.confirmedNs = monotonicNs();
  entry.askedNs = 0;
  return entry;
}

/** Sends an IPv4 packet to the neighbour `address`, resolving it if need be. Takes the packet. */
export function sendToNeighbour(through: Interface, packet: Packet, address: u32): void {
  const device = through.device!;
  const nowNs = monotonicNs();
  lock.acquire();
  let entry = find(address);
  if (entry == null) entry = add(address);
  const isResolved = entry.isResolved;
  const mac = entry.mac;
  const isStale = !isResolved || nowNs - entry.confirmedNs > FRESH_NS;
  const ask = isStale && (entry.askedNs == 0 || nowNs - entry.askedNs > ASK_INTERVAL_NS);
  if (ask) entry.askedNs = nowNs;
  let refused = false;
  if (!isResolved) {
    refused = entry.pendingCount == PENDING_MAX;
    if (!refused) keep(entry, packet);
  }
  lock.release();
  if (refused) freePacket(packet);
  if (ask) request(through, device, address);
  if (isResolved) ethernetSend(device, packet, mac, ETHERTYPE_IPV4);
}

function keep(entry: Neighbour, packet: Packet): void {
  const at = changetype<usize>(packet);
  packet.next = 0;
  if (entry.pendingLast != 0) changetype<Packet>(entry.pendingLast).next = at;
  else entry.pendingFirst = at;
  entry.pendingLast = at;
  entry.pendingCount++;
}

/** Sends an IPv4 packet to all stations, or to a multicast group (RFC 1112, section 6.4). */
export function sendToGroup(through: Interface, packet: Packet, address: u32): void {
  const device = through.device!;
  if (address >> 28 != 14) {
    ethernetSend(device, packet, BROADCAST_MAC, ETHERTYPE_IPV4);
    return;
  }
  const low = address & 0x7fffff;
  const mac =
    0x5e0001 |
    ((<u64>(low >> 16)) << 24) |
    ((<u64>((low >> 8) & 0xff)) << 32) |
    ((<u64>(low & 0xff)) << 40);
  ethernetSend(device, packet, mac, ETHERTYPE_IPV4);
}

/** Fills and sends a message; `target` is 0 in a request. */
function sendMessage(
  through: Interface,
  device: NetworkDevice,
  operation: u16,
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
  memory.copy(message + 8, device.macAddress, MAC_BYTES);
  store32(message + 14, through.address);
  store<u32>(message, <u32>target, 18);
  store<u16>(message, <u16>(target >> 32), 22);
  store32(message + 24, targetAddress);
  ethernetSend(device, packet, link, ETHERTYPE_ARP);
}

function request(through: Interface, device: NetworkDevice, address: u32): void {
  sendMessage(through, device, REQUEST, 0, address, BROADCAST_MAC);
}

/** Tells everybody our address (RFC 5227, section 2.3: an announcement). */
export function announce(through: Interface): void {
  request(through, through.device!, through.address);
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
    const isForUs = from.address != 0 && load32(message + 24) == from.address;
    if (sender != 0 && sender != from.address) learn(from, sender, macAt(message + 8), isForUs);
    if (operation == REQUEST && isForUs) {
      const mac = macAt(message + 8);
      sendMessage(from, from.device!, REPLY, mac, sender, mac);
    }
  }
  freePacket(packet);
}

function macAt(address: usize): u64 {
  return <u64>load<u32>(address) | ((<u64>load<u16>(address, 4)) << 32);
}

/** Notes a neighbour's address if it is known already, or if it speaks to us; sends what waited. */
function learn(from: Interface, address: u32, mac: u64, isForUs: bool): void {
  lock.acquire();
  let entry = find(address);
  if (entry == null && isForUs) entry = add(address);
  let pending: usize = 0;
  if (entry) {
    entry.mac = mac;
    entry.isResolved = true;
    entry.confirmedNs = monotonicNs();
    entry.askedNs = 0;
    pending = entry.pendingFirst;
    entry.pendingFirst = 0;
    entry.pendingLast = 0;
    entry.pendingCount = 0;
  }
  lock.release();
  while (pending != 0) {
    const packet = changetype<Packet>(pending);
    pending = packet.next;
    packet.next = 0;
    ethernetSend(from.device!, packet, mac, ETHERTYPE_IPV4);
  }
}
