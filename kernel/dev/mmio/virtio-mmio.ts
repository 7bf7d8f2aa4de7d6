/**
 * Virtio devices behind a window of memory-mapped registers: the modern interface (register layout
 * version 2) and the legacy one (version 1).
 * Virtual I/O Device (VIRTIO) version 1.2, sections 4.2.2 and 4.2.4.
 *
 * Neighbours: `mmio/discovery` finds the windows, `virtio/transport` is what drivers see.
 */
import { mmioRead8, mmioRead16, mmioRead32, mmioWrite32 } from "../../arch/cpu";
import { InterruptHandler, registerGsi } from "../../arch/irq";
import { Transport, VirtioDriver } from "../virtio/transport";
import { LEGACY_ALIGN, Virtqueue } from "../virtio/virtqueue";

const MAGIC_VALUE: usize = 0x000;
const VERSION: usize = 0x004;
const DEVICE_ID: usize = 0x008;
const DEVICE_FEATURES: usize = 0x010;
const DEVICE_FEATURES_SELECT: usize = 0x014;
const DRIVER_FEATURES: usize = 0x020;
const DRIVER_FEATURES_SELECT: usize = 0x024;
/** Legacy only. */
const GUEST_PAGE_SIZE: usize = 0x028;
const QUEUE_SELECT: usize = 0x030;
const QUEUE_SIZE_MAX: usize = 0x034;
const QUEUE_SIZE: usize = 0x038;
/** Legacy only. */
const QUEUE_ALIGN: usize = 0x03c;
/** Legacy only. */
const QUEUE_PAGE: usize = 0x040;
const QUEUE_READY: usize = 0x044;
const QUEUE_NOTIFY: usize = 0x050;
const INTERRUPT_ACKNOWLEDGE: usize = 0x064;
const INTERRUPT_STATUS: usize = 0x060;
const STATUS: usize = 0x070;
const QUEUE_DESCRIPTORS: usize = 0x080;
const QUEUE_AVAILABLE: usize = 0x090;
const QUEUE_USED: usize = 0x0a0;
const CONFIGURATION_GENERATION: usize = 0x0fc;
const CONFIGURATION: usize = 0x100;

/** "virt", little-endian. */
const MAGIC: u32 = 0x74726976;
const VERSION_LEGACY: u32 = 1;
const VERSION_MODERN: u32 = 2;

const INTERRUPT_CONFIGURATION: u32 = 2;

/** Acknowledges the device's interrupts and passes them on. */
class MmioInterrupt extends InterruptHandler {
  constructor(
    readonly registers: usize,
    readonly driver: VirtioDriver,
  ) {
    super();
  }

  handle(): void {
    const status = mmioRead32(this.registers + INTERRUPT_STATUS);
    // Acknowledge first: what the device returns from now on raises the line anew.
    mmioWrite32(this.registers + INTERRUPT_ACKNOWLEDGE, status);
    if (status & INTERRUPT_CONFIGURATION) this.driver.configurationChanged();
    this.driver.interrupt();
  }
}

export class MmioTransport extends Transport {
  private selectedQueue: u32 = u32.MAX_VALUE;

  /**
   * @param registers address where the window is mapped
   * @param gsi the global system interrupt of the device
   */
  constructor(
    readonly registers: usize,
    readonly gsi: u32,
  ) {
    super();
  }

  /** Looks for a device. @returns false if there is none, or none that we know how to talk to */
  probe(): bool {
    if (mmioRead32(this.registers + MAGIC_VALUE) != MAGIC) return false;
    const version = mmioRead32(this.registers + VERSION);
    if (version != VERSION_LEGACY && version != VERSION_MODERN) return false;
    // Device type 0 is a slot without a device (section 4.2.3.1.1).
    this.deviceType = mmioRead32(this.registers + DEVICE_ID);
    if (this.deviceType == 0) return false;
    this.legacy = version == VERSION_LEGACY;
    return true;
  }

  readStatus(): u8 {
    return <u8>mmioRead32(this.registers + STATUS);
  }

  writeStatus(status: u8): void {
    mmioWrite32(this.registers + STATUS, status);
    if (status == 0) {
      this.selectedQueue = u32.MAX_VALUE;
      if (this.legacy) mmioWrite32(this.registers + GUEST_PAGE_SIZE, <u32>LEGACY_ALIGN);
    }
  }

  readFeatures(): u64 {
    mmioWrite32(this.registers + DEVICE_FEATURES_SELECT, 0);
    const low = mmioRead32(this.registers + DEVICE_FEATURES);
    if (this.legacy) return low;
    mmioWrite32(this.registers + DEVICE_FEATURES_SELECT, 1);
    return ((<u64>mmioRead32(this.registers + DEVICE_FEATURES)) << 32) | low;
  }

  writeFeatures(features: u64): void {
    mmioWrite32(this.registers + DRIVER_FEATURES_SELECT, 0);
    mmioWrite32(this.registers + DRIVER_FEATURES, <u32>features);
    if (this.legacy) return;
    mmioWrite32(this.registers + DRIVER_FEATURES_SELECT, 1);
    mmioWrite32(this.registers + DRIVER_FEATURES, <u32>(features >> 32));
  }

  private selectQueue(index: u32): void {
    if (this.selectedQueue == index) return;
    mmioWrite32(this.registers + QUEUE_SELECT, index);
    this.selectedQueue = index;
  }

  queueSizeLimit(index: u32): u32 {
    this.selectQueue(index);
    return mmioRead32(this.registers + QUEUE_SIZE_MAX);
  }

  activateQueue(queue: Virtqueue): void {
    this.selectQueue(queue.index);
    queue.notifyAddress = this.registers + QUEUE_NOTIFY;
    mmioWrite32(this.registers + QUEUE_SIZE, queue.size);
    if (this.legacy) {
      mmioWrite32(this.registers + QUEUE_ALIGN, <u32>LEGACY_ALIGN);
      mmioWrite32(this.registers + QUEUE_PAGE, <u32>(queue.descriptorsPhysical() / LEGACY_ALIGN));
      return;
    }
    this.writeAddress(QUEUE_DESCRIPTORS, queue.descriptorsPhysical());
    this.writeAddress(QUEUE_AVAILABLE, queue.availablePhysical());
    this.writeAddress(QUEUE_USED, queue.usedPhysical());
    mmioWrite32(this.registers + QUEUE_READY, 1);
  }

  private writeAddress(register: usize, physical: u64): void {
    mmioWrite32(this.registers + register, <u32>physical);
    mmioWrite32(this.registers + register + 4, <u32>(physical >> 32));
  }

  notify(queue: Virtqueue): void {
    mmioWrite32(queue.notifyAddress, queue.index);
  }

  /**
   * The line is programmed edge-triggered although most devices hold it until the acknowledgement:
   * that serves devices that only pulse it, saves the end-of-interrupt broadcast to the I/O APIC,
   * and loses nothing because `MmioInterrupt` acknowledges before it looks at the queues.
   */
  connect(driver: VirtioDriver): i32 {
    return registerGsi(this.gsi, false, false, new MmioInterrupt(this.registers, driver));
  }

  configuration8(offset: u32): u8 {
    return mmioRead8(this.registers + CONFIGURATION + offset);
  }

  configuration16(offset: u32): u16 {
    return mmioRead16(this.registers + CONFIGURATION + offset);
  }

  configuration32(offset: u32): u32 {
    return mmioRead32(this.registers + CONFIGURATION + offset);
  }

  configurationGeneration(): u32 {
    return this.legacy ? 0 : mmioRead32(this.registers + CONFIGURATION_GENERATION);
  }

  describe(): string {
    return this.legacy ? "virtio-mmio (legacy)" : "virtio-mmio";
  }
}
