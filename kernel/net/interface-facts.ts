/**
 * What programs are told about an interface, whichever way they ask: netlink, ioctl(2), /proc/net.
 *
 * Neighbours: `interface.ts`; `netlink/links.ts`, `interface-ioctl.ts`, `proc-net.ts`.
 */
import { Interface } from "./interface";

// netdevice(7), SIOCGIFFLAGS.
export const IFF_UP: u32 = 1;
const IFF_BROADCAST: u32 = 2;
const IFF_LOOPBACK: u32 = 8;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;
const IFF_LOWER_UP: u32 = 0x10000;

/** IFF_*: the low 16 bits are those of ioctl(2). */
export function interfaceFlags(on: Interface): u32 {
  let flags: u32 = on.isLoopback ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST;
  if (on.isUp) flags |= IFF_UP | IFF_RUNNING | IFF_LOWER_UP;
  return flags;
}
