/**
 * What each integer instruction computes, on values as they are kept during evaluation: unsigned
 * numbers of the type's width. Instructions that are missing (floats) cannot be evaluated.
 *
 * https://webassembly.github.io/spec/core/exec/numerics.html
 * Neighbours: `../wasm/opcodes.ts` names the instructions, `interpreter.ts` executes them,
 * `../backend/operators.ts` writes the same ones as C.
 */

/** Operands in order; `define` cuts the result to the type's width. */
type Compute = (a: bigint, b: bigint) => bigint;

/** An initialiser does what WebAssembly answers with a trap. */
export class EvaluationTrap extends Error {}

const table = new Map<string, Compute>();
const truth = (value: boolean): bigint => (value ? 1n : 0n);

function leadingZeros(value: bigint, bits: number): bigint {
  return BigInt(value === 0n ? bits : bits - value.toString(2).length);
}

function trailingZeros(value: bigint, bits: number): bigint {
  return BigInt(value === 0n ? bits : (value & -value).toString(2).length - 1);
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) throw new EvaluationTrap("a division by zero");
  return divisor;
}

function defineIntegers(type: "i32" | "i64"): void {
  const bits = type === "i32" ? 32 : 64;
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  const count = (value: bigint): bigint => value % BigInt(bits);
  const define = (name: string, compute: Compute): void => {
    table.set(`${type}.${name}`, (a, b) => BigInt.asUintN(bits, compute(a, b)));
  };
  define("eqz", (a) => truth(a === 0n));
  define("eq", (a, b) => truth(a === b));
  define("ne", (a, b) => truth(a !== b));
  define("lt_u", (a, b) => truth(a < b));
  define("gt_u", (a, b) => truth(a > b));
  define("le_u", (a, b) => truth(a <= b));
  define("ge_u", (a, b) => truth(a >= b));
  define("lt_s", (a, b) => truth(signed(a) < signed(b)));
  define("gt_s", (a, b) => truth(signed(a) > signed(b)));
  define("le_s", (a, b) => truth(signed(a) <= signed(b)));
  define("ge_s", (a, b) => truth(signed(a) >= signed(b)));
  define("clz", (a) => leadingZeros(a, bits));
  define("ctz", (a) => trailingZeros(a, bits));
  define("popcnt", (a) => BigInt(a.toString(2).replaceAll("0", "").length));
  define("add", (a, b) => a + b);
  define("sub", (a, b) => a - b);
  define("mul", (a, b) => a * b);
  define("div_u", (a, b) => a / nonZero(b));
  define("rem_u", (a, b) => a % nonZero(b));
  define("div_s", (a, b) => {
    const quotient = signed(a) / nonZero(signed(b));
    if (quotient !== signed(quotient)) throw new EvaluationTrap("an overflowing division");
    return quotient;
  });
  define("rem_s", (a, b) => signed(a) % nonZero(signed(b)));
  define("and", (a, b) => a & b);
  define("or", (a, b) => a | b);
  define("xor", (a, b) => a ^ b);
  define("shl", (a, b) => a << count(b));
  define("shr_u", (a, b) => a >> count(b));
  define("shr_s", (a, b) => signed(a) >> count(b));
  define("rotl", (a, b) => (a << count(b)) | (a >> (BigInt(bits) - count(b))));
  define("rotr", (a, b) => (a >> count(b)) | (a << (BigInt(bits) - count(b))));
  for (const width of [8, 16, 32].filter((narrow) => narrow < bits)) {
    define(`extend${width}_s`, (a) => BigInt.asIntN(width, a));
  }
}

defineIntegers("i32");
defineIntegers("i64");
table.set("i32.wrap_i64", (a) => BigInt.asUintN(32, a));
table.set("i64.extend_i32_u", (a) => a);
table.set("i64.extend_i32_s", (a) => BigInt.asUintN(64, BigInt.asIntN(32, a)));

/** Instructions without memory operands by name. */
export const NUMBERS: ReadonlyMap<string, Compute> = table;
