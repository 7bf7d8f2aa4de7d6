/**
 * Addresses of sockets as applications write them: struct sockaddr_in (ip(7)) and sockaddr_in6
 * (ipv6(7)), in kernel memory of ADDRESS_BYTES.
 *
 *     sockaddr_in    family 2 | port 2 | address 4     | zero 8                          16 bytes
 *     sockaddr_in6   family 2 | port 2 | flow label 4  | address 16          | scope 4   28 bytes
 *
 * Neighbours: `endpoint.ts` and the sockets.
 */
import { EAFNOSUPPORT, EINVAL } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { load16, load32, store16, store32 } from "./bytes";
import { AF_INET, AF_INET6 } from "./socket";

export const SOCKADDR_IN_BYTES: usize = 16;
export const SOCKADDR_IN6_BYTES: usize = 28;
/** Without the scope, as RFC 2133 had it. */
const SOCKADDR_IN6_LEAST: usize = 24;

const PORT: usize = 2;
const ADDRESS_V4: usize = 4;
const ADDRESS_V6: usize = 8;
const SCOPE: usize = 24;

/** What is wrong with an address for a socket of `family`: 0, -EINVAL or -EAFNOSUPPORT. */
export function checkAddress(family: i32, address: usize, length: usize): i64 {
  if (length < (family == AF_INET6 ? SOCKADDR_IN6_LEAST : SOCKADDR_IN_BYTES)) return -EINVAL;
  return load<u16>(address) == <u16>family ? 0 : -EAFNOSUPPORT;
}

/** The port of a checked address. */
export function portOf(address: usize): u16 {
  return load16(address + PORT);
}

/** The address of a checked address; a sockaddr_in is given the form of a sockaddr_in6 for it. */
export function hostOf(address: usize): IpAddress {
  const host = changetype<IpAddress>(address + ADDRESS_V6);
  if (load<u16>(address) == <u16>AF_INET) host.setV4(load32(address + ADDRESS_V4));
  return host;
}

/** As `hostOf`, with "any" replaced by the loopback address: whom one connects to. */
export function peerOf(address: usize): IpAddress {
  const host = hostOf(address);
  if (!host.isAny) return host;
  if (host.isV4) host.setV4(0x7f000001);
  else host.setLoopback();
  return host;
}

const any = changetype<IpAddress>(memory.data(16, 8));

/** `::`, to bind to any address; not to be written to. */
export function anyAddress(): IpAddress {
  return any;
}

/** The interface that a link-local address belongs to; 0 = not said. */
export function scopeOf(address: usize, length: usize): u32 {
  const hasScope = load<u16>(address) == <u16>AF_INET6 && length >= SOCKADDR_IN6_BYTES;
  return hasScope ? load<u32>(address, SCOPE) : 0;
}

/**
 * Writes an address in the form of a socket's family; IPv4 addresses stay mapped for AF_INET6.
 * @returns its length
 */
export function writeAddress(
  out: usize,
  family: i32,
  host: IpAddress,
  port: u16,
  scope: u32 = 0,
): i64 {
  store<u16>(out, <u16>family);
  store16(out + PORT, port);
  if (family == AF_INET) {
    store32(out + ADDRESS_V4, host.isV4 ? host.v4 : 0);
    store<u64>(out, 0, ADDRESS_V6);
    return <i64>SOCKADDR_IN_BYTES;
  }
  store<u32>(out, 0, ADDRESS_V4);
  changetype<IpAddress>(out + ADDRESS_V6).copyFrom(host);
  store<u32>(out, host.isLinkLocal ? scope : 0, SCOPE);
  return <i64>SOCKADDR_IN6_BYTES;
}

/** Writes a sockaddr_in. @param host in host order */
export function writeAddressV4(out: usize, host: u32, port: u16): void {
  store<u16>(out, <u16>AF_INET);
  store16(out + PORT, port);
  store32(out + ADDRESS_V4, host);
  store<u64>(out, 0, ADDRESS_V6);
}
