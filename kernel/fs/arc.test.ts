/**
 * The replacement policy: against a straightforward model of CAR with elastic capacity, and what it
 * is there for, a scan that does not drive out the pages that are used again and again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KernelModule } from "../../compiler/testing.ts";
import { loadWithMemory } from "./testing/load.ts";

interface ArcExports {
  insert(number: number, key: bigint): void;
  touch(number: number): void;
  hold(number: number, isHeld: number): void;
  remove(number: number): void;
  evict(wanted: bigint, out: bigint): bigint;
  length(): bigint;
  recentLength(): bigint;
  target(): bigint;
  recentGhosts(): bigint;
  frequentGhosts(): bigint;
}

const start = loadWithMemory<ArcExports>("kernel/fs/arc.testentry.ts");

interface Page {
  key: number;
  frame: number;
  used: boolean;
  held: boolean;
}

/** The same rules on arrays. */
class Model {
  recent: Page[] = [];
  frequent: Page[] = [];
  recentGhosts: number[] = [];
  frequentGhosts: number[] = [];
  target = 0;
  capacity = 0;

  get pages(): Page[] {
    return [...this.recent, ...this.frequent];
  }

  insert(page: Page): void {
    const b1 = this.recentGhosts.length;
    const b2 = this.frequentGhosts.length;
    if (this.recentGhosts.includes(page.key)) {
      this.target = Math.min(this.target + Math.max(1, Math.floor(b2 / b1)), this.capacity);
      this.recentGhosts = this.recentGhosts.filter((key) => key !== page.key);
      this.frequent.push(page);
    } else if (this.frequentGhosts.includes(page.key)) {
      this.target = Math.max(this.target - Math.max(1, Math.floor(b1 / b2)), 0);
      this.frequentGhosts = this.frequentGhosts.filter((key) => key !== page.key);
      this.frequent.push(page);
    } else {
      this.recent.push(page);
    }
  }

  remove(page: Page): void {
    this.recent = this.recent.filter((other) => other !== page);
    this.frequent = this.frequent.filter((other) => other !== page);
  }

  evict(wanted: number): number[] {
    this.capacity = this.pages.length;
    const evicted: number[] = [];
    for (let steps = 3 * this.capacity; steps > 0 && evicted.length < wanted; steps--) {
      const fromRecent =
        this.recent.length >= Math.max(1, this.target) || this.frequent.length === 0;
      const page = (fromRecent ? this.recent : this.frequent).shift();
      if (!page) continue;
      if (page.used || page.held) {
        if (page.used) page.used = false;
        this.frequent.push(page);
        continue;
      }
      evicted.push(page.frame);
      this.remember(fromRecent, page.key);
    }
    return evicted;
  }

  private remember(isRecent: boolean, key: number): void {
    if (this.recentGhosts.length + this.frequentGhosts.length >= this.capacity) {
      if (this.recentGhosts.length > this.frequentGhosts.length) this.recentGhosts.shift();
      else this.frequentGhosts.shift();
    }
    (isRecent ? this.recentGhosts : this.frequentGhosts).push(key);
  }
}

/** A kernel and a model side by side, with frames to hand out. */
class Pair {
  readonly model = new Model();
  readonly #free: number[] = Array.from({ length: 400 }, (_, i) => i + 20);
  readonly #kernel: KernelModule<ArcExports>;
  readonly #out: bigint;

  constructor(kernel: KernelModule<ArcExports>) {
    this.#kernel = kernel;
    this.#out = kernel.heap.reserve(4096);
  }

  /** A page is accessed: a hit, or it is read. */
  access(key: number): boolean {
    const page = this.model.pages.find((other) => other.key === key);
    if (page) {
      page.used = true;
      this.#kernel.exports.touch(page.frame);
      return true;
    }
    const frame = this.#free.pop();
    assert.ok(frame !== undefined);
    this.model.insert({ key, frame, used: false, held: false });
    this.#kernel.exports.insert(frame, BigInt(key));
    return false;
  }

  hold(key: number): void {
    const page = this.model.pages.find((other) => other.key === key);
    if (!page) return;
    page.held = !page.held;
    this.#kernel.exports.hold(page.frame, page.held ? 1 : 0);
  }

  remove(key: number): void {
    const page = this.model.pages.find((other) => other.key === key);
    if (!page) return;
    this.model.remove(page);
    this.#kernel.exports.remove(page.frame);
    this.#free.push(page.frame);
  }

  evict(wanted: number): void {
    const expected = this.model.evict(wanted);
    const count = Number(this.#kernel.exports.evict(BigInt(wanted), this.#out));
    const data = Buffer.from(this.#kernel.memory.bytes(this.#out, count * 4));
    const evicted = Array.from({ length: count }, (_, i) => data.readUInt32LE(i * 4));
    assert.deepEqual(evicted, expected);
    this.#free.push(...evicted);
  }

  compare(): void {
    const { exports } = this.#kernel;
    const { model } = this;
    assert.equal(exports.length(), BigInt(model.pages.length));
    assert.equal(exports.recentLength(), BigInt(model.recent.length));
    assert.equal(exports.target(), BigInt(model.target));
    assert.equal(exports.recentGhosts(), BigInt(model.recentGhosts.length));
    assert.equal(exports.frequentGhosts(), BigInt(model.frequentGhosts.length));
  }
}

test("evicts what the model evicts, and learns the same target", async () => {
  const fresh = await start;
  const key = fc.oneof(fc.nat(9), fc.nat(60));
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("access" as const), n: key }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("evict" as const), n: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("hold" as const), n: key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), n: key }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const pair = new Pair(fresh());
      for (const { kind, n } of steps) {
        pair[kind](n);
        pair.compare();
      }
    }),
    { numRuns: 60 },
  );
});

test("a long scan does not drive out pages in steady use", async () => {
  const fresh = await start;
  const pair = new Pair(fresh());
  const capacity = 100;
  const hot = Array.from({ length: 40 }, (_, i) => i);
  let misses = 0;
  for (let round = 0; round < 30; round++) {
    for (const key of hot) {
      // The first two rounds teach it.
      if (!pair.access(key) && round > 1) misses++;
      while (pair.model.pages.length > capacity) pair.evict(1);
    }
    for (let i = 0; i < 80; i++) {
      pair.access(1000 + round * 80 + i);
      while (pair.model.pages.length > capacity) pair.evict(1);
    }
  }
  assert.equal(misses, 0);
});
