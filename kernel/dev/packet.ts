/**
 * Packets: one heap block each, the bytes and what is known about them.
 *
 *     +--------+------------------------------+------------------+-----------+
 *     | Packet | room for headers (HEADROOM)  | data … length    | free room |
 *     +--------+------------------------------+------------------+-----------+
 *                     `push` grows to the left ◄┘└► `pull` shrinks
 *
 * A packet has one owner at a time, who frees it or passes it on; there is no copy between driver and
 * protocol. The block is one physical range, so a device reaches it with one descriptor.
 *
 * A large TCP segment may have further parts, packets themselves, which hold payload only. A received
 * one filled them; one to send refers to bytes of a shared block that somebody else keeps, too:
 *
 *     Packet: headers, data ─more─► Packet: data ─next─► Packet: data
 *                                     └─owner─► shared block
 *
 * Neighbours: `network.ts` (devices), `virtio/net.ts`, `net/`.
 */
import { IpAddress } from "../lib/ip-address";
import { heapAllocate, heapFree } from "../mm/heap";

/** What is known about the transport checksum. */
export const CHECKSUM_UNKNOWN: u8 = 0;
/** Received: the device, or memory, vouches for it. */
export const CHECKSUM_VALID: u8 = 1;
/** To send: the field holds the pseudo-header's sum, the device is to finish it. */
export const CHECKSUM_PARTIAL: u8 = 2;

@unmanaged
export class Packet {
  /** Next packet of whatever list it is on. */
  next: usize;
  /** First byte. */
  data: usize;
  /** Address after the last byte of the block. */
  end: usize;
  /** Interface it came from (`net/interface.ts`), 0 = none. */
  origin: usize;
  /** Address of the IP header of a received packet. */
  network: usize;
  /** Address of the transport header, once known. */
  transport: usize;
  /** Further parts, linked by `next`; 0 = none. */
  more: usize;
  /** The shared block that `data` lies in; 0 = the packet's own. */
  owner: usize;
  /** A driver's block for the time that the device has the packet; 0 = none. */
  table: usize;
  length: u32;
  /** Bytes in the further parts. */
  moreBytes: u32;
  /** Payload bytes for each segment that the device is to cut (TSO); 0 = send as it is. */
  segmentBytes: u16;
  checksum: u8;
  /** Protocol flags of the layer that holds the packet. */
  flags: u8;
  /** TCP: first sequence number of the payload. UDP: the ports. */
  sequence: u32;
  /** TCP: bytes of the transport header. */
  headerBytes: u32;
  /** Sent to a group: this machine does not receive it itself. */
  staysOut: bool;
  /** To send: which of the device's queues, from 1, so that a flow stays in order; 0 = any. */
  sendQueue: u8;
  /** To send: routers and we ourselves must not cut it. */
  keepsWhole: bool;
  /** When it arrived, if somebody wants to know: nanoseconds since 1970. */
  arrivedNs: u64;
  private sourceFirst: u64;
  private sourceLast: u64;
  private destinationFirst: u64;
  private destinationLast: u64;

  /** From whom to whom; whoever sends a packet fills them in. */
  get source(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Packet>("sourceFirst"));
  }

  get destination(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Packet>("destinationFirst"));
  }
}

/** Room kept in front of data that is to be sent: virtio, Ethernet, IP and TCP headers. */
export const HEADROOM: usize = 160;
/**
 * Blocks for received frames: a page holds any frame of 1514 bytes with its headers and tags, and
 * few of them a segment of 64 KiB that the device has merged.
 */
const RECEIVE_BLOCK: usize = 4096;

const HEADER: usize = (offsetof<Packet>() + 15) & ~15;

function make(blockBytes: usize): usize {
  const address = heapAllocate(blockBytes);
  if (address == 0) return 0;
  const packet = changetype<Packet>(address);
  memory.fill(address, 0, HEADER);
  packet.data = address + HEADER;
  packet.end = address + blockBytes;
  return address;
}

/** A packet to send with room for `capacity` bytes after HEADROOM; 0 without memory. */
export function newPacket(capacity: usize): usize {
  const address = make(HEADER + HEADROOM + capacity);
  if (address != 0) changetype<Packet>(address).data += HEADROOM;
  return address;
}

/** A packet for a device to fill; 0 without memory. */
export function newReceivePacket(): usize {
  return make(RECEIVE_BLOCK);
}

/** Bytes that fit between `data` and the end of the block. */
export function packetRoom(packet: Packet): u32 {
  return <u32>(packet.end - packet.data);
}

/** Bytes of memory that a packet keeps from others, without a shared block and further parts. */
export function blockBytes(packet: Packet): u32 {
  return <u32>(packet.end - changetype<usize>(packet));
}

/**
 * Moves a received packet that is to be kept into a block that fits, if it leaves most of its own
 * empty: a frame of few bytes would keep a page. @returns the packet in its place, for the caller
 */
export function compacted(packet: Packet): Packet {
  const start = packet.network != 0 ? packet.network : packet.data;
  const used = packet.data + packet.length - start;
  const address = changetype<usize>(packet);
  if (packet.owner != 0 || 2 * (HEADER + used) > <usize>blockBytes(packet)) return packet;
  const place = make(HEADER + used);
  if (place == 0) return packet;
  const end = place + HEADER + used;
  const shift = place + HEADER - start;
  memory.copy(place, address, HEADER);
  memory.copy(place + HEADER, start, used);
  const moved = changetype<Packet>(place);
  moved.data += shift;
  moved.end = end;
  if (packet.network != 0) moved.network += shift;
  if (packet.transport != 0) moved.transport += shift;
  heapFree(address);
  return moved;
}

/** Bytes of all parts of a packet. */
export function packetBytes(packet: Packet): u32 {
  return packet.length + packet.moreBytes;
}

/**
 * Adds a part to a packet, at its end: bytes of a shared block, which the part holds.
 * @param last the part added last, 0 = none
 * @returns the new part, or 0 without memory
 */
export function addPart(
  packet: Packet,
  last: usize,
  block: usize,
  address: usize,
  bytes: u32,
): usize {
  const added = make(HEADER);
  if (added == 0) return 0;
  const part = changetype<Packet>(added);
  holdBlock(block);
  part.owner = block;
  part.data = address;
  part.length = bytes;
  packet.moreBytes += bytes;
  if (last != 0) changetype<Packet>(last).next = added;
  else packet.more = added;
  return added;
}

/** The beginning of a block that several may hold. */
@unmanaged
class SharedBlock {
  holders: u32;
}

/** One more holds the block. */
export function holdBlock(block: usize): void {
  atomic.add<u32>(block + offsetof<SharedBlock>("holders"), 1);
}

/** One less holds it; the last one frees it. */
export function releaseBlock(block: usize): void {
  if (atomic.sub<u32>(block + offsetof<SharedBlock>("holders"), 1) == 1) heapFree(block);
}

/** Frees a packet that is on no list. */
export function freePacket(packet: Packet): void {
  if (packet.more != 0) freePackets(packet.more);
  if (packet.owner != 0) releaseBlock(packet.owner);
  heapFree(changetype<usize>(packet));
}

/** Frees a chain of packets linked by `next`. */
export function freePackets(first: usize): void {
  let address = first;
  while (address != 0) {
    const next = changetype<Packet>(address).next;
    freePacket(changetype<Packet>(address));
    address = next;
  }
}

/** Copies the bytes of all parts to `out`, which has room for `packetBytes`. */
export function gatherBytes(packet: Packet, out: usize): void {
  memory.copy(out, packet.data, packet.length);
  let at = out + packet.length;
  let next = packet.more;
  while (next != 0) {
    const part = changetype<Packet>(next);
    memory.copy(at, part.data, part.length);
    at += part.length;
    next = part.next;
  }
}

/** Makes room for a header of `bytes` in front; returns its address. */
export function push(packet: Packet, bytes: u32): usize {
  packet.data -= bytes;
  packet.length += bytes;
  return packet.data;
}

/** Takes a header of `bytes` off the front. */
export function pull(packet: Packet, bytes: u32): void {
  packet.data += bytes;
  packet.length -= bytes;
}
