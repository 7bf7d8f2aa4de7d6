/**
 * Addresses and neighbours over netlink: RTM_GETADDR, RTM_NEWADDR, RTM_DELADDR, RTM_GETNEIGH
 * (rtnetlink(7)).
 *
 *     struct ifaddrmsg: | family u8 | prefix length u8 | flags u8 | scope u8 | index u32 |
 *     struct ndmsg:     | family u8 | pad 3 | index i32 | state u16 | flags u8 | type u8 |
 *
 * Neighbours: `message.ts`, `netlink-socket.ts`; `../addresses.ts`, `../neighbours.ts`.
 */
import { MAC_BYTES } from "../../dev/network";
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, isError } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { IpAddress } from "../../lib/ip-address";
import { free } from "../../lib/object";
import { monotonicNs } from "../../sched/clock";
import { addAddress, findAddress, InterfaceAddress, NEVER, ORIGIN_STATIC } from "../addresses";
import { announce } from "../arp";
import { Interface, interfaceAt, loopback } from "../interface";
import { claimAddress, releaseAddress } from "../neighbour-discovery";
import { forEachNeighbour, Neighbour } from "../neighbours";
import { V4_BITS } from "../routes";
import { AF_INET, AF_INET6 } from "../socket";
import { swap32 } from "../bytes";
import {
  beginAttribute,
  beginMessage,
  endAttribute,
  endMessage,
  familyOf,
  FLAG_REPLACE,
  FLAG_MULTI,
  put16,
  put32,
  putAddress,
  putNumber,
  putText,
  Request,
  TYPE_NEW_ADDRESS,
  TYPE_NEW_NEIGHBOUR,
} from "./message";

const ADDRESS_BYTES: usize = 8;
// Attributes (linux/if_addr.h).
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const FLAG_OPTIMISTIC: u32 = 4;
const FLAG_DEPRECATED: u32 = 32;
const FLAG_TENTATIVE: u32 = 64;
const FLAG_PERMANENT: u32 = 128;

// rtnetlink(7), rtm_scope.
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const STATE_INCOMPLETE: u32 = 1;
const STATE_REACHABLE: u32 = 2;
const STATE_STALE: u32 = 4;
const NEIGHBOUR_ROUTER: u32 = 0x80;
const UNICAST: u32 = 1;

const NS_PER_SECOND: u64 = 1_000_000_000;
const FOREVER_SECONDS: u32 = u32.MAX_VALUE;

/** How far an address is known. */
export function scopeOfAddress(address: IpAddress): u8 {
  if (address.isLoopback) return SCOPE_HOST;
  return address.isLinkLocal ? SCOPE_LINK : SCOPE_UNIVERSE;
}

/** IFA_F_*. */
export function addressFlags(entry: InterfaceAddress): u32 {
  const nowNs = monotonicNs();
  let flags: u32 = entry.validUntilNs == NEVER ? FLAG_PERMANENT : 0;
  if (entry.preferredUntilNs <= nowNs) flags |= FLAG_DEPRECATED;
  if (entry.optimisticUntilNs > nowNs) flags |= FLAG_TENTATIVE | FLAG_OPTIMISTIC;
  return flags;
}

/** Prefix length within its own family. */
export function ownPrefixBits(entry: InterfaceAddress): u32 {
  return entry.address.isV4 ? entry.prefixBits - V4_BITS : entry.prefixBits;
}

function secondsUntil(timeNs: u64): u32 {
  if (timeNs == NEVER) return FOREVER_SECONDS;
  const nowNs = monotonicNs();
  return timeNs > nowNs ? <u32>((timeNs - nowNs) / NS_PER_SECOND) : 0;
}

function writeEntry(
  out: ByteWriter,
  request: Request,
  on: Interface,
  entry: InterfaceAddress,
  flags: u16,
): void {
  const address = entry.address;
  const start = beginMessage(out, request, TYPE_NEW_ADDRESS, flags);
  out.writeByte(familyOf(address));
  out.writeByte(<u8>ownPrefixBits(entry));
  out.writeByte(<u8>addressFlags(entry));
  out.writeByte(scopeOfAddress(address));
  put32(out, on.index);
  putAddress(out, IFA_ADDRESS, address);
  if (address.isV4) {
    putAddress(out, IFA_LOCAL, address);
    if (entry.broadcast != 0) putNumber(out, IFA_BROADCAST, swap32(entry.broadcast));
    putText(out, IFA_LABEL, on.name);
  }
  putNumber(out, IFA_FLAGS, addressFlags(entry));
  const cache = beginAttribute(out, IFA_CACHEINFO);
  put32(out, secondsUntil(entry.preferredUntilNs));
  put32(out, secondsUntil(entry.validUntilNs));
  put32(out, 0);
  put32(out, 0);
  endAttribute(out, cache);
  endMessage(out, start);
}

/** RTM_GETADDR: all addresses, of one family or interface if the request says so. */
export function getAddresses(request: Request, out: ByteWriter): i32 {
  const family = request.bodyBytes >= 1 ? load<u8>(request.body) : 0;
  const index = request.bodyBytes >= ADDRESS_BYTES ? load<u32>(request.body, 4) : 0;
  let on: Interface | null = loopback();
  while (on) {
    let entry = index == 0 || index == on.index ? on.addresses : null;
    while (entry) {
      const isWanted = family == 0 || family == familyOf(entry.address);
      if (isWanted && entry.validUntilNs > monotonicNs()) {
        writeEntry(out, request, on, entry, FLAG_MULTI);
      }
      entry = entry.next;
    }
    on = on.next;
  }
  return 0;
}

/** RTM_NEWADDR and RTM_DELADDR. */
export function changeAddress(request: Request, adds: bool): i32 {
  if (request.bodyBytes < ADDRESS_BYTES) return -EINVAL;
  const on = interfaceAt(load<u32>(request.body, 4));
  if (!on) return -ENODEV;
  const address = new IpAddress();
  const isNamed =
    request.address(ADDRESS_BYTES, IFA_LOCAL, address) ||
    request.address(ADDRESS_BYTES, IFA_ADDRESS, address);
  const family = load<u8>(request.body);
  const isSound = isNamed && address.isV4 == (family == <u8>AF_INET) && !address.isAny;
  let result: i32 = -EINVAL;
  if (isSound) result = adds ? add(request, on, address) : releaseAddress(on, address);
  free(address);
  return result;
}

function add(request: Request, on: Interface, address: IpAddress): i32 {
  const bits = <u32>load<u8>(request.body, 1);
  if (bits > <u32>(address.isV4 ? 32 : 128)) return -EINVAL;
  const known = findAddress(on, address);
  if (known && (request.flags & FLAG_REPLACE) == 0) return -EEXIST;
  let entry = known;
  if (!entry) {
    const added = address.isV4
      ? addAddress(on, address, V4_BITS + bits, ORIGIN_STATIC)
      : claimAddress(on, address, bits, ORIGIN_STATIC);
    if (isError(added)) return -EADDRNOTAVAIL;
    entry = changetype<InterfaceAddress>(added);
    if (address.isV4 && !on.isLoopback) announce(on, address.v4);
  }
  const cache = request.attribute(ADDRESS_BYTES, IFA_CACHEINFO);
  if (cache != 0) {
    entry.preferredUntilNs = deadline(load<u32>(cache));
    entry.validUntilNs = deadline(load<u32>(cache, 4));
  }
  return 0;
}

function deadline(seconds: u32): u64 {
  return seconds == FOREVER_SECONDS ? NEVER : monotonicNs() + <u64>seconds * NS_PER_SECOND;
}

/** What `writeNeighbour` needs. */
class NeighbourDump {
  constructor(
    readonly request: Request,
    readonly out: ByteWriter,
    readonly family: u8,
  ) {}
}

/** RTM_GETNEIGH: the hardware addresses that are known. */
export function getNeighbours(request: Request, out: ByteWriter): i32 {
  const family = request.bodyBytes >= 1 ? load<u8>(request.body) : 0;
  const dump = new NeighbourDump(request, out, family);
  forEachNeighbour(writeNeighbour, changetype<usize>(dump));
  free(dump);
  return 0;
}

function writeNeighbour(entry: Neighbour, argument: usize): void {
  const dump = changetype<NeighbourDump>(argument);
  const family = familyOf(entry.address);
  if (dump.family != 0 && dump.family != family) return;
  const out = dump.out;
  const start = beginMessage(out, dump.request, TYPE_NEW_NEIGHBOUR, FLAG_MULTI);
  put32(out, family);
  put32(out, entry.through.index);
  const isFresh = entry.isFresh(monotonicNs());
  put16(out, isFresh ? STATE_REACHABLE : entry.isResolved ? STATE_STALE : STATE_INCOMPLETE);
  put16(out, (UNICAST << 8) | (entry.isRouter && family == <u8>AF_INET6 ? NEIGHBOUR_ROUTER : 0));
  putAddress(out, NDA_DST, entry.address);
  if (entry.isResolved) {
    const value = beginAttribute(out, NDA_LLADDR);
    for (let i: u64 = 0; i < <u64>MAC_BYTES; i++) out.writeByte(<u8>(entry.mac >> (i * 8)));
    endAttribute(out, value);
  }
  endMessage(out, start);
}
