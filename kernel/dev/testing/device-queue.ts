/**
 * The device's side of a split virtqueue, for tests: Virtual I/O Device (VIRTIO) 1.2, section 2.7.
 * It works on the memory of a kernel module under test, physical addresses being plain offsets.
 *
 * Neighbours: `virtio/virtqueue.test.ts`; `virtio-mmio-model.ts` builds devices on it.
 */
import type { TestMemory } from "../../../compiler/testing.ts";

const DESCRIPTOR_BYTES = 16n;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

/** One buffer of a chain. */
export interface DeviceBuffer {
  address: bigint;
  lengthBytes: number;
  deviceWrites: boolean;
}

/** A chain the driver made available. */
export interface Chain {
  head: number;
  buffers: DeviceBuffer[];
}

/** Where the parts of the queue are. */
export interface QueueAddresses {
  size: number;
  descriptors: bigint;
  available: bigint;
  used: bigint;
}

export class DeviceQueue {
  readonly #memory: TestMemory;
  readonly #at: QueueAddresses;
  readonly #eventIndex: boolean;
  #taken = 0;
  #usedIndex = 0;

  constructor(memory: TestMemory, at: QueueAddresses, eventIndex: boolean) {
    this.#memory = memory;
    this.#at = at;
    this.#eventIndex = eventIndex;
  }

  #read16(address: bigint): number {
    return Number(this.#memory.read(address, 16));
  }

  get #availableIndex(): number {
    return this.#read16(this.#at.available + 2n);
  }

  /** True if the driver has made chains available that were not taken. */
  get hasAvailable(): boolean {
    return this.#availableIndex !== this.#taken;
  }

  /** Takes the next chain; null if there is none. Asserts what the driver must hold to. */
  take(): Chain | null {
    if (!this.hasAvailable) return null;
    const slot = BigInt(this.#taken % this.#at.size);
    const head = this.#read16(this.#at.available + 4n + slot * 2n);
    this.#taken = (this.#taken + 1) & 0xffff;
    return { head, buffers: this.#walk(this.#at.descriptors, head, this.#at.size, true) };
  }

  #walk(table: bigint, head: number, size: number, mayIndirect: boolean): DeviceBuffer[] {
    const buffers: DeviceBuffer[] = [];
    let index = head;
    for (let steps = 0; ; steps++) {
      if (index >= size) throw new Error(`driver error: descriptor ${index} of ${size}`);
      if (steps >= size) throw new Error("driver error: a chain longer than its table");
      const at = table + BigInt(index) * DESCRIPTOR_BYTES;
      const address = this.#memory.read(at, 64);
      const lengthBytes = Number(this.#memory.read(at + 8n, 32));
      const flags = this.#read16(at + 12n);
      if (flags & INDIRECT) {
        if (!mayIndirect || flags & (NEXT | WRITE)) throw new Error("driver error: indirect flags");
        if (lengthBytes % 16 !== 0 || lengthBytes === 0)
          throw new Error("driver error: table size");
        return this.#walk(address, 0, lengthBytes / 16, false);
      }
      const deviceWrites = (flags & WRITE) !== 0;
      if (!deviceWrites && buffers.at(-1)?.deviceWrites) {
        throw new Error("driver error: a readable buffer after a writable one (section 2.7.4.2)");
      }
      buffers.push({ address, lengthBytes, deviceWrites });
      if (!(flags & NEXT)) return buffers;
      index = this.#read16(at + 14n);
    }
  }

  /** Says that the device will not look again unless notified; true if it must look once more. */
  sleep(): boolean {
    if (this.#eventIndex) this.#write16(this.#availableEventAddress, this.#taken);
    else this.#write16(this.#at.used, 0);
    return this.hasAvailable;
  }

  /** Says that the device looks by itself. */
  stayAwake(): void {
    if (this.#eventIndex) this.#write16(this.#availableEventAddress, (this.#taken - 1) & 0xffff);
    else this.#write16(this.#at.used, 1);
  }

  get #availableEventAddress(): bigint {
    return this.#at.used + 4n + BigInt(this.#at.size) * 8n;
  }

  #write16(address: bigint, value: number): void {
    this.#memory.write(address, 16, BigInt(value));
  }

  /** Returns a chain. @returns whether the driver wants an interrupt for it (section 2.7.7.2) */
  complete(head: number, writtenBytes: number): boolean {
    this.writeUsed(this.#usedIndex, head, writtenBytes);
    const before = this.#usedIndex;
    this.#usedIndex = (before + 1) & 0xffff;
    this.#write16(this.#at.used + 2n, this.#usedIndex);
    if (!this.#eventIndex) return (this.#read16(this.#at.available) & 1) === 0;
    const event = this.#read16(this.#at.available + 4n + BigInt(this.#at.size) * 2n);
    return ((this.#usedIndex - event - 1) & 0xffff) < ((this.#usedIndex - before) & 0xffff);
  }

  /** For a device that breaks the rules: any element, any index. */
  writeUsed(slot: number, head: number, writtenBytes: number): void {
    const element = this.#at.used + 4n + BigInt(slot % this.#at.size) * 8n;
    this.#memory.write(element, 32, BigInt(head));
    this.#memory.write(element + 4n, 32, BigInt(writtenBytes));
  }

  writeUsedIndex(index: number): void {
    this.#write16(this.#at.used + 2n, index);
  }
}
