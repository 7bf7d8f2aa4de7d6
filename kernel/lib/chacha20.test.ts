/** ChaCha20 against the test vectors of RFC 8439 and against OpenSSL. */
import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  init(key: bigint, counter: number, nonce: bigint): void;
  block(output: bigint): void;
}

const load = () => loadKernelModule<Exports>("kernel/lib/chacha20.testentry.ts");

function keyStream(
  { exports, memory, heap }: KernelModule<Exports>,
  key: Uint8Array,
  counter: number,
  nonce: Uint8Array,
  blocks: number,
): string {
  const scratch = heap.reserve(128);
  memory.bytes(scratch, 32).set(key);
  memory.bytes(scratch + 32n, 12).set(nonce);
  exports.init(scratch, counter, scratch + 32n);
  let text = "";
  for (let i = 0; i < blocks; i++) {
    exports.block(scratch + 64n);
    text += Buffer.from(memory.bytes(scratch + 64n, 64)).toString("hex");
  }
  return text;
}

const sequence = Uint8Array.from({ length: 32 }, (_, index) => index);

test("RFC 8439 section 2.3.2: the block function", async () => {
  const nonce = Buffer.from("000000090000004a00000000", "hex");
  assert.equal(
    keyStream(await load(), sequence, 1, nonce, 1),
    "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e" +
      "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
  );
});

test("RFC 8439 appendix A.1: zero key, counters 0 and 1", async () => {
  const zero = new Uint8Array(32);
  assert.equal(
    keyStream(await load(), zero, 0, zero.subarray(0, 12), 2),
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" +
      "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
      "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
  );
});

test("any key, nonce and counter as OpenSSL has it", async () => {
  const module = await load();
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.nat(0xfffffff0),
      (key, nonce, counter) => {
        const iv = Buffer.alloc(16);
        iv.writeUInt32LE(counter, 0);
        iv.set(nonce, 4);
        const expected = createCipheriv("chacha20", key, iv).update(Buffer.alloc(192));
        assert.equal(keyStream(module.fresh(), key, counter, nonce, 3), expected.toString("hex"));
      },
    ),
    { numRuns: 50 },
  );
});
