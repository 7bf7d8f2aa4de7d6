/**
 * Virtio devices on the PCI bus, modern interface with MSI-X.
 * Virtual I/O Device (VIRTIO) version 1.2, section 4.1.
 *
 * Queues share one interrupt vector, unless the driver gives them one of their own on another
 * processor; a second one announces changes of the configuration. Devices with only the legacy
 * interface are refused.
 *
 * Neighbours: `pci/enumeration` finds the functions; `virtio/transport` is what drivers see.
 */
import {
  mmioRead16,
  mmioRead32,
  mmioRead8,
  mmioWrite16,
  mmioWrite32,
  mmioWrite64,
  mmioWrite8,
} from "../../arch/cpu";
import { InterruptHandler } from "../../arch/irq";
import { apicId } from "../../arch/x86_64/apic";
import { EIO } from "../../lib/errno";
import { free } from "../../lib/object";
import { log } from "../../lib/log";
import { Transport, VirtioDriver } from "../virtio/transport";
import { Virtqueue } from "../virtio/virtqueue";
import { MAX_CAPABILITIES, PciFunction } from "./function";
import { MsixTable } from "./msix";

export const VENDOR_VIRTIO: u16 = 0x1af4;
/** Device identities (section 4.1.2.1): transitional ones, then 0x1040 plus the device type. */
const FIRST_TRANSITIONAL: u16 = 0x1000;
const LAST_TRANSITIONAL: u16 = 0x103f;
const MODERN_BASE: u16 = 0x1040;
const LAST_MODERN: u16 = 0x107f;

/** Vendor capability (section 4.1.4). */
const CAPABILITY_VENDOR: u8 = 0x09;
const CAPABILITY_TYPE: u32 = 3;
const CAPABILITY_BAR: u32 = 4;
const CAPABILITY_OFFSET: u32 = 8;
const CAPABILITY_LENGTH: u32 = 12;
const CAPABILITY_NOTIFY_MULTIPLIER: u32 = 16;
const TYPE_COMMON: u8 = 1;
const TYPE_NOTIFY: u8 = 2;
const TYPE_DEVICE: u8 = 4;

/** Common configuration (section 4.1.4.3). */
const DEVICE_FEATURE_SELECT: usize = 0;
const DEVICE_FEATURE: usize = 4;
const DRIVER_FEATURE_SELECT: usize = 8;
const DRIVER_FEATURE: usize = 12;
const CONFIGURATION_VECTOR: usize = 16;
const QUEUE_COUNT: usize = 18;
const DEVICE_STATUS: usize = 20;
const CONFIGURATION_GENERATION: usize = 21;
const QUEUE_SELECT: usize = 22;
const QUEUE_SIZE: usize = 24;
const QUEUE_VECTOR: usize = 26;
const QUEUE_ENABLE: usize = 28;
const QUEUE_NOTIFY_OFFSET: usize = 30;
const QUEUE_DESCRIPTORS: usize = 32;
const QUEUE_AVAILABLE: usize = 40;
const QUEUE_USED: usize = 48;
const COMMON_BYTES: u32 = 56;

const NO_VECTOR: u16 = 0xffff;
const ENTRY_QUEUES: u32 = 0;
const ENTRY_CONFIGURATION: u32 = 1;
/** The entry before the first of the queues' own. */
const ENTRY_OWN: u32 = 1;

class QueueInterrupt extends InterruptHandler {
  constructor(readonly driver: VirtioDriver) {
    super();
  }

  handle(): void {
    this.driver.interrupt();
  }
}

class ConfigurationInterrupt extends InterruptHandler {
  constructor(readonly driver: VirtioDriver) {
    super();
  }

  handle(): void {
    this.driver.configurationChanged();
  }
}

/** The MSI-X entry of a queue. */
function entryOf(queue: Virtqueue): u16 {
  return <u16>(queue.interrupt == 0 ? ENTRY_QUEUES : ENTRY_OWN + queue.interrupt);
}

/** The virtio device type of a PCI function; 0 if it is no virtio device. */
export function virtioTypeOf(device: PciFunction): u32 {
  if (device.vendor != VENDOR_VIRTIO) return 0;
  const id = device.deviceId;
  if (id >= MODERN_BASE && id <= LAST_MODERN) return id - MODERN_BASE;
  if (id >= FIRST_TRANSITIONAL && id <= LAST_TRANSITIONAL) return device.subsystemId();
  return 0;
}

export class PciTransport extends Transport {
  private common: usize = 0;
  private deviceConfiguration: usize = 0;
  private deviceConfigurationBytes: u32 = 0;
  private notifyArea: usize = 0;
  private notifyAreaBytes: u32 = 0;
  private notifyMultiplier: u32 = 0;
  private msix: MsixTable;

  constructor(readonly device: PciFunction) {
    super();
    this.deviceType = virtioTypeOf(device);
    this.msix = new MsixTable(device);
  }

  /** Finds the device's registers and turns it on. @returns 0, -ENODEV or -EIO */
  open(): i32 {
    this.device.enable();
    let offset = this.device.capability(CAPABILITY_VENDOR);
    for (let i: u32 = 0; i < MAX_CAPABILITIES && offset != 0; i++) {
      this.readCapability(offset);
      offset = this.device.capability(CAPABILITY_VENDOR, offset);
    }
    if (this.common == 0 || this.notifyArea == 0) {
      log(
        "virtio-pci: no modern interface (legacy devices are not supported), or no memory assigned",
      );
      return -EIO;
    }
    const result = this.msix.open();
    if (result != 0) {
      log("virtio-pci: the device has no MSI-X, which is needed");
      return result;
    }
    return 0;
  }

  /** The first capability of each type is the one to use (section 4.1.4.1). */
  private readCapability(offset: u32): void {
    const type = this.device.read8(offset + CAPABILITY_TYPE);
    const bar: u32 = this.device.read8(offset + CAPABILITY_BAR);
    const start = this.device.read32(offset + CAPABILITY_OFFSET);
    const length = this.device.read32(offset + CAPABILITY_LENGTH);
    if (type == TYPE_COMMON && this.common == 0) {
      if (length >= COMMON_BYTES) this.common = this.device.map(bar, start, length);
    } else if (type == TYPE_NOTIFY && this.notifyArea == 0) {
      this.notifyArea = this.device.map(bar, start, length);
      this.notifyAreaBytes = length;
      this.notifyMultiplier = this.device.read32(offset + CAPABILITY_NOTIFY_MULTIPLIER);
    } else if (type == TYPE_DEVICE && this.deviceConfiguration == 0) {
      this.deviceConfiguration = this.device.map(bar, start, length);
      this.deviceConfigurationBytes = this.deviceConfiguration == 0 ? 0 : length;
    }
  }

  readStatus(): u8 {
    return mmioRead8(this.common + DEVICE_STATUS);
  }

  writeStatus(status: u8): void {
    mmioWrite8(this.common + DEVICE_STATUS, status);
  }

  readFeatures(): u64 {
    mmioWrite32(this.common + DEVICE_FEATURE_SELECT, 0);
    const low = mmioRead32(this.common + DEVICE_FEATURE);
    mmioWrite32(this.common + DEVICE_FEATURE_SELECT, 1);
    return ((<u64>mmioRead32(this.common + DEVICE_FEATURE)) << 32) | low;
  }

  writeFeatures(features: u64): void {
    mmioWrite32(this.common + DRIVER_FEATURE_SELECT, 0);
    mmioWrite32(this.common + DRIVER_FEATURE, <u32>features);
    mmioWrite32(this.common + DRIVER_FEATURE_SELECT, 1);
    mmioWrite32(this.common + DRIVER_FEATURE, <u32>(features >> 32));
  }

  queueSizeLimit(index: u32): u32 {
    // How many there are may depend on the features (QEMU's network card).
    if (index >= mmioRead16(this.common + QUEUE_COUNT)) return 0;
    mmioWrite16(this.common + QUEUE_SELECT, <u16>index);
    return mmioRead16(this.common + QUEUE_SIZE);
  }

  activateQueue(queue: Virtqueue): void {
    const common = this.common;
    mmioWrite16(common + QUEUE_SELECT, <u16>queue.index);
    mmioWrite16(common + QUEUE_SIZE, <u16>queue.size);
    mmioWrite16(common + QUEUE_VECTOR, entryOf(queue));
    mmioWrite64(common + QUEUE_DESCRIPTORS, queue.descriptorsPhysical());
    mmioWrite64(common + QUEUE_AVAILABLE, queue.availablePhysical());
    mmioWrite64(common + QUEUE_USED, queue.usedPhysical());
    const notify = <u32>mmioRead16(common + QUEUE_NOTIFY_OFFSET) * this.notifyMultiplier;
    if (<u64>notify + 2 <= this.notifyAreaBytes) queue.notifyAddress = this.notifyArea + notify;
    mmioWrite16(common + QUEUE_ENABLE, 1);
  }

  notify(queue: Virtqueue): void {
    if (queue.notifyAddress != 0) mmioWrite16(queue.notifyAddress, <u16>queue.index);
  }

  connect(driver: VirtioDriver): i32 {
    const target = apicId();
    const result = this.msix.connect(ENTRY_QUEUES, new QueueInterrupt(driver), target);
    if (result != 0) return result;
    let configurationVector = NO_VECTOR;
    if (
      this.msix.size > ENTRY_CONFIGURATION &&
      this.msix.connect(ENTRY_CONFIGURATION, new ConfigurationInterrupt(driver), target) == 0
    ) {
      configurationVector = <u16>ENTRY_CONFIGURATION;
    }
    mmioWrite16(this.common + CONFIGURATION_VECTOR, configurationVector);
    this.msix.enable();
    return 0;
  }

  get ownInterrupts(): u32 {
    return this.msix.size > ENTRY_OWN + 1 ? this.msix.size - ENTRY_OWN - 1 : 0;
  }

  connectOwn(number: u32, handler: InterruptHandler, apicId: u32): i32 {
    return this.msix.connect(ENTRY_OWN + number, handler, apicId);
  }

  configuration8(offset: u32): u8 {
    return this.hasField(offset, 1) ? mmioRead8(this.deviceConfiguration + offset) : 0;
  }

  configuration16(offset: u32): u16 {
    return this.hasField(offset, 2) ? mmioRead16(this.deviceConfiguration + offset) : 0;
  }

  configuration32(offset: u32): u32 {
    return this.hasField(offset, 4) ? mmioRead32(this.deviceConfiguration + offset) : 0;
  }

  private hasField(offset: u32, bytes: u32): bool {
    return offset + bytes <= this.deviceConfigurationBytes;
  }

  configurationGeneration(): u32 {
    return mmioRead8(this.common + CONFIGURATION_GENERATION);
  }

  describe(): string {
    return "virtio-pci";
  }

  /** Frees a transport whose device did not start. */
  dispose(): void {
    free(this.msix);
    free(this);
  }
}
