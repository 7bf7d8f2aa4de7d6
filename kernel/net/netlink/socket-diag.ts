/**
 * The table of Internet sockets over netlink, sock_diag(7): what `ss` asks, with TCP's figures.
 *
 * Only whole tables are given, by family, protocol and state; conditions that a program sends along
 * as code are left to it, as `ss` checks them again itself. Other families are answered with ENOENT,
 * as by a Linux without their modules, and are read from /proc/net.
 *
 * Neighbours: `netlink-socket.ts` asks; `../ports.ts` and `../raw-socket.ts` have the sockets.
 */
import { EINVAL, ENOENT, EOPNOTSUPP } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { IpAddress } from "../../lib/ip-address";
import { free } from "../../lib/object";
import { DatagramSocket } from "../datagram-socket";
import { Endpoint } from "../endpoint";
import { forEachFlow, tcpPorts, udpPorts } from "../ports";
import { forEachRawSocket } from "../raw-socket";
import { AF_INET, AF_INET6 } from "../socket";
import { TcpBacklog } from "../tcp-backlog";
import { CLOSED, ESTABLISHED, LISTEN, TcpConnection } from "../tcp-connection";
import { TCP_INFO_BYTES, writeTcpInfo } from "../tcp-options";
import {
  beginAttribute,
  beginMessage,
  endAttribute,
  endMessage,
  FLAG_MULTI,
  put16,
  put32,
  putText,
  Request,
} from "./message";

const TYPE_BY_FAMILY: u16 = 20;
/** struct inet_diag_req_v2. */
const REQUEST_BYTES: usize = 56;
const EXTENSIONS: usize = 2;
const STATES: usize = 4;
const PROTOCOL_ATTRIBUTE: u16 = 3;
/** Attributes, asked for by bit `number - 1` of the extensions. */
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_CONG: u16 = 4;

const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
const IPPROTO_RAW: u8 = 255;

/** Retransmission is the timer that runs. */
const TIMER_RETRANSMIT: u8 = 1;

/** SOCK_DIAG_BY_FAMILY. @returns 0 or a negative errno */
export function getSockets(request: Request, out: ByteWriter): i32 {
  if (request.type != TYPE_BY_FAMILY || request.bodyBytes < 1) return -ENOENT;
  const family = <i32>load<u8>(request.body);
  if (family != AF_INET && family != AF_INET6) return -ENOENT;
  if (request.bodyBytes < REQUEST_BYTES) return -EINVAL;
  // Protocols beyond one byte (MPTCP) come as an attribute.
  if (request.number(REQUEST_BYTES, PROTOCOL_ATTRIBUTE, 0) > 255) return -ENOENT;
  if (!request.isDump) return -EOPNOTSUPP;
  const into = new Dump(request, out);
  const argument = changetype<usize>(into);
  switch (load<u8>(request.body, 1)) {
    case IPPROTO_TCP:
      tcpPorts.forEach(putListener, argument);
      forEachFlow(putConnection, argument);
      break;
    case IPPROTO_UDP:
      udpPorts.forEach(putDatagramSocket, argument);
      break;
    case IPPROTO_RAW:
      forEachRawSocket(putDatagramSocket, argument);
      break;
    default:
      free(into);
      return -ENOENT;
  }
  free(into);
  return 0;
}

/** A table that is being written. */
class Dump {
  readonly family: i32;
  readonly extensions: u32;
  private states: u32;

  constructor(
    readonly request: Request,
    readonly out: ByteWriter,
  ) {
    this.family = <i32>load<u8>(request.body);
    this.extensions = <u32>load<u8>(request.body, EXTENSIONS);
    this.states = load<u32>(request.body, STATES);
  }

  wants(endpoint: Endpoint, state: u32): bool {
    return endpoint.family == this.family && (this.states & (1 << state)) != 0;
  }

  has(attribute: u16): bool {
    return (this.extensions & (1 << (attribute - 1))) != 0;
  }
}

function putListener(endpoint: Endpoint, argument: usize): void {
  if (endpoint.isListening()) putConnection(endpoint, argument);
}

function putConnection(endpoint: Endpoint, argument: usize): void {
  const dump = changetype<Dump>(argument);
  const c = changetype<TcpConnection>(endpoint);
  if (!dump.wants(endpoint, c.state)) return;
  const out = dump.out;
  const isListener = c.state == LISTEN;
  const isRetrying = c.timer.retransmitNs != 0 && !isListener;
  const start = beginMessage(out, dump.request, TYPE_BY_FAMILY, FLAG_MULTI);
  putHead(
    dump,
    endpoint,
    c.localPort,
    <u8>c.state,
    isRetrying ? TIMER_RETRANSMIT : 0,
    <u8>c.retransmissions,
  );
  if (isListener) {
    const listener = changetype<TcpBacklog>(endpoint);
    putTail(out, endpoint, listener.waitingCount, listener.waitingLimit);
  } else putTail(out, endpoint, c.incomingBytes, c.outgoing.length);
  if (dump.has(INET_DIAG_INFO)) {
    const attribute = beginAttribute(out, INET_DIAG_INFO);
    const at = out.length;
    out.writeRepeated(0, TCP_INFO_BYTES);
    if (!out.overflowed) writeTcpInfo(c, out.address + at, TCP_INFO_BYTES);
    endAttribute(out, attribute);
  }
  if (dump.has(INET_DIAG_CONG)) {
    putText(out, INET_DIAG_CONG, c.congestion.isReno ? "reno" : "cubic");
  }
  endMessage(out, start);
}

function putDatagramSocket(endpoint: Endpoint, argument: usize): void {
  const dump = changetype<Dump>(argument);
  const state = endpoint.remoteAddress.isAny ? CLOSED : ESTABLISHED;
  if (!dump.wants(endpoint, state)) return;
  const start = beginMessage(dump.out, dump.request, TYPE_BY_FAMILY, FLAG_MULTI);
  // Raw sockets have their protocol in the place of the port.
  const port = endpoint.isPortBound ? endpoint.localPort : <u16>endpoint.protocol;
  putHead(dump, endpoint, port, <u8>state, 0, 0);
  putTail(dump.out, endpoint, changetype<DatagramSocket>(endpoint).waitingBytes, 0);
  endMessage(dump.out, start);
}

/** struct inet_diag_msg up to and with struct inet_diag_sockid. */
function putHead(
  dump: Dump,
  endpoint: Endpoint,
  port: u16,
  state: u8,
  timer: u8,
  retries: u8,
): void {
  const out = dump.out;
  out.writeByte(<u8>endpoint.family);
  out.writeByte(state);
  out.writeByte(timer);
  out.writeByte(retries);
  put16(out, bswap<u16>(port));
  put16(out, bswap<u16>(endpoint.remotePort));
  putWords(out, endpoint.localAddress, dump.family);
  putWords(out, endpoint.remoteAddress, dump.family);
  put32(out, endpoint.scope);
  // The cookie: what tells this socket from a later one with the same addresses.
  put32(out, <u32>endpoint.inode);
  put32(out, <u32>(endpoint.inode >> 32));
}

/** The rest of struct inet_diag_msg: expires, queues, user, inode. */
function putTail(out: ByteWriter, endpoint: Endpoint, receivedBytes: u32, unsentBytes: u32): void {
  put32(out, 0);
  put32(out, receivedBytes);
  put32(out, unsentBytes);
  put32(out, 0);
  put32(out, <u32>endpoint.inode);
}

/** An address in four words; one of IPv4 in the first. */
function putWords(out: ByteWriter, address: IpAddress, family: i32): void {
  const at = changetype<usize>(address);
  if (family == AF_INET6) {
    out.writeBytes(at, 16);
    return;
  }
  out.writeBytes(at + 12, 4);
  out.writeRepeated(0, 12);
}
