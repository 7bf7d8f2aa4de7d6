/**
 * Network interfaces and the route of a packet: `lo`, and `eth0` if there is a device. The routes
 * are those that follow from the addresses: own addresses and 127.0.0.0/8 to `lo`, the subnet to
 * `eth0`, everything else to its gateway.
 *
 * Written at start and by DHCP only; readers need no lock (fields are single words).
 * Neighbours: `ipv4.ts` routes by it, `dhcp.ts` and `init.ts` configure it.
 */
import { NetworkDevice } from "../dev/network";
import { IpAddress } from "../lib/ip-address";

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
export function isOwnAddress(address: IpAddress): bool {
  if (address.isLoopback) return true;
  const outer = ethernet;
  return outer != null && outer.address != 0 && address.isV4 && address.v4 == outer.address;
}

/** True for addresses a received packet may have (also broadcast and multicast). */
export function isReceiver(address: IpAddress): bool {
  if (isOwnAddress(address) || isBroadcast(address) || address.isMulticast) return true;
  const outer = ethernet;
  // Before an address is set, an offer of one may be sent to it (RFC 2131, section 4.1).
  return outer != null && outer.address == 0;
}

/** True for 255.255.255.255 and the directed broadcast address of the subnet. */
export function isBroadcast(address: IpAddress): bool {
  if (!address.isV4) return false;
  const v4 = address.v4;
  if (v4 == BROADCAST_ADDRESS) return true;
  const outer = ethernet;
  return outer != null && outer.mask != 0 && outer.mask < 0xfffffffe && v4 == outer.broadcast;
}

/** The interface that leads to `destination`, or null if there is no route. */
export function routeTo(destination: IpAddress): Interface | null {
  if (isOwnAddress(destination)) return loopbackInterface;
  const outer = ethernet;
  if (outer == null || !destination.isV4) return null;
  if (destination.v4 == BROADCAST_ADDRESS) return outer;
  if (outer.address == 0) return null;
  if (destination.isMulticast || isOnLink(outer, destination.v4)) return outer;
  return outer.gateway != 0 ? outer : null;
}

/** The neighbour to which a packet for `destination` goes. */
export function nextHop(through: Interface, destination: u32): u32 {
  return isOnLink(through, destination) ? destination : through.gateway;
}

/** Chooses the own address to use towards `destination`; false if there is no route. */
export function chooseSource(destination: IpAddress, out: IpAddress): bool {
  const through = routeTo(destination);
  if (through == null) return false;
  if (through.isLoopback) out.copyFrom(destination);
  else out.setV4(through.address);
  return true;
}

function isOnLink(through: Interface, destination: u32): bool {
  return ((destination ^ through.address) & through.mask) == 0;
}
