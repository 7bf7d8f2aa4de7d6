/**
 * The ring of a packet socket (PACKET_RX_RING with TPACKET_V2; Linux
 * Documentation/networking/packet_mmap.rst): memory that the application maps, cut into slots.
 *
 *     block: | slot | slot | … |  block: | slot | …        a slot holds one frame:
 *     | struct tpacket2_hdr 32 | struct sockaddr_ll 20 | room | frame, cut to the slot |
 *                                                             ^ tp_mac, 16-byte aligned behind Ethernet
 *
 *     struct tpacket2_hdr: status 4 | length 4 | captured 4 | mac 2 | network 2 | seconds 4 |
 *                          nanoseconds 4 | VLAN 2 | its type 2 | padding 4
 *
 * The kernel fills the slot that is its own (status 0) and gives it away (TP_STATUS_USER); the
 * application gives it back. Lock: `lock` guards the next slot. Neighbour: `packet-socket.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { CHECKSUM_PARTIAL, CHECKSUM_VALID, Packet, packetBytes } from "../dev/packet";
import { EINVAL, ENOMEM, asError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { allocateFrames, frameOf, releaseFrame, retainFrame, splitFrames } from "../mm/frames";
import { heapAllocate, heapFree } from "../mm/heap";
import { PAGE_SHIFT, PAGE_SIZE, toPhysical, toVirtual } from "../mm/layout";
import { realtimeNs } from "../sched/clock";
import { Pager } from "../vm/pager";

/** sizeof(struct tpacket2_hdr), which PACKET_HDRLEN tells. */
export const SLOT_HEADER_BYTES: u32 = 32;
export const RING_REQUEST_BYTES: usize = 16;
/** TPACKET2_HDRLEN: with the address behind it. */
const HEADER_BYTES: u32 = SLOT_HEADER_BYTES + 20;
const ALIGNMENT: u32 = 16;
/** Ethernet headers are given this much room, so that what follows is aligned. */
const LINK_ROOM: u32 = 16;
const BLOCK_ORDER_MAX: u32 = 10;
const RING_PAGES_MAX: u32 = 16384;
const NS_PER_SECOND: u64 = 1_000_000_000;

// tp_status.
const STATUS_KERNEL: u32 = 0;
const STATUS_USER: u32 = 1;
const STATUS_COPY: u32 = 2;
const STATUS_LOSING: u32 = 4;
const STATUS_CHECKSUM_OPEN: u32 = 8;
const STATUS_CHECKSUM_VALID: u32 = 0x80;

function align(bytes: u32): u32 {
  return (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

export class PacketRing extends Pager {
  private lock: SpinLock = new SpinLock();
  private next: u32 = 0;
  private isLosing: bool = false;

  private constructor(
    /** Addresses of the blocks. */
    private blocks: usize,
    private blockCount: u32,
    private blockBytes: u32,
    private slotBytes: u32,
    private slotsPerBlock: u32,
    private reserve: u32,
  ) {
    super();
  }

  /**
   * Makes the ring of a struct tpacket_req: block size, blocks, frame size, frames (4 bytes each).
   * @param reserve bytes in front of each frame for the application (PACKET_RESERVE)
   * @returns the ring with a reference, -EINVAL or -ENOMEM
   */
  static make(request: usize, reserve: u32): usize {
    const blockBytes = load<u32>(request);
    const blockCount = load<u32>(request, 4);
    const slotBytes = load<u32>(request, 8);
    const pages = blockBytes >> <u32>PAGE_SHIFT;
    const isAligned = (blockBytes & (<u32>PAGE_SIZE - 1)) == 0 && slotBytes % ALIGNMENT == 0;
    if (!isAligned || pages == 0 || slotBytes < HEADER_BYTES + reserve || slotBytes > blockBytes)
      return asError(-EINVAL);
    const slotsPerBlock = blockBytes / slotBytes;
    const slots = <u64>slotsPerBlock * blockCount;
    if (blockCount == 0 || slots != <u64>load<u32>(request, 12)) return asError(-EINVAL);
    const order: u32 = pages == 1 ? 0 : 32 - clz<u32>(pages - 1);
    if (order > BLOCK_ORDER_MAX || (<u64>blockCount) << order > RING_PAGES_MAX)
      return asError(-ENOMEM);
    // Blocks are powers of two, as all who make rings choose them.
    if (pages != 1 << order) return asError(-EINVAL);
    const blocks = allocateBlocks(blockCount, order);
    if (blocks == 0) return asError(-ENOMEM);
    return changetype<usize>(
      new PacketRing(blocks, blockCount, blockBytes, slotBytes, slotsPerBlock, reserve),
    );
  }

  private slotAt(index: u32): usize {
    const block = load<usize>(this.blocks + <usize>(index / this.slotsPerBlock) * 8);
    return block + <usize>(index % this.slotsPerBlock) * this.slotBytes;
  }

  private get slotCount(): u32 {
    return this.slotsPerBlock * this.blockCount;
  }

  /**
   * Copies a frame into the next slot. Any context.
   * @param frame its `data` at the link-layer header, of which `linkBytes` are to be given
   * @param skipped bytes in front that are not given (SOCK_DGRAM)
   * @returns the address where the struct sockaddr_ll goes, to be followed by `publish`; 0 if the
   *   application has not given the slot back
   */
  fill(frame: Packet, linkBytes: u32, skipped: u32): usize {
    this.lock.acquire();
    const slot = this.slotAt(this.next);
    if (atomic.load<u32>(slot) != STATUS_KERNEL) {
      this.isLosing = true;
      this.lock.release();
      return 0;
    }
    const length = packetBytes(frame) - skipped;
    const network = align(HEADER_BYTES + LINK_ROOM) + this.reserve;
    const place = network - linkBytes;
    const captured = place < this.slotBytes ? min(length, this.slotBytes - place) : 0;
    const now = realtimeNs();
    memory.fill(slot + 4, 0, SLOT_HEADER_BYTES - 4);
    store<u32>(slot, length, 4);
    store<u32>(slot, captured, 8);
    store<u16>(slot, <u16>place, 12);
    store<u16>(slot, <u16>network, 14);
    store<u32>(slot, <u32>(now / NS_PER_SECOND), 16);
    store<u32>(slot, <u32>(now % NS_PER_SECOND), 20);
    copyBytes(frame, skipped, slot + place, captured);
    return slot + SLOT_HEADER_BYTES;
  }

  /** Gives the slot that was filled to the application; releases the ring. */
  publish(frame: Packet): void {
    const slot = this.slotAt(this.next);
    let status = STATUS_USER;
    if (load<u32>(slot, 8) < load<u32>(slot, 4)) status |= STATUS_COPY;
    if (this.isLosing) status |= STATUS_LOSING;
    if (frame.checksum == CHECKSUM_PARTIAL) status |= STATUS_CHECKSUM_OPEN;
    else if (frame.checksum == CHECKSUM_VALID) status |= STATUS_CHECKSUM_VALID;
    this.isLosing = false;
    atomic.store<u32>(slot, status);
    this.next = this.next + 1 < this.slotCount ? this.next + 1 : 0;
    this.lock.release();
  }

  /** True if the frame that came last has not been taken. */
  get hasFrames(): bool {
    const last = this.next != 0 ? this.next - 1 : this.slotCount - 1;
    return atomic.load<u32>(this.slotAt(last)) != STATUS_KERNEL;
  }

  page(index: u64, _forWrite: bool): i64 {
    const inBlock = index % (this.blockBytes >> <u32>PAGE_SHIFT);
    const block = load<usize>(
      this.blocks + <usize>(index / (this.blockBytes >> <u32>PAGE_SHIFT)) * 8,
    );
    const physical = toPhysical(block) + (inBlock << PAGE_SHIFT);
    retainFrame(frameOf(physical));
    return physical;
  }

  sizeBytes(): u64 {
    return <u64>this.blockBytes * this.blockCount;
  }

  writePath(out: ByteWriter): void {
    out.writeString("socket:[packet ring]");
  }

  destroy(): void {
    freeBlocks(this.blocks, this.blockCount, this.blockBytes >> <u32>PAGE_SHIFT);
    free(this.lock);
    free(this);
  }
}

/** Blocks of zeroed pages, each page with one reference: a table of their addresses, or 0. */
function allocateBlocks(count: u32, order: u32): usize {
  const table = heapAllocate(<usize>count * 8);
  if (table == 0) return 0;
  for (let i: u32 = 0; i < count; i++) {
    const physical = allocateFrames(order);
    if (physical == 0) {
      freeBlocks(table, i, 1 << order);
      return 0;
    }
    if (order != 0) splitFrames(physical, order);
    const address = toVirtual(physical);
    memory.fill(address, 0, (<usize>PAGE_SIZE) << order);
    store<usize>(table + <usize>i * 8, address);
  }
  return table;
}

function freeBlocks(table: usize, count: u32, pages: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const physical = toPhysical(load<usize>(table + <usize>i * 8));
    for (let page: u64 = 0; page < pages; page++) {
      releaseFrame(frameOf(physical + (page << PAGE_SHIFT)));
    }
  }
  heapFree(table);
}

/** Copies up to `count` bytes of all parts of a packet, from `start` on. */
function copyBytes(packet: Packet, start: u32, out: usize, count: u32): void {
  let at = out;
  let left = count;
  let skip = start;
  let part = packet;
  while (left > 0) {
    if (skip < part.length) {
      const bytes = min(left, part.length - skip);
      memory.copy(at, part.data + skip, bytes);
      at += bytes;
      left -= bytes;
    }
    skip -= min(skip, part.length);
    const next = part == packet ? packet.more : part.next;
    if (next == 0) return;
    part = changetype<Packet>(next);
  }
}
