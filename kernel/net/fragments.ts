/**
 * Reassembly of fragments: RFC 791 section 3.2, RFC 1122 section 3.3.2, RFC 8200 section 4.5.
 * Overlapping fragments end the datagram, as RFC 5722 asks for IPv6: no honest sender makes them.
 *
 * A few datagrams at a time, each of few fragments in blocks that fit, so that all keep three megabytes
 * at most; a new one takes the place of the oldest. What is not whole after 30 seconds is forgotten, and
 * its sender told if its first fragment had come. Lock: `lock` guards everything; packets are sent
 * without it.
 * Neighbours: `ipv4.ts`, `ipv6-extensions.ts`; `icmp.ts`, `icmpv6.ts` tell.
 */
import { SpinLock } from "../arch/spinlock";
import { blockBytes, compacted, freePacket, freePackets, newPacket, Packet } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { armTimer, disarmTimer, Timer } from "../sched/timer";
import { sendReassemblyTimeout } from "./icmp";
import { sendReassemblyTimeoutV6 } from "./icmpv6";

const DATAGRAMS_MAX: i32 = 32;
const LIFETIME_NS: u64 = 30_000_000_000;
const FRAGMENTS_MAX: u32 = 128;
const V4_PAYLOAD_MAX: u32 = 65515;
const V6_PAYLOAD_MAX: u32 = 65535;

class Datagram {
  private sourceFirst: u64 = 0;
  private sourceLast: u64 = 0;
  private destinationFirst: u64 = 0;
  private destinationLast: u64 = 0;
  /** Identification, for IPv4 with the protocol; fragments of one datagram agree in all four. */
  key: u32 = 0;
  startedNs: u64 = 0;
  /** Fragments by offset (Packet.sequence), linked by `next`; 0 = the slot is free. */
  first: usize = 0;
  count: u32 = 0;
  receivedBytes: u32 = 0;
  /** Bytes of the whole, known from the last fragment; 0 = not yet. */
  totalBytes: u32 = 0;

  get source(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Datagram>("sourceFirst"));
  }

  get destination(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Datagram>("destinationFirst"));
  }

  drop(): void {
    freePackets(this.takeAll());
  }

  /** Takes the fragments out, linked by `next`: the slot is free. */
  takeAll(): usize {
    const all = this.first;
    for (let at = all; at != 0; at = changetype<Packet>(at).next) {
      heldBytes -= blockBytes(changetype<Packet>(at));
    }
    this.first = 0;
    this.count = 0;
    this.receivedBytes = 0;
    this.totalBytes = 0;
    return all;
  }
}

/** Forgets what has waited too long. Armed while there are fragments. */
class Expiry extends Timer {
  expired(): void {
    let late: usize = 0;
    let nextNs: u64 = 0;
    lock.acquire();
    const nowNs = monotonicNs();
    for (let i = 0; i < DATAGRAMS_MAX; i++) {
      const slot = datagrams[i];
      if (slot == null || slot.first == 0) continue;
      const endNs = slot.startedNs + LIFETIME_NS;
      if (endNs <= nowNs) late = withFirst(slot.takeAll(), late);
      else if (nextNs == 0 || endNs < nextNs) nextNs = endNs;
    }
    if (nextNs != 0) {
      // Armed for later by now, perhaps; to wait for it with the lock held could be for ever.
      disarmTimer(this);
      armTimer(this, nextNs);
    }
    lock.release();
    while (late != 0) {
      const packet = changetype<Packet>(late);
      late = packet.next;
      packet.network = packet.data;
      if (packet.source.isV4) sendReassemblyTimeout(packet);
      else sendReassemblyTimeoutV6(packet);
    }
  }
}

/** Frees fragments but the first of its datagram, which goes in front of a list. */
function withFirst(fragments: usize, list: usize): usize {
  const first = changetype<Packet>(fragments);
  if (first.sequence != 0) {
    freePackets(fragments);
    return list;
  }
  freePackets(first.next);
  first.next = list;
  return fragments;
}

const lock = new SpinLock();
const datagrams = new StaticArray<Datagram | null>(DATAGRAMS_MAX);
const expiry = new Expiry();
/** Memory that the fragments keep. */
let heldBytes: u32 = 0;

/** Memory in bytes that fragments of unfinished datagrams keep, for /proc/net/sockstat. */
export function fragmentBytes(): u32 {
  return heldBytes;
}

/** Number of unfinished datagrams. */
export function unfinishedDatagrams(): u32 {
  let unfinished: u32 = 0;
  for (let i = 0; i < DATAGRAMS_MAX; i++) {
    const slot = datagrams[i];
    if (slot != null && slot.first != 0) unfinished++;
  }
  return unfinished;
}

/** The datagram that a fragment belongs to: the one begun, or a slot for it. */
function datagramOf(packet: Packet, key: u32): Datagram {
  const nowNs = monotonicNs();
  let oldest: i32 = 0;
  for (let i = 0; i < DATAGRAMS_MAX; i++) {
    let slot = datagrams[i];
    if (slot == null) {
      slot = new Datagram();
      datagrams[i] = slot;
    }
    if (slot.first == 0) {
      slot.startedNs = 0;
    } else if (nowNs - slot.startedNs > LIFETIME_NS) {
      slot.drop();
      slot.startedNs = 0;
    } else if (
      slot.key == key &&
      slot.source.equals(packet.source) &&
      slot.destination.equals(packet.destination)
    ) {
      return slot;
    }
    if (slot.startedNs < datagrams[oldest]!.startedNs) oldest = i;
  }
  const taken = datagrams[oldest]!;
  taken.drop();
  taken.source.copyFrom(packet.source);
  taken.destination.copyFrom(packet.destination);
  taken.key = key;
  taken.startedNs = nowNs;
  if (!expiry.armed) armTimer(expiry, nowNs + LIFETIME_NS);
  return taken;
}

/**
 * Takes a fragment, `data` at its IP header.
 * @param headerBytes from there to the fragment's payload
 * @param offset of the payload in the whole, in bytes
 * @param key what tells the datagram from others between the same machines
 * @returns the whole as a Packet, `data` at the first header, `headerBytes` set, or 0
 */
export function reassemble(
  fragment: Packet,
  headerBytes: u32,
  offset: u32,
  hasMore: bool,
  key: u32,
): usize {
  const packet = compacted(fragment);
  const length = packet.length - headerBytes;
  const most = packet.source.isV4 ? V4_PAYLOAD_MAX : V6_PAYLOAD_MAX;
  if (length == 0 || (hasMore && (length & 7) != 0) || offset + length > most) {
    freePacket(packet);
    return 0;
  }
  packet.sequence = offset;
  packet.headerBytes = headerBytes;
  lock.acquire();
  const datagram = datagramOf(packet, key);
  let whole: usize = 0;
  if (isRepetition(datagram, packet)) freePacket(packet);
  else if (!insert(datagram, packet, offset, length, hasMore)) {
    freePacket(packet);
    datagram.drop();
  } else if (datagram.totalBytes != 0 && datagram.receivedBytes == datagram.totalBytes) {
    whole = join(datagram);
    datagram.drop();
  }
  lock.release();
  return whole;
}

/** True if the same fragment is there already: the network duplicates packets. */
function isRepetition(within: Datagram, packet: Packet): bool {
  for (let at = within.first; at != 0; at = changetype<Packet>(at).next) {
    const other = changetype<Packet>(at);
    if (other.sequence == packet.sequence) return other.length == packet.length;
  }
  return false;
}

/** Puts a fragment in its place; false if it contradicts those that are there. */
function insert(to: Datagram, packet: Packet, offset: u32, length: u32, hasMore: bool): bool {
  if (to.count == FRAGMENTS_MAX) return false;
  if (!hasMore) {
    if (to.totalBytes != 0) return false;
    to.totalBytes = offset + length;
  }
  let before: usize = 0;
  let after = to.first;
  while (after != 0 && changetype<Packet>(after).sequence < offset) {
    before = after;
    after = changetype<Packet>(after).next;
  }
  if (before != 0) {
    const previous = changetype<Packet>(before);
    if (previous.sequence + previous.length - previous.headerBytes > offset) return false;
  }
  if (after != 0 && changetype<Packet>(after).sequence < offset + length) return false;
  if (after == 0 && to.totalBytes != 0 && offset + length > to.totalBytes) return false;
  if (!hasMore && after != 0) return false;
  packet.next = after;
  if (before != 0) changetype<Packet>(before).next = changetype<usize>(packet);
  else to.first = changetype<usize>(packet);
  to.count++;
  heldBytes += blockBytes(packet);
  to.receivedBytes += length;
  return true;
}

/** Copies the fragments into one packet; 0 without memory. */
function join(datagram: Datagram): usize {
  const head = changetype<Packet>(datagram.first);
  const address = newPacket(head.headerBytes + datagram.totalBytes);
  if (address == 0) return 0;
  const whole = changetype<Packet>(address);
  memory.copy(whole.data, head.data, head.headerBytes);
  for (let at = datagram.first; at != 0; at = changetype<Packet>(at).next) {
    const part = changetype<Packet>(at);
    memory.copy(
      whole.data + head.headerBytes + part.sequence,
      part.data + part.headerBytes,
      part.length - part.headerBytes,
    );
  }
  whole.length = head.headerBytes + datagram.totalBytes;
  whole.headerBytes = head.headerBytes;
  whole.origin = head.origin;
  whole.source.copyFrom(head.source);
  whole.destination.copyFrom(head.destination);
  return address;
}
