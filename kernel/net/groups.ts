/**
 * Multicast groups: which are received on which interface, and how routers learn of it: IGMPv2
 * (RFC 2236) and MLD (RFC 2710), which newer routers understand as well.
 *
 * Readers need no lock: entries stay in the list and are used again when nobody is in their group any
 * more. `lock` is for those who join and leave. Neighbours: `memberships.ts` (sockets join there),
 * `ipv4.ts`, `icmpv6.ts` pass queries on.
 */
import { SpinLock } from "../arch/spinlock";
import { newPacket, Packet, push } from "../dev/packet";
import { randomU64 } from "../dev/random";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { armTimer, Timer } from "../sched/timer";
import { chooseAddress } from "./addresses";
import { addBytes, foldSum, pseudoSum, store16, store32 } from "./bytes";
import { EXTENSION_HOP_BY_HOP } from "./ipv6-extensions";
import { Interface } from "./interface";
import { ipSend, PROTOCOL_ICMPV6, PROTOCOL_IGMP } from "./ip";

const IGMP_REPORT: u8 = 0x16;
const IGMP_LEAVE: u8 = 0x17;
const IGMP_BYTES: u32 = 8;
const MLD_REPORT: u8 = 131;
const MLD_DONE: u8 = 132;
const MLD_BYTES: u32 = 24;
/** Hop-by-hop header with a router alert (RFC 2711) and padding. */
const ALERT_BYTES: u32 = 8;
/** How long an answer to a query may wait, at random, so that not all answer at once. */
const REPORT_DELAY_MAX_NS: u64 = 1_000_000_000;
const ALL_ROUTERS_V4: u32 = 0xe0000002;
const ALL_SYSTEMS_V4: u32 = 0xe0000001;

export class Group {
  next: Group | null = null;
  private addressFirst: u64 = 0;
  private addressLast: u64 = 0;
  on: Interface = changetype<Interface>(<usize>0);
  /** How many joined; 0 = the entry is free. */
  members: u32 = 0;
  owesReport: bool = false;

  get address(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Group>("addressFirst"));
  }
}

/** Answers queries after a while. */
class ReportTimer extends Timer {
  expired(): void {
    let nextGroup: Group | null = groups;
    while (nextGroup) {
      const at = nextGroup;
      nextGroup = at.next;
      if (!at.owesReport || at.members == 0) continue;
      at.owesReport = false;
      report(at.on, at.address, true);
    }
  }
}

const lock = new SpinLock();
const timer = new ReportTimer();
let groups: Group | null = null;

/** The first entry; entries without members are to be passed over. */
export function firstGroup(): Group | null {
  return groups;
}

function find(on: Interface, address: IpAddress): Group | null {
  let at = groups;
  while (at && !(at.members != 0 && at.on == on && at.address.equals(address))) at = at.next;
  return at;
}

/** True if packets to the group are received on the interface. */
export function isJoined(on: Interface, address: IpAddress): bool {
  return isForAll(address) || find(on, address) != null;
}

/** 224.0.0.1 and ff01::1, ff02::1, which everybody is in. */
function isForAll(address: IpAddress): bool {
  if (address.isV4) return address.v4 == ALL_SYSTEMS_V4;
  return (address.first == 0x02ff || address.first == 0x01ff) && address.last == 1 << 56;
}

/** Joins a group, once more if need be, and tells routers. */
export function joinGroup(on: Interface, address: IpAddress): void {
  lock.acquire();
  const known = find(on, address);
  if (known) known.members++;
  else {
    let entry = groups;
    while (entry && entry.members != 0) entry = entry.next;
    if (!entry) {
      entry = new Group();
      entry.next = groups;
      groups = entry;
    }
    entry.address.copyFrom(address);
    entry.on = on;
    entry.owesReport = true;
    entry.members = 1;
  }
  lock.release();
  if (known || on.isLoopback || isForAll(address)) return;
  report(on, address, true);
  // Reports get lost: once more a little later (RFC 2236, section 3).
  armTimer(timer, monotonicNs() + (randomU64() % REPORT_DELAY_MAX_NS));
}

/** Leaves a group that was joined. */
export function leaveGroup(on: Interface, address: IpAddress): void {
  lock.acquire();
  const entry = find(on, address);
  if (entry) entry.members--;
  const isLast = entry != null && entry.members == 0;
  lock.release();
  if (isLast && !on.isLoopback && !isForAll(address)) report(on, address, false);
}

/** A router asks who is in a group, or (`::`, 0.0.0.0) in any. Interrupt context. */
export function groupQueried(on: Interface, address: IpAddress, isWhole: bool): void {
  if (!isWhole) return;
  let isOwed = false;
  let nextGroup: Group | null = groups;
  while (nextGroup) {
    const at = nextGroup;
    nextGroup = at.next;
    if (at.members == 0 || at.on != on || isForAll(at.address)) continue;
    if (!address.isAny && !address.equals(at.address)) continue;
    at.owesReport = true;
    isOwed = true;
  }
  if (isOwed && !timer.armed) armTimer(timer, monotonicNs() + (randomU64() % REPORT_DELAY_MAX_NS));
}

/** Tells routers that we are in a group, or no more. */
function report(on: Interface, address: IpAddress, isMember: bool): void {
  const made = newPacket(MLD_BYTES);
  if (made == 0) return;
  const packet = changetype<Packet>(made);
  packet.origin = changetype<usize>(on);
  packet.staysOut = true;
  if (address.isV4) reportV4(packet, address, isMember);
  else reportV6(packet, on, address, isMember);
}

function reportV4(packet: Packet, address: IpAddress, isMember: bool): void {
  packet.length = IGMP_BYTES;
  const message = packet.data;
  store32(message, (<u32>(isMember ? IGMP_REPORT : IGMP_LEAVE)) << 24);
  store32(message + 4, address.v4);
  store<u16>(message, ~foldSum(addBytes(message, IGMP_BYTES, 0)), 2);
  if (isMember) packet.destination.copyFrom(address);
  else packet.destination.setV4(ALL_ROUTERS_V4);
  const on = changetype<Interface>(packet.origin);
  if (!chooseAddress(on, packet.destination, packet.source)) packet.source.setV4(0);
  ipSend(packet, PROTOCOL_IGMP, 1);
}

function reportV6(packet: Packet, on: Interface, address: IpAddress, isMember: bool): void {
  packet.length = MLD_BYTES;
  const message = packet.data;
  memory.fill(message, 0, MLD_BYTES);
  store<u8>(message, isMember ? MLD_REPORT : MLD_DONE);
  changetype<IpAddress>(message + 8).copyFrom(address);
  if (isMember) packet.destination.copyFrom(address);
  else {
    packet.destination.first = 0x02ff;
    packet.destination.last = 2 << 56;
  }
  if (!chooseAddress(on, packet.destination, packet.source)) packet.source.clear();
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_ICMPV6, MLD_BYTES);
  store<u16>(message, ~foldSum(addBytes(message, MLD_BYTES, sum)), 2);
  const alert = push(packet, ALERT_BYTES);
  store<u8>(alert, PROTOCOL_ICMPV6);
  store<u8>(alert, 0, 1);
  store16(alert + 2, 0x0502); // router alert, two bytes: MLD is 0
  store16(alert + 4, 0);
  store16(alert + 6, 0x0100); // padding of two bytes
  ipSend(packet, EXTENSION_HOP_BY_HOP, 1);
}
