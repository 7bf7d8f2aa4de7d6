/**
 * C text of every instruction that is a function of its operands or one memory access. `$0` … are
 * the operands (C expressions of type u32, u64, f32 or f64), `$a` the address.
 *
 * Neighbours: `../wasm/opcodes.ts` names the instructions, `../runtime/wasm.h` holds the helpers
 * (`w_…`), `function.ts` fills the templates in.
 */

/** What evaluating an instruction does besides yielding its value. */
export type Effect =
  | "pure"
  | "reads" // memory
  | "effect"; // writes memory, orders or traps

export interface Operator {
  template: string;
  effect: Effect;
  /** The C type of the result is int, 0 or 1. */
  isTest?: boolean;
}

const table = new Map<string, Operator>();
const pure = (name: string, template: string): void => {
  table.set(name, { template, effect: "pure" });
};
const test = (name: string, template: string): void => {
  table.set(name, { template, effect: "pure", isTest: true });
};

function defineIntegers(bits: 32 | 64): void {
  const type = `i${bits}`;
  const [u, s] = [`u${bits}`, `(i${bits})`];
  const count = bits - 1;
  test(`${type}.eqz`, "($0 == 0)");
  test(`${type}.eq`, "($0 == $1)");
  test(`${type}.ne`, "($0 != $1)");
  for (const [name, operator] of Object.entries({ lt: "<", gt: ">", le: "<=", ge: ">=" })) {
    test(`${type}.${name}_u`, `($0 ${operator} $1)`);
    test(`${type}.${name}_s`, `(${s}$0 ${operator} ${s}$1)`);
  }
  const simple = {
    add: "+",
    sub: "-",
    mul: "*",
    div_u: "/",
    rem_u: "%",
    and: "&",
    or: "|",
    xor: "^",
  };
  for (const [name, operator] of Object.entries(simple)) {
    pure(`${type}.${name}`, `($0 ${operator} $1)`);
  }
  pure(`${type}.div_s`, `(${u})(${s}$0 / ${s}$1)`);
  pure(`${type}.rem_s`, `w_rem_s${bits}($0, $1)`);
  pure(`${type}.shl`, `($0 << ($1 & ${count}))`);
  pure(`${type}.shr_u`, `($0 >> ($1 & ${count}))`);
  pure(`${type}.shr_s`, `(${u})(${s}$0 >> ($1 & ${count}))`);
  for (const name of ["rotl", "rotr"]) pure(`${type}.${name}`, `w_${name}${bits}($0, $1)`);
  for (const name of ["clz", "ctz", "popcnt"]) pure(`${type}.${name}`, `w_${name}${bits}($0)`);
  pure(`${type}.extend8_s`, `(${u})(i8)$0`);
  pure(`${type}.extend16_s`, `(${u})(i16)$0`);
}

function defineFloats(bits: 32 | 64): void {
  const type = `f${bits}`;
  const suffix = bits === 32 ? "f" : "";
  const compare = { eq: "==", ne: "!=", lt: "<", gt: ">", le: "<=", ge: ">=" };
  for (const [name, operator] of Object.entries(compare)) {
    test(`${type}.${name}`, `($0 ${operator} $1)`);
  }
  for (const [name, operator] of Object.entries({ add: "+", sub: "-", mul: "*", div: "/" })) {
    pure(`${type}.${name}`, `($0 ${operator} $1)`);
  }
  pure(`${type}.neg`, "(-$0)");
  const library = { abs: "fabs", ceil: "ceil", floor: "floor", trunc: "trunc", sqrt: "sqrt" };
  for (const [name, builtin] of Object.entries(library)) {
    pure(`${type}.${name}`, `__builtin_${builtin}${suffix}($0)`);
  }
  pure(`${type}.nearest`, `__builtin_rint${suffix}($0)`);
  pure(`${type}.min`, `w_min_${type}($0, $1)`);
  pure(`${type}.max`, `w_max_${type}($0, $1)`);
  pure(`${type}.copysign`, `__builtin_copysign${suffix}($0, $1)`);
  for (const integer of ["i32", "i64"]) {
    for (const sign of ["s", "u"]) {
      const name = `${type}_${integer}_${sign}`;
      table.set(`${integer}.trunc_${type}_${sign}`, {
        template: `w_trunc_${name}($0)`,
        effect: "effect",
      });
      pure(`${integer}.trunc_sat_${type}_${sign}`, `w_trunc_sat_${name}($0)`);
      const cast = sign === "s" ? `(${integer})` : "";
      pure(`${type}.convert_${integer}_${sign}`, `(${type})${cast}$0`);
    }
  }
  pure(`i${bits}.reinterpret_${type}`, `w_bits${bits}($0)`);
  pure(`${type}.reinterpret_i${bits}`, `w_${type}($0)`);
}

function defineConversions(): void {
  pure("i64.extend32_s", "(u64)(i32)$0");
  pure("i32.wrap_i64", "(u32)$0");
  pure("i64.extend_i32_s", "(u64)(i32)$0");
  pure("i64.extend_i32_u", "(u64)$0");
  pure("f32.demote_f64", "(f32)$0");
  pure("f64.promote_f32", "(f64)$0");
}

function defineMemory(): void {
  for (const type of ["i32", "i64"]) {
    const bits = Number(type.slice(1));
    const u = `u${bits}`;
    table.set(`${type}.load`, { template: `M${bits}($a)`, effect: "reads" });
    table.set(`${type}.store`, { template: `M${bits}($a) = $0`, effect: "effect" });
    for (const narrow of [8, 16, 32].filter((width) => width < bits)) {
      const load = (cast: string): Operator => ({
        template: `(${u})${cast}M${narrow}($a)`,
        effect: "reads",
      });
      table.set(`${type}.load${narrow}_u`, load(""));
      table.set(`${type}.load${narrow}_s`, load(`(i${narrow})`));
      const template = `M${narrow}($a) = (u${narrow})$0`;
      table.set(`${type}.store${narrow}`, { template, effect: "effect" });
    }
    table.set(`f${bits}.load`, { template: `w_f${bits}(M${bits}($a))`, effect: "reads" });
    const template = `M${bits}($a) = w_bits${bits}($0)`;
    table.set(`f${bits}.store`, { template, effect: "effect" });
  }
  table.set("memory.copy", { template: "w_copy($0, $1, $2)", effect: "effect" });
  table.set("memory.fill", { template: "w_fill($0, $1, $2)", effect: "effect" });
}

function defineAtomics(): void {
  const operations = {
    add: "fetch_add",
    sub: "fetch_sub",
    and: "fetch_and",
    or: "fetch_or",
    xor: "fetch_xor",
    xchg: "exchange_n",
  };
  const effect = "effect";
  for (const type of ["i32", "i64"]) {
    const whole = Number(type.slice(1));
    for (const bits of [8, 16, 32, 64].filter((width) => width <= whole)) {
      const [width, unsigned] = bits === whole ? ["", ""] : [String(bits), "_u"];
      const name = (operation: string): string =>
        `${type}.atomic.${operation.replace("*", width)}${unsigned}`;
      const cast = `(u${whole})`;
      table.set(name("load*"), { template: `${cast}A_LOAD(${bits}, $a)`, effect });
      const store = `${type}.atomic.store${width}`;
      table.set(store, { template: `A_STORE(${bits}, $a, $0)`, effect });
      for (const [short, builtin] of Object.entries(operations)) {
        const template = `${cast}A_RMW(${builtin}, ${bits}, $a, $0)`;
        table.set(name(`rmw*.${short}`), { template, effect });
      }
      const template = `${cast}w_cmpxchg${bits}($a, (u${bits})$0, (u${bits})$1)`;
      table.set(name("rmw*.cmpxchg"), { template, effect });
    }
  }
  table.set("atomic.fence", { template: "__atomic_thread_fence(__ATOMIC_SEQ_CST)", effect });
}

defineIntegers(32);
defineIntegers(64);
defineFloats(32);
defineFloats(64);
defineConversions();
defineMemory();
defineAtomics();

/** Operators by instruction name. */
export const OPERATORS: ReadonlyMap<string, Operator> = table;

/** Fills the operands into a template; text and `$` cannot clash, operands are C expressions. */
export function fill(template: string, operands: readonly string[], address = ""): string {
  return template.replace(/\$([0-9a])/g, (_, key: string) =>
    key === "a" ? address : (operands[Number(key)] ?? ""),
  );
}
