/**
 * Every instruction as a function of its own, and calls of it with operands on which implementations
 * differ: for tests that execute them in two ways.
 *
 * Neighbours: `native-run.ts` runs such modules in Node and natively.
 */
import fc from "fast-check";
import { allOpcodes, type Opcode, type ValueType } from "../wasm/opcodes.ts";
import { type Call, MEMORY_BYTES, MEMORY_START, MEMORY_WAT } from "./native-run.ts";

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

/** Instructions that are functions of their operands or access memory once. */
export const simpleOpcodes = allOpcodes().filter(
  (opcode) => opcode.pops && !/^(memory\.|atomic\.fence|nop)|\.const$/.test(opcode.name),
);
/** Has a floating-point operand or result. */
export const isFloat = ({ name, pops, pushes }: Opcode): boolean =>
  [...(pops ?? []), pushes].some((type) => type?.startsWith("f")) || name.startsWith("f");
const isMemory = ({ immediate }: Opcode): boolean => immediate === "memory";

/** WebAssembly text of a module with one exported function an instruction, and data at both ends of the memory. */
export function moduleOf(opcodes: readonly Opcode[]): string {
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
    (data (i64.const ${MEMORY_START + MEMORY_BYTES - 8}) "\\01\\02\\03\\04\\05\\06\\07\\08")
    ${functions.join("\n")})`;
}

/** Calls of each function with random operands, the same every time. */
export function callsOf(opcodes: readonly Opcode[]): Call[] {
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
