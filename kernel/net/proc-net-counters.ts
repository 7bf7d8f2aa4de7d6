/**
 * Counters in /proc/net: snmp, snmp6, netstat (proc(5); names as Linux has them, which
 * netstat(8), nstat(8) and agents look for).
 *
 * Neighbours: `proc-net.ts`, `proc-net-sockstat.ts`; `counters.ts` counts.
 */
import { ByteWriter } from "../lib/format";
import { onlineCpus } from "../sched/run-queue";
import {
  counted,
  countedOn,
  ICMP_ERRORS,
  ICMP_RECEIVED,
  ICMP_SENT,
  IP_ADDRESS_ERRORS,
  IP_DELIVERED,
  IP_FRAGMENTS_MADE,
  IP_FRAGMENTS_RECEIVED,
  IP_HEADER_ERRORS,
  IP_NO_ROUTE,
  IP_REASSEMBLED,
  IP_RECEIVED,
  IP_SENT,
  OF_V6,
  TCP_ABORTED_FOR_MEMORY,
  TCP_ACTIVE_OPENS,
  TCP_CHECKSUM_ERRORS,
  TCP_LISTEN_DROPS,
  TCP_PASSIVE_OPENS,
  TCP_RECEIVED,
  TCP_RESETS_SENT,
  TCP_RETRANSMITTED,
  TCP_SENT,
  TCP_TIME_WAIT_OVERFLOWS,
  TCP_TIMEOUTS,
  UDP_BUFFER_ERRORS,
  UDP_CHECKSUM_ERRORS,
  UDP_ERRORS,
  UDP_NO_PORT,
  UDP_RECEIVED,
  UDP_SENT,
} from "./counters";
import { Endpoint } from "./endpoint";
import { DEFAULT_HOP_LIMIT } from "./interface";
import { forEachFlow } from "./ports";
import { ESTABLISHED, TcpConnection } from "./tcp-connection";

/** What counts nothing here: a column that is always 0. */
const NOTHING: u32 = 39;

function put(out: ByteWriter, value: u64): void {
  out.writeByte(0x20);
  out.writeDecimal(value);
}

function putCounted(out: ByteWriter, counter: u32): void {
  put(out, counted(counter));
}

/** /proc/net/snmp. */
export function writeSnmp(out: ByteWriter): void {
  out.writeString(
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\nIp: 2",
  );
  put(out, DEFAULT_HOP_LIMIT);
  putCounted(out, IP_RECEIVED);
  putCounted(out, IP_HEADER_ERRORS);
  putCounted(out, IP_ADDRESS_ERRORS);
  out.writeString(" 0 0 0");
  putCounted(out, IP_DELIVERED);
  putCounted(out, IP_SENT);
  putCounted(out, NOTHING);
  putCounted(out, IP_NO_ROUTE);
  putCounted(out, NOTHING);
  putCounted(out, IP_FRAGMENTS_RECEIVED);
  putCounted(out, IP_REASSEMBLED);
  out.writeString(" 0 0 0");
  putCounted(out, IP_FRAGMENTS_MADE);
  out.writeString("\nIcmp: InMsgs InErrors InCsumErrors OutMsgs OutErrors\nIcmp:");
  putCounted(out, ICMP_RECEIVED);
  putCounted(out, ICMP_ERRORS);
  putCounted(out, NOTHING);
  putCounted(out, ICMP_SENT);
  out.writeString(
    " 0\nTcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1",
  );
  putCounted(out, TCP_ACTIVE_OPENS);
  putCounted(out, TCP_PASSIVE_OPENS);
  out.writeString(" 0 0");
  put(out, establishedConnections());
  putCounted(out, TCP_RECEIVED);
  putCounted(out, TCP_SENT);
  putCounted(out, TCP_RETRANSMITTED);
  putCounted(out, TCP_CHECKSUM_ERRORS);
  putCounted(out, TCP_RESETS_SENT);
  putCounted(out, TCP_CHECKSUM_ERRORS);
  out.writeString(
    "\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\nUdp:",
  );
  putCounted(out, UDP_RECEIVED);
  putCounted(out, UDP_NO_PORT);
  putCounted(out, UDP_ERRORS);
  putCounted(out, UDP_SENT);
  putCounted(out, UDP_BUFFER_ERRORS);
  putCounted(out, NOTHING);
  putCounted(out, UDP_CHECKSUM_ERRORS);
  out.writeString(" 0 0\n");
}

function line(out: ByteWriter, name: string, counter: u32): void {
  out.writeString(name);
  out.writeRepeated(0x20, <usize>max(32 - name.length, 0));
  out.writeByte(0x09);
  out.writeDecimal(counted(counter));
  out.writeByte(0x0a);
}

/** /proc/net/snmp6. */
export function writeSnmp6(out: ByteWriter): void {
  line(out, "Ip6InReceives", OF_V6 + IP_RECEIVED);
  line(out, "Ip6InHdrErrors", OF_V6 + IP_HEADER_ERRORS);
  line(out, "Ip6InAddrErrors", OF_V6 + IP_ADDRESS_ERRORS);
  line(out, "Ip6InDelivers", OF_V6 + IP_DELIVERED);
  line(out, "Ip6OutRequests", OF_V6 + IP_SENT);
  line(out, "Ip6OutNoRoutes", OF_V6 + IP_NO_ROUTE);
  line(out, "Ip6ReasmReqds", OF_V6 + IP_FRAGMENTS_RECEIVED);
  line(out, "Ip6ReasmOKs", OF_V6 + IP_REASSEMBLED);
  line(out, "Ip6FragCreates", OF_V6 + IP_FRAGMENTS_MADE);
}

/** /proc/net/netstat. */
export function writeNetstat(out: ByteWriter): void {
  out.writeString("TcpExt: ListenOverflows ListenDrops TCPTimeouts TCPAbortOnMemory");
  out.writeString(" TCPTimeWaitOverflow\nTcpExt:");
  putCounted(out, TCP_LISTEN_DROPS);
  putCounted(out, TCP_LISTEN_DROPS);
  putCounted(out, TCP_TIMEOUTS);
  putCounted(out, TCP_ABORTED_FOR_MEMORY);
  putCounted(out, TCP_TIME_WAIT_OVERFLOWS);
  out.writeString("\nIpExt: InCsumErrors\nIpExt:");
  putCounted(out, IP_HEADER_ERRORS);
  out.writeByte(0x0a);
}

/** The connections that are counted while the table is walked. */
let established: u64 = 0;

function establishedConnections(): u64 {
  established = 0;
  forEachFlow((endpoint: Endpoint, _argument: usize) => {
    if (changetype<TcpConnection>(endpoint).state == ESTABLISHED) established++;
  }, 0);
  return established;
}

/** Columns of softnet_stat that are counted by nobody here, between the first and the CPU's number. */
const SOFTNET_ZEROES: u32 = 11;

/** /proc/net/softnet_stat: a row for each CPU, first how many packets it has received. */
export function writeSoftnet(out: ByteWriter): void {
  for (let cpu: u32 = 0; cpu < onlineCpus(); cpu++) {
    const received = countedOn(cpu, IP_RECEIVED) + countedOn(cpu, IP_RECEIVED + OF_V6);
    out.writeHex(received & 0xffffffff, 8);
    for (let i: u32 = 0; i < SOFTNET_ZEROES; i++) out.writeString(" 00000000");
    out.writeByte(0x20);
    out.writeHex(cpu, 8);
    out.writeByte(0x0a);
  }
}
