/**
 * Control data of datagrams (cmsg(3), ip(7), ipv6(7)): what an application asked to hear about a
 * packet, what it says about one it sends, and what the error queue tells (struct sock_extended_err).
 *
 *     struct cmsghdr:  | length u64, header included | level i32 | type i32 | data … | to 8 bytes
 *
 * Neighbours: `datagram-socket.ts`, `udp-socket.ts`, `raw-socket.ts`; `linux/socket-control.ts` moves
 * the bytes to and from the application.
 */
import { newPacket, Packet } from "../dev/packet";
import { EFAULT, EINVAL, ENODEV } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { IpAddress } from "../lib/ip-address";
import { copyToList, listTotal } from "./buffer-list";
import { load32, swap32 } from "./bytes";
import { Endpoint } from "./endpoint";
import {
  InetOptions,
  REPORT_HOP_LIMIT,
  REPORT_INFO_V4,
  REPORT_INFO_V6,
  REPORT_OPTIONS,
  REPORT_RETURN_OPTIONS,
  REPORT_TIME,
  REPORT_TIME_NS,
  REPORT_TRAFFIC_CLASS,
  REPORT_TTL,
  REPORT_TOS,
} from "./inet-options";
import { Interface, interfaceAt } from "./interface";
import { writeAddress } from "./sockaddr";
import { AF_INET, MSG_ERRQUEUE, ReceiveFacts } from "./socket";

const SOL_SOCKET: i32 = 1;
const IPPROTO_IP: i32 = 0;
const IPPROTO_UDP: i32 = 17;
const IPPROTO_IPV6: i32 = 41;
const UDP_SEGMENT: i32 = 103;
const SCM_TIMESTAMP: i32 = 29;
const SCM_TIMESTAMPNS: i32 = 35;
const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_RECVOPTS: i32 = 6;
const IP_RETOPTS: i32 = 7;
const IP_PKTINFO: i32 = 8;
const IP_RECVERR: i32 = 11;
const IPV6_RECVERR: i32 = 25;
const IPV6_PKTINFO: i32 = 50;
const IPV6_HOPLIMIT: i32 = 52;
const IPV6_TCLASS: i32 = 67;

const IPV4_HEADER_BYTES: usize = 20;
const HEADER_BYTES: usize = 16;
const LEVEL: usize = 8;
const TYPE: usize = 12;
const PKTINFO_BYTES: usize = 12;
const PKTINFO6_BYTES: usize = 20;

const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_US: u64 = 1000;

/** A described error: struct sock_extended_err, room for the offender's address, the payload. */
const ERROR_BYTES: u32 = 16;
const ERROR_HEAD_BYTES: u32 = 48;
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

function aligned(length: usize): usize {
  return (length + 7) & ~7;
}

/** What an application says about a packet to send; absent fields are those of the socket. */
export class SendControl {
  hopLimit: u8;
  trafficClass: u8;
  /** The Interface it is to leave by; 0 = any. */
  through: usize = 0;
  /** UDP_SEGMENT: the payload is cut into datagrams of so many bytes; 0 = it is one. */
  segmentBytes: u32 = 0;
  private sourceFirst: u64 = 0;
  private sourceLast: u64 = 0;

  constructor(endpoint: Endpoint, options: InetOptions, destination: IpAddress) {
    this.hopLimit = destination.isMulticast ? options.multicastTtl : endpoint.timeToLive;
    this.trafficClass = endpoint.typeOfService;
  }

  /** The address to send from; `::` = as the socket says. */
  get source(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<SendControl>("sourceFirst"));
  }

  /** Reads records; 0, -EINVAL, -ENODEV. */
  read(control: usize, length: usize): i64 {
    let at: usize = 0;
    while (at + HEADER_BYTES <= length) {
      const record = control + at;
      const bytes = load<usize>(record);
      if (bytes < HEADER_BYTES || bytes > length - at) return -EINVAL;
      const result = this.take(
        load<i32>(record, LEVEL),
        load<i32>(record, TYPE),
        record + HEADER_BYTES,
        bytes - HEADER_BYTES,
      );
      if (result != 0) return result;
      at += aligned(bytes);
    }
    return 0;
  }

  private take(level: i32, type: i32, data: usize, bytes: usize): i64 {
    if (level == SOL_SOCKET) return 0;
    if (level == IPPROTO_UDP) {
      if (type != UDP_SEGMENT || bytes != 2) return -EINVAL;
      this.segmentBytes = <u32>load<u16>(data);
      return 0;
    }
    const isV6 = level == IPPROTO_IPV6;
    const information = isV6 ? IPV6_PKTINFO : IP_PKTINFO;
    if (type == information) {
      const least = isV6 ? PKTINFO6_BYTES : PKTINFO_BYTES;
      if (bytes < least) return -EINVAL;
      const index = isV6 ? load<u32>(data, 16) : load<u32>(data);
      if (isV6) this.source.copyFrom(changetype<IpAddress>(data));
      else if (load<u32>(data, 4) != 0) this.source.setV4(load32(data + 4));
      if (index == 0) return 0;
      this.through = changetype<usize>(interfaceAt(index));
      return this.through != 0 ? 0 : -ENODEV;
    }
    if (bytes < 1) return -EINVAL;
    const value = bytes >= 4 ? load<i32>(data) : <i32>load<u8>(data);
    const hops = isV6 ? IPV6_HOPLIMIT : IP_TTL;
    const service = isV6 ? IPV6_TCLASS : IP_TOS;
    if (type == hops) {
      if (value < -1 || value > 255) return -EINVAL;
      if (value > 0) this.hopLimit = <u8>value;
    } else if (type == service) {
      if (value >= 0) this.trafficClass = <u8>value;
    } else return -EINVAL;
    return 0;
  }
}

/** Begins a record. */
function begin(out: ByteWriter, level: i32, type: i32, bytes: usize): void {
  out.writeRepeated(0, aligned(out.length) - out.length);
  put64(out, HEADER_BYTES + bytes);
  put32(out, level);
  put32(out, type);
}

function put32(out: ByteWriter, value: i32): void {
  for (let i = 0; i < 32; i += 8) out.writeByte(<u8>(value >> i));
}

function put64(out: ByteWriter, value: u64): void {
  put32(out, <i32>value);
  put32(out, <i32>(value >> 32));
}

function putNumber(out: ByteWriter, level: i32, type: i32, value: i32): void {
  begin(out, level, type, 4);
  put32(out, value);
}

/** Writes what the options of a socket ask to hear about a packet received. */
export function describePacket(
  facts: ReceiveFacts,
  options: InetOptions,
  packet: Packet,
  family: i32,
): void {
  const out = facts.control;
  const wanted = options.reports;
  if (!out || wanted == 0) return;
  if ((wanted & (REPORT_TIME | REPORT_TIME_NS)) != 0) {
    const divisor: u64 = (wanted & REPORT_TIME_NS) != 0 ? 1 : NS_PER_US;
    const isNs = (wanted & REPORT_TIME_NS) != 0;
    begin(out, SOL_SOCKET, isNs ? SCM_TIMESTAMPNS : SCM_TIMESTAMP, 16);
    put64(out, packet.arrivedNs / NS_PER_SECOND);
    put64(out, (packet.arrivedNs % NS_PER_SECOND) / divisor);
  }
  if (packet.network == 0) return;
  const index = packet.origin != 0 ? changetype<Interface>(packet.origin).index : 0;
  const isV4 = packet.source.isV4;
  const header = packet.network;
  if (isV4) {
    if ((wanted & REPORT_INFO_V4) != 0) {
      begin(out, IPPROTO_IP, IP_PKTINFO, PKTINFO_BYTES);
      put32(out, <i32>index);
      // The address to answer from, and the one in the packet; they differ for groups only.
      put32(out, packet.destination.isMulticast ? 0 : <i32>swap32(packet.destination.v4));
      put32(out, <i32>swap32(packet.destination.v4));
    }
    if ((wanted & REPORT_TTL) != 0) putNumber(out, IPPROTO_IP, IP_TTL, load<u8>(header, 8));
    if ((wanted & REPORT_TOS) != 0) {
      begin(out, IPPROTO_IP, IP_TOS, 1);
      out.writeByte(load<u8>(header, 1));
    }
    if ((wanted & (REPORT_OPTIONS | REPORT_RETURN_OPTIONS)) != 0) putOptions(out, wanted, header);
  }
  if (family == AF_INET) return;
  if ((wanted & REPORT_INFO_V6) != 0) {
    begin(out, IPPROTO_IPV6, IPV6_PKTINFO, PKTINFO6_BYTES);
    out.writeBytes(changetype<usize>(packet.destination), 16);
    put32(out, <i32>index);
  }
  if (isV4) return;
  if ((wanted & REPORT_HOP_LIMIT) != 0) {
    putNumber(out, IPPROTO_IPV6, IPV6_HOPLIMIT, load<u8>(header, 7));
  }
  if ((wanted & REPORT_TRAFFIC_CLASS) != 0) {
    const first = ((<i32>load<u8>(header)) << 8) | load<u8>(header, 1);
    putNumber(out, IPPROTO_IPV6, IPV6_TCLASS, (first >> 4) & 255);
  }
}

/** The options of an IPv4 header, if it has any; routes in them are not turned around for an answer. */
function putOptions(out: ByteWriter, wanted: u32, header: usize): void {
  const bytes = (<usize>load<u8>(header) & 15) * 4 - IPV4_HEADER_BYTES;
  if (bytes == 0) return;
  if ((wanted & REPORT_OPTIONS) != 0) {
    begin(out, IPPROTO_IP, IP_RECVOPTS, bytes);
    out.writeBytes(header + IPV4_HEADER_BYTES, bytes);
  }
  if ((wanted & REPORT_RETURN_OPTIONS) != 0) {
    begin(out, IPPROTO_IP, IP_RETOPTS, bytes);
    out.writeBytes(header + IPV4_HEADER_BYTES, bytes);
  }
}

/**
 * A packet for the error queue of a socket.
 * @param message the ICMP message; its addresses are those of the packet it quotes
 * @param payload what the application had sent, as far as it is quoted
 * @param port the destination's
 * @returns a Packet, or 0 without memory
 */
export function newErrorPacket(
  message: Packet,
  payload: usize,
  length: u32,
  port: u16,
  error: i32,
  information: u32,
): usize {
  const address = newPacket(ERROR_HEAD_BYTES + length);
  if (address == 0) return 0;
  const packet = changetype<Packet>(address);
  packet.length = ERROR_HEAD_BYTES + length;
  const isV4 = message.destination.isV4;
  const head = packet.data;
  memory.fill(head, 0, ERROR_HEAD_BYTES);
  memory.copy(head + ERROR_HEAD_BYTES, payload, length);
  store<u32>(head, error);
  store<u8>(head, isV4 ? ORIGIN_ICMP : ORIGIN_ICMP6, 4);
  store<u8>(head, load<u8>(message.data), 5);
  store<u8>(head, load<u8>(message.data, 1), 6);
  store<u32>(head, information, 8);
  // Who complained: the source in the header of the message itself.
  const offender = packet.source;
  if (isV4) offender.setV4(load32(message.network + 12));
  else offender.copyFrom(changetype<IpAddress>(message.network + 8));
  packet.destination.copyFrom(message.destination);
  packet.sequence = port;
  return address;
}

/** Hands an error of the queue to the application. @returns bytes of its payload, or -EFAULT */
export function describeError(
  facts: ReceiveFacts | null,
  packet: Packet,
  list: usize,
  family: i32,
): i64 {
  const length = <usize>(packet.length - ERROR_HEAD_BYTES);
  const part = min(length, listTotal(list));
  if (!copyToList(list, 0, packet.data + ERROR_HEAD_BYTES, part)) return -EFAULT;
  if (!facts) return <i64>part;
  facts.flags |= MSG_ERRQUEUE;
  if (facts.address != 0) {
    const port = <u16>packet.sequence;
    facts.addressLength = <usize>writeAddress(facts.address, family, packet.destination, port);
  }
  const out = facts.control;
  if (!out) return <i64>part;
  const head = packet.data;
  const isV4 = family == AF_INET;
  const bytes = <usize>writeAddress(head + ERROR_BYTES, family, packet.source, 0);
  if (isV4) begin(out, IPPROTO_IP, IP_RECVERR, ERROR_BYTES + bytes);
  else begin(out, IPPROTO_IPV6, IPV6_RECVERR, ERROR_BYTES + bytes);
  out.writeBytes(head, ERROR_BYTES + bytes);
  return <i64>part;
}
