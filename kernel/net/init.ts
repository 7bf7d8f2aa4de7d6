/**
 * Starts the network: interfaces, addresses, and what makes sockets.
 *
 * Neighbours: `main.ts` calls it after devices and file systems have started; `boot-address.ts` reads
 * the kernel command line; without an address there, DHCP is asked. IPv6 configures itself meanwhile.
 */
import { findOption } from "../arch/bootinfo";
import { networkDevice, setFrameReceiver } from "../dev/network";
import { EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT, asError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { writeIpAddress } from "../lib/ip-text";
import { log, logBytes } from "../lib/log";
import { free } from "../lib/object";
import { PAGE_SIZE } from "../mm/layout";
import { freeFrameCount } from "../mm/frames";
import { onlineCpus } from "../sched/run-queue";
import { firstV4, initLoopbackAddresses, InterfaceAddress } from "./addresses";
import { announce } from "./arp";
import { configureFromBoot } from "./boot-address";
import { configureByDhcp } from "./dhcp";
import { ethernetReceiveAll } from "./ethernet";
import { addEthernet } from "./interface";
import { seedFlows } from "./ports";
import { initProcNet } from "./proc-net";
import { RawSocket } from "./raw-socket";
import { turnMergingOff } from "./receive-merge";
import { writeResolverFiles } from "./resolv-conf";
import { startIpv6 } from "./router-discovery";
import { initCookies } from "./tcp-cookie";
import { limitTcpMemory } from "./tcp-buffers";
import { initSysClassNet } from "./sys-class-net";
import { limitEndings } from "./tcp-ending";
import { newNetlinkSocket } from "./netlink/netlink-socket";
import { newPacketSocket } from "./packet-socket";
import {
  AF_INET,
  AF_NETLINK,
  AF_PACKET,
  setSocketFactory,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from "./socket";
import { turnChannelsOff } from "./tcp-connection";
import { TcpSocket } from "./tcp-socket";
import { IPPROTO_UDPLITE, UdpLiteSocket } from "./udp-lite-socket";
import { UdpSocket } from "./udp-socket";

const IPPROTO_ICMP: i32 = 1;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_UDP: i32 = 17;
const IPPROTO_ICMPV6: i32 = 58;

/** Starts the network; waits for an address if there is a device. */
export function initNetwork(): void {
  seedFlows();
  initCookies();
  const freeBytes = freeFrameCount() * PAGE_SIZE;
  limitTcpMemory(freeBytes / 4);
  limitEndings(freeBytes);
  setSocketFactory(makeSocket);
  if (findOption("nochannels")) turnChannelsOff();
  if (findOption("nomerge")) turnMergingOff();
  initLoopbackAddresses();
  initProcNet();
  initSysClassNet();
  const device = networkDevice();
  if (device == null) return;
  const outer = addEthernet(device);
  setFrameReceiver(ethernetReceiveAll);
  device.spread(onlineCpus());
  startIpv6(outer);
  if (!configureFromBoot(outer) && !configureByDhcp(outer)) {
    log("eth0: nobody has answered DHCP yet; --ip ADDRESS/BITS sets an address");
  }
  let nextInterfaceAddress: InterfaceAddress | null = outer.addresses;
  while (nextInterfaceAddress) {
    const at = nextInterfaceAddress;
    nextInterfaceAddress = at.next;
    logAddress(at);
  }
  const own = firstV4(outer);
  if (own != 0) announce(outer, own);
  writeResolverFiles();
}

function logAddress(entry: InterfaceAddress): void {
  const text = new ByteWriter();
  text.writeString("eth0: ");
  writeIpAddress(text, entry.address);
  text.writeByte(0x0a);
  logBytes(text.address, text.length);
  text.dispose();
  free(text);
}

function makeSocket(family: i32, type: i32, protocol: i32): usize {
  if (family == AF_NETLINK) return newNetlinkSocket(type, protocol);
  if (family == AF_PACKET) return newPacketSocket(type, protocol);
  if (protocol < 0 || protocol > 255) return asError(-EINVAL);
  const echo = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  if (type == SOCK_STREAM) {
    if (protocol != 0 && protocol != IPPROTO_TCP) return asError(-EPROTONOSUPPORT);
    return changetype<usize>(new TcpSocket(family));
  }
  if (type == SOCK_DGRAM && protocol == echo) {
    return changetype<usize>(new RawSocket(family, type, protocol));
  }
  if (type == SOCK_DGRAM) {
    if (protocol == IPPROTO_UDPLITE) return changetype<usize>(new UdpLiteSocket(family));
    if (protocol != 0 && protocol != IPPROTO_UDP) return asError(-EPROTONOSUPPORT);
    return changetype<usize>(new UdpSocket(family));
  }
  if (type != SOCK_RAW) return asError(-ESOCKTNOSUPPORT);
  if (protocol == 0) return asError(-EPROTONOSUPPORT);
  return changetype<usize>(new RawSocket(family, type, protocol));
}
