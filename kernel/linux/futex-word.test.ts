/** The word of PI futexes and robust mutexes: what it says survives what is done to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  ownerOf(word: number): number;
  takenWord(word: number, id: number, hasWaiters: number): number;
  givenWord(id: number): number;
  inheritedWord(id: number): number;
  abandonedWord(word: number): number;
  isLeftBy(word: number, id: number): number;
  isOwnedBy(word: number, owner: number): number;
}

const compiled = loadKernelModule<Exports>("kernel/linux/futex-word.ts");

const WAITERS = 0x8000_0000;
const DIED = 0x4000_0000;
const id = fc.integer({ min: 1, max: 0x3fff_ffff });
const flags = fc.constantFrom(0, WAITERS, DIED, WAITERS + DIED);

test("each change leaves the owner, and the flags, that Linux leaves", async () => {
  const { exports } = (await compiled).fresh();
  fc.assert(
    fc.property(id, id, flags, fc.boolean(), (one, other, bits, hasWaiters) => {
      const word = (bits + one) >>> 0;
      const has = (value: number, bit: number): boolean => (value & bit) !== 0;
      assert.equal(exports.ownerOf(word), one);

      const taken = exports.takenWord(bits, other, hasWaiters ? 1 : 0);
      assert.equal(exports.ownerOf(taken), other);
      assert.equal(has(taken, WAITERS), hasWaiters, "who takes a free futex owes nobody a wake-up");
      assert.equal(has(taken, DIED), has(bits, DIED), "the new owner learns of the death");

      assert.equal(exports.givenWord(other) >>> 0, WAITERS + other);
      assert.equal(exports.inheritedWord(other) >>> 0, WAITERS + DIED + other);

      const abandoned = exports.abandonedWord(word);
      assert.equal(exports.ownerOf(abandoned), 0);
      assert.ok(has(abandoned, DIED));
      assert.equal(has(abandoned, WAITERS), has(word, WAITERS));
    }),
  );
});

test("a futex that somebody has had since its owner died is not inherited from the dead", async () => {
  const { exports } = (await compiled).fresh();
  fc.assert(
    fc.property(id, id, flags, (one, other, bits) => {
      const isLeft = (word: number): boolean => exports.isLeftBy(word >>> 0, one) !== 0;
      assert.equal(isLeft(bits + one), true, "not a robust mutex: the word still names the dead");
      if (one !== other) assert.equal(isLeft(bits + other), false);
      assert.equal(isLeft(bits), (bits & DIED) !== 0, "free without a mark: taken and given back");
    }),
  );
});

test("a word that names another owner than the one waited for is not believed", async () => {
  const { exports } = (await compiled).fresh();
  fc.assert(
    fc.property(id, id, flags, (one, other, bits) => {
      const believes = (word: number, owner: number): boolean =>
        exports.isOwnedBy(word >>> 0, owner) !== 0;
      assert.equal(believes(bits + one, one), true);
      if (one !== other) assert.equal(believes(bits + one, other), false);
      assert.equal(believes(bits + one, 0), false, "the dead own nothing");
      assert.equal(believes(bits, one), (bits & DIED) !== 0, "the owner ends just now");
      assert.equal(believes(bits, 0), (bits & DIED) !== 0);
    }),
  );
});
