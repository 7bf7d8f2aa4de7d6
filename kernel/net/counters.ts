/**
 * What the protocols count (RFC 1213; Linux's /proc/net/snmp and netstat): a row for each CPU, so that
 * connections share no cache line for it.
 *
 * Neighbours: everything here counts; `proc-net-counters.ts` tells.
 */
import { cpuId } from "../arch/cpu";
import { MAX_CPUS } from "../sched/run-queue";

export const IP_RECEIVED: u32 = 0;
export const IP_HEADER_ERRORS: u32 = 1;
export const IP_ADDRESS_ERRORS: u32 = 2;
export const IP_DELIVERED: u32 = 3;
export const IP_SENT: u32 = 4;
export const IP_NO_ROUTE: u32 = 5;
export const IP_FRAGMENTS_RECEIVED: u32 = 6;
export const IP_REASSEMBLED: u32 = 7;
export const IP_FRAGMENTS_MADE: u32 = 8;
/** The same for IPv6, this much further. */
export const OF_V6: u32 = 9;
export const ICMP_RECEIVED: u32 = 18;
export const ICMP_ERRORS: u32 = 19;
export const ICMP_SENT: u32 = 20;
export const UDP_RECEIVED: u32 = 21;
export const UDP_NO_PORT: u32 = 22;
export const UDP_ERRORS: u32 = 23;
export const UDP_SENT: u32 = 24;
export const UDP_BUFFER_ERRORS: u32 = 25;
export const UDP_CHECKSUM_ERRORS: u32 = 26;
export const TCP_ACTIVE_OPENS: u32 = 27;
export const TCP_PASSIVE_OPENS: u32 = 28;
export const TCP_RECEIVED: u32 = 29;
export const TCP_SENT: u32 = 30;
export const TCP_RETRANSMITTED: u32 = 31;
export const TCP_CHECKSUM_ERRORS: u32 = 32;
export const TCP_RESETS_SENT: u32 = 33;
export const TCP_LISTEN_DROPS: u32 = 34;
export const TCP_TIMEOUTS: u32 = 35;
export const TCP_ABORTED_FOR_MEMORY: u32 = 36;
export const TCP_TIME_WAIT_OVERFLOWS: u32 = 37;

const COUNTERS: usize = 40;
const ROW_BYTES: usize = COUNTERS * 8;

const table = new StaticArray<u64>(<i32>(<u32>COUNTERS * MAX_CPUS));

/** Counts one event. Any context: an interrupt between load and store may be lost, nothing else. */
export function count(counter: u32): void {
  const cell = changetype<usize>(table) + <usize>cpuId() * ROW_BYTES + <usize>counter * 8;
  store<u64>(cell, load<u64>(cell) + 1);
}

/** How often something was counted on one CPU. */
export function countedOn(cpu: u32, counter: u32): u64 {
  return load<u64>(changetype<usize>(table) + <usize>cpu * ROW_BYTES + <usize>counter * 8);
}

/** How often something was counted, on all CPUs together. */
export function counted(counter: u32): u64 {
  let sum: u64 = 0;
  for (let cpu: u32 = 0; cpu < MAX_CPUS; cpu++) sum += countedOn(cpu, counter);
  return sum;
}
