/**
 * Which endpoint a packet is for: two hash tables.
 *
 * `PortTable`, one a protocol: endpoints that are bound, by local port; a datagram's receiver and a
 * new connection's listener are found there. `flows`: TCP connections, by both addresses and ports;
 * each bucket has a lock of its own, so established connections share none.
 *
 * A look-up returns the endpoint with a reference. Order of locks: an endpoint's, then one of these.
 * Neighbours: `endpoint.ts`, `udp.ts`, `tcp-receive.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { randomU64 } from "../dev/random";
import { EADDRINUSE } from "../lib/errno";
import { hashInteger } from "../lib/hashtable";
import { IpAddress } from "../lib/ip-address";
import { Endpoint } from "./endpoint";
import { AF_INET } from "./socket";

const PORT_BUCKETS: u32 = 256;
const FLOW_BUCKETS: u32 = 4096;
const FLOW_LOCKS: u32 = 64;

/** Ports that are chosen for those who do not name one (ip_local_port_range). */
const EPHEMERAL_FIRST: u32 = 32768;
const EPHEMERAL_COUNT: u32 = 28232;

export class PortTable {
  private lock: SpinLock = new SpinLock();
  private buckets: StaticArray<Endpoint | null> = new StaticArray<Endpoint | null>(PORT_BUCKETS);

  /** Binds an endpoint; `port` 0 chooses one. @returns 0 or -EADDRINUSE */
  bind(endpoint: Endpoint, address: IpAddress, port: u16): i64 {
    this.lock.acquire();
    let chosen = port;
    if (port == 0) chosen = this.choose();
    else if (this.conflicts(endpoint, address, port)) chosen = 0;
    if (chosen != 0) {
      if (address.isAny) endpoint.localAddress.clear();
      else endpoint.localAddress.copyFrom(address);
      endpoint.localPort = chosen;
      endpoint.isPortBound = true;
      const bucket = <u32>chosen & (PORT_BUCKETS - 1);
      endpoint.portNext = this.buckets[bucket];
      this.buckets[bucket] = endpoint;
    }
    this.lock.release();
    return chosen != 0 ? 0 : -EADDRINUSE;
  }

  /** Address of the first endpoint in the bucket of a port. */
  private firstAt(port: u16): usize {
    return changetype<usize>(this.buckets[<u32>port & (PORT_BUCKETS - 1)]);
  }

  private choose(): u16 {
    const start = <u32>(randomU64() % EPHEMERAL_COUNT);
    for (let i: u32 = 0; i < EPHEMERAL_COUNT; i++) {
      const port = <u16>(EPHEMERAL_FIRST + ((start + i) % EPHEMERAL_COUNT));
      if (!this.isTaken(port)) return port;
    }
    return 0;
  }

  private isTaken(port: u16): bool {
    for (let at = this.firstAt(port); at != 0; at = nextAt(at)) {
      if (changetype<Endpoint>(at).localPort == port) return true;
    }
    return false;
  }

  private conflicts(endpoint: Endpoint, address: IpAddress, port: u16): bool {
    for (let at = this.firstAt(port); at != 0; at = nextAt(at)) {
      const other = changetype<Endpoint>(at);
      if (other.localPort != port || !overlaps(endpoint, address, other)) continue;
      if (endpoint.reusesPort && other.reusesPort) continue;
      if (endpoint.reusesAddress && other.reusesAddress && !other.isListening()) continue;
      return true;
    }
    return false;
  }

  /** True if another listener keeps `endpoint` from listening (socket(7), SO_REUSEADDR). */
  hasOtherListener(endpoint: Endpoint): bool {
    this.lock.acquire();
    let isFound = false;
    for (let at = this.firstAt(endpoint.localPort); at != 0 && !isFound; at = nextAt(at)) {
      const other = changetype<Endpoint>(at);
      if (other == endpoint || other.localPort != endpoint.localPort) continue;
      if (!other.isListening() || (endpoint.reusesPort && other.reusesPort)) continue;
      isFound = overlaps(endpoint, endpoint.localAddress, other);
    }
    this.lock.release();
    return isFound;
  }

  /** Takes an endpoint out, if it is in. */
  unbind(endpoint: Endpoint): void {
    this.lock.acquire();
    if (endpoint.isPortBound) {
      const bucket = <u32>endpoint.localPort & (PORT_BUCKETS - 1);
      let before: Endpoint | null = null;
      let at: Endpoint | null = this.buckets[bucket];
      while (at && at != endpoint) {
        before = at;
        at = at.portNext;
      }
      if (before) before.portNext = endpoint.portNext;
      else this.buckets[bucket] = endpoint.portNext;
      endpoint.isPortBound = false;
    }
    this.lock.release();
  }

  /**
   * The endpoint that fits best: connected to the sender, bound to the address, bound to any; among
   * equals (SO_REUSEPORT) the sender decides, always the same way.
   * @param origin the Interface the packet came from, for sockets that are bound to one
   * @param listenersOnly skips endpoints that do not listen
   * @returns an Endpoint with a reference, or 0
   */
  find(
    address: IpAddress,
    port: u16,
    remote: IpAddress,
    remotePort: u16,
    listenersOnly: bool,
    origin: usize = 0,
  ): usize {
    this.lock.acquire();
    let best: Endpoint | null = null;
    let bestScore: i32 = 0;
    let equals: u64 = 0;
    for (let entry = this.firstAt(port); entry != 0; entry = nextAt(entry)) {
      const at = changetype<Endpoint>(entry);
      if (at.localPort != port || (listenersOnly && !at.isListening())) continue;
      if (!at.servesFamilyOf(address)) continue;
      if (at.boundTo != 0 && origin != 0 && at.boundTo != origin) continue;
      let score: i32 = 1;
      if (!at.localAddress.isAny) {
        if (!at.localAddress.equals(address)) continue;
        score += 2;
      } else if (at.family == AF_INET) score += 1; // before one that serves both families
      if (at.remotePort != 0) {
        if (at.remotePort != remotePort || !at.remoteAddress.equals(remote)) continue;
        score += 4;
      }
      if (score > bestScore) {
        best = at;
        bestScore = score;
        equals = 1;
      } else if (score == bestScore) {
        equals++;
        const spread = hashInteger(remote.first ^ hashInteger(remote.last ^ remotePort));
        if (spread % equals == equals - 1) best = at;
      }
    }
    if (best) best.retain();
    this.lock.release();
    return changetype<usize>(best);
  }

  /** Calls `visit` for every endpoint bound to a port, with the table's lock held. */
  forPort(port: u16, visit: (endpoint: Endpoint, argument: usize) => void, argument: usize): void {
    this.lock.acquire();
    for (let at = this.firstAt(port); at != 0; at = nextAt(at)) {
      const endpoint = changetype<Endpoint>(at);
      if (endpoint.localPort == port) visit(endpoint, argument);
    }
    this.lock.release();
  }

  /** Calls `visit` for every endpoint, with the table's lock held. */
  forEach(visit: (endpoint: Endpoint, argument: usize) => void, argument: usize): void {
    this.lock.acquire();
    for (let i: u32 = 0; i < PORT_BUCKETS; i++) {
      for (let at = changetype<usize>(this.buckets[i]); at != 0; at = nextAt(at)) {
        visit(changetype<Endpoint>(at), argument);
      }
    }
    this.lock.release();
  }
}

/** True if a packet could be for either: for `endpoint`, bound to `address`, and for `other`. */
function overlaps(endpoint: Endpoint, address: IpAddress, other: Endpoint): bool {
  if (!address.isAny && !other.localAddress.isAny) return address.equals(other.localAddress);
  if (address.isAny && !other.localAddress.isAny)
    return endpoint.servesFamilyOf(other.localAddress);
  if (!address.isAny) return other.servesFamilyOf(address);
  return (endpoint.servesV4 && other.servesV4) || (endpoint.servesV6 && other.servesV6);
}

/** Address of the endpoint after the one at `address`, 0 at the end. */
function nextAt(address: usize): usize {
  return changetype<usize>(changetype<Endpoint>(address).portNext);
}

export const udpPorts = new PortTable();
export const udpLitePorts = new PortTable();
export const tcpPorts = new PortTable();

const flowHeads = memory.data(8 * 4096, 16);
const flowLocks = new StaticArray<SpinLock | null>(FLOW_LOCKS);
for (let i: u32 = 0; i < FLOW_LOCKS; i++) flowLocks[i] = new SpinLock();
let flowSeed: u64 = 0;

/** Makes the hash of flows unpredictable. Call before the first connection. */
export function seedFlows(): void {
  flowSeed = randomU64();
}

function flowBucket(local: IpAddress, localPort: u16, remote: IpAddress, remotePort: u16): u32 {
  const ports = ((<u64>localPort) << 16) | remotePort;
  const networks = remote.first ^ (local.first << 1);
  const hosts = hashInteger(remote.last ^ flowSeed) ^ local.last;
  return <u32>hashInteger(hashInteger(hosts) ^ networks ^ ports) & (FLOW_BUCKETS - 1);
}

function lockOf(bucket: u32): SpinLock {
  return flowLocks[bucket & (FLOW_LOCKS - 1)]!;
}

/** Enters a connection. @returns false if its addresses and ports are taken */
export function addFlow(endpoint: Endpoint): bool {
  const bucket = flowBucket(
    endpoint.localAddress,
    endpoint.localPort,
    endpoint.remoteAddress,
    endpoint.remotePort,
  );
  const head = flowHeads + <usize>bucket * 8;
  lockOf(bucket).acquire();
  let at = changetype<Endpoint | null>(load<usize>(head));
  while (at && !isSameFlow(at, endpoint)) at = at.flowNext;
  const isFree = at == null;
  if (isFree) {
    endpoint.flowNext = changetype<Endpoint | null>(load<usize>(head));
    store<usize>(head, changetype<usize>(endpoint));
    endpoint.isFlowBound = true;
  }
  lockOf(bucket).release();
  return isFree;
}

function isSameFlow(a: Endpoint, b: Endpoint): bool {
  return (
    a.localPort == b.localPort &&
    a.remotePort == b.remotePort &&
    a.remoteAddress.equals(b.remoteAddress) &&
    a.localAddress.equals(b.localAddress)
  );
}

/** Takes a connection out, if it is in. */
export function removeFlow(endpoint: Endpoint): void {
  if (!endpoint.isFlowBound) return;
  const bucket = flowBucket(
    endpoint.localAddress,
    endpoint.localPort,
    endpoint.remoteAddress,
    endpoint.remotePort,
  );
  const head = flowHeads + <usize>bucket * 8;
  lockOf(bucket).acquire();
  let before: Endpoint | null = null;
  let at = changetype<Endpoint | null>(load<usize>(head));
  while (at && at != endpoint) {
    before = at;
    at = at.flowNext;
  }
  if (at) {
    if (before) before.flowNext = at.flowNext;
    else store<usize>(head, changetype<usize>(at.flowNext));
    endpoint.isFlowBound = false;
  }
  lockOf(bucket).release();
}

/** The connection between two ends, with a reference, or 0. */
export function findFlow(
  local: IpAddress,
  localPort: u16,
  remote: IpAddress,
  remotePort: u16,
): usize {
  const bucket = flowBucket(local, localPort, remote, remotePort);
  lockOf(bucket).acquire();
  let at = changetype<Endpoint | null>(load<usize>(flowHeads + <usize>bucket * 8));
  while (
    at &&
    !(
      at.localPort == localPort &&
      at.remotePort == remotePort &&
      at.remoteAddress.equals(remote) &&
      at.localAddress.equals(local)
    )
  ) {
    at = at.flowNext;
  }
  if (at) at.retain();
  lockOf(bucket).release();
  return changetype<usize>(at);
}

/** Calls `visit` for every connection, with its bucket's lock held. */
export function forEachFlow(
  visit: (endpoint: Endpoint, argument: usize) => void,
  argument: usize,
): void {
  for (let bucket: u32 = 0; bucket < FLOW_BUCKETS; bucket++) {
    if (load<usize>(flowHeads + <usize>bucket * 8) == 0) continue;
    lockOf(bucket).acquire();
    let at = load<usize>(flowHeads + <usize>bucket * 8);
    while (at != 0) {
      const endpoint = changetype<Endpoint>(at);
      visit(endpoint, argument);
      at = changetype<usize>(endpoint.flowNext);
    }
    lockOf(bucket).release();
  }
}
