/**
 * Network interfaces: `lo`, `eth0` if there is a device, and VLANs on top of it (IEEE 802.1Q).
 *
 * The list only grows, so readers need no lock. What an interface is called at is in `addresses.ts`,
 * where packets go in `routes.ts`.
 */
import { NetworkDevice } from "../dev/network";
import { InterfaceAddress } from "./addresses";
import { Route } from "./routes";

/** What `lo` carries in one packet. */
const LOOPBACK_MTU: u32 = 65536;
/** Hop limit where a router has not said another (RFC 1122, section 3.2.1.7; RFC 4861). */
export const DEFAULT_HOP_LIMIT: u8 = 64;

/** Frames and bytes of an interface that has no device of its own. */
export class InterfaceCounters {
  packets: u64 = 0;
  bytes: u64 = 0;
}

export class Interface {
  next: Interface | null = null;
  /** Its addresses, of both families (`addresses.ts`). */
  addresses: InterfaceAddress | null = null;
  /** Where its neighbours and groups are reached without a route of the table (`routes.ts`). */
  direct: Route | null = null;
  isUp: bool = true;
  mtuBytes: u32 = LOOPBACK_MTU;
  /** As routers advertise it (RFC 4861, section 6.3.4). */
  hopLimit: u8 = DEFAULT_HOP_LIMIT;
  /** IEEE 802.1Q: 0 = frames without a tag. */
  vlan: u16 = 0;
  received: InterfaceCounters = new InterfaceCounters();
  sent: InterfaceCounters = new InterfaceCounters();
  /** How many packet sockets want frames for other stations too (packet(7)). */
  promiscuity: u32 = 0;
  /** Multicast packets received. */
  multicasts: u64 = 0;

  /**
   * @param index as if_nametoindex(3) says
   * @param device null for `lo`; VLANs share their parent's
   * @param parent of a VLAN
   */
  constructor(
    readonly name: string,
    readonly index: u32,
    readonly device: NetworkDevice | null,
    readonly parent: Interface | null,
  ) {
    if (device) this.mtuBytes = device.mtuBytes;
  }

  /** Counts a packet that left by `lo` and came back. */
  countLooped(bytes: u32): void {
    this.sent.packets++;
    this.sent.bytes += bytes;
    this.received.packets++;
    this.received.bytes += bytes;
  }

  get isLoopback(): bool {
    return this.device == null;
  }

  /** Address of the hardware address, 6 bytes; 0 for `lo`. */
  get macAddress(): usize {
    const device = this.device;
    return device ? device.macAddress : 0;
  }

  /** The hardware address in the low 6 bytes. */
  get mac(): u64 {
    const at = this.macAddress;
    return at != 0 ? <u64>load<u32>(at) | ((<u64>load<u16>(at, 4)) << 32) : 0;
  }
}

const loopbackInterface = new Interface("lo", 1, null, null);
let last: Interface = loopbackInterface;
let ethernet: Interface | null = null;

/** `lo`, which is the first one of the list. */
export function loopback(): Interface {
  return loopbackInterface;
}

/** `eth0`, or null. */
export function ethernetInterface(): Interface | null {
  return ethernet;
}

function append(added: Interface): Interface {
  last.next = added;
  last = added;
  return added;
}

/** Makes the device `eth0`. */
export function addEthernet(device: NetworkDevice): Interface {
  const added = append(new Interface("eth0", 2, device, null));
  ethernet = added;
  device.owner = changetype<usize>(added);
  return added;
}

/** Makes a VLAN of an Ethernet interface; `name` must live on. @param vlan 1 to 4094 */
export function addVlan(name: string, parent: Interface, vlan: u16): Interface {
  const added = append(new Interface(name, last.index + 1, parent.device, parent));
  added.vlan = vlan;
  added.mtuBytes = parent.mtuBytes;
  return added;
}

/** The interface with an index, or null. */
export function interfaceAt(index: u32): Interface | null {
  let at: Interface | null = loopbackInterface;
  while (at && at.index != index) at = at.next;
  return at;
}

/** The interface with a name of `length` bytes, or null. */
export function interfaceNamed(name: usize, length: usize): Interface | null {
  let at: Interface | null = loopbackInterface;
  while (at && !isNamed(at, name, length)) at = at.next;
  return at;
}

function isNamed(candidate: Interface, name: usize, length: usize): bool {
  const text = candidate.name;
  if (<usize>text.length != length) return false;
  for (let i: usize = 0; i < length; i++) {
    if (<u8>text.charCodeAt(<i32>i) != load<u8>(name + i)) return false;
  }
  return true;
}

/** The VLAN of `parent` with this tag, or null. */
export function vlanOf(parent: Interface, vlan: u16): Interface | null {
  let at = parent.next;
  while (at && !(at.parent == parent && at.vlan == vlan)) at = at.next;
  return at;
}
