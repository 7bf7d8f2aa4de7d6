/**
 * Interfaces over netlink: RTM_GETLINK, RTM_SETLINK and RTM_NEWLINK (rtnetlink(7)).
 *
 *     struct ifinfomsg: | family u8 | pad u8 | type u16 | index i32 | flags u32 | change u32 |
 *
 * Neighbours: `message.ts`, `netlink-socket.ts`; `../interface.ts` has what is told.
 */
import { DeviceCounters, MAC_BYTES } from "../../dev/network";
import { EEXIST, EINVAL, ENODEV, EOPNOTSUPP } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { addVlan, Interface, interfaceAt, interfaceNamed, loopback } from "../interface";
import { interfaceFlags } from "../interface-facts";
import {
  attributeLength,
  beginAttribute,
  beginMessage,
  endAttribute,
  endMessage,
  findAttribute,
  FLAG_CREATE,
  put16,
  put32,
  put64,
  putByte,
  putNumber,
  putText,
  Request,
  TYPE_NEW_LINK,
} from "./message";

const LINK_BYTES: usize = 16;
const INDEX: usize = 4;
const FLAGS: usize = 8;
const CHANGE: usize = 12;

// Attributes (linux/if_link.h).
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_QDISC: u16 = 6;
const IFLA_STATS: u16 = 7;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKMODE: u16 = 17;
const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_GROUP: u16 = 27;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_VLAN_ID: u16 = 1;
const IFLA_VLAN_PROTOCOL: u16 = 5;

const HARDWARE_LOOPBACK: u32 = 772;
const HARDWARE_ETHERNET: u32 = 1;
const STATE_UNKNOWN: u8 = 0;
const STATE_DOWN: u8 = 2;
const STATE_UP: u8 = 6;
const FLAG_UP: u32 = 1;
const QUEUE_LENGTH: u32 = 1000;
const MTU_MIN: u32 = 68;
const NAME_MAX: usize = 15;
const VLAN_MAX: u16 = 4094;
/** "vlan", as this processor loads it. */
const KIND_VLAN: u32 = 0x6e616c76;
const COUNTERS_64: i32 = 25;
const COUNTERS_32: i32 = 23;

/** Writes what there is to say about an interface. */
export function writeLink(out: ByteWriter, request: Request, on: Interface, flags: u16): void {
  const start = beginMessage(out, request, TYPE_NEW_LINK, flags);
  put16(out, 0);
  put16(out, on.isLoopback ? HARDWARE_LOOPBACK : HARDWARE_ETHERNET);
  put32(out, on.index);
  put32(out, interfaceFlags(on));
  put32(out, 0);
  putText(out, IFLA_IFNAME, on.name);
  putNumber(out, IFLA_TXQLEN, QUEUE_LENGTH);
  putByte(out, IFLA_OPERSTATE, on.isLoopback ? STATE_UNKNOWN : on.isUp ? STATE_UP : STATE_DOWN);
  putByte(out, IFLA_LINKMODE, 0);
  putNumber(out, IFLA_MTU, on.mtuBytes);
  putNumber(out, IFLA_GROUP, 0);
  putNumber(out, IFLA_NUM_TX_QUEUES, 1);
  putNumber(out, IFLA_NUM_RX_QUEUES, 1);
  putByte(out, IFLA_CARRIER, on.isUp ? 1 : 0);
  putText(out, IFLA_QDISC, on.isLoopback || on.vlan != 0 ? "noqueue" : "fq_codel");
  putHardwareAddress(out, on);
  const parent = on.parent;
  if (parent) {
    putNumber(out, IFLA_LINK, parent.index);
    putVlan(out, on.vlan);
  }
  putCounters(out, on);
  endMessage(out, start);
}

function putHardwareAddress(out: ByteWriter, on: Interface): void {
  const mac = on.macAddress;
  let start = beginAttribute(out, IFLA_ADDRESS);
  if (mac != 0) out.writeBytes(mac, MAC_BYTES);
  else out.writeRepeated(0, MAC_BYTES);
  endAttribute(out, start);
  start = beginAttribute(out, IFLA_BROADCAST);
  out.writeRepeated(mac != 0 ? 0xff : 0, MAC_BYTES);
  endAttribute(out, start);
}

function putVlan(out: ByteWriter, vlan: u16): void {
  const information = beginAttribute(out, IFLA_LINKINFO);
  putText(out, IFLA_INFO_KIND, "vlan");
  const data = beginAttribute(out, IFLA_INFO_DATA);
  const start = beginAttribute(out, IFLA_VLAN_ID);
  put16(out, vlan);
  endAttribute(out, start);
  const protocol = beginAttribute(out, IFLA_VLAN_PROTOCOL);
  out.writeByte(0x81); // 802.1Q, in network order
  out.writeByte(0);
  endAttribute(out, protocol);
  endAttribute(out, data);
  endAttribute(out, information);
}

/** struct rtnl_link_stats64 and its older form; the fields begin alike. */
function putCounters(out: ByteWriter, on: Interface): void {
  let start = beginAttribute(out, IFLA_STATS64);
  for (let i = 0; i < COUNTERS_64; i++) put64(out, counter(on, i));
  endAttribute(out, start);
  start = beginAttribute(out, IFLA_STATS);
  for (let i = 0; i < COUNTERS_32; i++) put32(out, <u32>counter(on, i));
  endAttribute(out, start);
}

/** Field `index` of struct rtnl_link_stats64. */
export function counter(on: Interface, index: i32): u64 {
  const device = on.vlan == 0 ? on.device : null;
  switch (index) {
    case 0:
      return device ? device.sum(offsetof<DeviceCounters>("receivedPackets")) : on.received.packets;
    case 1:
      return device ? device.sum(offsetof<DeviceCounters>("sentPackets")) : on.sent.packets;
    case 2:
      return device ? device.sum(offsetof<DeviceCounters>("receivedBytes")) : on.received.bytes;
    case 3:
      return device ? device.sum(offsetof<DeviceCounters>("sentBytes")) : on.sent.bytes;
    case 6:
      return device ? device.sum(offsetof<DeviceCounters>("receiveDrops")) : 0;
    case 7:
      return device ? device.sum(offsetof<DeviceCounters>("sendDrops")) : 0;
    case 8:
      return on.multicasts;
  }
  return 0;
}

/** The interface that a request is about: by index, else by name; null if there is none. */
function requested(request: Request): Interface | null {
  const index = request.bodyBytes >= LINK_BYTES ? load<u32>(request.body, INDEX) : 0;
  if (index != 0) return interfaceAt(index);
  const name = request.attribute(LINK_BYTES, IFLA_IFNAME);
  return name != 0 ? interfaceNamed(name, textLength(name)) : null;
}

function textLength(value: usize): usize {
  const most = attributeLength(value);
  let length: usize = 0;
  while (length < most && load<u8>(value + length) != 0) length++;
  return length;
}

/** RTM_GETLINK: all interfaces, or the one that is named. */
export function getLinks(request: Request, out: ByteWriter, flags: u16): i32 {
  if (!request.isDump) {
    const on = requested(request);
    if (!on) return -ENODEV;
    writeLink(out, request, on, flags);
    return 0;
  }
  let next: Interface | null = loopback();
  while (next) {
    writeLink(out, request, next, flags);
    next = next.next;
  }
  return 0;
}

/** RTM_SETLINK and RTM_NEWLINK: up, down, MTU; a new VLAN. */
export function setLink(request: Request): i32 {
  if (request.bodyBytes < LINK_BYTES) return -EINVAL;
  const on = requested(request);
  if (!on) return (request.flags & FLAG_CREATE) != 0 ? newVlan(request) : -ENODEV;
  if ((request.flags & FLAG_CREATE) != 0 && request.attribute(LINK_BYTES, IFLA_LINKINFO) != 0) {
    return -EEXIST;
  }
  const mtu = request.number(LINK_BYTES, IFLA_MTU, on.mtuBytes);
  const device = on.device;
  const most = device ? device.mtuBytes : 65536;
  if (mtu < MTU_MIN || mtu > most) return -EINVAL;
  on.mtuBytes = mtu;
  if (((load<u32>(request.body, CHANGE) | load<u32>(request.body, FLAGS)) & FLAG_UP) != 0) {
    on.isUp = (load<u32>(request.body, FLAGS) & FLAG_UP) != 0;
  }
  return 0;
}

/** A string that is never freed, as interfaces are not. */
function lastingText(bytes: usize, length: usize): string {
  const text = __new(length << 1, idof<string>());
  for (let i: usize = 0; i < length; i++) store<u16>(text + (i << 1), load<u8>(bytes + i));
  return changetype<string>(text);
}

/** `ip link add link PARENT name NAME type vlan id N`. */
function newVlan(request: Request): i32 {
  const information = request.attribute(LINK_BYTES, IFLA_LINKINFO);
  const name = request.attribute(LINK_BYTES, IFLA_IFNAME);
  const parent = interfaceAt(request.number(LINK_BYTES, IFLA_LINK, 0));
  if (information == 0 || name == 0) return -EINVAL;
  const end = information + attributeLength(information);
  const kind = findAttribute(information, end, IFLA_INFO_KIND);
  if (kind == 0 || attributeLength(kind) < 4 || load<u32>(kind) != KIND_VLAN) return -EOPNOTSUPP;
  const data = findAttribute(information, end, IFLA_INFO_DATA);
  const id = data != 0 ? findAttribute(data, data + attributeLength(data), IFLA_VLAN_ID) : 0;
  const length = textLength(name);
  if (id == 0 || length == 0 || length > NAME_MAX) return -EINVAL;
  if (!parent || parent.isLoopback || parent.vlan != 0) return -ENODEV;
  const vlan = load<u16>(id);
  if (vlan == 0 || vlan > VLAN_MAX) return -EINVAL;
  const added = addVlan(lastingText(name, length), parent, vlan);
  added.isUp = (load<u32>(request.body, FLAGS) & FLAG_UP) != 0;
  return 0;
}
