/** ELF headers: well-formed files are understood, whatever else comes in is refused safely. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  check(header: bigint, available: bigint, fileBytes: bigint): number;
  headers(header: bigint, table: bigint, fileBytes: bigint): bigint;
  low(): bigint;
  high(): bigint;
  alignment(): bigint;
  interpreterOffset(): bigint;
  interpreterBytes(): bigint;
  headersAddress(): bigint;
  executableStack(): number;
}

const OK = 0;
const NOT_ELF = 1;
const OTHER_MACHINE = 2;
const OTHER_KIND = 3;
const TRUNCATED = 4;
const ENOEXEC = 8n;
const ENOMEM = 12n;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const LIMIT = 0x7ffffffff000n;

interface Segment {
  type: number;
  flags: number;
  offset: bigint;
  address: bigint;
  fileBytes: bigint;
  memoryBytes: bigint;
  alignment: bigint;
}

const modulePromise = loadKernelModule<Exports>("kernel/linux/elf.testentry.ts");

/** An ELF header and program headers behind it. */
function image(segments: readonly Segment[]): Buffer {
  const bytes = Buffer.alloc(64 + 56 * segments.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(3, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(segments.length, 56);
  segments.forEach((segment, index) => {
    const at = 64 + 56 * index;
    bytes.writeUInt32LE(segment.type, at);
    bytes.writeUInt32LE(segment.flags, at + 4);
    bytes.writeBigUInt64LE(segment.offset, at + 8);
    bytes.writeBigUInt64LE(segment.address, at + 16);
    bytes.writeBigUInt64LE(segment.address, at + 24);
    bytes.writeBigUInt64LE(segment.fileBytes, at + 32);
    bytes.writeBigUInt64LE(segment.memoryBytes, at + 40);
    bytes.writeBigUInt64LE(segment.alignment, at + 48);
  });
  return bytes;
}

const load = (part: Partial<Segment>): Segment => ({
  type: PT_LOAD,
  flags: 5,
  offset: 0n,
  address: 0n,
  fileBytes: 0x1000n,
  memoryBytes: 0x1000n,
  alignment: 0x1000n,
  ...part,
});

/** Checks a file image as exec does: header, then program headers. */
async function inspect(bytes: Buffer, fileBytes = 1 << 20) {
  const { exports, memory, heap } = (await modulePromise).fresh();
  const address = heap.reserve(bytes.length + 4096);
  memory.bytes(address, bytes.length).set(bytes);
  const reason = exports.check(address, BigInt(bytes.length), BigInt(fileBytes));
  const offset = bytes.length >= 64 ? bytes.readBigUInt64LE(32) : 0n;
  const result =
    reason === OK ? exports.headers(address, address + offset, BigInt(fileBytes)) : undefined;
  return { reason, result, exports };
}

test("a program with an interpreter is summed up", async () => {
  const bytes = image([
    load({ type: PT_INTERP, offset: 0x318n, fileBytes: 28n, memoryBytes: 28n, address: 0x318n }),
    load({ flags: 4, fileBytes: 0x600n, memoryBytes: 0x600n }),
    load({ offset: 0x1000n, address: 0x1000n, fileBytes: 0x2345n, memoryBytes: 0x2345n }),
    load({
      flags: 6,
      offset: 0x3de0n,
      address: 0x4de0n,
      fileBytes: 0x250n,
      memoryBytes: 0x2000n,
      alignment: 0x200000n,
    }),
    load({ type: PT_GNU_STACK, flags: 7, fileBytes: 0n, memoryBytes: 0n, alignment: 16n }),
  ]);
  const { reason, result, exports } = await inspect(bytes);
  assert.equal(reason, OK);
  assert.equal(result, 0n);
  assert.equal(exports.low(), 0n);
  assert.equal(exports.high(), 0x7000n);
  assert.equal(exports.alignment(), 0x200000n);
  assert.equal(exports.interpreterOffset(), 0x318n);
  assert.equal(exports.interpreterBytes(), 28n);
  assert.equal(exports.headersAddress(), 64n);
  assert.equal(exports.executableStack(), 1);
});

test("the host's own programs are accepted", async () => {
  for (const path of [process.execPath, "/bin/true", "/bin/bash"].filter(existsSync)) {
    const bytes = readFileSync(path);
    const { reason, result } = await inspect(bytes.subarray(0, 4096), bytes.length);
    assert.equal(reason, OK, path);
    assert.equal(result, 0n, path);
  }
});

test("what is no program for this machine is told apart", async () => {
  const good = image([load({})]);
  const change = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy.writeUInt16LE(value, offset);
    return copy;
  };
  assert.equal((await inspect(Buffer.from("#!/bin/sh\n"))).reason, NOT_ELF);
  assert.equal((await inspect(Buffer.alloc(0))).reason, NOT_ELF);
  assert.equal((await inspect(good.subarray(0, 40))).reason, TRUNCATED);
  assert.equal((await inspect(good, 100)).reason, TRUNCATED);
  assert.equal((await inspect(change(18, 183))).reason, OTHER_MACHINE, "AArch64");
  assert.equal((await inspect(change(16, 1))).reason, OTHER_KIND, "object file");
  assert.equal((await inspect(change(54, 32))).reason, OTHER_KIND, "header size");
  assert.equal((await inspect(change(56, 0))).reason, OTHER_KIND, "no headers");
  assert.equal((await inspect(change(56, 2000))).reason, OTHER_KIND, "too many headers");
});

test("segments that contradict themselves are refused", async () => {
  const refused: [string, Segment[], bigint][] = [
    ["nothing to load", [load({ type: 4 })], ENOEXEC],
    ["file part longer than memory", [load({ memoryBytes: 0xfffn })], ENOEXEC],
    [
      "beyond the file",
      [load({ offset: 0xff000n, fileBytes: 0x2000n, memoryBytes: 0x2000n })],
      ENOEXEC,
    ],
    ["offset overflow", [load({ offset: 0xfffffffffffff000n })], ENOEXEC],
    ["address and offset disagree", [load({ offset: 1n })], ENOEXEC],
    ["kernel address", [load({ address: 0xffff800000000000n })], ENOMEM],
    ["wraps around", [load({ address: LIMIT - 0x1000n, memoryBytes: 0x1001n })], ENOMEM],
    ["huge", [load({ memoryBytes: 0xffffffffffff0000n })], ENOMEM],
    ["not ascending", [load({ address: 0x2000n }), load({})], ENOEXEC],
    ["overlapping", [load({}), load({ address: 0xff0n, offset: 0xff0n })], ENOEXEC],
    ["empty interpreter", [load({ type: PT_INTERP, fileBytes: 1n }), load({})], ENOEXEC],
    ["endless interpreter", [load({ type: PT_INTERP, fileBytes: 5000n }), load({})], ENOEXEC],
  ];
  for (const [what, segments, error] of refused) {
    const { reason, result } = await inspect(image(segments));
    assert.equal(reason, OK, what);
    assert.equal(result, -error, what);
  }
});

test("random headers never break the promises of a successful check", async () => {
  const { exports, memory, heap } = (await modulePromise).fresh();
  const address = heap.reserve(64 + 56 * 8);
  const edge = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.constantFrom(0n, 1n, 0xfffn, 0x1000n, LIMIT, LIMIT - 0x1000n, 1n << 63n, (1n << 64n) - 1n),
    fc.nat(0x40000).map(BigInt),
    { weight: 12, arbitrary: fc.nat(0x40).map((page) => BigInt(page) << 12n) },
  );
  const segment = fc.record({
    type: fc.constantFrom(PT_LOAD, PT_LOAD, PT_LOAD, PT_INTERP, PT_GNU_STACK, 2),
    flags: fc.nat(7),
    offset: edge,
    address: edge,
    fileBytes: edge,
    memoryBytes: edge,
    alignment: edge,
  });
  const fileBytes = 0x40000n;
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
      memory.bytes(address, 64 + 56 * segments.length).set(image(segments));
      if (exports.headers(address, address + 64n, fileBytes) !== 0n) return;
      accepted++;
      const loads = segments.filter(
        ({ type, memoryBytes }) => type === PT_LOAD && memoryBytes > 0n,
      );
      const last = loads.at(-1);
      assert.ok(last);
      assert.ok(BigInt.asUintN(64, exports.high()) <= LIMIT + 0xfffn);
      let previousEnd = 0n;
      for (const part of loads) {
        assert.ok(part.address >= previousEnd);
        assert.ok(part.address + part.memoryBytes <= LIMIT);
        assert.ok(part.offset + part.fileBytes <= fileBytes);
        assert.ok(part.fileBytes <= part.memoryBytes);
        if (part.fileBytes > 0n) assert.equal((part.offset ^ part.address) & 0xfffn, 0n);
        previousEnd = part.address + part.memoryBytes;
      }
      const alignment = BigInt.asUintN(64, exports.alignment());
      assert.equal(alignment & (alignment - 1n), 0n);
    }),
    { numRuns: 20000 },
  );
  assert.ok(accepted > 100, `only ${accepted} of the random headers were acceptable`);
});

test("random bytes are survived", async () => {
  const { exports, memory, heap } = (await modulePromise).fresh();
  const address = heap.reserve(4096);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 400 }),
      fc.boolean(),
      (bytes, plausible) => {
        const target = memory.bytes(address, 4096).fill(0);
        target.set(bytes);
        if (plausible) target.set(image([]).subarray(0, 24));
        const reason = exports.check(address, BigInt(bytes.length), BigInt(bytes.length));
        assert.ok(reason >= OK && reason <= TRUNCATED);
        const view = Buffer.from(target);
        if (reason === OK) exports.headers(address, address + view.readBigUInt64LE(32), 400n);
      },
    ),
    { numRuns: 5000 },
  );
});
