/**
 * Hardware addresses of neighbours, of both families: the table that ARP (RFC 826, RFC 1122 section
 * 2.3.2) and neighbour discovery (RFC 4861, section 7) fill.
 *
 * An entry that is being resolved keeps a few packets and asks three times, a second apart; then the
 * senders of the packets hear that the host cannot be reached (RFC 4861, section 7.2.2). A hardware
 * address that changes unasked is used, but asked for with the next packet, for both families
 * (section 7.2.5: STALE): whoever lies, or a damaged message, misleads for one round trip.
 *
 * Lock: `lock` guards the table; not held while packets are sent. Packets to a neighbour that is known
 * do not take it: entries are never freed, and one that changes while it is read has another `version`
 * afterwards.
 * Neighbours: `arp.ts`, `neighbour-discovery.ts`, `ethernet.ts`; `icmp.ts`, `icmpv6.ts` report.
 */
import { SpinLock } from "../arch/spinlock";
import { freePacket, freePackets, Packet } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { armTimer, Timer } from "../sched/timer";
import { arpRequest } from "./arp";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethernetSend } from "./ethernet";
import { reportLostNeighbour } from "./icmp";
import { reportLostNeighbourV6 } from "./icmpv6";
import { Interface } from "./interface";
import { solicitNeighbour } from "./neighbour-discovery";

/** How long an answer is believed before it is asked for again. */
const FRESH_NS: u64 = 60_000_000_000;
const ASK_INTERVAL_NS: u64 = 1_000_000_000;
/** MAX_MULTICAST_SOLICIT (RFC 4861, section 10). */
const QUESTIONS_MAX: u32 = 3;
const PENDING_MAX: u32 = 16;
const TABLE_MAX: u32 = 256;
/** In the first byte of a hardware address: a group's. */
const GROUP_BIT: u64 = 1;

export class Neighbour extends Timer {
  nextNeighbour: Neighbour | null = null;
  private addressFirst: u64 = 0;
  private addressLast: u64 = 0;
  through: Interface = changetype<Interface>(<usize>0);
  /** Hardware address in the low 6 bytes. */
  mac: u64 = 0;
  isResolved: bool = false;
  /** Its hardware address changed without a question: to be confirmed. */
  isStale: bool = false;
  /** It says it is a router (RFC 4861, section 4.4). */
  isRouter: bool = false;
  /** Grows before and after a change of address, interface or hardware address: odd between. */
  version: u32 = 0;
  /** When the address was confirmed, and when it was last asked for. */
  confirmedNs: u64 = 0;
  askedNs: u64 = 0;
  /** How often it was asked for since packets wait. */
  questions: u32 = 0;
  pendingFirst: usize = 0;
  pendingLast: usize = 0;
  pendingCount: u32 = 0;

  get address(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Neighbour>("addressFirst"));
  }

  /** True while its answer needs no confirmation. */
  isFresh(nowNs: u64): bool {
    return this.isResolved && !this.isStale && nowNs - this.confirmedNs <= FRESH_NS;
  }

  /** Marks the beginning or the end of a change. The table's lock is held. */
  toggle(): void {
    const cell = changetype<usize>(this) + offsetof<Neighbour>("version");
    atomic.add<u32>(cell, 1);
  }

  /** Keeps a packet until the address is known. */
  keep(packet: Packet): void {
    const at = changetype<usize>(packet);
    packet.next = 0;
    if (this.pendingLast != 0) changetype<Packet>(this.pendingLast).next = at;
    else this.pendingFirst = at;
    this.pendingLast = at;
    this.pendingCount++;
  }

  /** Takes the kept packets out, linked by `next`. */
  takePending(): usize {
    const first = this.pendingFirst;
    this.pendingFirst = 0;
    this.pendingLast = 0;
    this.pendingCount = 0;
    this.questions = 0;
    return first;
  }

  /** A second without an answer: asks again, or gives up. */
  expired(): void {
    lock.acquire();
    const isWaiting = !this.isResolved && this.pendingFirst != 0;
    const asks = isWaiting && this.questions < QUESTIONS_MAX;
    let lost: usize = 0;
    if (asks) {
      this.questions++;
      this.askedNs = monotonicNs();
      armTimer(this, this.askedNs + ASK_INTERVAL_NS);
    } else if (isWaiting) lost = this.takePending();
    lock.release();
    if (asks) this.ask();
    while (lost != 0) {
      const packet = changetype<Packet>(lost);
      lost = packet.next;
      packet.next = 0;
      if (this.address.isV4) reportLostNeighbour(packet);
      else reportLostNeighbourV6(packet);
    }
  }

  /** Asks everybody on the link who it is. */
  ask(): void {
    const address = this.address;
    if (address.isV4) arpRequest(this.through, address.v4);
    else solicitNeighbour(this.through, address);
  }
}

const lock = new SpinLock();
let neighbours: Neighbour | null = null;
let neighbourCount: u32 = 0;

function find(through: Interface, address: IpAddress): Neighbour | null {
  let entry = neighbours;
  while (entry && !(entry.address.equals(address) && entry.through == through)) {
    entry = entry.nextNeighbour;
  }
  return entry;
}

/** Adds an entry, in place of the one confirmed longest ago if there are too many. */
function add(through: Interface, address: IpAddress): Neighbour {
  let entry: Neighbour | null = null;
  if (neighbourCount >= TABLE_MAX) {
    let nextNeighbour: Neighbour | null = neighbours;
    while (nextNeighbour) {
      const candidate = nextNeighbour;
      nextNeighbour = candidate.nextNeighbour;
      if (entry == null || candidate.confirmedNs < entry.confirmedNs) entry = candidate;
    }
  }
  if (entry == null) {
    entry = new Neighbour();
    entry.nextNeighbour = neighbours;
    neighbours = entry;
    neighbourCount++;
  }
  freePackets(entry.takePending());
  entry.toggle();
  entry.address.copyFrom(address);
  entry.through = through;
  entry.isResolved = false;
  entry.mac = 0;
  entry.toggle();
  entry.isRouter = false;
  entry.isStale = false;
  entry.confirmedNs = monotonicNs();
  entry.askedNs = 0;
  return entry;
}

function typeOf(address: IpAddress): u16 {
  return address.isV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
}

/**
 * The hardware address of a neighbour that needs no confirmation, without the lock; 0 = there is none,
 * or the table changes just now.
 */
function freshMac(through: Interface, address: IpAddress, nowNs: u64): u64 {
  let nextNeighbour = neighbours;
  while (nextNeighbour) {
    const entry = nextNeighbour;
    nextNeighbour = entry.nextNeighbour;
    const cell = changetype<usize>(entry) + offsetof<Neighbour>("version");
    const version = atomic.load<u32>(cell);
    if ((version & 1) != 0 || !entry.address.equals(address) || entry.through != through) continue;
    const mac = entry.isFresh(nowNs) ? entry.mac : 0;
    // A fence, so that what was read is not read later: nothing is added.
    return atomic.add<u32>(cell, 0) == version ? mac : 0;
  }
  return 0;
}

/** Sends an IP packet to the neighbour `address`, resolving it if need be. Takes the packet. */
export function sendToNeighbour(through: Interface, packet: Packet, address: IpAddress): void {
  const nowNs = monotonicNs();
  const type = typeOf(address);
  const known = freshMac(through, address, nowNs);
  if (known != 0) {
    ethernetSend(through, packet, known, type);
    return;
  }
  lock.acquire();
  let entry = find(through, address);
  if (entry == null) entry = add(through, address);
  const isResolved = entry.isResolved;
  const mac = entry.mac;
  const mayAsk = entry.askedNs == 0 || nowNs - entry.askedNs > ASK_INTERVAL_NS;
  // Its timer asks while packets wait.
  const asks = !entry.isFresh(nowNs) && mayAsk && (isResolved || !entry.armed);
  if (asks) entry.askedNs = nowNs;
  let refused = false;
  if (!isResolved) {
    refused = entry.pendingCount == PENDING_MAX;
    if (!refused) entry.keep(packet);
    if (asks) {
      entry.questions = 1;
      armTimer(entry, nowNs + ASK_INTERVAL_NS);
    }
  }
  lock.release();
  // `address` may be in the packet, which may be gone by now.
  if (asks) entry.ask();
  if (refused) freePacket(packet);
  if (isResolved) ethernetSend(through, packet, mac, type);
}

/**
 * Notes a neighbour's address if it is known already, or if it speaks to us; sends what waited.
 * @param creates whether an unknown neighbour is entered
 */
export function learnNeighbour(from: Interface, address: IpAddress, mac: u64, creates: bool): void {
  // No machine's own address is a group's (RFC 1812, section 3.3.2).
  if (mac == 0 || (mac & GROUP_BIT) != 0) return;
  lock.acquire();
  let entry = find(from, address);
  if (entry == null && creates) entry = add(from, address);
  let pending: usize = 0;
  if (entry) {
    const isAnswer = entry.askedNs != 0;
    if (isAnswer || !entry.isResolved) entry.isStale = false;
    else if (entry.mac != mac) entry.isStale = true;
    if (entry.mac != mac || !entry.isResolved) {
      entry.toggle();
      entry.mac = mac;
      entry.isResolved = true;
      entry.toggle();
    }
    entry.confirmedNs = monotonicNs();
    entry.askedNs = 0;
    pending = entry.takePending();
  }
  lock.release();
  const type = typeOf(address);
  while (pending != 0) {
    const packet = changetype<Packet>(pending);
    pending = packet.next;
    packet.next = 0;
    ethernetSend(from, packet, mac, type);
  }
}

/** True if the hardware address of a neighbour is known. */
export function isResolved(through: Interface, address: IpAddress): bool {
  lock.acquire();
  const entry = find(through, address);
  const isKnown = entry != null && entry.isResolved;
  lock.release();
  return isKnown;
}

/** Calls `visit` for every entry, with the table's lock held. */
export function forEachNeighbour(
  visit: (entry: Neighbour, argument: usize) => void,
  argument: usize,
): void {
  lock.acquire();
  let nextNeighbour: Neighbour | null = neighbours;
  while (nextNeighbour) {
    const entry = nextNeighbour;
    nextNeighbour = entry.nextNeighbour;
    visit(entry, argument);
  }
  lock.release();
}
