/** The random generator against the same construction on OpenSSL's ChaCha20. */
import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  init(): void;
  seeded(): number;
  bytes(address: bigint, length: bigint): void;
  number(): bigint;
  mix(address: bigint, length: bigint): void;
}

const CPUID_RDRAND = 1 << 30;
const CPUID_RDSEED = 1 << 18;

const load = () => loadKernelModule<Exports>("kernel/dev/random.testentry.ts");

/** What the generator is meant to be: ChaCha20 with fast key erasure and one counter for all. */
class Model {
  #key: Buffer = Buffer.alloc(32);
  #counter = 0;

  #stream(blocks: number): Buffer {
    const iv = Buffer.alloc(16);
    iv.writeUInt32LE(this.#counter, 0);
    this.#counter += blocks;
    return createCipheriv("chacha20", this.#key, iv).update(Buffer.alloc(64 * blocks));
  }

  #next(): Buffer {
    const block = this.#stream(1);
    this.#key = block.subarray(0, 32);
    return block.subarray(32);
  }

  number(): bigint {
    return this.#next().readBigUInt64LE(0);
  }

  bytes(length: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; left -= Math.min(left, 1024)) {
      const part = Math.min(left, 1024);
      const stream = this.#stream(1 + Math.ceil(Math.max(part - 32, 0) / 64));
      this.#key = stream.subarray(0, 32);
      parts.push(stream.subarray(32, 32 + part));
    }
    return Buffer.concat(parts);
  }

  mix(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += 32) {
      const chunk = bytes.subarray(start, start + 32);
      const key = Buffer.from(this.#key);
      chunk.forEach((byte, index) => {
        key[index] = (key[index] ?? 0) ^ byte;
      });
      this.#key = key;
      if (chunk.length === 32) this.#next();
    }
    this.#next();
  }
}

test("output, key replacement and mixing are as designed", async () => {
  const base = await load();
  const step = fc.oneof(
    fc.record({ kind: fc.constant("bytes" as const), length: fc.nat(3000) }),
    fc.record({ kind: fc.constant("number" as const) }),
    fc.record({
      kind: fc.constant("mix" as const),
      bytes: fc.uint8Array({ maxLength: 100, size: "max" }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20, size: "max" }), (steps) => {
      const { exports, memory, heap } = base.fresh();
      const model = new Model();
      const buffer = heap.reserve(4096);
      for (const action of steps) {
        if (action.kind === "bytes") {
          exports.bytes(buffer, BigInt(action.length));
          const got = Buffer.from(memory.bytes(buffer, action.length));
          assert.equal(got.toString("hex"), model.bytes(action.length).toString("hex"));
        } else if (action.kind === "number") {
          assert.equal(BigInt.asUintN(64, exports.number()), model.number());
        } else {
          memory.bytes(buffer, action.bytes.length).set(action.bytes);
          exports.mix(buffer, BigInt(action.bytes.length));
          model.mix(action.bytes);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("the processor's generators seed, if they are there and answer", async () => {
  const base = await load();
  const seeded = (prepare: (module: typeof base) => void): boolean => {
    const module = base.fresh();
    prepare(module);
    module.exports.init();
    return module.exports.seeded() !== 0;
  };
  assert.equal(
    seeded(() => {}),
    false,
  );
  assert.equal(
    seeded(({ hardware }) => hardware.cpuidLeaves.set("1:0", [0, 0, CPUID_RDRAND, 0])),
    true,
  );
  assert.equal(
    seeded(({ hardware }) => hardware.cpuidLeaves.set("7:0", [0, CPUID_RDSEED, 0, 0])),
    true,
  );
  assert.equal(
    seeded(({ hardware }) => {
      hardware.cpuidLeaves.set("1:0", [0, 0, CPUID_RDRAND, 0]);
      hardware.random = () => null;
    }),
    false,
  );
});

test("two machines with different seeds have nothing in common", async () => {
  const base = await load();
  const output = (seed: bigint): string => {
    const { exports, hardware, memory, heap } = base.fresh();
    hardware.cpuidLeaves.set("1:0", [0, 0, CPUID_RDRAND, 0]);
    let state = seed;
    hardware.random = () => state++;
    exports.init();
    const buffer = heap.reserve(64);
    exports.bytes(buffer, 64n);
    return Buffer.from(memory.bytes(buffer, 64)).toString("hex");
  };
  assert.equal(output(1n), output(1n));
  assert.notEqual(output(1n), output(2n));
});
