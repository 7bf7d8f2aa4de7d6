/**
 * A host on a simulated wire, for tests: one instance of this module is one machine with `eth0`.
 * Sockets go by number; nothing ever blocks.
 */
import { freePacket, newReceivePacket, Packet, packetRoom } from "../../dev/packet";
import { frameReceived, NetworkDevice } from "../../dev/network";
import { setFrameReceiver } from "../../dev/network";
import { isError } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { initTimers, runTimers } from "../../sched/timer";
import { ethernetReceive } from "../ethernet";
import { addEthernet } from "../interface";
import { seedFlows } from "../ports";
import { writeAddressV4 } from "../sockaddr";
import { AF_INET, MSG_DONTWAIT, ReceiveFacts, Socket } from "../socket";
import { TcpSocket } from "../tcp-socket";
import { UdpSocket } from "../udp-socket";

/** Gives a frame to the wire. */
declare function frameSent(address: usize, length: u32): void;

const MAX_SOCKETS: i32 = 4096;
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

/** Starts the host with an address in 10.0.0.0/24. */
export function start(host: u32): void {
  initTimers();
  seedFlows();
  buffer = heapAllocate(BUFFER_BYTES);
  list = heapAllocate(32);
  addressArea = heapAllocate(128);
  const wire = new WireDevice();
  wire.mac[0] = 2;
  wire.mac[5] = <u8>host;
  device = wire;
  const outer = addEthernet(wire);
  outer.address = 0x0a000000 | host;
  outer.mask = 0xffffff00;
  setFrameReceiver((from: NetworkDevice, packet: Packet) => {
    ethernetReceive(from, packet);
  });
}

/** Where frames and payloads are exchanged with the test. */
export function bufferAddress(): usize {
  return buffer;
}

/** A frame of `length` bytes in the buffer arrives. */
export function deliver(length: u32): void {
  const address = newReceivePacket();
  const packet = changetype<Packet>(address);
  if (length > packetRoom(packet)) {
    freePacket(packet);
    return;
  }
  memory.copy(packet.data, buffer, length);
  packet.length = length;
  frameReceived(device!, packet);
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

export function bind(number: i32, port: u16): i64 {
  writeAddressV4(addressArea, 0, port);
  return at(number).bind(addressArea, 16);
}

export function listen(number: i32, backlog: i32): i64 {
  return at(number).listen(backlog);
}

export function connect(number: i32, host: u32, port: u16): i64 {
  writeAddressV4(addressArea, 0x0a000000 | host, port);
  return at(number).connect(addressArea, 16, MSG_DONTWAIT);
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
  return at(number).send(single(length), MSG_DONTWAIT, 0, 0);
}

export function sendTo(number: i32, length: usize, host: u32, port: u16): i64 {
  writeAddressV4(addressArea, 0x0a000000 | host, port);
  return at(number).send(single(length), MSG_DONTWAIT, addressArea, 16);
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
