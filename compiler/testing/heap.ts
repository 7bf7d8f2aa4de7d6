/**
 * The kernel heap of a unit test, kept in JavaScript: knows every live block, notices double and
 * wild frees and writes past the end, and fails on demand.
 *
 * Neighbours: `compiler/runtime/testheap.ts` declares what is implemented here.
 */
import type { TestMemory } from "./memory.ts";

const ALIGNMENT = 16;
/** Fresh memory is not zero, so that a test notices who relies on it. */
const FRESH = 0xa5;
const FREED = 0xdd;
const GUARD = 0xfd;
const GUARD_BYTES = 16;

const roundUp = (size: number, unit: number): number => Math.ceil(size / unit) * unit;

/** Where the heap and the reserved areas lie; below are static data. */
const HEAP_START = 4 << 20;

/** Bump allocator with a free list a size. */
export class TestHeap {
  readonly #memory: TestMemory;
  readonly #sizes = new Map<number, number>();
  readonly #free = new Map<number, number[]>();
  #next = HEAP_START;
  #top: number;
  #failAfter = Number.POSITIVE_INFINITY;
  /** How many allocations were asked for, failed ones included. */
  allocations = 0;

  constructor(memory: TestMemory) {
    this.#memory = memory;
    this.#top = memory.sizeBytes;
    if (this.#top <= HEAP_START) throw new RangeError("the test's memory is smaller than 4 MiB");
  }

  /** Number of blocks allocated and not freed. */
  get liveBlocks(): number {
    return this.#sizes.size;
  }

  /** Sum of the sizes asked for of the live blocks. */
  get liveBytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  /** Lets `count` more allocations succeed and all later ones fail; Infinity ends that. */
  failAfter(count: number): void {
    this.#failAfter = count;
  }

  /**
   * Memory outside the heap that the test itself owns, zeroed: page frames, device memory, buffers.
   * It is never given back.
   */
  reserve(sizeBytes: number, alignment = ALIGNMENT): bigint {
    const start = Math.floor((this.#top - sizeBytes) / alignment) * alignment;
    if (start < this.#next) throw new RangeError("the test's memory is full; ask for more pages");
    this.#top = start;
    return BigInt(start);
  }

  /** `heapAllocate` of the module under test. */
  allocate(size: bigint): bigint {
    this.allocations++;
    if (this.#failAfter <= 0) return 0n;
    this.#failAfter--;
    const sizeBytes = Number(BigInt.asUintN(64, size));
    const slot = roundUp(sizeBytes, ALIGNMENT) + GUARD_BYTES;
    const address = this.#free.get(slot)?.pop() ?? this.#bump(slot);
    if (address === 0) return 0n;
    this.#sizes.set(address, sizeBytes);
    const bytes = this.#memory.bytes(BigInt(address), slot);
    bytes.fill(FRESH, 0, sizeBytes);
    bytes.fill(GUARD, sizeBytes);
    return BigInt(address);
  }

  /** `heapFree` of the module under test. */
  free(pointer: bigint): void {
    const address = this.#memory.offset(pointer);
    const size = this.#sizes.get(address);
    if (size === undefined) {
      throw new Error(`heapFree(0x${address.toString(16)}): not a live block (freed twice?)`);
    }
    this.#checkGuard(address, size);
    this.#sizes.delete(address);
    const slot = roundUp(size, ALIGNMENT) + GUARD_BYTES;
    this.#memory.bytes(pointer, slot).fill(FREED);
    const list = this.#free.get(slot);
    if (list) list.push(address);
    else this.#free.set(slot, [address]);
  }

  /** `heapSize` of the module under test: exactly what was asked for. */
  size(pointer: bigint): bigint {
    const size = this.#sizes.get(this.#memory.offset(pointer));
    if (size === undefined)
      throw new Error(`heapSize(0x${pointer.toString(16)}): not a live block`);
    return BigInt(size);
  }

  /** Throws if the end of any live block was overwritten. */
  check(): void {
    for (const [address, size] of this.#sizes) this.#checkGuard(address, size);
  }

  #bump(slot: number): number {
    if (this.#next + slot > this.#top) return 0;
    const address = this.#next;
    this.#next += slot;
    return address;
  }

  #checkGuard(address: number, size: number): void {
    const slot = roundUp(size, ALIGNMENT) + GUARD_BYTES;
    const guard = this.#memory.bytes(BigInt(address), slot).subarray(size);
    if (guard.some((byte) => byte !== GUARD)) {
      throw new Error(`block 0x${address.toString(16)} of ${size} bytes was written past its end`);
    }
  }
}
