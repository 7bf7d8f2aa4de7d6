/**
 * What the files of an interface below /sys/class/net say (Linux
 * Documentation/ABI/testing/sysfs-class-net).
 *
 * Neighbours: `interface-facts.ts`, `netlink/links.ts`; `fs/sysfs/interfaces.ts` has the names.
 */
import { MAC_BYTES } from "../dev/network";
import { setInterfaceFacts } from "../fs/procfs/network-text";
import { ByteWriter } from "../lib/format";
import { Interface, loopback } from "./interface";
import { IFF_UP, interfaceFlags } from "./interface-facts";
import { counter } from "./netlink/links";

/** Types of hardware (netdevice(7), ARPHRD_*). */
const TYPE_ETHERNET: u64 = 1;
const TYPE_LOOPBACK: u64 = 772;
/** IFF_RUNNING and IFF_LOWER_UP, which follow from the link and are not shown. */
const FLAGS_OF_LINK: u32 = 0x10040;
const BYTE_MASK: u64 = 0xff;
const SLASH: i32 = 0x2f;

/** Lets sysfs show the interfaces. */
export function initSysClassNet(): void {
  setInterfaceFacts(nameAt, write);
}

function nameAt(number: u32): string {
  let on: Interface | null = loopback();
  for (let i: u32 = 0; i < number && on; i++) on = on.next;
  return on ? on.name : "";
}

/** True if `path` is `directory`, a slash and something more. */
function isBelow(path: string, directory: string): bool {
  return path.charCodeAt(directory.length) == SLASH && path.startsWith(directory, 0);
}

/** True if the path ends with the name. */
function is(path: string, name: string): bool {
  return path.endsWith(name, path.length);
}

function write(path: string, out: ByteWriter): void {
  let on: Interface | null = loopback();
  while (on && !isBelow(path, on.name)) on = on.next;
  if (!on) return;
  if (is(path, "/address")) writeMac(out, on.mac);
  else if (is(path, "/broadcast")) writeMac(out, on.isLoopback ? 0 : u64.MAX_VALUE);
  else if (is(path, "/flags")) {
    out.writeString("0x");
    out.writeHex(interfaceFlags(on) & ~FLAGS_OF_LINK);
  } else if (is(path, "/operstate")) {
    out.writeString(on.isLoopback ? "unknown" : on.isUp ? "up" : "down");
  } else if (is(path, "/uevent")) {
    out.writeString("INTERFACE=");
    out.writeString(on.name);
    out.writeString("\nIFINDEX=");
    out.writeDecimal(on.index);
  } else out.writeDecimal(numberOf(on, path));
  out.writeByte(0x0a);
}

function numberOf(on: Interface, path: string): u64 {
  const parent = on.parent;
  if (is(path, "/carrier")) return (interfaceFlags(on) & IFF_UP) != 0 ? 1 : 0;
  if (is(path, "/ifindex")) return on.index;
  if (is(path, "/iflink")) return parent ? parent.index : on.index;
  if (is(path, "/mtu")) return on.mtuBytes;
  if (is(path, "/type")) return on.isLoopback ? TYPE_LOOPBACK : TYPE_ETHERNET;
  if (is(path, "/rx_packets")) return counter(on, 0);
  if (is(path, "/tx_packets")) return counter(on, 1);
  if (is(path, "/rx_bytes")) return counter(on, 2);
  if (is(path, "/tx_bytes")) return counter(on, 3);
  if (is(path, "/rx_dropped")) return counter(on, 6);
  if (is(path, "/tx_dropped")) return counter(on, 7);
  return counter(on, 8);
}

function writeMac(out: ByteWriter, mac: u64): void {
  for (let i: u64 = 0; i < MAC_BYTES; i++) {
    if (i != 0) out.writeByte(0x3a);
    out.writeHex((mac >> (i * 8)) & BYTE_MASK, 2);
  }
}
