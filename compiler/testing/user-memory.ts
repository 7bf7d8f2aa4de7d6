/**
 * Test double of the user-memory functions of `kernel/arch/x86_64/asm.ts`. The whole linear memory
 * counts as accessible, minus ranges that a test takes away.
 *
 * Neighbour: `../testing.ts` links it to a module.
 */
import type { TestMemory } from "./memory.ts";

// Not Math.min, which takes no bigints.
const smaller = (a: bigint, b: bigint): bigint => (b < a ? b : a);

/** Accessible and inaccessible addresses. */
export class UserMemory {
  readonly #memory: TestMemory;
  readonly #holes: { start: bigint; end: bigint }[] = [];

  constructor(memory: TestMemory) {
    this.#memory = memory;
  }

  /** Makes accesses to [start, start + size) fault. */
  forbid(start: bigint, size: number): void {
    this.#holes.push({ start, end: start + BigInt(size) });
  }

  /** How many of `length` bytes from `address` can be accessed before the first fault. */
  #accessible(address: bigint, length: bigint): bigint {
    const limit = BigInt(this.#memory.sizeBytes);
    let end = address + length < limit ? address + length : limit;
    for (const hole of this.#holes) {
      if (hole.start < end && hole.end > address) end = hole.start;
    }
    return end > address ? end - address : 0n;
  }

  /** The functions by name. */
  imports(): Record<string, (...args: never[]) => bigint | number> {
    const memory = this.#memory;
    const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
    return {
      copyUser: (destination: bigint, source: bigint, length: bigint) => {
        const size = u64(length);
        const fromSource = this.#accessible(u64(source), size);
        const toDestination = this.#accessible(u64(destination), size);
        const count = smaller(fromSource, toDestination);
        if (count > 0n) {
          memory.bytes(destination, Number(count)).set(memory.bytes(source, Number(count)));
        }
        return size - count;
      },
      clearUser: (destination: bigint, length: bigint) => {
        const count = this.#accessible(u64(destination), u64(length));
        if (count > 0n) memory.bytes(destination, Number(count)).fill(0);
        return u64(length) - count;
      },
      lengthUser: (source: bigint, limit: bigint) => {
        const count = this.#accessible(u64(source), u64(limit));
        const end = count > 0n ? memory.bytes(source, Number(count)).indexOf(0) : -1;
        if (end >= 0) return BigInt(end);
        return count === u64(limit) ? count : -1n;
      },
      loadUser32: (source: bigint, out: bigint) => {
        if (this.#accessible(u64(source), 4n) < 4n) return 1n;
        memory.write(out, 32, memory.read(source, 32));
        return 0n;
      },
      compareExchangeUser32: (address: bigint, expected: number, desired: number, out: bigint) => {
        if (this.#accessible(u64(address), 4n) < 4n) return 1n;
        const old = memory.read(address, 32);
        memory.write(out, 32, old);
        if (old === BigInt(expected >>> 0)) memory.write(address, 32, BigInt(desired));
        return 0n;
      },
    };
  }
}
