/**
 * The split virtqueue: how a driver hands buffers to a virtio device and gets them back.
 *
 *     descriptor table      available ring (driver -> device)   used ring (device -> driver)
 *     +-----------------+   flags | index | heads[size] | used  flags | index | {id,len}[size] | avail
 *     | addr len fl nxt |                                 event                                  event
 *     +-----------------+
 *
 * Virtual I/O Device (VIRTIO) version 1.2, section 2.7. The device is not trusted: what it writes is
 * read once, checked, and never used as an index unchecked; the free list and the lengths of chains
 * live in memory the device does not know. A device that breaks the rules makes the queue `broken`.
 *
 * Not locked: each driver guards its queues with a spin lock of its own.
 * Neighbours: `transport` tells the device where the rings are; `blk`, `console`, `rng` use it.
 */
import { volatileLoad16, volatileLoad32, volatileStore16 } from "../../arch/cpu";
import { heapAllocate, heapFree } from "../../mm/heap";
import { fullBarrier, physicalAddress, readBarrier, writeBarrier } from "../dma";

/** One buffer of a chain (section 2.7.5). */
@unmanaged
export class Descriptor {
  /** Physical address. */
  address: u64;
  lengthBytes: u32;
  flags: u16;
  /** Index of the next descriptor of the chain, where DESCRIPTOR_NEXT is set. */
  next: u16;
}

export const DESCRIPTOR_BYTES: u32 = 16;
/** The chain goes on at `next`. */
export const DESCRIPTOR_NEXT: u16 = 1;
/** The device writes the buffer; otherwise it reads it. */
export const DESCRIPTOR_WRITE: u16 = 2;
/** The buffer holds a table of descriptors (section 2.7.5.3). */
export const DESCRIPTOR_INDIRECT: u16 = 4;

/** Available ring flag: no interrupts, please (without VIRTIO_F_EVENT_IDX). */
const AVAILABLE_NO_INTERRUPT: u16 = 1;
/** Used ring flag: no notifications, please (without VIRTIO_F_EVENT_IDX). */
const USED_NO_NOTIFY: u16 = 1;

/** Largest queue used: what QEMU's network cards have. */
export const MAX_QUEUE_SIZE: u32 = 256;

/** Page size of the legacy interface's queue addresses and alignment. */
export const LEGACY_ALIGN: usize = 4096;

/** What only the driver knows of a descriptor. For the head of a chain in flight, all are set. */
@unmanaged
class DescriptorState {
  /** The driver's name for the chain. */
  token: u64;
  /** Bytes the device may write to the chain. */
  writableBytes: u32;
  /** Next descriptor of the chain or of the free list. */
  next: u16;
  /** Descriptors in the chain; 0 if this is not the head of a chain in flight. */
  chainLength: u16;
}

const STATE_BYTES: usize = 16;
const NONE: u16 = 0xffff;

export class Virtqueue {
  /** Addresses of the three parts. */
  descriptors: usize = 0;
  available: usize = 0;
  used: usize = 0;
  /** Where to write to notify the device of this queue; set by the transport. */
  notifyAddress: usize = 0;
  /** Which of the transport's own interrupts it has; 0 = the common one. */
  interrupt: u32 = 0;
  /** Descriptors that can still be appended. */
  freeCount: u32 = 0;
  /** Chains the device has. */
  inFlight: u32 = 0;
  /** The device broke the rules: nothing more is taken from it. */
  broken: bool = false;
  /** Results of `takeUsed`: the chain's token, and how many bytes the device says it wrote. */
  usedToken: u64 = 0;
  usedBytes: u32 = 0;

  private states: usize = 0;
  private block: usize = 0;
  private freeHead: u16 = 0;
  /** Next value of the available ring's index; `publishedIndex` is what the device sees. */
  private availableIndex: u16 = 0;
  private publishedIndex: u16 = 0;
  /** Used ring entries taken so far. */
  private lastUsed: u16 = 0;
  private chainHead: u16 = NONE;
  private chainTail: u16 = NONE;

  /**
   * @param index number of the queue in its device
   * @param size number of descriptors, a power of two
   * @param eventIndex whether VIRTIO_F_EVENT_IDX was negotiated (section 2.7.7)
   */
  constructor(
    readonly index: u32,
    readonly size: u32,
    readonly eventIndex: bool,
  ) {}

  /**
   * Allocates the rings, zeroed.
   * @param legacyLayout aligns the used ring and the whole to LEGACY_ALIGN (section 2.7.2)
   * @returns false without memory
   */
  allocate(legacyLayout: bool): bool {
    const size = <usize>this.size;
    const align: usize = legacyLayout ? LEGACY_ALIGN : 16;
    const usedOffset = roundUp(size * DESCRIPTOR_BYTES + 6 + size * 2, legacyLayout ? align : 4);
    const ringBytes = usedOffset + 6 + size * 8;
    const blockBytes = ringBytes + (legacyLayout ? align : 0);
    this.block = heapAllocate(blockBytes);
    if (this.block == 0) return false;
    this.states = heapAllocate(size * STATE_BYTES);
    if (this.states == 0) {
      heapFree(this.block);
      this.block = 0;
      return false;
    }
    memory.fill(this.block, 0, blockBytes);
    memory.fill(this.states, 0, size * STATE_BYTES);
    this.descriptors = roundUp(this.block, align);
    this.available = this.descriptors + size * DESCRIPTOR_BYTES;
    this.used = this.descriptors + usedOffset;
    for (let i: u32 = 0; i < this.size; i++) {
      this.state(i).next = i + 1 < this.size ? <u16>(i + 1) : NONE;
    }
    this.freeHead = 0;
    this.freeCount = this.size;
    return true;
  }

  /** Frees the rings; the device must have been reset. */
  release(): void {
    if (this.block != 0) heapFree(this.block);
    if (this.states != 0) heapFree(this.states);
    this.block = 0;
    this.states = 0;
  }

  private state(index: u32): DescriptorState {
    return changetype<DescriptorState>(this.states + <usize>index * STATE_BYTES);
  }

  private descriptor(index: u32): Descriptor {
    return changetype<Descriptor>(this.descriptors + <usize>index * DESCRIPTOR_BYTES);
  }

  /**
   * Appends a buffer to the chain under construction. The caller has checked `freeCount`, and
   * appends what the device reads before what it writes (section 2.7.4.2).
   */
  append(physical: u64, lengthBytes: u32, deviceWrites: bool): void {
    this.appendDescriptor(physical, lengthBytes, deviceWrites ? DESCRIPTOR_WRITE : 0);
    if (deviceWrites) this.state(this.chainHead).writableBytes += lengthBytes;
  }

  /**
   * Appends a table of `count` descriptors at physical address `table`, as the whole of a chain.
   * @param writableBytes sum of the lengths of the buffers in the table that the device writes
   */
  appendIndirect(table: u64, count: u32, writableBytes: u32): void {
    this.appendDescriptor(table, count * DESCRIPTOR_BYTES, DESCRIPTOR_INDIRECT);
    this.state(this.chainHead).writableBytes = writableBytes;
  }

  private appendDescriptor(physical: u64, lengthBytes: u32, flags: u16): void {
    assert(this.freeCount > 0, "virtqueue: append to a full queue");
    const index = this.freeHead;
    const state = this.state(index);
    this.freeHead = state.next;
    this.freeCount--;
    state.next = NONE;
    const descriptor = this.descriptor(index);
    descriptor.address = physical;
    descriptor.lengthBytes = lengthBytes;
    descriptor.flags = flags;
    descriptor.next = 0;
    if (this.chainHead == NONE) {
      this.chainHead = index;
      state.writableBytes = 0;
      state.chainLength = 1;
    } else {
      const tail = this.descriptor(this.chainTail);
      tail.flags |= DESCRIPTOR_NEXT;
      tail.next = index;
      this.state(this.chainTail).next = index;
      this.state(this.chainHead).chainLength++;
    }
    this.chainTail = index;
  }

  /** Ends the chain and queues it; the device sees it at the next `publish`. */
  endChain(token: u64): void {
    const head = this.chainHead;
    this.state(head).token = token;
    this.chainHead = NONE;
    this.chainTail = NONE;
    const slot = <usize>(this.availableIndex & <u16>(this.size - 1));
    volatileStore16(this.available + 4 + slot * 2, head);
    this.availableIndex++;
    this.inFlight++;
  }

  /**
   * Shows the device all chains queued so far (section 2.7.13.3).
   * @returns true if the device wants to be notified of it (section 2.7.13.4)
   */
  publish(): bool {
    const before = this.publishedIndex;
    const after = this.availableIndex;
    if (before == after) return false;
    writeBarrier();
    volatileStore16(this.available + 2, after);
    this.publishedIndex = after;
    fullBarrier();
    if (this.eventIndex) {
      const event = volatileLoad16(this.used + 4 + <usize>this.size * 8);
      return <u16>(after - event - 1) < <u16>(after - before);
    }
    return (volatileLoad16(this.used) & USED_NO_NOTIFY) == 0;
  }

  /** True if the device has returned a chain that was not taken yet. */
  hasUsed(): bool {
    return !this.broken && volatileLoad16(this.used + 2) != this.lastUsed;
  }

  /**
   * Takes back one chain: `usedToken` and `usedBytes` describe it, its descriptors are free again.
   * @returns false if there is none, or the device broke the rules (`broken` is then set)
   */
  takeUsed(): bool {
    if (this.broken) return false;
    const index = volatileLoad16(this.used + 2);
    const pending = <u16>(index - this.lastUsed);
    if (pending == 0) return false;
    if (<u32>pending > this.inFlight) {
      this.broken = true;
      return false;
    }
    readBarrier();
    const slot = <usize>(this.lastUsed & <u16>(this.size - 1));
    const element = this.used + 4 + slot * 8;
    const head = volatileLoad32(element);
    const bytes = volatileLoad32(element + 4);
    if (head >= this.size || this.state(head).chainLength == 0) {
      this.broken = true;
      return false;
    }
    this.lastUsed++;
    this.inFlight--;
    const state = this.state(head);
    this.usedToken = state.token;
    this.usedBytes = bytes < state.writableBytes ? bytes : state.writableBytes;
    this.freeChain(<u16>head, state.chainLength);
    return true;
  }

  private freeChain(head: u16, length: u16): void {
    this.state(head).chainLength = 0;
    let tail = head;
    for (let i: u16 = 1; i < length; i++) tail = this.state(tail).next;
    this.state(tail).next = this.freeHead;
    this.freeHead = head;
    this.freeCount += length;
  }

  /**
   * Takes back one chain of a device that has been reset and so will not return it by itself.
   * @returns false if no chain is left
   */
  takeAbandoned(): bool {
    for (let i: u32 = 0; i < this.size; i++) {
      const state = this.state(i);
      if (state.chainLength == 0) continue;
      this.usedToken = state.token;
      this.usedBytes = 0;
      this.inFlight--;
      this.freeChain(<u16>i, state.chainLength);
      return true;
    }
    return false;
  }

  /** Asks the device not to interrupt for this queue; a hint, an interrupt may still come. */
  disableInterrupts(): void {
    // An event index that has just passed is not reached again for 65,535 chains (section 2.7.7.1).
    if (this.eventIndex) this.setUsedEvent(this.lastUsed - 1);
    else volatileStore16(this.available, AVAILABLE_NO_INTERRUPT);
  }

  /**
   * Asks the device to interrupt when it returns the next chain.
   * @returns true if it has already returned one, for which no interrupt may come: look again
   */
  enableInterrupts(): bool {
    if (this.eventIndex) this.setUsedEvent(this.lastUsed);
    else volatileStore16(this.available, 0);
    fullBarrier();
    return this.hasUsed();
  }

  private setUsedEvent(index: u16): void {
    volatileStore16(this.available + 4 + <usize>this.size * 2, index);
  }

  /** Physical addresses of the parts, for the transport. */
  descriptorsPhysical(): u64 {
    return physicalAddress(this.descriptors);
  }

  availablePhysical(): u64 {
    return physicalAddress(this.available);
  }

  usedPhysical(): u64 {
    return physicalAddress(this.used);
  }
}

/** The queue size to use with a device that allows `limit` (0 = no such queue) and a driver's wish. */
export function chooseQueueSize(limit: u32, wanted: u32): u32 {
  let size: u32 = MAX_QUEUE_SIZE;
  while (size > limit || size > wanted) size >>= 1;
  return size;
}

function roundUp(value: usize, align: usize): usize {
  return (value + align - 1) & ~(align - 1);
}
