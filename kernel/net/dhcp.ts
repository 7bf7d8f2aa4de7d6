/**
 * DHCP client for IPv4: RFC 2131 (the four messages), RFC 2132 (options). Asks once at start; the
 * lease is taken for the life of the machine (no renewal yet).
 *
 * Neighbours: `init.ts` calls it; `udp-socket.ts` carries the messages.
 */
import { NetworkDevice } from "../dev/network";
import { randomU64 } from "../dev/random";
import { heapAllocate, heapFree } from "../mm/heap";
import { load32, store32 } from "./bytes";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { addAddress, ORIGIN_DHCP } from "./addresses";
import { Interface } from "./interface";
import { nameServerFound } from "./resolver";
import { addRoute, newRoute, ROUTE_BY_DHCP, V4_BITS } from "./routes";
import { writeAddressV4 } from "./sockaddr";
import { AF_INET } from "./socket";
import { UdpSocket } from "./udp-socket";

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;

// Offsets of the fixed fields (RFC 2131, section 2).
const TRANSACTION: usize = 4;
const FLAGS: usize = 10;
const YOUR_ADDRESS: usize = 16;
const CLIENT_HARDWARE: usize = 28;
const COOKIE: usize = 236;
const OPTIONS: usize = 240;
const COOKIE_VALUE: u32 = 0x63825363;
/** Ask for answers by broadcast: we have no address yet (section 4.1). */
const FLAG_BROADCAST: u8 = 0x80;
/** What every server must accept (section 2). */
const MESSAGE_BYTES: usize = 300;
const BUFFER_BYTES: usize = 1500;

// Options (RFC 2132).
const OPTION_MASK: u8 = 1;
const OPTION_ROUTER: u8 = 3;
const OPTION_NAME_SERVER: u8 = 6;
const OPTION_REQUESTED: u8 = 50;
const OPTION_TYPE: u8 = 53;
const OPTION_SERVER: u8 = 54;
const OPTION_WANTED: u8 = 55;
const OPTION_END: u8 = 255;

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACKNOWLEDGE: u8 = 5;

const TRIES: i32 = 3;
const FIRST_WAIT_NS: u64 = 500_000_000;
/** Messages looked at while waiting for the right one. */
const LOOKS: i32 = 8;

let transaction: u32 = 0;
let offered: u32 = 0;
let server: u32 = 0;

/** A list of one buffer. */
function singleList(at: usize, base: usize, length: usize): usize {
  store<usize>(at, 1);
  store<usize>(at, length, 8);
  store<usize>(at, base, 16);
  store<usize>(at, length, 24);
  return at;
}

/** Gets an address for the interface; sleeps. @returns false if nobody answered */
export function configureByDhcp(outer: Interface): bool {
  const buffer = heapAllocate(BUFFER_BYTES + 32);
  if (buffer == 0) return false;
  const socket = new UdpSocket(AF_INET);
  socket.options.mayBroadcast = true;
  const address = memory.data(32);
  writeAddressV4(address, 0, CLIENT_PORT);
  socket.bind(address, 16);
  transaction = <u32>randomU64();
  let done = false;
  for (let attempt = 0; attempt < TRIES && !done; attempt++) {
    socket.receiveTimeoutNs = FIRST_WAIT_NS << attempt;
    offered = 0;
    send(socket, outer, DISCOVER, buffer);
    if (!awaitAnswer(socket, OFFER, buffer)) continue;
    offered = load32(buffer + YOUR_ADDRESS);
    server = option32(buffer, OPTION_SERVER);
    send(socket, outer, REQUEST, buffer);
    if (!awaitAnswer(socket, ACKNOWLEDGE, buffer)) continue;
    apply(outer, buffer);
    done = true;
  }
  socket.close();
  socket.release();
  heapFree(buffer);
  return done;
}

function send(socket: UdpSocket, outer: Interface, type: u8, buffer: usize): void {
  const device = changetype<NetworkDevice>(outer.device);
  memory.fill(buffer, 0, MESSAGE_BYTES);
  store<u8>(buffer, 1); // request
  store<u8>(buffer, 1, 1); // Ethernet
  store<u8>(buffer, 6, 2);
  store32(buffer + TRANSACTION, transaction);
  store<u8>(buffer + FLAGS, FLAG_BROADCAST);
  memory.copy(buffer + CLIENT_HARDWARE, device.macAddress, 6);
  store32(buffer + COOKIE, COOKIE_VALUE);
  let at = buffer + OPTIONS;
  store<u8>(at, OPTION_TYPE);
  store<u8>(at, 1, 1);
  store<u8>(at, type, 2);
  at += 3;
  if (type == REQUEST) {
    at = put32(at, OPTION_REQUESTED, offered);
    at = put32(at, OPTION_SERVER, server);
  }
  store<u8>(at, OPTION_WANTED);
  store<u8>(at, 3, 1);
  store<u8>(at, OPTION_MASK, 2);
  store<u8>(at, OPTION_ROUTER, 3);
  store<u8>(at, OPTION_NAME_SERVER, 4);
  store<u8>(at, OPTION_END, 5);
  const address = memory.data(32);
  writeAddressV4(address, u32.MAX_VALUE, SERVER_PORT);
  socket.send(singleList(buffer + BUFFER_BYTES, buffer, MESSAGE_BYTES), 0, address, 16, 0, 0);
}

function put32(at: usize, code: u8, value: u32): usize {
  store<u8>(at, code);
  store<u8>(at, 4, 1);
  store32(at + 2, value);
  return at + 6;
}

/** Waits for an answer of this type to our transaction. */
function awaitAnswer(socket: UdpSocket, type: u8, buffer: usize): bool {
  for (let look = 0; look < LOOKS; look++) {
    memory.fill(buffer, 0, BUFFER_BYTES);
    const list = singleList(buffer + BUFFER_BYTES, buffer, BUFFER_BYTES);
    const length = socket.receive(list, 0, null);
    if (length < 0) return false;
    if (
      length > <i64>OPTIONS &&
      load32(buffer + TRANSACTION) == transaction &&
      load32(buffer + COOKIE) == COOKIE_VALUE
    ) {
      const found = findOption(buffer, OPTION_TYPE);
      if (found != 0 && load<u8>(found) == type) return true;
    }
  }
  return false;
}

/** Address of an option's value, 0 if it is not there; the buffer ends in zeros, which are padding. */
function findOption(buffer: usize, code: u8): usize {
  let at = buffer + OPTIONS;
  const end = buffer + BUFFER_BYTES;
  while (at + 2 < end) {
    const found = load<u8>(at);
    if (found == OPTION_END) return 0;
    if (found == 0) {
      at++;
      continue;
    }
    const length = <usize>load<u8>(at, 1);
    if (at + 2 + length > end) return 0;
    if (found == code && length > 0) return at + 2;
    at += 2 + length;
  }
  return 0;
}

function option32(buffer: usize, code: u8): u32 {
  const at = findOption(buffer, code);
  return at != 0 && load<u8>(at - 1) >= 4 ? load32(at) : 0;
}

function apply(outer: Interface, buffer: usize): void {
  const mask = option32(buffer, OPTION_MASK);
  const address = new IpAddress();
  address.setV4(load32(buffer + YOUR_ADDRESS));
  const bits = mask != 0 ? <u32>clz<u32>(~mask) : 24;
  addAddress(outer, address, V4_BITS + bits, ORIGIN_DHCP);
  address.setV4(0);
  const route = newRoute(address, V4_BITS, outer, ROUTE_BY_DHCP);
  route.gateway.setV4(option32(buffer, OPTION_ROUTER));
  if (route.gateway.v4 != 0) addRoute(route);
  address.setV4(option32(buffer, OPTION_NAME_SERVER));
  nameServerFound(address);
  free(address);
}
