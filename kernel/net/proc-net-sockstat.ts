/**
 * /proc/net/sockstat and sockstat6 (proc(5)): how many sockets there are, and what they hold.
 *
 * Neighbours: `proc-net.ts`; `tcp-ending.ts`, `tcp-buffers.ts`, `fragments.ts` count.
 */
import { ByteWriter } from "../lib/format";
import { Endpoint } from "./endpoint";
import { fragmentBytes, unfinishedDatagrams } from "./fragments";
import { forEachFlow, PortTable, tcpPorts, udpLitePorts, udpPorts } from "./ports";
import { forEachRawSocket } from "./raw-socket";
import { AF_INET, AF_INET6, socketFileCount } from "./socket";
import { heldPages } from "./tcp-buffers";
import { TcpConnection, TIME_WAIT } from "./tcp-connection";
import { endingCount, ORPHAN, WAITING } from "./tcp-ending";

function put(out: ByteWriter, value: u64): void {
  out.writeByte(0x20);
  out.writeDecimal(value);
}

/** What sockets are counted while the tables are walked. */
let family: i32 = 0;
let total: u64 = 0;

function tally(endpoint: Endpoint, _argument: usize): void {
  if (endpoint.family == family) total++;
}

function tallyConnection(endpoint: Endpoint, argument: usize): void {
  if (changetype<TcpConnection>(endpoint).state != TIME_WAIT) tally(endpoint, argument);
}

function tallyListener(endpoint: Endpoint, argument: usize): void {
  if (endpoint.isListening()) tally(endpoint, argument);
}

/** Sockets of TCP that are open: connections but those in TIME-WAIT, and listeners. */
function openStreams(wanted: i32): u64 {
  family = wanted;
  total = 0;
  forEachFlow(tallyConnection, 0);
  tcpPorts.forEach(tallyListener, 0);
  return total;
}

function tallyPages(endpoint: Endpoint, _argument: usize): void {
  total += heldPages(changetype<TcpConnection>(endpoint));
}

/** Pages that the data of all connections of TCP fills, of both families. */
function streamPages(): u64 {
  total = 0;
  forEachFlow(tallyPages, 0);
  return total;
}

function boundSockets(wanted: i32, ports: PortTable): u64 {
  family = wanted;
  total = 0;
  ports.forEach(tally, 0);
  return total;
}

function rawSockets(wanted: i32): u64 {
  family = wanted;
  total = 0;
  forEachRawSocket(tally, 0);
  return total;
}

/** /proc/net/sockstat; `mem` is in pages. */
export function writeSockstat(out: ByteWriter): void {
  const streams = openStreams(AF_INET);
  out.writeString("sockets: used");
  put(out, socketFileCount());
  out.writeString("\nTCP: inuse");
  put(out, streams);
  out.writeString(" orphan");
  put(out, endingCount(ORPHAN));
  out.writeString(" tw");
  put(out, endingCount(WAITING));
  out.writeString(" alloc");
  put(out, streams + openStreams(AF_INET6));
  out.writeString(" mem");
  put(out, streamPages());
  out.writeString("\nUDP: inuse");
  put(out, boundSockets(AF_INET, udpPorts));
  out.writeString(" mem 0\nUDPLITE: inuse");
  put(out, boundSockets(AF_INET, udpLitePorts));
  out.writeString("\nRAW: inuse");
  put(out, rawSockets(AF_INET));
  // Reassembly does not tell the families apart: IPv6 shows none.
  out.writeString("\nFRAG: inuse");
  put(out, unfinishedDatagrams());
  out.writeString(" memory");
  put(out, fragmentBytes());
  out.writeByte(0x0a);
}

/** /proc/net/sockstat6. */
export function writeSockstat6(out: ByteWriter): void {
  out.writeString("TCP6: inuse");
  put(out, openStreams(AF_INET6));
  out.writeString("\nUDP6: inuse");
  put(out, boundSockets(AF_INET6, udpPorts));
  out.writeString("\nUDPLITE6: inuse");
  put(out, boundSockets(AF_INET6, udpLitePorts));
  out.writeString("\nRAW6: inuse");
  put(out, rawSockets(AF_INET6));
  out.writeString("\nFRAG6: inuse 0 memory 0\n");
}
