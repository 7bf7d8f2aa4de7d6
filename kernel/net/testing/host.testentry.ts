/**
 * A host on a simulated wire, for tests: one instance of this module is one machine with `eth0`.
 * Sockets go by number; nothing ever blocks.
 */
import { freePacket, newReceivePacket, Packet, packetRoom } from "../../dev/packet";
import { framesReceived, NetworkDevice, setFrameReceiver } from "../../dev/network";
import { isError } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { writeIpAddress } from "../../lib/ip-text";
import { IpAddress } from "../../lib/ip-address";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { initTimers, runTimers } from "../../sched/timer";
import {
  addAddress,
  firstV4,
  initLoopbackAddresses,
  ORIGIN_STATIC,
  removeAddress,
} from "../addresses";
import { DhcpClient } from "../dhcp";
import { ethernetReceiveAll } from "../ethernet";
import { addEthernet, ethernetInterface } from "../interface";
import { seedFlows } from "../ports";
import { claimAddress } from "../neighbour-discovery";
import { startIpv6 } from "../router-discovery";
import { firstRoute } from "../routes";
import { writeAddress, writeAddressV4 } from "../sockaddr";
import { AF_INET, AF_INET6, MSG_DONTWAIT, ReceiveFacts, Socket } from "../socket";
import { initCookies } from "../tcp-cookie";
export { endingCount, limitEndings } from "../tcp-ending";
import { TcpSocket } from "../tcp-socket";
import { UdpLiteSocket } from "../udp-lite-socket";
import { UdpSocket } from "../udp-socket";

/** Gives a frame to the wire. */
declare function frameSent(address: usize, length: u32): void;

const MAX_SOCKETS: i32 = 16384;
const BUFFER_BYTES: usize = 65536;

class WireDevice extends NetworkDevice {
  transmit(packet: Packet): void {
    frameSent(packet.data, packet.length);
    freePacket(packet);
  }
}

const sockets = new StaticArray<Socket | null>(MAX_SOCKETS);
const facts = new ReceiveFacts();
let socketCount: i32 = 0;
let device: NetworkDevice | null = null;
let buffer: usize = 0;
let list: usize = 0;
let addressArea: usize = 0;

/** Starts the host with addresses in 10.0.0.0/24 and fd00::/64, and one of its link. */
export function start(host: u32): void {
  initTimers();
  seedFlows();
  initCookies();
  buffer = heapAllocate(BUFFER_BYTES);
  list = heapAllocate(32);
  addressArea = heapAllocate(128);
  const wire = new WireDevice();
  wire.mac[0] = 2;
  wire.mac[5] = <u8>host;
  device = wire;
  const outer = addEthernet(wire);
  initLoopbackAddresses();
  const own = new IpAddress();
  own.setV4(0x0a000000 | host);
  addAddress(outer, own, 120, ORIGIN_STATIC);
  own.first = 0xfd; // fd00::host
  own.last = (<u64>host) << 56;
  claimAddress(outer, own, 64, ORIGIN_STATIC);
  free(own);
  startIpv6(outer);
  setFrameReceiver(ethernetReceiveAll);
}

/** Where frames and payloads are exchanged with the test. */
export function bufferAddress(): usize {
  return buffer;
}

let gatheredFirst: usize = 0;
let gatheredLast: usize = 0;

/** A frame of `length` bytes in the buffer arrives. */
export function deliver(length: u32): void {
  gather(length);
  deliverGathered();
}

/** A frame of `length` bytes in the buffer will arrive with others. */
export function gather(length: u32): void {
  const address = newReceivePacket();
  const packet = changetype<Packet>(address);
  if (length > packetRoom(packet)) {
    freePacket(packet);
    return;
  }
  memory.copy(packet.data, buffer, length);
  packet.length = length;
  if (gatheredLast != 0) changetype<Packet>(gatheredLast).next = address;
  else gatheredFirst = address;
  gatheredLast = address;
}

/** The gathered frames arrive, in one interrupt. */
export function deliverGathered(): void {
  const first = gatheredFirst;
  gatheredFirst = 0;
  gatheredLast = 0;
  if (first != 0) framesReceived(device!, changetype<Packet>(first));
}

export function timers(): void {
  runTimers();
}

function register(socket: Socket): i32 {
  sockets[socketCount] = socket;
  return socketCount++;
}

function at(number: i32): Socket {
  return sockets[number]!;
}

export function openTcp(): i32 {
  return register(new TcpSocket(AF_INET));
}

export function openUdp(): i32 {
  return register(new UdpSocket(AF_INET));
}

export function openUdpLite(): i32 {
  return register(new UdpLiteSocket(AF_INET));
}

export function openTcp6(): i32 {
  return register(new TcpSocket(AF_INET6));
}

export function openUdp6(): i32 {
  return register(new UdpSocket(AF_INET6));
}

/** Writes the address of a host on the wire in the family of a socket; returns its length. */
function writePeer(number: i32, host: u32, port: u16): usize {
  if (at(number).family == AF_INET) {
    writeAddressV4(addressArea, host != 0 ? 0x0a000000 | host : 0, port);
    return 16;
  }
  const address = new IpAddress();
  address.first = host != 0 ? 0xfd : 0;
  address.last = (<u64>host) << 56;
  const length = writeAddress(addressArea, AF_INET6, address, port);
  free(address);
  return <usize>length;
}

export function bind(number: i32, port: u16): i64 {
  return at(number).bind(addressArea, writePeer(number, 0, port));
}

export function listen(number: i32, backlog: i32): i64 {
  return at(number).listen(backlog);
}

export function connect(number: i32, host: u32, port: u16): i64 {
  return at(number).connect(addressArea, writePeer(number, host, port), MSG_DONTWAIT);
}

/** The number of an accepted socket, or a negative error. */
export function accept(number: i32): i32 {
  const result = at(number).accept(MSG_DONTWAIT);
  return isError(result) ? <i32>result : register(changetype<Socket>(result));
}

function single(length: usize): usize {
  store<usize>(list, 1);
  store<usize>(list, length, 8);
  store<usize>(list, buffer, 16);
  store<usize>(list, length, 24);
  return list;
}

export function send(number: i32, length: usize): i64 {
  return at(number).send(single(length), MSG_DONTWAIT, 0, 0, 0, 0);
}

export function sendTo(number: i32, length: usize, host: u32, port: u16): i64 {
  const addressBytes = writePeer(number, host, port);
  return at(number).send(single(length), MSG_DONTWAIT, addressArea, addressBytes, 0, 0);
}

export function receive(number: i32, length: usize, flags: u32): i64 {
  return at(number).receive(single(length), MSG_DONTWAIT | flags, facts);
}

export function poll(number: i32): u32 {
  return at(number).poll(null);
}

export function shutDown(number: i32, how: u32): i64 {
  return at(number).shutDown(how);
}

export function takeError(number: i32): i32 {
  return at(number).takeError();
}

export function setOption(number: i32, level: i32, name: i32, value: i32): i64 {
  store<i32>(addressArea, value);
  return at(number).setOption(level, name, addressArea, 4);
}

/** An option whose value is `length` bytes in the buffer. */
export function setOptionBytes(number: i32, level: i32, name: i32, length: usize): i64 {
  return at(number).setOption(level, name, buffer, length);
}

let client: DhcpClient | null = null;

/** Forgets the IPv4 address and asks for one by DHCP. */
export function startDhcp(): void {
  const outer = ethernetInterface()!;
  const own = new IpAddress();
  own.setV4(firstV4(outer));
  removeAddress(outer, own);
  free(own);
  const made = new DhcpClient(outer);
  client = made;
  made.start();
}

/** True while there is a lease. */
export function hasLease(): bool {
  return client!.isBound;
}

/** Writes the addresses of `eth0` and the default routers to the buffer, a line each; its length. */
export function configuration(): u32 {
  const text = new ByteWriter(buffer, BUFFER_BYTES);
  let nextAddress = ethernetInterface()!.addresses;
  while (nextAddress) {
    writeIpAddress(text, nextAddress.address);
    text.writeByte(0x0a);
    nextAddress = nextAddress.next;
  }
  let nextRoute = firstRoute();
  while (nextRoute) {
    if (!nextRoute.gateway.isAny && nextRoute.validUntilNs > monotonicNs()) {
      text.writeString("via ");
      writeIpAddress(text, nextRoute.gateway);
      text.writeByte(0x0a);
    }
    nextRoute = nextRoute.next;
  }
  const length = <u32>text.length;
  free(text);
  return length;
}

/** TCP's state, as in tcp_info. */
export function state(number: i32): u32 {
  return changetype<TcpSocket>(at(number)).state;
}

export function close(number: i32): void {
  const socket = at(number);
  sockets[number] = null;
  socket.close();
  socket.release();
}

/** Frees what the host itself allocated last, so that leaks can be counted. */
export function stop(): void {
  heapFree(buffer);
  heapFree(list);
  heapFree(addressArea);
}
