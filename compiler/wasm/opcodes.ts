/**
 * The instructions we understand: names, immediates and types, as data. MVP, sign extension,
 * saturating float conversion, bulk memory, threads; with 64-bit or 32-bit memories.
 *
 * https://webassembly.github.io/spec/core/appendix/index-instructions.html
 * Neighbours: `code.ts` decodes with it, `../backend/operators.ts` gives each name its C text.
 */

export type ValueType = "i32" | "i64" | "f32" | "f64";

/** What follows the opcode in the binary. */
export type Immediate =
  | "none"
  | "block" // block type
  | "label" // br, br_if
  | "labels" // br_table
  | "index" // local, global, function
  | "indirect" // type index, table index
  | "memory" // alignment and offset
  | "memoryIndex"
  | "memoryIndices"
  | "select"
  | ValueType; // constants

/** One instruction. `pops` and `pushes` are absent where they depend on context. */
export interface Opcode {
  code: number;
  name: string;
  immediate: Immediate;
  pops?: readonly ValueType[];
  pushes?: ValueType;
}

/** Prefixed opcodes are numbered `prefix << 16 | code`. */
export const PREFIX_SATURATING_AND_BULK = 0xfc;
export const PREFIX_ATOMIC = 0xfe;

const table = new Map<number, Opcode>();

function define(code: number, name: string, immediate: Immediate, signature?: string): void {
  const opcode: Opcode = { code, name, immediate };
  if (signature !== undefined) {
    const [pops = "", pushes = ""] = signature.split(">");
    opcode.pops = pops.split(" ").filter(Boolean) as ValueType[];
    if (pushes.trim()) opcode.pushes = pushes.trim() as ValueType;
  }
  table.set(code, opcode);
}

/** Defines consecutive opcodes; `signature` may depend on the name. */
function defineRun(
  first: number,
  names: string,
  immediate: Immediate,
  signature: (name: string) => string,
): void {
  names
    .split(/\s+/)
    .filter(Boolean)
    .forEach((name, i) => {
      define(first + i, name, immediate, signature(name));
    });
}

/** The value type in front of the dot of a name. */
const typeOf = (name: string): ValueType => name.slice(0, 3) as ValueType;
const each = (type: string, names: string): string =>
  names
    .split(" ")
    .map((name) => `${type}.${name}`)
    .join(" ");
const unary = (name: string): string => `${typeOf(name)} > ${typeOf(name)}`;
const binary = (name: string): string => `${typeOf(name)} ${typeOf(name)} > ${typeOf(name)}`;
const test = (name: string): string => `${typeOf(name)} > i32`;
const compare = (name: string): string => `${typeOf(name)} ${typeOf(name)} > i32`;

// Control and variables.
define(0x00, "unreachable", "none");
define(0x01, "nop", "none", ">");
define(0x02, "block", "block");
define(0x03, "loop", "block");
define(0x04, "if", "block");
define(0x05, "else", "none");
define(0x0b, "end", "none");
define(0x0c, "br", "label");
define(0x0d, "br_if", "label");
define(0x0e, "br_table", "labels");
define(0x0f, "return", "none");
define(0x10, "call", "index");
define(0x11, "call_indirect", "indirect");
define(0x1a, "drop", "none");
define(0x1b, "select", "none");
define(0x1c, "select", "select");
define(0x20, "local.get", "index");
define(0x21, "local.set", "index");
define(0x22, "local.tee", "index");
define(0x23, "global.get", "index");
define(0x24, "global.set", "index");

// Memory. Addresses are i64 or i32 after the module's memory; the writer does not ask.
const LOADS =
  "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u " +
  "i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u";
const STORES =
  "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32";
defineRun(0x28, LOADS, "memory", (name) => `i64 > ${typeOf(name)}`);
defineRun(0x36, STORES, "memory", (name) => `i64 ${typeOf(name)} >`);
define(0x3f, "memory.size", "memoryIndex", "> i64");
define(0x40, "memory.grow", "memoryIndex", "i64 > i64");
define(0x41, "i32.const", "i32", "> i32");
define(0x42, "i64.const", "i64", "> i64");
define(0x43, "f32.const", "f32", "> f32");
define(0x44, "f64.const", "f64", "> f64");

// Integers and floats.
const INTEGER_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT_COMPARE = "eq ne lt gt le ge";
const BITS = "clz ctz popcnt";
const INTEGER_BINARY = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_UNARY = "abs neg ceil floor trunc nearest sqrt";
const FLOAT_BINARY = "add sub mul div min max copysign";
define(0x45, "i32.eqz", "none", test("i32"));
defineRun(0x46, each("i32", INTEGER_COMPARE), "none", compare);
define(0x50, "i64.eqz", "none", test("i64"));
defineRun(0x51, each("i64", INTEGER_COMPARE), "none", compare);
defineRun(0x5b, each("f32", FLOAT_COMPARE), "none", compare);
defineRun(0x61, each("f64", FLOAT_COMPARE), "none", compare);
defineRun(0x67, each("i32", BITS), "none", unary);
defineRun(0x6a, each("i32", INTEGER_BINARY), "none", binary);
defineRun(0x79, each("i64", BITS), "none", unary);
defineRun(0x7c, each("i64", INTEGER_BINARY), "none", binary);
defineRun(0x8b, each("f32", FLOAT_UNARY), "none", unary);
defineRun(0x92, each("f32", FLOAT_BINARY), "none", binary);
defineRun(0x99, each("f64", FLOAT_UNARY), "none", unary);
defineRun(0xa0, each("f64", FLOAT_BINARY), "none", binary);

/** The operand type is the last type in a conversion's name. */
const conversion = (name: string): string => {
  const [from] = name.match(/[if](32|64)(?=(_[su])?$)/) ?? [];
  return `${from} > ${typeOf(name)}`;
};
defineRun(
  0xa7,
  "i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u " +
    "i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s " +
    "i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u " +
    "f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u " +
    "f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 " +
    "f64.reinterpret_i64",
  "none",
  conversion,
);
defineRun(
  0xc0,
  "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s",
  "none",
  unary,
);
defineRun(
  PREFIX_SATURATING_AND_BULK << 16,
  "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u " +
    "i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u",
  "none",
  conversion,
);

// Bulk memory.
define((PREFIX_SATURATING_AND_BULK << 16) | 10, "memory.copy", "memoryIndices", "i64 i64 i64 >");
define((PREFIX_SATURATING_AND_BULK << 16) | 11, "memory.fill", "memoryIndex", "i64 i32 i64 >");

// Threads: 7 widths of each operation, in the same order.
const ATOMIC_WIDTHS = ["i32", "i64", "i32:8", "i32:16", "i64:8", "i64:16", "i64:32"];
const atomicNames = (operation: string, suffix: string): string =>
  ATOMIC_WIDTHS.map((width) => {
    const [type, bits = ""] = width.split(":");
    return `${type}.atomic.${operation.replace("*", bits)}${bits ? suffix : ""}`;
  }).join(" ");
define((PREFIX_ATOMIC << 16) | 3, "atomic.fence", "memoryIndex", ">");
defineRun(
  (PREFIX_ATOMIC << 16) | 0x10,
  atomicNames("load*", "_u"),
  "memory",
  (name) => `i64 > ${typeOf(name)}`,
);
defineRun(
  (PREFIX_ATOMIC << 16) | 0x17,
  atomicNames("store*", ""),
  "memory",
  (name) => `i64 ${typeOf(name)} >`,
);
["add", "sub", "and", "or", "xor", "xchg"].forEach((operation, i) => {
  defineRun(
    (PREFIX_ATOMIC << 16) | (0x1e + i * 7),
    atomicNames(`rmw*.${operation}`, "_u"),
    "memory",
    (name) => `i64 ${typeOf(name)} > ${typeOf(name)}`,
  );
});
defineRun(
  (PREFIX_ATOMIC << 16) | 0x48,
  atomicNames("rmw*.cmpxchg", "_u"),
  "memory",
  (name) => `i64 ${typeOf(name)} ${typeOf(name)} > ${typeOf(name)}`,
);

/** Every instruction by code. */
export const OPCODES: ReadonlyMap<number, Opcode> = table;

/** Every instruction, for tests that must not forget one. */
export function allOpcodes(): Opcode[] {
  return [...table.values()];
}
