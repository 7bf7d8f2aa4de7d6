/**
 * The files of /proc/net (proc(5)) about interfaces, routes and neighbours.
 *
 * Neighbours: `proc-net-sockets.ts`, `proc-net-counters.ts` write the others; procfs calls.
 */
import { setNetworkWriter } from "../fs/procfs/network-text";
import { ByteWriter } from "../lib/format";
import { IpAddress } from "../lib/ip-address";
import { writeIpAddress } from "../lib/ip-text";
import { addressFlags, scopeOfAddress } from "./netlink/addresses";
import { counter } from "./netlink/links";
import { firstGroup } from "./groups";
import { Interface, loopback } from "./interface";
import { forEachNeighbour, Neighbour } from "./neighbours";
import { writeNetstat, writeSnmp, writeSnmp6, writeSoftnet } from "./proc-net-counters";
import { writeRawSockets, writeTcpSockets, writeUdpSockets } from "./proc-net-sockets";
import { writeSockstat, writeSockstat6 } from "./proc-net-sockstat";
import { udpLitePorts, udpPorts } from "./ports";
import { firstRoute, V4_BITS } from "./routes";
import { AF_INET, AF_INET6 } from "./socket";
import { swap32 } from "./bytes";

const TAB: u8 = 9;
const NEWLINE: u8 = 0x0a;
const NAME_WIDTH: i32 = 6;
const ROUTE_UP: u32 = 1;
const ROUTE_GATEWAY: u32 = 2;
const ROUTE_HOST: u32 = 4;
/** As Linux numbers scopes here (include/net/ipv6.h). */
const SCOPE_V6_LINK: u32 = 0x20;
const SCOPE_V6_HOST: u32 = 0x10;

/** Lets procfs show the network. */
export function initProcNet(): void {
  setNetworkWriter(write);
}

function write(name: string, out: ByteWriter): void {
  if (name == "dev") writeDevices(out);
  else if (name == "route") writeRoutes(out);
  else if (name == "if_inet6") writeAddressesV6(out);
  else if (name == "ipv6_route") writeRoutesV6(out);
  else if (name == "arp") writeNeighbours(out);
  else if (name == "igmp") writeGroups(out);
  else if (name == "igmp6") writeGroupsV6(out);
  else if (name == "tcp") writeTcpSockets(out, AF_INET);
  else if (name == "tcp6") writeTcpSockets(out, AF_INET6);
  else if (name == "udp") writeUdpSockets(out, AF_INET, udpPorts);
  else if (name == "udp6") writeUdpSockets(out, AF_INET6, udpPorts);
  else if (name == "udplite") writeUdpSockets(out, AF_INET, udpLitePorts);
  else if (name == "udplite6") writeUdpSockets(out, AF_INET6, udpLitePorts);
  else if (name == "raw") writeRawSockets(out, AF_INET);
  else if (name == "raw6") writeRawSockets(out, AF_INET6);
  else if (name == "snmp") writeSnmp(out);
  else if (name == "snmp6") writeSnmp6(out);
  else if (name == "netstat") writeNetstat(out);
  else if (name == "sockstat") writeSockstat(out);
  else if (name == "sockstat6") writeSockstat6(out);
  else if (name == "softnet_stat") writeSoftnet(out);
}

/** Appends upper-case hexadecimal, as the kernel's tables have it. */
export function writeUpperHex(out: ByteWriter, value: u64, digits: u32): void {
  for (let i = <i32>digits - 1; i >= 0; i--) {
    const digit = <u8>((value >> (<u64>i * 4)) & 15);
    out.writeByte(digit < 10 ? 0x30 + digit : 0x37 + digit);
  }
}

function writeAddressHex(out: ByteWriter, address: IpAddress): void {
  for (let i: usize = 0; i < 16; i++) {
    out.writeHex(load<u8>(changetype<usize>(address) + i), 2);
  }
}

function writeName(out: ByteWriter, name: string): void {
  out.writeRepeated(0x20, <usize>max(NAME_WIDTH - name.length, 0));
  out.writeString(name);
}

function writeDevices(out: ByteWriter): void {
  out.writeString(
    "Inter-|   Receive                                                |  Transmit\n" +
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
  );
  let on: Interface | null = loopback();
  while (on) {
    writeName(out, on.name);
    out.writeByte(0x3a);
    // Bytes, packets, errors, drops, three that are never counted, multicast.
    out.writePadded(counter(on, 2), 8);
    out.writePadded(counter(on, 0), 8);
    out.writePadded(0, 5);
    out.writePadded(counter(on, 6), 5);
    out.writeString("    0     0          0");
    out.writePadded(counter(on, 8), 10);
    out.writePadded(counter(on, 3), 9);
    out.writePadded(counter(on, 1), 8);
    out.writePadded(0, 5);
    out.writePadded(counter(on, 7), 5);
    out.writeString("    0     0       0          0\n");
    on = on.next;
  }
}

function writeRoutes(out: ByteWriter): void {
  out.writeString(
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n",
  );
  let next = firstRoute();
  while (next) {
    const route = next;
    next = route.next;
    if (!route.prefix.isV4) continue;
    const bits = route.prefixBits - V4_BITS;
    let flags = ROUTE_UP;
    if (!route.gateway.isAny) flags |= ROUTE_GATEWAY;
    if (bits == 32) flags |= ROUTE_HOST;
    out.writeString(route.through.name);
    out.writeByte(TAB);
    writeUpperHex(out, swap32(route.prefix.v4), 8);
    out.writeByte(TAB);
    writeUpperHex(out, route.gateway.isAny ? 0 : swap32(route.gateway.v4), 8);
    out.writeByte(TAB);
    writeUpperHex(out, flags, 4);
    out.writeString("\t0\t0\t");
    out.writeDecimal(route.metric);
    out.writeByte(TAB);
    writeUpperHex(out, bits == 0 ? 0 : swap32(u32.MAX_VALUE << (32 - bits)), 8);
    out.writeString("\t0\t0\t0\n");
  }
}

function writeAddressesV6(out: ByteWriter): void {
  let on: Interface | null = loopback();
  while (on) {
    let entry = on.addresses;
    while (entry) {
      const address = entry.address;
      if (!address.isV4) {
        const isLink = scopeOfAddress(address) == 253;
        writeAddressHex(out, address);
        out.writeByte(0x20);
        out.writeHex(on.index, 2);
        out.writeByte(0x20);
        out.writeHex(entry.prefixBits, 2);
        out.writeByte(0x20);
        out.writeHex(address.isLoopback ? SCOPE_V6_HOST : isLink ? SCOPE_V6_LINK : 0, 2);
        out.writeByte(0x20);
        out.writeHex(addressFlags(entry) & 0xff, 2);
        out.writeByte(0x20);
        out.writeRepeated(0x20, <usize>max(8 - on.name.length, 0));
        out.writeString(on.name);
        out.writeByte(NEWLINE);
      }
      entry = entry.next;
    }
    on = on.next;
  }
}

function writeRoutesV6(out: ByteWriter): void {
  let next = firstRoute();
  while (next) {
    const route = next;
    next = route.next;
    if (route.prefix.isV4) continue;
    writeAddressHex(out, route.prefix);
    out.writeByte(0x20);
    out.writeHex(route.prefixBits, 2);
    out.writeString(" 00000000000000000000000000000000 00 ");
    writeAddressHex(out, route.gateway);
    out.writeByte(0x20);
    out.writeHex(route.metric, 8);
    out.writeString(" 00000001 00000000 ");
    out.writeHex(route.gateway.isAny ? ROUTE_UP : ROUTE_UP | ROUTE_GATEWAY, 8);
    out.writeByte(0x20);
    out.writeRepeated(0x20, <usize>max(8 - route.through.name.length, 0));
    out.writeString(route.through.name);
    out.writeByte(NEWLINE);
  }
}

function writeNeighbours(out: ByteWriter): void {
  out.writeString(
    "IP address       HW type     Flags       HW address            Mask     Device\n",
  );
  forEachNeighbour(writeNeighbour, changetype<usize>(out));
}

function writeNeighbour(entry: Neighbour, argument: usize): void {
  if (!entry.address.isV4) return;
  const out = changetype<ByteWriter>(argument);
  const start = out.length;
  writeIpAddress(out, entry.address);
  out.writeRepeated(0x20, 17 - (out.length - start));
  out.writeString(entry.isResolved ? "0x1         0x2         " : "0x1         0x0         ");
  for (let i: u64 = 0; i < 6; i++) {
    if (i != 0) out.writeByte(0x3a);
    out.writeHex(entry.isResolved ? (entry.mac >> (i * 8)) & 255 : 0, 2);
  }
  out.writeString("     *        ");
  out.writeString(entry.through.name);
  out.writeByte(NEWLINE);
}

function writeGroups(out: ByteWriter): void {
  out.writeString("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
  let on: Interface | null = loopback();
  while (on) {
    let total: u64 = 1;
    let next = firstGroup();
    while (next) {
      const at = next;
      next = at.next;
      if (at.members != 0 && at.on == on && at.address.isV4) total++;
    }
    out.writeDecimal(on.index);
    out.writeByte(TAB);
    out.writeString(on.name);
    out.writeRepeated(0x20, <usize>max(10 - on.name.length, 0));
    out.writeString(": ");
    out.writePadded(total, 5);
    out.writeString("      V2\n\t\t\t\t010000E0     1 0:00000000\t\t1\n");
    next = firstGroup();
    while (next) {
      const at = next;
      next = at.next;
      if (at.members != 0 && at.on == on && at.address.isV4) {
        out.writeString("\t\t\t\t");
        writeUpperHex(out, swap32(at.address.v4), 8);
        out.writePadded(at.members, 6);
        out.writeString(" 0:00000000\t\t1\n");
      }
    }
    on = on.next;
  }
}

function writeGroupsV6(out: ByteWriter): void {
  let next = firstGroup();
  while (next) {
    const at = next;
    next = at.next;
    if (at.members != 0 && !at.address.isV4) {
      out.writeDecimal(at.on.index);
      out.writeString("    ");
      out.writeString(at.on.name);
      out.writeRepeated(0x20, <usize>max(16 - at.on.name.length, 1));
      writeAddressHex(out, at.address);
      out.writePadded(at.members, 6);
      out.writeString(" 00000004 0\n");
    }
  }
}
