/** Classic BPF: which programs are accepted, what instructions do, and that accepted programs end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  check(program: bigint, count: number, dataBytes: number): number;
  run(program: bigint, data: bigint, dataBytes: number, words: bigint): number;
}

/** code, jump if true, jump if false, k */
type Instruction = readonly [number, number, number, number];

const DATA_BYTES = 64;

async function load() {
  const { exports, memory, heap } = await loadKernelModule<Exports>("kernel/lib/bpf.testentry.ts");
  const program = heap.reserve(8 * 4096);
  const data = heap.reserve(DATA_BYTES);
  const words = heap.reserve(64);
  const put = (instructions: readonly Instruction[]): void => {
    const bytes = Buffer.alloc(instructions.length * 8);
    instructions.forEach(([code, yes, no, k], index) => {
      bytes.writeUInt16LE(code, index * 8);
      bytes.writeUInt8(yes, index * 8 + 2);
      bytes.writeUInt8(no, index * 8 + 3);
      bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
    });
    memory.bytes(program, bytes.length).set(bytes);
  };
  return {
    accepts: (instructions: readonly Instruction[]): boolean => {
      put(instructions);
      return exports.check(program, instructions.length, DATA_BYTES) !== 0;
    },
    run: (instructions: readonly Instruction[], input: readonly number[] = []): number => {
      put(instructions);
      const bytes = Buffer.alloc(DATA_BYTES);
      input.forEach((word, index) => {
        bytes.writeUInt32LE(word >>> 0, index * 4);
      });
      memory.bytes(data, DATA_BYTES).set(bytes);
      assert.equal(exports.check(program, instructions.length, DATA_BYTES), 1);
      return exports.run(program, data, DATA_BYTES, words) >>> 0;
    },
  };
}

const returnA: Instruction = [0x16, 0, 0, 0];
const loadWord = (offset: number): Instruction => [0x20, 0, 0, offset];
const immediate = (value: number): Instruction => [0x00, 0, 0, value];

test("loads, stores, registers", async () => {
  const bpf = await load();
  assert.equal(bpf.run([loadWord(4), returnA], [1, 0xdeadbeef]), 0xdeadbeef);
  assert.equal(bpf.run([[0x80, 0, 0, 0], returnA]), DATA_BYTES);
  assert.equal(
    bpf.run([immediate(7), [0x02, 0, 0, 15], [0x61, 0, 0, 15], [0x87, 0, 0, 0], returnA]),
    7,
  );
  assert.equal(bpf.run([immediate(9), [0x07, 0, 0, 0], immediate(0), [0x87, 0, 0, 0], returnA]), 9);
  assert.equal(bpf.run([[0x01, 0, 0, 3], [0x03, 0, 0, 0], [0x60, 0, 0, 0], returnA]), 3);
  assert.equal(bpf.run([[0x06, 0, 0, 42]]), 42);
});

test("arithmetic with k and with X", async () => {
  const bpf = await load();
  const results: [number, number, number, number][] = [
    [0x00, 5, 3, 8],
    [0x10, 3, 5, 0xfffffffe],
    [0x20, 0x10000, 0x10001, 0x10000],
    [0x30, 17, 5, 3],
    [0x40, 0b1100, 0b1010, 0b1110],
    [0x50, 0b1100, 0b1010, 0b1000],
    [0x60, 1, 31, 0x80000000],
    [0x70, 0x80000000, 31, 1],
    [0xa0, 0b1100, 0b1010, 0b0110],
  ];
  for (const [operation, a, b, expected] of results) {
    assert.equal(bpf.run([immediate(a), [0x04 | operation, 0, 0, b], returnA]), expected);
    const withX: Instruction[] = [
      [0x01, 0, 0, b],
      immediate(a),
      [0x0c | operation, 0, 0, 0],
      returnA,
    ];
    assert.equal(bpf.run(withX), expected);
  }
  assert.equal(bpf.run([immediate(1), [0x84, 0, 0, 0], returnA]), 0xffffffff);
  assert.equal(bpf.run([immediate(1), [0x3c, 0, 0, 0], [0x06, 0, 0, 9]]), 0, "division by X of 0");
});

test("jumps", async () => {
  const bpf = await load();
  const cases: [number, number, number, boolean][] = [
    [0x15, 5, 5, true],
    [0x15, 5, 6, false],
    [0x25, 6, 5, true],
    [0x25, 0x80000000, 5, true],
    [0x35, 5, 5, true],
    [0x45, 0b110, 0b010, true],
    [0x45, 0b110, 0b001, false],
  ];
  for (const [code, a, k, taken] of cases) {
    const program: Instruction[] = [
      immediate(a),
      [code, 1, 0, k],
      [0x06, 0, 0, 0],
      [0x06, 0, 0, 1],
    ];
    assert.equal(bpf.run(program), taken ? 1 : 0, `${code.toString(16)} ${a} ${k}`);
  }
  assert.equal(
    bpf.run([
      [0x05, 0, 0, 1],
      [0x06, 0, 0, 0],
      [0x06, 0, 0, 1],
    ]),
    1,
  );
});

test("programs that are refused", async () => {
  const bpf = await load();
  const end: Instruction = [0x06, 0, 0, 0];
  const refused: Instruction[][] = [
    [],
    [immediate(1)],
    [loadWord(64), end],
    [loadWord(2), end],
    [[0x28, 0, 0, 0], end],
    [[0x60, 0, 0, 16], end],
    [[0x02, 0, 0, 16], end],
    [[0x34, 0, 0, 0], end],
    [[0x64, 0, 0, 32], end],
    [[0x94, 0, 0, 3], end],
    [[0x05, 0, 0, 1], end],
    [[0x15, 1, 0, 0], end],
    [[0x15, 0, 1, 0], end],
    [[0x0e, 0, 0, 0]],
    [[0xff, 0, 0, 0], end],
  ];
  for (const program of refused) assert.equal(bpf.accepts(program), false, JSON.stringify(program));
});

test("every program that is accepted runs to its end", async () => {
  const bpf = await load();
  const codes = [
    0x00, 0x20, 0x60, 0x80, 0x01, 0x61, 0x02, 0x03, 0x04, 0x0c, 0x3c, 0x84, 0x05, 0x15, 0x1d, 0x25,
    0x07, 0x87, 0x16,
  ];
  const instruction = fc.tuple(
    fc.constantFrom(...codes),
    fc.nat(6),
    fc.nat(6),
    fc.oneof(fc.nat(15), fc.nat(60)),
  );
  fc.assert(
    fc.property(fc.array(instruction, { maxLength: 12 }), (body) => {
      const program: Instruction[] = [...body, [0x06, 0, 0, 5]];
      if (bpf.accepts(program)) bpf.run(program, [1, 2, 3]);
    }),
  );
});
