/**
 * How a virtio driver talks to its device, whatever the bus: status, features, configuration space,
 * queues, interrupts. Virtual I/O Device (VIRTIO) version 1.2, sections 2 and 3.
 *
 * Neighbours: `mmio/virtio-mmio` and `pci/virtio-pci` implement it; `virtio/blk` and others use it.
 */
import { InterruptHandler } from "../../arch/irq";
import { EIO, ENODEV, ENOMEM, EPROTO } from "../../lib/errno";
import { chooseQueueSize, Virtqueue } from "./virtqueue";

/** Device types (section 5). */
export const VIRTIO_TYPE_NETWORK: u32 = 1;
export const VIRTIO_TYPE_BLOCK: u32 = 2;
export const VIRTIO_TYPE_CONSOLE: u32 = 3;
export const VIRTIO_TYPE_ENTROPY: u32 = 4;

/** Device status bits (section 2.1). */
export const STATUS_ACKNOWLEDGE: u8 = 1;
export const STATUS_DRIVER: u8 = 2;
export const STATUS_DRIVER_OK: u8 = 4;
export const STATUS_FEATURES_OK: u8 = 8;
export const STATUS_NEEDS_RESET: u8 = 64;
export const STATUS_FAILED: u8 = 128;

/** Feature bits that concern all devices (section 6). */
export const FEATURE_INDIRECT: u64 = 1 << 28;
export const FEATURE_EVENT_INDEX: u64 = 1 << 29;
export const FEATURE_VERSION_1: u64 = 1 << 32;

/** How often a reset is waited for: devices in software are done at once. */
const RESET_POLLS: u32 = 1000;

/** The device's driver, as the transport sees it. */
export abstract class VirtioDriver {
  /** The device may have returned buffers on any queue. Interrupt context. */
  abstract interrupt(): void;

  /** The device's configuration space changed. Interrupt context. */
  configurationChanged(): void {}
}

export abstract class Transport {
  /** VIRTIO_TYPE_*. */
  deviceType: u32 = 0;
  /** The legacy interface (section 2.2.3): no FEATURES_OK, page-aligned rings. */
  legacy: bool = false;
  /** The features negotiated. */
  features: u64 = 0;

  abstract readStatus(): u8;
  abstract writeStatus(status: u8): void;
  abstract readFeatures(): u64;
  abstract writeFeatures(features: u64): void;
  /** Largest size of queue `index`; 0 if there is no such queue. */
  abstract queueSizeLimit(index: u32): u32;
  /** Tells the device where the queue is and enables it; sets `queue.notifyAddress`. */
  abstract activateQueue(queue: Virtqueue): void;
  /** Tells the device that the queue has new buffers (section 2.9). */
  abstract notify(queue: Virtqueue): void;
  /** Sends the device's interrupts to `driver`. @returns 0 or a negative errno */
  abstract connect(driver: VirtioDriver): i32;

  /** How many interrupts there are beside the common one, for queues to have for themselves. */
  get ownInterrupts(): u32 {
    return 0;
  }

  /**
   * Sends interrupt `number`, from 1, to `handler` on the processor with an APIC id.
   * @returns 0 or a negative errno
   */
  connectOwn(_number: u32, _handler: InterruptHandler, _apicId: u32): i32 {
    return -ENODEV;
  }

  abstract configuration8(offset: u32): u8;
  abstract configuration16(offset: u32): u16;
  abstract configuration32(offset: u32): u32;
  /** Changes whenever the configuration does (section 2.5); constant on legacy devices. */
  abstract configurationGeneration(): u32;
  /** Text that names the device in messages. */
  abstract describe(): string;

  /** A 64-bit configuration field, read consistently (section 2.5.3). */
  configuration64(offset: u32): u64 {
    let low: u32 = 0;
    let high: u32 = 0;
    let changed = true;
    while (changed) {
      const before = this.configurationGeneration();
      low = this.configuration32(offset);
      high = this.configuration32(offset + 4);
      // Without a generation, two reads that agree must do.
      changed = this.legacy
        ? this.configuration32(offset) != low
        : this.configurationGeneration() != before;
    }
    return ((<u64>high) << 32) | low;
  }

  /** True if `feature` (a bit) was negotiated. */
  has(feature: u64): bool {
    return (this.features & feature) != 0;
  }

  /**
   * Resets the device and negotiates features: steps 1 to 6 of section 3.1.1.
   * @param wanted feature bits the driver understands; VERSION_1 is added where it applies
   * @returns 0, -ENODEV if the device does not reset, -EPROTO if it refuses the features
   */
  negotiate(wanted: u64): i32 {
    if (!this.reset()) return -ENODEV;
    this.writeStatus(STATUS_ACKNOWLEDGE);
    this.writeStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    const offered = this.readFeatures();
    if (!this.legacy) {
      if ((offered & FEATURE_VERSION_1) == 0) return this.fail(-EPROTO);
      wanted |= FEATURE_VERSION_1;
    }
    this.features = offered & wanted;
    this.writeFeatures(this.features);
    if (this.legacy) return 0;
    this.writeStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    if ((this.readStatus() & STATUS_FEATURES_OK) == 0) return this.fail(-EPROTO);
    return 0;
  }

  /** Resets the device: it forgets its queues and stops touching memory. */
  reset(): bool {
    this.writeStatus(0);
    for (let poll: u32 = 0; poll < RESET_POLLS; poll++) {
      if (this.readStatus() == 0) return true;
    }
    return false;
  }

  /**
   * Creates, allocates and activates queue `index` with at most `wantedSize` descriptors.
   * @param interrupt one of `ownInterrupts`, 0 = the common one
   * @returns the Virtqueue as address, or -EIO if the device has no such queue, -ENOMEM
   */
  createQueue(index: u32, wantedSize: u32, interrupt: u32 = 0): usize {
    const size = chooseQueueSize(this.queueSizeLimit(index), wantedSize);
    if (size == 0) return <usize>-EIO;
    const queue = new Virtqueue(index, size, this.has(FEATURE_EVENT_INDEX));
    if (!queue.allocate(this.legacy)) {
      __free(changetype<usize>(queue));
      return <usize>-ENOMEM;
    }
    queue.interrupt = interrupt;
    this.activateQueue(queue);
    return changetype<usize>(queue);
  }

  /** The device may run: step 8 of section 3.1.1. */
  start(): void {
    let status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK;
    if (!this.legacy) status |= STATUS_FEATURES_OK;
    this.writeStatus(status);
  }

  /** Tells the device that the driver gave up on it. @returns `error` */
  fail(error: i32): i32 {
    this.writeStatus(STATUS_FAILED);
    return error;
  }
}
