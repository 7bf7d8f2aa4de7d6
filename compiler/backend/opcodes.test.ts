/**
 * Every instruction, executed natively and in Node on the same random operands: results, traps and
 * memory must agree.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  assemble,
  type Call,
  MEMORY_BYTES,
  MEMORY_START,
  MEMORY_WAT,
  runInNode,
  runNative,
} from "../testing/native-run.ts";
import { allOpcodes, type Opcode, type ValueType } from "../wasm/opcodes.ts";

const SAMPLES = 60;

const INTERESTING_64 = [0n, 1n, 2n, -1n, -2n, 1n << 63n, (1n << 63n) - 1n, 0xffffffffn, 1n << 31n];
const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  -2.5,
  1e10,
  -1e19,
  2 ** 31,
  2 ** 63,
  2 ** 64,
  -(2 ** 31),
];
const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 32, 5e-324];

function floatBits(value: number, bits: 32 | 64): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (bits === 64) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return view.getBigUint64(0, true);
}

/** Operands as bits, with the values on which implementations differ well represented. */
function operand(type: ValueType): fc.Arbitrary<bigint> {
  if (type === "i32" || type === "i64") {
    const bits = type === "i32" ? 32 : 64;
    return fc
      .oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(...INTERESTING_64))
      .map((value) => BigInt.asUintN(bits, value));
  }
  const bits = type === "f32" ? 32 : 64;
  const value = fc.oneof(fc.constantFrom(...FLOATS, ...SPECIAL), fc.double(), fc.integer());
  return value.map((number) => floatBits(number, bits));
}

const address = fc
  .integer({ min: MEMORY_START, max: MEMORY_START + MEMORY_BYTES - 64 })
  .map((value) => BigInt(value & ~7));

const simple = allOpcodes().filter(
  (opcode) => opcode.pops && !/^(memory\.|atomic\.fence|nop)|\.const$/.test(opcode.name),
);
const isFloat = ({ name, pops, pushes }: Opcode): boolean =>
  [...(pops ?? []), pushes].some((type) => type?.startsWith("f")) || name.startsWith("f");
const isMemory = ({ immediate }: Opcode): boolean => immediate === "memory";

/** A module with one function an instruction. */
function moduleOf(opcodes: readonly Opcode[]): string {
  const functions = opcodes.map((opcode) => {
    const pops = opcode.pops ?? [];
    const parameters = pops.map((type) => `(param ${type})`).join(" ");
    const result = opcode.pushes ? `(result ${opcode.pushes})` : "";
    const operands = pops.map((_, i) => `(local.get ${i})`).join(" ");
    const offset = isMemory(opcode) ? " offset=8" : "";
    return `(func (export "${opcode.name}") ${parameters} ${result} (${opcode.name}${offset} ${operands}))`;
  });
  return `(module ${MEMORY_WAT}
    (data (i64.const ${MEMORY_START}) "\\01\\82\\03\\84\\fe\\ff\\80\\7f the quick brown fox")
    ${functions.join("\n")})`;
}

function callsOf(opcodes: readonly Opcode[]): Call[] {
  const calls: Call[] = [];
  for (const opcode of opcodes) {
    const operands = (opcode.pops ?? []).map((type, i) =>
      isMemory(opcode) && i === 0 ? address : operand(type),
    );
    for (const args of fc.sample(fc.tuple(...operands), { numRuns: SAMPLES, seed: opcode.code })) {
      calls.push({ name: opcode.name, args });
    }
  }
  return calls;
}

async function compare(opcodes: readonly Opcode[], floats: boolean): Promise<void> {
  const wasm = await assemble(moduleOf(opcodes));
  const calls = callsOf(opcodes);
  const expected = runInNode(wasm, calls);
  const actual = runNative(wasm, calls, { floats, parts: 2 });
  for (const [i, call] of calls.entries()) {
    const text = `${call.name}(${call.args.map((arg) => `0x${arg.toString(16)}`).join(", ")})`;
    assert.equal(actual.outcomes[i], expected.outcomes[i], text);
  }
  assert.equal(actual.outcomes.length, calls.length);
  assert.equal(actual.memory, expected.memory, "memory differs at the end");
}

test("integer and memory instructions", async () => {
  const opcodes = simple.filter((opcode) => !isFloat(opcode));
  assert.ok(opcodes.length > 120, "the table lost instructions");
  await compare(opcodes, false);
});

test("floating-point instructions", async () => {
  const opcodes = simple.filter(isFloat);
  assert.ok(opcodes.length > 70, "the table lost instructions");
  await compare(opcodes, true);
});
