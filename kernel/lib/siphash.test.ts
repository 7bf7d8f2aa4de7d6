import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  allocate(bytes: bigint): bigint;
  hash(key0: bigint, key1: bigint, address: bigint, length: bigint): bigint;
}

test("the vectors of the paper and of the reference implementation", async () => {
  const { exports, memory } = await loadKernelModule<Exports>("kernel/lib/siphash.testentry.ts", {
    replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
  });
  const address = BigInt.asUintN(64, exports.allocate(64n));
  memory.bytes(address, 64).set(Uint8Array.from({ length: 64 }, (_, index) => index));
  // The key is the bytes 00 to 0f, the input the bytes 00, 01, … as many as there are.
  for (const [length, expected] of [
    [0n, 0x726fdb47dd0e0e31n],
    [1n, 0x74f839c593dc67fdn],
    [8n, 0x93f5f5799a932462n],
    [15n, 0xa129ca6149be45e5n],
  ] as const) {
    const hash = exports.hash(0x0706050403020100n, 0x0f0e0d0c0b0a0908n, address, length);
    assert.equal(BigInt.asUintN(64, hash), expected);
  }
});
