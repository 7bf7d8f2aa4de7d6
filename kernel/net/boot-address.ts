/**
 * Addresses from the kernel command line, in the form that Linux's nfsroot documentation describes:
 *
 *     ip=CLIENT[/BITS]:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS0:DNS1:NTP0
 *
 * Fields may be empty; IPv6 addresses stand in brackets. AUTOCONF `off`, `none` or an address means
 * what is written here; `dhcp`, `on`, `any` or `ip=dhcp` alone ask DHCP. The option may be repeated.
 *
 * Neighbours: `init.ts`; `addresses.ts`, `routes.ts`, `resolver.ts` keep what is read.
 */
import { findOption } from "../arch/bootinfo";
import { IpAddress } from "../lib/ip-address";
import { parseIpAddress } from "../lib/ip-text";
import { free } from "../lib/object";
import { parseDecimal, parsedLength } from "../lib/parse";
import { addAddress, ORIGIN_STATIC } from "./addresses";
import { Interface } from "./interface";
import { claimAddress } from "./neighbour-discovery";
import { hostNameFound, nameServerFound } from "./resolver";
import { addRoute, newRoute, ROUTE_BY_BOOT, V4_BITS } from "./routes";

const COLON: u8 = 0x3a;
const SLASH: u8 = 0x2f;
const OPENING: u8 = 0x5b;
const CLOSING: u8 = 0x5d;

const FIELD_CLIENT: i32 = 0;
const FIELD_GATEWAY: i32 = 2;
const FIELD_MASK: i32 = 3;
const FIELD_HOST_NAME: i32 = 4;
const FIELD_DNS_FIRST: i32 = 7;
const FIELD_DNS_LAST: i32 = 8;
const DEFAULT_BITS_V4: u32 = 24;
const DEFAULT_BITS_V6: u32 = 64;

/** One option while it is read. */
class BootAddress {
  readonly client: IpAddress = new IpAddress();
  readonly gateway: IpAddress = new IpAddress();
  readonly scratch: IpAddress = new IpAddress();
  bits: u32 = 0;

  constructor() {
    this.client.clear();
    this.gateway.clear();
  }

  dispose(): void {
    free(this.client);
    free(this.gateway);
    free(this.scratch);
    free(this);
  }
}

/** Sets the addresses that the command line names; false if it names no IPv4 address. */
export function configureFromBoot(on: Interface): bool {
  let hasV4 = false;
  let option = findOption("ip");
  while (option) {
    if (apply(on, option.address, option.length)) hasV4 = true;
    option = findOption("ip", option.next);
  }
  return hasV4;
}

/** Applies one option; true if it set an IPv4 address. */
function apply(on: Interface, text: usize, length: usize): bool {
  const read = new BootAddress();
  let at: usize = 0;
  for (let field: i32 = 0; at <= length; field++) {
    const start = at;
    let depth = 0;
    while (at < length && (depth > 0 || load<u8>(text + at) != COLON)) {
      const byte = load<u8>(text + at);
      if (byte == OPENING) depth = 1;
      else if (byte == CLOSING) depth = 0;
      at++;
    }
    take(read, field, text + start, at - start);
    at++;
  }
  const client = read.client;
  const isV4 = !client.isAny && client.isV4;
  if (!client.isAny) configure(on, read);
  read.dispose();
  return isV4;
}

function take(read: BootAddress, field: i32, text: usize, length: usize): void {
  if (length == 0) return;
  if (field == FIELD_CLIENT) takeClient(read, text, length);
  else if (field == FIELD_GATEWAY) takeAddress(text, length, read.gateway);
  else if (field == FIELD_MASK) takeMask(read, text, length);
  else if (field == FIELD_HOST_NAME) hostNameFound(text, length);
  else if (field >= FIELD_DNS_FIRST && field <= FIELD_DNS_LAST) {
    if (takeAddress(text, length, read.scratch)) nameServerFound(read.scratch);
  }
}

/** An address, in brackets or not; false (and `::`) if it is none. */
function takeAddress(text: usize, length: usize, out: IpAddress): bool {
  const isBracketed = length >= 2 && load<u8>(text) == OPENING;
  const inner = isBracketed ? text + 1 : text;
  const bytes = isBracketed ? length - 2 : length;
  if (parseIpAddress(inner, bytes, out)) return true;
  out.clear();
  return false;
}

/** `ADDRESS/BITS`; the slash stands behind or within the brackets. */
function takeClient(read: BootAddress, text: usize, length: usize): void {
  let end: usize = 0;
  while (end < length && load<u8>(text + end) != SLASH) end++;
  if (!takeAddress(text, end, read.client) || end == length) return;
  const bits = parseDecimal(text + end + 1, length - end - 1);
  const most: u64 = read.client.isV4 ? 32 : 128;
  if (parsedLength() != 0 && bits <= most) read.bits = <u32>bits;
}

/** A netmask, of which the leading ones are counted, or a number of bits. */
function takeMask(read: BootAddress, text: usize, length: usize): void {
  if (takeAddress(text, length, read.scratch) && read.scratch.isV4) {
    const mask = read.scratch.v4;
    read.bits = mask == u32.MAX_VALUE ? 32 : <u32>clz<u32>(~mask);
    return;
  }
  const bits = parseDecimal(text, length);
  if (parsedLength() == length && bits <= 128) read.bits = <u32>bits;
}

function configure(on: Interface, read: BootAddress): void {
  const client = read.client;
  if (client.isV4) {
    const bits = V4_BITS + (read.bits != 0 ? read.bits : DEFAULT_BITS_V4);
    addAddress(on, client, bits, ORIGIN_STATIC);
  } else {
    claimAddress(on, client, read.bits != 0 ? read.bits : DEFAULT_BITS_V6, ORIGIN_STATIC);
  }
  const gateway = read.gateway;
  if (gateway.isAny || gateway.isV4 != client.isV4) return;
  // The default route's prefix is 0.0.0.0, mapped, or `::`.
  if (gateway.isV4) read.scratch.setV4(0);
  else read.scratch.clear();
  const route = newRoute(read.scratch, gateway.isV4 ? V4_BITS : 0, on, ROUTE_BY_BOOT);
  route.gateway.copyFrom(gateway);
  addRoute(route);
}
