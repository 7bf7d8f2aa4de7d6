/**
 * Merges segments that arrived together, where the device has not done it (generic receive offload):
 * what comes in order on one connection is looked up, queued and acknowledged once.
 *
 *     frames of one interrupt ─► IP ─► `tcpReceive` ─► held, one packet a flow ─┐ next in order:
 *                                          │                                    │ becomes a part
 *                                          └──── all others, at once ◄── end of the batch
 *
 * Nothing is held beyond the batch, and one frame alone is no batch. The application and the peer see
 * no difference: merged are only segments that differ in nothing but sequence number, payload and PSH,
 * after their checksums have been verified, so that a merged packet says what each of them said.
 *
 * No lock: each CPU has a batch of its own, and interrupts are off as long as it is open. Segments over
 * `lo`, which may arrive meanwhile, take no part.
 * Neighbours: `ethernet.ts` opens and closes batches; `tcp-receive.ts`; `tcp-input.ts` takes the parts.
 */
import { cpuId } from "../arch/cpu";
import { CHECKSUM_VALID, Packet, packetBytes, pull } from "../dev/packet";
import { MAX_CPUS } from "../sched/run-queue";
import { load32 } from "./bytes";
import { Interface } from "./interface";
import { deliverSegment } from "./tcp-receive";
import { ACK, isSegmentIntact, PSH, TCP_HEADER_BYTES } from "./tcp-segment";

/** Flows of a batch that are merged at a time. */
const FLOWS_MAX: u32 = 4;
/** As devices do it: no larger packets than IP has. */
const MERGED_MAX: u32 = 65535;
const IPV4_HEADER_BYTES: usize = 20;
const IPV6_HEADER_BYTES: usize = 40;

/** The first segment of a flow in the batch, to which others are added. */
@unmanaged
class Held {
  packet: usize;
  /** The part added last, 0 = none. */
  last: usize;
  /** The sequence number that comes next. */
  next: u32;
}

@unmanaged
class Batch {
  isOpen: bool;
  count: u32;
}

const BATCH_BYTES: usize = 16 + 4 * 24;
const batches = new StaticArray<u8>(<i32>MAX_CPUS * <i32>BATCH_BYTES);

function currentBatch(): Batch {
  return changetype<Batch>(changetype<usize>(batches) + <usize>cpuId() * BATCH_BYTES);
}

function heldAt(batch: Batch, index: u32): Held {
  return changetype<Held>(changetype<usize>(batch) + 16 + <usize>index * 24);
}

let isOn: bool = true;

/** `nomerge` on the kernel command line: each segment goes its own way, to compare with. */
export function turnMergingOff(): void {
  isOn = false;
}

/** Several frames are coming. Interrupts are off until `closeBatch`. */
export function openBatch(): void {
  currentBatch().isOpen = isOn;
}

/** They have come: delivers what is held. */
export function closeBatch(): void {
  const batch = currentBatch();
  batch.isOpen = false;
  for (let i: u32 = 0; i < batch.count; i++) {
    deliverSegment(changetype<Packet>(heldAt(batch, i).packet));
  }
  batch.count = 0;
}

/**
 * Holds or merges a segment, `data` at its header, which is whole.
 * @returns false if it is to be delivered now; otherwise the packet is taken
 */
export function mergeSegment(packet: Packet): bool {
  const batch = currentBatch();
  if (!batch.isOpen || changetype<Interface>(packet.origin).isLoopback) return false;
  const isMergeable = mayMerge(packet);
  for (let i: u32 = 0; i < batch.count; i++) {
    const held = heldAt(batch, i);
    const first = changetype<Packet>(held.packet);
    if (!isSameFlow(first, packet)) continue;
    if (isMergeable && follows(held, first, packet)) {
      append(held, first, packet);
      return true;
    }
    // What is held comes before this one.
    release(batch, i);
    break;
  }
  if (!isMergeable || !verify(packet)) return false;
  if (batch.count == FLOWS_MAX) release(batch, 0);
  const held = heldAt(batch, batch.count++);
  held.packet = changetype<usize>(packet);
  held.last = 0;
  held.next = load32(packet.data + 4) + packetBytes(packet) - headerBytesOf(packet);
  return true;
}

/** Delivers the packet of a flow; the last flow takes its place. */
function release(batch: Batch, index: u32): void {
  const held = heldAt(batch, index);
  const packet = changetype<Packet>(held.packet);
  const last = heldAt(batch, --batch.count);
  held.packet = last.packet;
  held.last = last.last;
  held.next = last.next;
  deliverSegment(packet);
}

function headerBytesOf(packet: Packet): u32 {
  return (<u32>load<u8>(packet.data, 12) >> 4) * 4;
}

/** Data, no flag but ACK and PSH, no IP options or extension headers. */
function mayMerge(packet: Packet): bool {
  const header = packet.data;
  if ((<u32>load<u8>(header, 13) & ~PSH) != ACK || (load<u8>(header, 12) & 15) != 0) return false;
  const ipBytes = packet.source.isV4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  return header - packet.network == ipBytes && packetBytes(packet) > headerBytesOf(packet);
}

/** Verifies the checksum once for all. */
function verify(packet: Packet): bool {
  if (!isSegmentIntact(packet)) return false;
  packet.checksum = CHECKSUM_VALID;
  return true;
}

function isSameFlow(a: Packet, b: Packet): bool {
  return (
    load<u32>(a.data) == load<u32>(b.data) &&
    a.source.equals(b.source) &&
    a.destination.equals(b.destination)
  );
}

/** True if `packet` continues what is held and says nothing else. */
function follows(held: Held, first: Packet, packet: Packet): bool {
  const one = first.data;
  const other = packet.data;
  if (load32(other + 4) != held.next || packetBytes(first) + packetBytes(packet) > MERGED_MAX)
    return false;
  const isAlike =
    load<u32>(one, 8) == load<u32>(other, 8) && // acknowledgement
    load<u8>(one, 12) == load<u8>(other, 12) && // length of the header
    load<u16>(one, 14) == load<u16>(other, 14); // window
  if (!isAlike || !isSameHop(first, packet)) return false;
  const end = <usize>headerBytesOf(packet);
  for (let at = <usize>TCP_HEADER_BYTES; at < end; at += 4) {
    if (load<u32>(one + at) != load<u32>(other + at)) return false;
  }
  return verify(packet);
}

/** Same traffic class with its ECN bits, same hops behind, same answer to fragmentation. */
function isSameHop(first: Packet, packet: Packet): bool {
  const one = first.network;
  const other = packet.network;
  if (!packet.source.isV4) {
    return load<u32>(one) == load<u32>(other) && load<u8>(one, 7) == load<u8>(other, 7);
  }
  return (
    load<u16>(one) == load<u16>(other) &&
    load<u8>(one, 6) == load<u8>(other, 6) &&
    load<u8>(one, 8) == load<u8>(other, 8)
  );
}

/** Adds the payload of a segment, in however many parts it came, to what is held. */
function append(held: Held, first: Packet, packet: Packet): void {
  pull(packet, headerBytesOf(packet));
  const bytes = packetBytes(packet);
  const added = changetype<usize>(packet);
  packet.next = packet.more;
  packet.more = 0;
  packet.moreBytes = 0;
  if (held.last != 0) changetype<Packet>(held.last).next = added;
  else {
    let end = first.more;
    while (end != 0 && changetype<Packet>(end).next != 0) end = changetype<Packet>(end).next;
    if (end != 0) changetype<Packet>(end).next = added;
    else first.more = added;
  }
  held.last = added;
  while (changetype<Packet>(held.last).next != 0) held.last = changetype<Packet>(held.last).next;
  first.moreBytes += bytes;
  held.next += bytes;
}
