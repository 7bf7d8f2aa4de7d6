/**
 * A virtio device behind MMIO registers, for tests: Virtual I/O Device (VIRTIO) 1.2, sections 4.2.2
 * and 4.2.4. It throws where a driver does what the specification forbids.
 *
 * Neighbours: `device-queue.ts` is its side of the queues; tests decide what it does with chains.
 */
import type { Device, TestMemory } from "../../../compiler/testing.ts";
import { DeviceQueue } from "./device-queue.ts";

const STATUS = { acknowledge: 1, driver: 2, driverOk: 4, featuresOk: 8 } as const;

export const FEATURE = {
  indirect: 1n << 28n,
  eventIndex: 1n << 29n,
  version1: 1n << 32n,
} as const;

export interface ModelOptions {
  deviceType: number;
  legacy?: boolean;
  features?: bigint;
  /** Largest size of each queue; its length says how many there are. */
  queueSizes: number[];
  configuration?: Buffer;
  /** Called when the driver notifies a queue. */
  onNotify?: (queue: number) => void;
  refuseFeatures?: boolean;
  neverResets?: boolean;
}

interface QueueRegisters {
  size: number;
  ready: boolean;
  descriptors: bigint;
  available: bigint;
  used: bigint;
  align: number;
}

function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`driver error: ${message}`);
}

export class VirtioMmioModel implements Device {
  readonly #memory: TestMemory;
  readonly options: ModelOptions;
  status = 0;
  driverFeatures = 0n;
  interruptStatus = 0;
  generation = 0;
  /** How often the driver read or wrote a register. */
  accesses = 0;
  readonly configuration: Buffer;
  readonly queues: (DeviceQueue | null)[];
  #registers: QueueRegisters[] = [];
  #queueSelect = 0;
  #deviceFeatureSelect = 0;
  #driverFeatureSelect = 0;
  #pageSize = 0;

  constructor(memory: TestMemory, options: ModelOptions) {
    this.#memory = memory;
    this.options = options;
    this.configuration = options.configuration ?? Buffer.alloc(0);
    this.queues = options.queueSizes.map(() => null);
    this.#reset();
  }

  get #features(): bigint {
    return (this.options.features ?? 0n) | (this.options.legacy ? 0n : FEATURE.version1);
  }

  get #isLegacy(): boolean {
    return this.options.legacy ?? false;
  }

  #reset(): void {
    this.status = this.options.neverResets ? 0x80 : 0;
    this.driverFeatures = 0n;
    this.interruptStatus = 0;
    this.#registers = this.options.queueSizes.map(() => ({
      size: 0,
      ready: false,
      descriptors: 0n,
      available: 0n,
      used: 0n,
      align: 0,
    }));
    this.queues.fill(null);
  }

  /** The device's side of a queue, which the driver must have activated. */
  queue(index: number): DeviceQueue {
    const queue = this.queues[index];
    if (!queue) throw new Error(`queue ${index} was not activated`);
    return queue;
  }

  get #selected(): QueueRegisters {
    const registers = this.#registers[this.#queueSelect];
    expect(registers !== undefined, `queue ${this.#queueSelect} does not exist`);
    return registers;
  }

  read(offset: number, bits: number): bigint {
    this.accesses++;
    if (offset >= 0x100) {
      expect(offset - 0x100 + bits / 8 <= this.configuration.length, "configuration out of range");
      const at = offset - 0x100;
      return BigInt(this.configuration.readUIntLE(at, bits / 8));
    }
    expect(bits === 32 && offset % 4 === 0, "registers are 32 bits wide (section 4.2.2.2)");
    return BigInt(this.#readRegister(offset) >>> 0);
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case 0x000:
        return 0x74726976;
      case 0x004:
        return this.#isLegacy ? 1 : 2;
      case 0x008:
        return this.options.deviceType;
      case 0x010:
        return Number((this.#features >> BigInt(32 * this.#deviceFeatureSelect)) & 0xffffffffn);
      case 0x034:
        return this.options.queueSizes[this.#queueSelect] ?? 0;
      case 0x060:
        return this.interruptStatus;
      case 0x070:
        return this.status;
      case 0x0fc:
        expect(!this.#isLegacy, "generation read on a legacy device");
        return this.generation;
      default:
        throw new Error(`driver error: read of register 0x${offset.toString(16)}`);
    }
  }

  write(offset: number, bits: number, value: bigint): void {
    this.accesses++;
    expect(bits === 32 && offset % 4 === 0, "registers are 32 bits wide (section 4.2.2.2)");
    this.#writeRegister(offset, Number(value));
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case 0x014:
        this.#deviceFeatureSelect = value;
        return;
      case 0x020: {
        expect((this.status & STATUS.driver) !== 0, "features before DRIVER");
        const shift = BigInt(32 * this.#driverFeatureSelect);
        const kept = this.driverFeatures & ~(0xffffffffn << shift);
        this.driverFeatures = kept | (BigInt(value) << shift);
        return;
      }
      case 0x024:
        this.#driverFeatureSelect = value;
        return;
      case 0x030:
        this.#queueSelect = value;
        return;
      case 0x038:
        expect(value > 0 && (value & (value - 1)) === 0, "queue size is no power of two");
        expect(value <= (this.options.queueSizes[this.#queueSelect] ?? 0), "queue too large");
        this.#selected.size = value;
        return;
      case 0x050:
        expect((this.status & STATUS.driverOk) !== 0, "notification before DRIVER_OK");
        this.queue(value);
        this.options.onNotify?.(value);
        return;
      case 0x064:
        this.interruptStatus &= ~value;
        return;
      case 0x070:
        this.#writeStatus(value);
        return;
      default:
        if (this.#isLegacy) this.#writeLegacy(offset, value);
        else this.#writeModern(offset, value);
    }
  }

  #writeLegacy(offset: number, value: number): void {
    if (offset === 0x028) {
      this.#pageSize = value;
    } else if (offset === 0x03c) {
      this.#selected.align = value;
    } else if (offset === 0x040) {
      const queue = this.#selected;
      expect(this.#pageSize > 0 && queue.align > 0 && queue.size > 0, "page before size or align");
      queue.descriptors = BigInt(value) * BigInt(this.#pageSize);
      queue.available = queue.descriptors + 16n * BigInt(queue.size);
      const end = queue.available + 6n + 2n * BigInt(queue.size);
      const align = BigInt(queue.align);
      queue.used = ((end + align - 1n) / align) * align;
      this.#activate();
    } else {
      throw new Error(`driver error: legacy write to register 0x${offset.toString(16)}`);
    }
  }

  #writeModern(offset: number, value: number): void {
    if (offset === 0x044) {
      expect(value === 1, "queue ready is set to 1 only");
      this.#activate();
      return;
    }
    const name = ({ 128: "descriptors", 144: "available", 160: "used" } as const)[
      (offset & ~4) as 0x080
    ];
    expect(name !== undefined, `write to register 0x${offset.toString(16)}`);
    const shift = offset & 4 ? 32n : 0n;
    const queue = this.#selected;
    queue[name] = (queue[name] & ~(0xffffffffn << shift)) | (BigInt(value) << shift);
  }

  #activate(): void {
    const queue = this.#selected;
    expect(!queue.ready, "a queue was activated twice");
    expect((this.status & STATUS.driverOk) === 0, "a queue was activated after DRIVER_OK");
    expect(this.#isLegacy || (this.status & STATUS.featuresOk) !== 0, "queue before FEATURES_OK");
    expect(queue.descriptors % 16n === 0n, "descriptors are not aligned to 16");
    expect(queue.available % 2n === 0n && queue.used % 4n === 0n, "rings are not aligned");
    queue.ready = true;
    this.queues[this.#queueSelect] = new DeviceQueue(this.#memory, queue, this.has("eventIndex"));
  }

  /** True if the driver negotiated the feature. */
  has(feature: keyof typeof FEATURE): boolean {
    return (this.driverFeatures & FEATURE[feature]) !== 0n;
  }

  #writeStatus(value: number): void {
    if (value === 0) {
      this.#reset();
      return;
    }
    if (value & 0x80) {
      this.status = value;
      return;
    }
    expect((value & this.status) === this.status, "a status bit was cleared");
    if (value & STATUS.featuresOk && !(this.status & STATUS.featuresOk)) {
      expect((this.driverFeatures & ~this.#features) === 0n, "a feature that was not offered");
      expect(this.#isLegacy || this.has("version1"), "VERSION_1 was not accepted");
      if (this.options.refuseFeatures) value &= ~STATUS.featuresOk;
    }
    this.status = value;
  }
}
