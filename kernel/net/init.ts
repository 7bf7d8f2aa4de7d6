/**
 * Starts the network: interfaces, addresses, and what makes sockets.
 *
 * `ip=ADDRESS::GATEWAY:NETMASK` on the kernel command line sets the address (the form that Linux's
 * nfsroot documentation describes; further fields are ignored); without it, DHCP is asked.
 * Neighbours: `main.ts` calls it after the devices have started.
 */
import { BootOption, findOption } from "../arch/bootinfo";
import { networkDevice, NetworkDevice, setFrameReceiver } from "../dev/network";
import { Packet } from "../dev/packet";
import { EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, asError } from "../lib/errno";
import { log, logDecimal, logText } from "../lib/log";
import { free } from "../lib/object";
import { parseDecimal, parsedLength } from "../lib/parse";
import { announce } from "./arp";
import { configureByDhcp } from "./dhcp";
import { ethernetReceive } from "./ethernet";
import { addEthernet, Interface } from "./interface";
import { seedFlows } from "./ports";
import { AF_INET, setSocketFactory, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM } from "./socket";
import { TcpSocket } from "./tcp-socket";
import { UdpSocket } from "./udp-socket";

const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;
const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const FIELD_ADDRESS: i32 = 0;
const FIELD_GATEWAY: i32 = 2;
const FIELD_MASK: i32 = 3;

/** Starts the network; waits for an address if there is a device. */
export function initNetwork(): void {
  seedFlows();
  setSocketFactory(makeSocket);
  const device = networkDevice();
  if (device == null) return;
  const outer = addEthernet(device);
  setFrameReceiver(receive);
  const option = new BootOption();
  const isStatic = findOption("ip", option) && applyStatic(outer, option.address, option.length);
  free(option);
  if (!isStatic && !configureByDhcp(outer)) {
    log("eth0: nobody answered DHCP; set an address with --ip ADDRESS/BITS");
    return;
  }
  logText("eth0: ");
  for (let shift: i32 = 24; shift >= 0; shift -= 8) {
    logDecimal((outer.address >> <u32>shift) & 255);
    logText(shift != 0 ? "." : "\n");
  }
  announce(outer);
}

function receive(device: NetworkDevice, packet: Packet): void {
  ethernetReceive(device, packet);
}

function makeSocket(family: i32, type: i32, protocol: i32): usize {
  if (family != AF_INET) return asError(-EAFNOSUPPORT);
  if (type == SOCK_STREAM) {
    if (protocol != 0 && protocol != IPPROTO_TCP) return asError(-EPROTONOSUPPORT);
    return changetype<usize>(new TcpSocket(family));
  }
  if (type == SOCK_DGRAM) {
    if (protocol != 0 && protocol != IPPROTO_UDP) return asError(-EPROTONOSUPPORT);
    return changetype<usize>(new UdpSocket(family));
  }
  return asError(type == SOCK_RAW ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT);
}

/** Reads `ip=`; false if it names no address. */
function applyStatic(outer: Interface, address: usize, length: usize): bool {
  let at: usize = 0;
  let bits: u64 = 0;
  for (let field: i32 = FIELD_ADDRESS; field <= FIELD_MASK && at <= length; field++) {
    const start = at;
    while (at < length && load<u8>(address + at) != COLON) at++;
    const value = parseAddress(address + start, at - start);
    if (field == FIELD_ADDRESS) {
      outer.address = value;
      bits = prefixBits(address + start, at - start);
    } else if (field == FIELD_GATEWAY) outer.gateway = value;
    else if (field == FIELD_MASK) outer.mask = value;
    at++;
  }
  if (bits > 0 && bits <= 32)
    outer.mask = bits == 32 ? u32.MAX_VALUE : ~(u32.MAX_VALUE >> <u32>bits);
  if (outer.mask == 0) outer.mask = 0xffffff00;
  return outer.address != 0;
}

/** A dotted address at the start of the text; 0 if there is none. */
function parseAddress(text: usize, length: usize): u32 {
  let value: u32 = 0;
  let at: usize = 0;
  for (let part = 0; part < 4; part++) {
    const number = parseDecimal(text + at, length - at);
    if (parsedLength() == 0 || number > 255) return 0;
    at += parsedLength();
    value = (value << 8) | <u32>number;
    if (part == 3) return value;
    if (at >= length || load<u8>(text + at) != DOT) return 0;
    at++;
  }
  return 0;
}

/** The number after a slash; 0 without one. */
function prefixBits(text: usize, length: usize): u64 {
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(text + i) == 0x2f) return parseDecimal(text + i + 1, length - i - 1);
  }
  return 0;
}
