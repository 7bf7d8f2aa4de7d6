/**
 * Network interfaces and the route of a packet: `lo`, and `eth0` if there is a device. The routes
 * are those that follow from the addresses: own addresses and 127.0.0.0/8 to `lo`, the subnet to
 * `eth0`, everything else to its gateway.
 *
 * Written at start and by DHCP only; readers need no lock (fields are single words).
 * Neighbours: `ipv4.ts` routes by it, `dhcp.ts` and `init.ts` configure it.
 */
import { NetworkDevice } from "../dev/network";

export const LOOPBACK_ADDRESS: u32 = 0x7f000001;
export const BROADCAST_ADDRESS: u32 = 0xffffffff;

export class Interface {
  /** IPv4 addresses in host order; 0 = none. */
  address: u32 = 0;
  mask: u32 = 0;
  gateway: u32 = 0;
  /** First name server that DHCP named; 0 = none. */
  nameServer: u32 = 0;
  mtuBytes: u32 = 65536;

  /** @param index as if_nametoindex(3) says @param device null for `lo` */
  constructor(
    readonly name: string,
    readonly index: u32,
    readonly device: NetworkDevice | null,
  ) {
    if (device) this.mtuBytes = device.mtuBytes;
  }

  get isLoopback(): bool {
    return this.device == null;
  }

  /** The directed broadcast address of the subnet. */
  get broadcast(): u32 {
    return this.address | ~this.mask;
  }
}

const loopbackInterface = new Interface("lo", 1, null);
loopbackInterface.address = LOOPBACK_ADDRESS;
loopbackInterface.mask = 0xff000000;
let ethernet: Interface | null = null;

/** `lo`. */
export function loopback(): Interface {
  return loopbackInterface;
}

/** `eth0`, or null. */
export function ethernetInterface(): Interface | null {
  return ethernet;
}

/** Makes the device `eth0`. */
export function addEthernet(device: NetworkDevice): Interface {
  const added = new Interface("eth0", 2, device);
  ethernet = added;
  device.owner = changetype<usize>(added);
  return added;
}

/** True if packets to `address` are for this machine alone. */
export function isOwnAddress(address: u32): bool {
  if (address >> 24 == 127) return true;
  const outer = ethernet;
  return outer != null && address != 0 && address == outer.address;
}

/** True for addresses a received packet may have (also broadcast and multicast). */
export function isReceiver(address: u32): bool {
  if (isOwnAddress(address) || isBroadcast(address) || isMulticast(address)) return true;
  const outer = ethernet;
  // Before an address is set, an offer of one may be sent to it (RFC 2131, section 4.1).
  return outer != null && outer.address == 0;
}

export function isMulticast(address: u32): bool {
  return address >> 28 == 14;
}

export function isBroadcast(address: u32): bool {
  if (address == BROADCAST_ADDRESS) return true;
  const outer = ethernet;
  return outer != null && outer.mask != 0 && outer.mask < 0xfffffffe && address == outer.broadcast;
}

/** The interface that leads to `destination`, or null if there is no route. */
export function routeTo(destination: u32): Interface | null {
  if (isOwnAddress(destination)) return loopbackInterface;
  const outer = ethernet;
  if (outer == null) return null;
  if (destination == BROADCAST_ADDRESS) return outer;
  if (outer.address == 0) return null;
  if (isMulticast(destination) || isOnLink(outer, destination)) return outer;
  return outer.gateway != 0 ? outer : null;
}

/** The neighbour to which a packet for `destination` goes. */
export function nextHop(through: Interface, destination: u32): u32 {
  if (isBroadcast(destination) || isMulticast(destination)) return destination;
  return isOnLink(through, destination) ? destination : through.gateway;
}

/** The own address to use towards `destination`; 0 if there is no route. */
export function sourceFor(destination: u32): u32 {
  const through = routeTo(destination);
  if (through == null) return 0;
  return through.isLoopback ? destination : through.address;
}

function isOnLink(through: Interface, destination: u32): bool {
  return ((destination ^ through.address) & through.mask) == 0;
}
