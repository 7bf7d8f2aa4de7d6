/**
 * What the network told about names: name servers, the domain, the host's name (RFC 2132, RFC 8106,
 * `ip=` on the kernel command line).
 *
 * Neighbours: `dhcp.ts`, `router-discovery.ts`, `init.ts` fill it in; `resolv-conf.ts` writes it down.
 */
import { IpAddress } from "../lib/ip-address";

/** As many as resolv.conf(5) uses. */
const SERVERS_MAX: u32 = 3;

/** HOST_NAME_MAX of uname(2). */
const NAME_MAX: usize = 64;

const servers = memory.data(48, 8);
let serverCount: u32 = 0;
const host = memory.data(64, 8);
let hostBytes: usize = 0;
const domain = memory.data(256, 8);
let domainBytes: usize = 0;
const DOMAIN_MAX: usize = 255;

/** The name of this machine, with its length in `hostNameLength`; 0 = nobody told one. */
export function hostName(): usize {
  return host;
}

export function hostNameLength(): usize {
  return hostBytes;
}

/** Notes the machine's name; the one that came first stays. */
export function hostNameFound(text: usize, length: usize): void {
  if (hostBytes != 0 || length == 0 || length > NAME_MAX || !isName(text, length)) return;
  memory.copy(host, text, length);
  hostBytes = length;
}

/** The domain to look names up in, with its length in `domainLength`. */
export function domainName(): usize {
  return domain;
}

export function domainLength(): usize {
  return domainBytes;
}

/** Notes the domain. */
export function domainFound(text: usize, length: usize): void {
  if (length == 0 || length > DOMAIN_MAX || !isName(text, length)) return;
  memory.copy(domain, text, length);
  domainBytes = length;
}

/** Letters, digits, hyphens, dots and underscores: nothing that means something in a file. */
function isName(text: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (!isLetter && !isDigit && byte != 0x2d && byte != 0x2e && byte != 0x5f) return false;
  }
  return true;
}

/** How many name servers are known. */
export function nameServerCount(): u32 {
  return serverCount;
}

/** A name server; `index` below `nameServerCount`. */
export function nameServer(index: u32): IpAddress {
  return changetype<IpAddress>(servers + <usize>index * 16);
}

/** Notes a name server; those that came first stay first. */
export function nameServerFound(address: IpAddress): void {
  if (address.isAny || serverCount == SERVERS_MAX) return;
  for (let i: u32 = 0; i < serverCount; i++) if (nameServer(i).equals(address)) return;
  nameServer(serverCount++).copyFrom(address);
}
