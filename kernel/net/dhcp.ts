/**
 * DHCP client for IPv4: RFC 2131, section 4.4.
 *
 *     selecting ─offer─► requesting ─acknowledgement─► bound ─T1─► renewing ─T2─► rebinding
 *         ▲                  │ refusal                   ▲  acknowledgement │            │
 *         └──────────────────┴───────────────────────────┴──────────────────┴─ end ──────┘
 *
 * Everything happens in a timer's interrupt: answers that arrive let it expire at once. So a lease is
 * kept without a thread, and the boot waits only for the first one. No lock: `working` keeps a second
 * CPU out; the socket's `lock` is for who waits.
 *
 * Neighbours: `dhcp-message.ts` (bytes), `udp-socket.ts` (transport), `addresses.ts`, `routes.ts`,
 * `resolver.ts` (results); `init.ts` calls it.
 */
import { Packet } from "../dev/packet";
import { randomU64 } from "../dev/random";
import { isError } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { log } from "../lib/log";
import { heapAllocate } from "../mm/heap";
import { monotonicNs } from "../sched/clock";
import { armTimer, Timer } from "../sched/timer";
import { addAddress, InterfaceAddress, NEVER, ORIGIN_DHCP, removeAddress } from "./addresses";
import { announce } from "./arp";
import { load16, load32 } from "./bytes";
import {
  ACKNOWLEDGE,
  ANSWER_MAX,
  DhcpAnswer,
  DISCOVER,
  MESSAGE_BYTES,
  OFFER,
  OPTION_LEASE,
  OPTION_MASK,
  OPTION_MTU,
  OPTION_NAME_SERVER,
  OPTION_REBIND,
  OPTION_RENEW,
  OPTION_ROUTER,
  OPTION_ROUTES,
  OPTION_SERVER,
  REFUSE,
  REQUEST,
  writeMessage,
} from "./dhcp-message";
import { Interface } from "./interface";
import { nameServerFound } from "./resolver";
import {
  addRoute,
  firstRoute,
  maskAddress,
  newRoute,
  removeRoute,
  ROUTE_BY_DHCP,
  V4_BITS,
} from "./routes";
import { writeAddressV4 } from "./sockaddr";
import { AF_INET, MSG_DONTWAIT } from "./socket";
import { UdpSocket } from "./udp-socket";

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const NS_PER_SECOND: u64 = 1_000_000_000;
const FOREVER_SECONDS: u32 = u32.MAX_VALUE;

const SELECTING: u32 = 0;
const REQUESTING: u32 = 1;
const BOUND: u32 = 2;
const RENEWING: u32 = 3;
const REBINDING: u32 = 4;

/** First and longest wait for an answer (section 4.1; the first is shorter, as boots wait for it). */
const FIRST_WAIT_NS: u64 = 500_000_000;
const WAIT_MAX_NS: u64 = 64 * NS_PER_SECOND;
/** Requests for an offer before everything begins anew. */
const REQUEST_TRIES: u32 = 4;
/** Renewals are not sent more often than that (section 4.4.5). */
const RENEWAL_WAIT_MIN_NS: u64 = 60 * NS_PER_SECOND;
/** How long the boot waits for an address. */
const BOOT_WAIT_NS: u64 = 4 * NS_PER_SECOND;
const BUSY_WAIT_NS: u64 = 1_000_000;
const MTU_MIN: u32 = 576;
const DEFAULT_BITS: u32 = 24;

class DhcpTimer extends Timer {
  /** Address of the client. */
  client: usize = 0;

  expired(): void {
    changetype<DhcpClient>(this.client).work();
  }
}

export class DhcpClient extends UdpSocket {
  state: u32 = SELECTING;
  private transaction: u32 = 0;
  private tries: u32 = 0;
  /** The address of an offer or lease, and who gave it. */
  private offered: u32 = 0;
  private server: u32 = 0;
  private prefixBits: u32 = 0;
  /** When to ask again, and the times of the lease: T1, T2, its end. */
  private againNs: u64 = 0;
  private renewNs: u64 = NEVER;
  private rebindNs: u64 = NEVER;
  private endNs: u64 = NEVER;
  private readonly timer: DhcpTimer = new DhcpTimer();
  private readonly answer: DhcpAnswer = new DhcpAnswer();
  private readonly scratch: IpAddress = new IpAddress();
  private buffer: usize = 0;
  /** 1 while it works; atomic. */
  private working: u32 = 0;

  constructor(readonly on: Interface) {
    super(AF_INET);
    this.timer.client = changetype<usize>(this);
    this.options.mayBroadcast = true;
    this.boundTo = changetype<usize>(on);
    this.buffer = heapAllocate(ANSWER_MAX + 64);
  }

  /** Begins to ask for an address. */
  start(): void {
    const address = this.buffer;
    writeAddressV4(address, 0, CLIENT_PORT);
    this.bind(address, 16);
    this.restart();
    armTimer(this.timer, monotonicNs());
  }

  get isBound(): bool {
    return this.state >= BOUND;
  }

  /** An answer: keeps it and lets the timer see to it. Any context. */
  arrived(packet: Packet): void {
    super.arrived(packet);
    armTimer(this.timer, monotonicNs());
  }

  private restart(): void {
    this.enter(SELECTING);
    this.renewNs = NEVER;
    this.rebindNs = NEVER;
    this.endNs = NEVER;
  }

  /** Looks at answers and the time, and does what is due. */
  work(): void {
    const cell = changetype<usize>(this) + offsetof<DhcpClient>("working");
    if (atomic.xchg<u32>(cell, 1) != 0) {
      // On another CPU: what has come since is looked at a little later.
      armTimer(this.timer, monotonicNs() + BUSY_WAIT_NS);
      return;
    }
    this.advance();
    atomic.store<u32>(cell, 0);
  }

  private advance(): void {
    while (this.takeAnswer()) {}
    const nowNs = monotonicNs();
    if (this.isBound && nowNs >= this.endNs) {
      log("eth0: the lease of the address has ended");
      this.drop();
      this.restart();
    }
    if (this.state == RENEWING && nowNs >= this.rebindNs) this.enter(REBINDING);
    if (this.state == BOUND && nowNs >= this.renewNs) this.enter(RENEWING);
    if (this.state != BOUND && nowNs >= this.againNs) this.ask(nowNs);
    let nextNs = this.state == BOUND ? this.renewNs : min(this.againNs, this.endNs);
    if (this.state == RENEWING) nextNs = min(nextNs, this.rebindNs);
    if (nextNs != NEVER) armTimer(this.timer, nextNs);
  }

  private enter(state: u32): void {
    this.state = state;
    this.transaction = <u32>randomU64();
    this.tries = 0;
    this.againNs = 0;
  }

  /** Sends what the state asks for, and says when to send it again. */
  private ask(nowNs: u64): void {
    if (this.state == REQUESTING && this.tries == REQUEST_TRIES) this.restart();
    const isRenewal = this.state >= RENEWING;
    if (this.state == SELECTING) this.send4(DISCOVER, 0, 0, 0, u32.MAX_VALUE);
    else if (this.state == REQUESTING) {
      this.send4(REQUEST, 0, this.offered, this.server, u32.MAX_VALUE);
    } else {
      const target = this.state == RENEWING ? this.server : u32.MAX_VALUE;
      this.send4(REQUEST, this.offered, 0, 0, target);
    }
    const waitNs = min(FIRST_WAIT_NS << min<u64>(this.tries, 8), WAIT_MAX_NS);
    this.tries++;
    const limitNs = this.state == RENEWING ? this.rebindNs : this.endNs;
    const halfNs = limitNs != NEVER && limitNs > nowNs ? (limitNs - nowNs) / 2 : 0;
    this.againNs = nowNs + (isRenewal ? max(halfNs, RENEWAL_WAIT_MIN_NS) : waitNs);
  }

  private send4(type: u8, own: u32, requested: u32, server: u32, target: u32): void {
    const buffer = this.buffer;
    writeMessage(buffer, type, this.transaction, this.on.macAddress, own, requested, server);
    const address = buffer + ANSWER_MAX;
    writeAddressV4(address, target, SERVER_PORT);
    this.send(this.list(MESSAGE_BYTES), MSG_DONTWAIT, address, 16, 0, 0);
  }

  /** The buffer as a list of one entry. */
  private list(length: usize): usize {
    const list = this.buffer + ANSWER_MAX + 32;
    store<usize>(list, 1);
    store<usize>(list, length, 8);
    store<usize>(list, this.buffer, 16);
    store<usize>(list, length, 24);
    return list;
  }

  /** Takes one message that has arrived; false if there is none. */
  private takeAnswer(): bool {
    const length = this.receive(this.list(ANSWER_MAX), MSG_DONTWAIT, null);
    if (length < 0) return false;
    const answer = this.answer;
    answer.address = this.buffer;
    answer.length = <usize>length;
    const type = answer.type(this.transaction);
    if (type == OFFER && this.state == SELECTING) {
      this.offered = answer.yourAddress;
      this.server = answer.number(OPTION_SERVER, 0);
      this.state = REQUESTING;
      this.tries = 0;
      this.againNs = 0;
    } else if (type == ACKNOWLEDGE && this.state != SELECTING && this.state != BOUND) {
      this.bindLease(answer);
    } else if (type == REFUSE && this.state != SELECTING && this.state != BOUND) {
      if (this.isBound) this.drop();
      this.restart();
    }
    return true;
  }

  /** Takes the lease and what comes with it. */
  private bindLease(answer: DhcpAnswer): void {
    const isNew = !this.isBound;
    const nowNs = monotonicNs();
    const lease = answer.number(OPTION_LEASE, FOREVER_SECONDS);
    const isForever = lease == FOREVER_SECONDS;
    const renew = answer.number(OPTION_RENEW, lease / 2);
    const rebind = answer.number(OPTION_REBIND, <u32>((<u64>lease * 7) / 8));
    this.endNs = isForever ? NEVER : nowNs + <u64>lease * NS_PER_SECOND;
    this.rebindNs = isForever ? NEVER : nowNs + <u64>min(rebind, lease) * NS_PER_SECOND;
    this.renewNs = isForever ? NEVER : nowNs + <u64>min(renew, min(rebind, lease)) * NS_PER_SECOND;
    const server = answer.number(OPTION_SERVER, 0);
    if (server != 0) this.server = server;
    if (answer.yourAddress != this.offered && !isNew) this.drop();
    this.offered = answer.yourAddress;
    this.state = BOUND;
    this.configure(answer);
    if (isNew) announce(this.on, this.offered);
    this.lock.acquire();
    this.changed.wakeAll();
    this.lock.release();
  }

  private configure(answer: DhcpAnswer): void {
    const scratch = this.scratch;
    const mask = answer.number(OPTION_MASK, 0);
    const bits = mask == u32.MAX_VALUE ? 32 : mask != 0 ? <u32>clz<u32>(~mask) : DEFAULT_BITS;
    scratch.setV4(this.offered);
    this.prefixBits = V4_BITS + bits;
    const added = addAddress(this.on, scratch, this.prefixBits, ORIGIN_DHCP);
    // At a renewal it is there already, with its routes.
    if (isError(added)) return;
    changetype<InterfaceAddress>(added).validUntilNs = NEVER;
    this.configureRoutes(answer);
    const servers = answer.option(OPTION_NAME_SERVER);
    if (servers != 0) {
      for (let at: usize = 0; at + 4 <= answer.lengthOf(servers); at += 4) {
        scratch.setV4(load32(servers + at));
        nameServerFound(scratch);
      }
    }
    const mtu = answer.option(OPTION_MTU);
    const device = this.on.device;
    if (mtu != 0 && answer.lengthOf(mtu) == 2 && device) {
      const bytes = <u32>load16(mtu);
      if (bytes >= MTU_MIN && bytes <= device.mtuBytes) this.on.mtuBytes = bytes;
    }
    answer.takeNames();
  }

  /** Classless routes, where they are told, are all there are (RFC 3442). */
  private configureRoutes(answer: DhcpAnswer): void {
    const scratch = this.scratch;
    const routes = answer.option(OPTION_ROUTES);
    if (routes == 0) {
      scratch.setV4(0);
      this.addRouteVia(scratch, 0, answer.number(OPTION_ROUTER, 0));
      return;
    }
    const end = routes + answer.lengthOf(routes);
    let at = routes;
    while (at < end) {
      const bits = <u32>load<u8>(at);
      const bytes = <usize>((bits + 7) / 8);
      if (bits > 32 || at + 1 + bytes + 4 > end) return;
      let prefix: u32 = 0;
      for (let i: usize = 0; i < bytes; i++) {
        prefix |= (<u32>load<u8>(at + 1 + i)) << (24 - <u32>i * 8);
      }
      scratch.setV4(prefix);
      this.addRouteVia(scratch, bits, load32(at + 1 + bytes));
      at += 1 + bytes + 4;
    }
  }

  /** A route to a prefix; gateway 0 in a classless route means "a neighbour". */
  private addRouteVia(prefix: IpAddress, bits: u32, gateway: u32): void {
    if (gateway == 0 && bits == 0) return;
    const route = newRoute(prefix, V4_BITS + bits, this.on, ROUTE_BY_DHCP);
    maskAddress(route.prefix, V4_BITS + bits);
    if (gateway != 0) route.gateway.setV4(gateway);
    addRoute(route);
  }

  /** Gives the address up, with the routes that came with it. */
  private drop(): void {
    this.scratch.setV4(this.offered);
    removeAddress(this.on, this.scratch);
    let next = firstRoute();
    while (next) {
      const route = next;
      next = route.next;
      if (route.madeBy == ROUTE_BY_DHCP && route.through == this.on) removeRoute(route);
    }
    this.state = SELECTING;
  }

  /** Waits until there is an address; false if there is none in time. */
  await(): bool {
    const deadlineNs = monotonicNs() + BOOT_WAIT_NS;
    this.lock.acquire();
    while (!this.isBound && monotonicNs() < deadlineNs) this.changed.sleep(this.lock, deadlineNs);
    this.lock.release();
    return this.isBound;
  }
}

/** Gets an address for the interface; sleeps. @returns false if nobody has answered yet */
export function configureByDhcp(on: Interface): bool {
  const client = new DhcpClient(on);
  client.start();
  return client.await();
}
