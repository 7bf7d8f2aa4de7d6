/**
 * IP addresses of both families as 16 bytes in network order. IPv4 addresses have the form that
 * RFC 4291, section 2.5.5.2, maps them to, `::ffff:a.b.c.d`, so everything above the network layer
 * handles one kind of address:
 *
 *     byte  0              8      10     12
 *           +--------------+------+------+-------------+
 *     IPv4  | 0            | 0    | ffff | a  b  c  d  |
 *           +--------------+------+------+-------------+
 *     IPv6  | first        | last                      |
 *           +--------------+---------------------------+
 *
 * An address is an overlay on memory that somebody else owns: a packet, an endpoint, a sockaddr_in6.
 * The mapped prefix is zero to the Internet checksum (0xffff), so pseudo-headers need no case either.
 *
 * Neighbours: `dev/packet.ts`, `net/endpoint.ts` hold them; `ip-text.ts` reads and writes them.
 */

/** Bytes 8 to 11 of a mapped address, as this processor loads them. */
const MAPPED: u64 = 0xffff0000;
const MAPPED_MASK: u64 = 0xffffffff;
/** Last half of `::1`. */
const LOOPBACK_LAST: u64 = 1 << 56;

function swap(value: u32): u32 {
  const halves = (value << 16) | (value >> 16);
  return ((halves & 0x00ff00ff) << 8) | ((halves >> 8) & 0x00ff00ff);
}

@unmanaged
export class IpAddress {
  first: u64;
  last: u64;

  /** True for IPv4 addresses, 0.0.0.0 included. */
  get isV4(): bool {
    return this.first == 0 && (this.last & MAPPED_MASK) == MAPPED;
  }

  /** The IPv4 address in host order, if it is one. */
  get v4(): u32 {
    return swap(<u32>(this.last >> 32));
  }

  /** Becomes an IPv4 address, given in host order. */
  setV4(address: u32): void {
    this.first = 0;
    this.last = MAPPED | ((<u64>swap(address)) << 32);
  }

  /** True for `::` and 0.0.0.0. */
  get isAny(): bool {
    return this.first == 0 && (this.last == 0 || this.last == MAPPED);
  }

  /** True for `::1` and 127.0.0.0/8. */
  get isLoopback(): bool {
    if (this.first != 0) return false;
    return this.last == LOOPBACK_LAST || (this.isV4 && this.v4 >> 24 == 127);
  }

  /** True for ff00::/8 and 224.0.0.0/4. */
  get isMulticast(): bool {
    return (this.first & 0xff) == 0xff || (this.isV4 && this.v4 >> 28 == 14);
  }

  /** True for fe80::/10. */
  get isLinkLocal(): bool {
    return (this.first & 0xc0ff) == 0x80fe;
  }

  /** Becomes `::`, which stands for "any" of both families. */
  clear(): void {
    this.first = 0;
    this.last = 0;
  }

  /** Becomes `::1`. */
  setLoopback(): void {
    this.first = 0;
    this.last = LOOPBACK_LAST;
  }

  copyFrom(other: IpAddress): void {
    this.first = other.first;
    this.last = other.last;
  }

  equals(other: IpAddress): bool {
    return this.last == other.last && this.first == other.first;
  }

  /** True if the first `bits` bits, 0 to 128, are those of `other`; those of IPv4 begin at 96. */
  sharesPrefix(other: IpAddress, bits: u32): bool {
    const high = bswap<u64>(this.first ^ other.first);
    const low = bswap<u64>(this.last ^ other.last);
    if (bits == 0) return true;
    if (bits <= 64) return high >> (64 - bits) == 0;
    return high == 0 && low >> (128 - bits) == 0;
  }
}
