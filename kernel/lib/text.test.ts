/** Formatting, parsing and byte strings against JavaScript's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  create(buffer: bigint, capacity: bigint): void;
  address(): bigint;
  length(): bigint;
  overflowed(): number;
  dispose(): void;
  writeDecimal(value: bigint): void;
  writeSigned(value: bigint): void;
  writeHex(value: bigint, digits: number): void;
  writeOctal(value: bigint, digits: number): void;
  writePadded(value: bigint, width: number, pad: number): void;
  writeBytes(source: bigint, count: bigint): void;
  writeGreeting(): void;
  isGreeting(source: bigint, count: bigint): number;
  startsWithGreeting(source: bigint, count: bigint): number;
  copyGreeting(destination: bigint): bigint;
  stringLength(address: bigint): bigint;
  boundedLength(address: bigint, limit: bigint): bigint;
  equalBytes(a: bigint, b: bigint, length: bigint): number;
  compareBytes(a: bigint, aLength: bigint, b: bigint, bLength: bigint): number;
  indexOfByte(address: bigint, length: bigint, byte: number): bigint;
  lastIndexOfByte(address: bigint, length: bigint, byte: number): bigint;
  parseDecimal(address: bigint, length: bigint): bigint;
  parseHex(address: bigint, length: bigint): bigint;
  parseOctal(address: bigint, length: bigint): bigint;
  parseNumber(address: bigint, length: bigint): bigint;
  parseWholeDecimal(address: bigint, length: bigint, out: bigint): number;
  parsedLength(): bigint;
  parseOverflowed(): number;
}

const compiled = loadKernelModule<Exports>("kernel/lib/text.testentry.ts", {
  pages: 128,
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});
const TEXT = 2n << 20n;
const OTHER = 3n << 20n;
const MAX = (1n << 64n) - 1n;

function put(kernel: KernelModule<Exports>, address: bigint, text: string | Uint8Array): bigint {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  kernel.memory.bytes(address, bytes.length + 1).set([...bytes, 0]);
  return BigInt(bytes.length);
}

function written(kernel: KernelModule<Exports>): string {
  const { exports, memory } = kernel;
  return Buffer.from(memory.bytes(exports.address(), Number(exports.length()))).toString("latin1");
}

const u64 = fc.bigInt({ min: 0n, max: MAX });

test("numbers are written as JavaScript writes them", async () => {
  const kernel = (await compiled).fresh();
  const { exports } = kernel;
  fc.assert(
    fc.property(u64, fc.integer({ min: 0, max: 24 }), (value, width) => {
      exports.create(0n, 0n);
      exports.writeDecimal(value);
      exports.writeBytes(put(kernel, TEXT, " ") && TEXT, 1n);
      exports.writeSigned(value);
      exports.writeGreeting();
      exports.writeHex(value, width);
      exports.writeGreeting();
      exports.writeOctal(value, width);
      exports.writeGreeting();
      exports.writePadded(value, width, 0x20);
      assert.equal(
        written(kernel),
        [
          `${value} ${BigInt.asIntN(64, value)}`,
          value.toString(16).padStart(width, "0"),
          value.toString(8).padStart(width, "0"),
          value.toString().padStart(width, " "),
        ].join("hello, ÿ"),
      );
      exports.dispose();
    }),
  );
});

test("a fixed buffer is never overrun and tells that something is missing", async () => {
  const kernel = (await compiled).fresh();
  const { exports, memory } = kernel;
  memory.bytes(OTHER, 16).fill(0xaa);
  exports.create(OTHER, 10n);
  exports.writeGreeting();
  assert.equal(exports.overflowed(), 0);
  exports.writeDecimal(123n);
  assert.equal(exports.overflowed(), 1);
  assert.equal(written(kernel), "hello, ÿ");
  exports.writeDecimal(12n);
  assert.equal(written(kernel), "hello, ÿ12");
  assert.equal(memory.bytes(OTHER, 16)[10], 0xaa);
});

test("without memory a growing buffer keeps what it has", async () => {
  const kernel = (await compiled).fresh();
  const { exports, heap } = kernel;
  exports.create(0n, 0n);
  for (let i = 0; i < 32; i++) exports.writeGreeting();
  const before = written(kernel);
  heap.failAfter(0);
  for (let i = 0; i < 600; i++) exports.writeGreeting();
  assert.equal(exports.overflowed(), 1);
  assert.ok(written(kernel).startsWith(before));
});

test("numbers are read as far as they go", async () => {
  const kernel = (await compiled).fresh();
  const { exports } = kernel;
  const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MAX * 20n }),
      fc.constantFrom("", " ", "g", "z9"),
      (value, rest) => {
        for (const [base, parse] of [
          [10, exports.parseDecimal],
          [16, exports.parseHex],
          [8, exports.parseOctal],
        ] as const) {
          const digits = value.toString(base);
          const result = unsigned(parse(TEXT, put(kernel, TEXT, digits + rest)));
          assert.equal(exports.parsedLength(), BigInt(digits.length));
          assert.equal(exports.parseOverflowed(), value > MAX ? 1 : 0);
          assert.equal(result, value > MAX ? MAX : value);
        }
        const whole = exports.parseWholeDecimal(TEXT, put(kernel, TEXT, `${value}${rest}`), OTHER);
        assert.equal(whole, rest === "" && value <= MAX ? 1 : 0);
      },
    ),
  );
  const parsed = (text: string): [bigint, bigint] => [
    unsigned(exports.parseNumber(TEXT, put(kernel, TEXT, text))),
    exports.parsedLength(),
  ];
  assert.deepEqual(parsed("0x1Fz"), [31n, 4n]);
  assert.deepEqual(parsed("0755"), [493n, 4n]);
  assert.deepEqual(parsed("42"), [42n, 2n]);
  assert.deepEqual(parsed("0xg"), [0n, 1n]);
  assert.deepEqual(parsed(""), [0n, 0n]);
  assert.equal(exports.parseWholeDecimal(TEXT, 0n, OTHER), 0);
});

const bytes = fc.uint8Array({ maxLength: 40 });

test("byte strings compare and search as buffers do", async () => {
  const kernel = (await compiled).fresh();
  const { exports } = kernel;
  fc.assert(
    fc.property(bytes, bytes, fc.boolean(), fc.nat(255), (a, random, same, byte) => {
      const b = same ? a.slice() : random;
      const aLength = put(kernel, TEXT, a);
      const bLength = put(kernel, OTHER, b);
      assert.equal(exports.compareBytes(TEXT, aLength, OTHER, bLength), Buffer.compare(a, b));
      const common = Math.min(a.length, b.length);
      const equal = Buffer.compare(a.subarray(0, common), b.subarray(0, common)) === 0;
      assert.equal(exports.equalBytes(TEXT, OTHER, BigInt(common)), equal ? 1 : 0);
      const index = a.indexOf(byte);
      assert.equal(exports.indexOfByte(TEXT, aLength, byte), index < 0 ? aLength : BigInt(index));
      const last = a.lastIndexOf(byte);
      assert.equal(exports.lastIndexOfByte(TEXT, aLength, byte), last < 0 ? aLength : BigInt(last));
      const zero = BigInt(Buffer.from([...a, 0]).indexOf(0));
      assert.equal(exports.stringLength(TEXT), zero);
      assert.equal(exports.boundedLength(TEXT, 3n), zero < 3n ? zero : 3n);
    }),
  );
});

test("literals are compared byte by byte", async () => {
  const kernel = (await compiled).fresh();
  const { exports, memory } = kernel;
  for (const [text, equals, starts] of [
    ["hello", 1, 1],
    ["hellox", 0, 1],
    ["hell", 0, 0],
    ["hallo", 0, 0],
    ["", 0, 0],
  ] as const) {
    const length = put(kernel, TEXT, text);
    assert.equal(exports.isGreeting(TEXT, length), equals);
    assert.equal(exports.startsWithGreeting(TEXT, length), starts);
  }
  assert.equal(exports.copyGreeting(OTHER), 5n);
  assert.equal(Buffer.from(memory.bytes(OTHER, 5)).toString(), "hello");
});
