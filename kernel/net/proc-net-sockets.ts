/**
 * The tables of sockets in /proc/net: tcp, udp, raw and their relatives for IPv6 (proc(5)).
 *
 * Neighbours: `proc-net.ts`; `ports.ts` and `raw-socket.ts` have the sockets.
 */
import { ByteWriter } from "../lib/format";
import { IpAddress } from "../lib/ip-address";
import { DatagramSocket } from "./datagram-socket";
import { Endpoint } from "./endpoint";
import { forEachFlow, PortTable, tcpPorts } from "./ports";
import { writeUpperHex } from "./proc-net";
import { forEachRawSocket } from "./raw-socket";
import { AF_INET } from "./socket";
import { LISTEN, TcpConnection } from "./tcp-connection";

const HEAD_V4 =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const HEAD_V6 =
  "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const DATAGRAM_ESTABLISHED: u8 = 1;
const DATAGRAM_CLOSED: u8 = 7;

/** What is being written: rows of one family. */
let family: i32 = 0;
let row: u64 = 0;

function begin(out: ByteWriter, wanted: i32, tail: string): void {
  family = wanted;
  row = 0;
  out.writeString(wanted == AF_INET ? HEAD_V4 : HEAD_V6);
  out.writeString(tail);
}

/** /proc/net/tcp and tcp6. */
export function writeTcpSockets(out: ByteWriter, wanted: i32): void {
  begin(out, wanted, "\n");
  tcpPorts.forEach(writeListener, changetype<usize>(out));
  forEachFlow(writeConnection, changetype<usize>(out));
}

/** /proc/net/udp and udp6, or udplite and udplite6. */
export function writeUdpSockets(out: ByteWriter, wanted: i32, ports: PortTable): void {
  begin(out, wanted, " ref pointer drops\n");
  ports.forEach(writeDatagramSocket, changetype<usize>(out));
}

/** /proc/net/raw and raw6; the protocol stands in the place of the port. */
export function writeRawSockets(out: ByteWriter, wanted: i32): void {
  begin(out, wanted, " ref pointer drops\n");
  forEachRawSocket(writeDatagramSocket, changetype<usize>(out));
}

function writeListener(endpoint: Endpoint, argument: usize): void {
  if (endpoint.isListening()) writeConnection(endpoint, argument);
}

function writeConnection(endpoint: Endpoint, argument: usize): void {
  if (endpoint.family != family) return;
  const out = changetype<ByteWriter>(argument);
  const connection = changetype<TcpConnection>(endpoint);
  const isListener = connection.state == LISTEN;
  writeEnds(out, endpoint, endpoint.localPort);
  writeUpperHex(out, connection.state, 2);
  out.writeByte(0x20);
  writeUpperHex(out, isListener ? 0 : connection.outgoing.length, 8);
  out.writeByte(0x3a);
  writeUpperHex(out, connection.incomingBytes, 8);
  const isRetrying = connection.timer.retransmitNs != 0 && !isListener;
  out.writeString(isRetrying ? " 01:00000000 " : " 00:00000000 ");
  writeUpperHex(out, connection.retransmissions, 8);
  out.writeString("     0        0 ");
  out.writeDecimal(endpoint.inode);
  out.writeString(" 1 0000000000000000 20 4 30 10 -1\n");
}

function writeDatagramSocket(endpoint: Endpoint, argument: usize): void {
  if (endpoint.family != family) return;
  const out = changetype<ByteWriter>(argument);
  const socket = changetype<DatagramSocket>(endpoint);
  writeEnds(out, endpoint, endpoint.isPortBound ? endpoint.localPort : <u16>endpoint.protocol);
  writeUpperHex(out, endpoint.remoteAddress.isAny ? DATAGRAM_CLOSED : DATAGRAM_ESTABLISHED, 2);
  out.writeString(" 00000000:");
  writeUpperHex(out, socket.waitingBytes, 8);
  out.writeString(" 00:00000000 00000000     0        0 ");
  out.writeDecimal(endpoint.inode);
  out.writeString(" 2 0000000000000000 ");
  out.writeDecimal(socket.drops);
  out.writeByte(0x0a);
}

function writeEnds(out: ByteWriter, endpoint: Endpoint, port: u16): void {
  out.writePadded(row++, 4);
  out.writeString(": ");
  writeAddress(out, endpoint.localAddress);
  out.writeByte(0x3a);
  writeUpperHex(out, port, 4);
  out.writeByte(0x20);
  writeAddress(out, endpoint.remoteAddress);
  out.writeByte(0x3a);
  writeUpperHex(out, endpoint.remotePort, 4);
  out.writeByte(0x20);
}

/** The words of an address as this processor loads them. */
function writeAddress(out: ByteWriter, address: IpAddress): void {
  const at = changetype<usize>(address);
  const start: usize = family == AF_INET ? 12 : 0;
  for (let offset = start; offset < 16; offset += 4) {
    writeUpperHex(out, load<u32>(at + offset), 8);
  }
}
