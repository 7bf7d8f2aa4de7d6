/**
 * The virtio block device: Virtual I/O Device (VIRTIO) version 1.2, section 5.2.
 *
 * One queue; as many requests in flight as the queue has room for. A request travels as
 * header (read by the device), data, status byte (written by the device). With indirect descriptors,
 * which every known device offers, it takes one descriptor, and the table is the request's own area,
 * whose segments already have the form of descriptors.
 *
 * Locks: `lock` guards the queue. No lock is taken while it is held, except by waking `room`.
 * Neighbours: `dev/block` is the interface upward.
 */
import { SpinLock } from "../../arch/spinlock";
import { volatileLoad8 } from "../../arch/cpu";
import { EINVAL, EIO, EROFS } from "../../lib/errno";
import { isError } from "../../lib/errno";
import { free } from "../../lib/object";
import { log } from "../../lib/log";
import { FOREVER, WaitQueue } from "../../sched/wait";
import {
  BLOCK_FLUSH,
  BLOCK_READ,
  BLOCK_WRITE,
  BlockDevice,
  blockDeviceCount,
  BlockRequest,
  registerBlockDevice,
  REQUEST_HEADER_BYTES,
  SECTOR_BYTES,
} from "../block";
import { physicalAddress } from "../dma";
import { Driver } from "../driver";
import {
  FEATURE_EVENT_INDEX,
  FEATURE_INDIRECT,
  Transport,
  VirtioDriver,
  VIRTIO_TYPE_BLOCK,
} from "./transport";
import {
  Descriptor,
  DESCRIPTOR_BYTES,
  DESCRIPTOR_NEXT,
  DESCRIPTOR_WRITE,
  Virtqueue,
} from "./virtqueue";

/** Descriptors of the queue: its rings fit one page. */
const QUEUE_SIZE: u32 = 128;

/** Feature bits (section 5.2.3). */
const FEATURE_SIZE_MAX: u64 = 1 << 1;
const FEATURE_SEGMENTS_MAX: u64 = 1 << 2;
const FEATURE_READ_ONLY: u64 = 1 << 5;
const FEATURE_BLOCK_SIZE: u64 = 1 << 6;
const FEATURE_FLUSH: u64 = 1 << 9;

/** Configuration fields (section 5.2.4). */
const CONFIGURATION_CAPACITY: u32 = 0;
const CONFIGURATION_SIZE_MAX: u32 = 8;
const CONFIGURATION_SEGMENTS_MAX: u32 = 12;
const CONFIGURATION_BLOCK_SIZE: u32 = 20;

/** Request types and status values (section 5.2.6). */
const TYPE_IN: u32 = 0;
const TYPE_OUT: u32 = 1;
const TYPE_FLUSH: u32 = 4;
const STATUS_OK: u8 = 0;
const STATUS_UNSUPPORTED: u8 = 2;
/** Not a value a device writes. */
const STATUS_UNWRITTEN: u8 = 0xff;

/** The request's area: header, then the status byte, then descriptors (see `BlockRequest`). */
const HEADER_BYTES: u32 = 16;
const STATUS_OFFSET: usize = 16;

/** Descriptors of a request besides its data: header and status. */
const EXTRA_DESCRIPTORS: u32 = 2;
/** Segments assumed where the device does not say how many it takes. */
const DEFAULT_SEGMENTS: u32 = 1;

class VirtioBlockInterrupts extends VirtioDriver {
  constructor(readonly device: VirtioBlock) {
    super();
  }

  interrupt(): void {
    this.device.reap();
  }

  configurationChanged(): void {
    this.device.readCapacity();
  }
}

export class VirtioBlock extends BlockDevice {
  /** Set by `start`. */
  private queue: Virtqueue = changetype<Virtqueue>(<usize>0);
  private lock: SpinLock = new SpinLock();
  /** Submitters that found the queue full. */
  private room: WaitQueue = new WaitQueue();
  private waiting: u32 = 0;
  private maxSegmentBytes: u32 = u32.MAX_VALUE;
  private canFlush: bool = false;
  private indirect: bool = false;

  constructor(readonly transport: Transport) {
    super();
  }

  /** Sets the device up. @returns 0 or a negative errno */
  start(): i32 {
    const transport = this.transport;
    const result = transport.negotiate(
      FEATURE_SIZE_MAX |
        FEATURE_SEGMENTS_MAX |
        FEATURE_READ_ONLY |
        FEATURE_BLOCK_SIZE |
        FEATURE_FLUSH |
        FEATURE_INDIRECT |
        FEATURE_EVENT_INDEX,
    );
    if (result != 0) return result;
    this.readCapacity();
    this.readOnly = transport.has(FEATURE_READ_ONLY);
    this.canFlush = transport.has(FEATURE_FLUSH);
    this.indirect = transport.has(FEATURE_INDIRECT);
    if (transport.has(FEATURE_SIZE_MAX)) {
      this.maxSegmentBytes = transport.configuration32(CONFIGURATION_SIZE_MAX);
      if (this.maxSegmentBytes == 0) return transport.fail(-EIO);
    }
    if (transport.has(FEATURE_BLOCK_SIZE)) {
      this.blockBytes = transport.configuration32(CONFIGURATION_BLOCK_SIZE);
    }
    const queue = transport.createQueue(0, QUEUE_SIZE);
    if (isError(queue)) return transport.fail(<i32>queue);
    this.queue = changetype<Virtqueue>(queue);
    this.maxSegments = this.segmentLimit(this.queue.size);
    if (this.maxSegments == 0) return transport.fail(-EIO);
    const connected = transport.connect(new VirtioBlockInterrupts(this));
    if (connected != 0) return transport.fail(connected);
    transport.start();
    return 0;
  }

  /** A chain, indirect or not, is never longer than the queue (section 2.7.5.3.1). */
  private segmentLimit(queueSize: u32): u32 {
    let limit = DEFAULT_SEGMENTS;
    if (this.transport.has(FEATURE_SEGMENTS_MAX)) {
      limit = this.transport.configuration32(CONFIGURATION_SEGMENTS_MAX);
      // A device with a small queue may count indirect segments; 0 is known as "not said".
      if (limit == 0) limit = DEFAULT_SEGMENTS;
    }
    if (queueSize <= EXTRA_DESCRIPTORS) return 0;
    const room = queueSize - EXTRA_DESCRIPTORS;
    return limit < room ? limit : room;
  }

  /** Reads the capacity, which may change while the device runs. */
  readCapacity(): void {
    this.sectorCount = this.transport.configuration64(CONFIGURATION_CAPACITY);
  }

  submit(request: BlockRequest): void {
    const error = this.check(request);
    if (error != 0) {
      request.completed(error);
      return;
    }
    this.lock.acquire();
    while (!this.queue.broken && !this.hasRoom(request)) {
      this.waiting++;
      this.room.sleep(this.lock, FOREVER, false);
      this.waiting--;
    }
    this.enqueue(request);
  }

  trySubmit(request: BlockRequest): bool {
    const error = this.check(request);
    if (error != 0) {
      request.completed(error);
      return true;
    }
    this.lock.acquire();
    if (!this.queue.broken && !this.hasRoom(request)) {
      this.lock.release();
      return false;
    }
    this.enqueue(request);
    return true;
  }

  /** What is wrong with the request, as a negative errno, or 0. */
  private check(request: BlockRequest): i32 {
    if (!request.isUsable()) return -EINVAL;
    if (request.operation == BLOCK_FLUSH) return 0;
    if (request.operation == BLOCK_WRITE && this.readOnly) return -EROFS;
    if (request.segmentCount == 0 || request.segmentCount > this.maxSegments) return -EINVAL;
    if (request.lengthBytes % SECTOR_BYTES != 0) return -EINVAL;
    if (!this.hasRange(request.sector, request.lengthBytes / SECTOR_BYTES)) return -EIO;
    if (this.maxSegmentBytes != u32.MAX_VALUE) {
      for (let i: u32 = 0; i < request.segmentCount; i++) {
        if (request.segmentLength(i) > this.maxSegmentBytes) return -EINVAL;
      }
    }
    return 0;
  }

  private hasRoom(request: BlockRequest): bool {
    const needed: u32 = this.indirect ? 1 : request.segmentCount + EXTRA_DESCRIPTORS;
    return this.queue.freeCount >= needed;
  }

  /** Queues the request and releases the lock. */
  private enqueue(request: BlockRequest): void {
    const queue = this.queue;
    if (queue.broken || (request.operation == BLOCK_FLUSH && !this.canFlush)) {
      // Without VIRTIO_BLK_F_FLUSH the device has no volatile cache (section 5.2.5.2).
      const status = queue.broken ? -EIO : 0;
      this.lock.release();
      request.completed(status);
      return;
    }
    const header = request.area;
    const flush = request.operation == BLOCK_FLUSH;
    const type = flush ? TYPE_FLUSH : request.operation == BLOCK_WRITE ? TYPE_OUT : TYPE_IN;
    store<u32>(header, type);
    store<u32>(header, 0, 4);
    store<u64>(header, flush ? 0 : request.sector, 8);
    store<u8>(header + STATUS_OFFSET, STATUS_UNWRITTEN);
    if (this.indirect) this.appendIndirect(queue, request);
    else this.appendDirect(queue, request);
    queue.endChain(changetype<usize>(request));
    const notify = queue.publish();
    this.lock.release();
    if (notify) this.transport.notify(queue);
  }

  /** Completes the table in the request's area and appends it. */
  private appendIndirect(queue: Virtqueue, request: BlockRequest): void {
    const table = request.area + REQUEST_HEADER_BYTES;
    const deviceWrites = request.operation == BLOCK_READ;
    const last = request.segmentCount + 1;
    const head = changetype<Descriptor>(table);
    head.address = physicalAddress(request.area);
    head.lengthBytes = HEADER_BYTES;
    head.flags = DESCRIPTOR_NEXT;
    head.next = 1;
    const dataFlags = deviceWrites ? DESCRIPTOR_NEXT | DESCRIPTOR_WRITE : DESCRIPTOR_NEXT;
    for (let i: u32 = 1; i < last; i++) {
      const data = changetype<Descriptor>(table + <usize>i * DESCRIPTOR_BYTES);
      data.flags = dataFlags;
      data.next = <u16>(i + 1);
    }
    const status = changetype<Descriptor>(table + <usize>last * DESCRIPTOR_BYTES);
    status.address = physicalAddress(request.area + STATUS_OFFSET);
    status.lengthBytes = 1;
    status.flags = DESCRIPTOR_WRITE;
    status.next = 0;
    const writable = deviceWrites ? request.lengthBytes + 1 : 1;
    queue.appendIndirect(physicalAddress(table), last + 1, writable);
  }

  private appendDirect(queue: Virtqueue, request: BlockRequest): void {
    const deviceWrites = request.operation == BLOCK_READ;
    queue.append(physicalAddress(request.area), HEADER_BYTES, false);
    for (let i: u32 = 0; i < request.segmentCount; i++) {
      queue.append(request.segmentAddress(i), request.segmentLength(i), deviceWrites);
    }
    queue.append(physicalAddress(request.area + STATUS_OFFSET), 1, true);
  }

  /** Takes back what the device has finished. Interrupt context. */
  reap(): void {
    const queue = this.queue;
    let first: BlockRequest | null = null;
    let last: BlockRequest | null = null;
    let stopped = false;
    this.lock.acquire();
    do {
      while (queue.takeUsed()) {
        const request = changetype<BlockRequest>(<usize>queue.usedToken);
        request.next = null;
        if (last) last.next = request;
        else first = request;
        last = request;
      }
      stopped = queue.broken && queue.inFlight > 0;
      if (queue.broken) break;
    } while (queue.enableInterrupts());
    if (this.waiting > 0) this.room.wakeAll();
    this.lock.release();
    while (first) {
      const request = first;
      first = request.next;
      request.next = null;
      this.finish(request);
    }
    if (stopped) this.abandon();
  }

  private finish(request: BlockRequest): void {
    const status = volatileLoad8(request.area + STATUS_OFFSET);
    if (status != STATUS_OK) {
      request.completed(status == STATUS_UNSUPPORTED ? -EINVAL : -EIO);
      return;
    }
    if (request.operation == BLOCK_READ) {
      this.readRequests++;
      this.readBytes += request.lengthBytes;
    } else if (request.operation == BLOCK_WRITE) {
      this.writeRequests++;
      this.writeBytes += request.lengthBytes;
    }
    request.completed(0);
  }

  /** The device broke the rules of the queue: stop it and fail everything it had. */
  private abandon(): void {
    const queue = this.queue;
    log("virtio-blk: the device returned a buffer it did not have; it is switched off");
    this.transport.reset();
    for (;;) {
      this.lock.acquire();
      const found = queue.takeAbandoned();
      const token = queue.usedToken;
      this.lock.release();
      if (!found) break;
      changetype<BlockRequest>(<usize>token).completed(-EIO);
    }
  }

  /** Frees a device that did not start. */
  dispose(): void {
    const queue = this.queue;
    if (changetype<usize>(queue) != 0) {
      queue.release();
      free(queue);
    }
    this.room.dispose();
    free(this.room);
    free(this.lock);
    free(this);
  }
}

/** Names in order of discovery, as Linux gives them. */
function diskName(index: u32): string {
  switch (index) {
    case 0:
      return "vda";
    case 1:
      return "vdb";
    case 2:
      return "vdc";
    case 3:
      return "vdd";
    case 4:
      return "vde";
    case 5:
      return "vdf";
    case 6:
      return "vdg";
    case 7:
      return "vdh";
  }
  return "vdz";
}

/** Starts virtio block devices. */
export class VirtioBlockDriver extends Driver {
  constructor() {
    super();
    this.name = "virtio-blk";
  }

  matchesVirtio(deviceType: u32): bool {
    return deviceType == VIRTIO_TYPE_BLOCK;
  }

  startVirtio(transport: Transport): i32 {
    const device = new VirtioBlock(transport);
    const result = device.start();
    if (result != 0) {
      device.dispose();
      return result;
    }
    device.name = diskName(blockDeviceCount());
    registerBlockDevice(device);
    return 0;
  }
}
