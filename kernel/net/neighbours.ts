/**
 * Hardware addresses of neighbours, of both families: the table that ARP (RFC 826, RFC 1122 section
 * 2.3.2) and neighbour discovery (RFC 4861, section 7) fill.
 *
 * An entry that is being resolved keeps a few packets. There is no timer of its own: whoever sends
 * again (TCP's retransmission, an application) asks again, at most once a second.
 *
 * Lock: `lock` guards the table; not held while packets are sent.
 * Neighbours: `arp.ts`, `neighbour-discovery.ts`, `ethernet.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { freePacket, freePackets, Packet } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { arpRequest } from "./arp";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethernetSend } from "./ethernet";
import { Interface } from "./interface";
import { solicitNeighbour } from "./neighbour-discovery";

/** How long an answer is believed before it is asked for again. */
const FRESH_NS: u64 = 60_000_000_000;
const ASK_INTERVAL_NS: u64 = 1_000_000_000;
const PENDING_MAX: u32 = 16;
const TABLE_MAX: u32 = 256;

export class Neighbour {
  next: Neighbour | null = null;
  private addressFirst: u64 = 0;
  private addressLast: u64 = 0;
  through: Interface = changetype<Interface>(<usize>0);
  /** Hardware address in the low 6 bytes. */
  mac: u64 = 0;
  isResolved: bool = false;
  /** It says it is a router (RFC 4861, section 4.4). */
  isRouter: bool = false;
  /** When the address was confirmed, and when it was last asked for. */
  confirmedNs: u64 = 0;
  askedNs: u64 = 0;
  pendingFirst: usize = 0;
  pendingLast: usize = 0;
  pendingCount: u32 = 0;

  get address(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Neighbour>("addressFirst"));
  }

  /** True while its answer needs no confirmation. */
  isFresh(nowNs: u64): bool {
    return this.isResolved && nowNs - this.confirmedNs <= FRESH_NS;
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
    return first;
  }
}

const lock = new SpinLock();
let neighbours: Neighbour | null = null;
let neighbourCount: u32 = 0;

function find(through: Interface, address: IpAddress): Neighbour | null {
  let entry = neighbours;
  while (entry && !(entry.address.equals(address) && entry.through == through)) entry = entry.next;
  return entry;
}

/** Adds an entry, in place of the one confirmed longest ago if there are too many. */
function add(through: Interface, address: IpAddress): Neighbour {
  let entry: Neighbour | null = null;
  if (neighbourCount >= TABLE_MAX) {
    let nextNeighbour: Neighbour | null = neighbours;
    while (nextNeighbour) {
      const candidate = nextNeighbour;
      nextNeighbour = candidate.next;
      if (entry == null || candidate.confirmedNs < entry.confirmedNs) entry = candidate;
    }
  }
  if (entry == null) {
    entry = new Neighbour();
    entry.next = neighbours;
    neighbours = entry;
    neighbourCount++;
  }
  freePackets(entry.takePending());
  entry.address.copyFrom(address);
  entry.through = through;
  entry.isResolved = false;
  entry.isRouter = false;
  entry.confirmedNs = monotonicNs();
  entry.askedNs = 0;
  return entry;
}

function typeOf(address: IpAddress): u16 {
  return address.isV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
}

/** Sends an IP packet to the neighbour `address`, resolving it if need be. Takes the packet. */
export function sendToNeighbour(through: Interface, packet: Packet, address: IpAddress): void {
  const nowNs = monotonicNs();
  const type = typeOf(address);
  lock.acquire();
  let entry = find(through, address);
  if (entry == null) entry = add(through, address);
  const isResolved = entry.isResolved;
  const mac = entry.mac;
  const mayAsk = entry.askedNs == 0 || nowNs - entry.askedNs > ASK_INTERVAL_NS;
  const ask = !entry.isFresh(nowNs) && mayAsk;
  if (ask) entry.askedNs = nowNs;
  let refused = false;
  if (!isResolved) {
    refused = entry.pendingCount == PENDING_MAX;
    if (!refused) entry.keep(packet);
  }
  lock.release();
  // `address` may be in the packet, which may be gone by now.
  const asked = entry.address;
  if (ask) {
    if (type == ETHERTYPE_IPV4) arpRequest(through, asked.v4);
    else solicitNeighbour(through, asked);
  }
  if (refused) freePacket(packet);
  if (isResolved) ethernetSend(through, packet, mac, type);
}

/**
 * Notes a neighbour's address if it is known already, or if it speaks to us; sends what waited.
 * @param creates whether an unknown neighbour is entered
 */
export function learnNeighbour(from: Interface, address: IpAddress, mac: u64, creates: bool): void {
  lock.acquire();
  let entry = find(from, address);
  if (entry == null && creates) entry = add(from, address);
  let pending: usize = 0;
  if (entry) {
    entry.mac = mac;
    entry.isResolved = true;
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
    nextNeighbour = entry.next;
    visit(entry, argument);
  }
  lock.release();
}
