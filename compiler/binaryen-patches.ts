/**
 * Three adjustments of the unmodified AssemblyScript library, made before it is first imported:
 *
 * - it declares every memory as 32-bit, so `_BinaryenSetMemory` is wrapped to set `memory64`;
 * - its `memoryBase` option is a u32, but static data of the kernel lives in the upper half, so
 *   `i64_new`, which the library calls once with that option as its only argument, is wrapped to
 *   widen one marker value;
 * - it compiles the postfix `!`, `as` and `instanceof` of references to invalid code that tests the
 *   64-bit reference as 32-bit (`if`, `i32.eqz`) or subtracts a 32-bit offset from it, so the
 *   builders of these expressions are wrapped to widen them.
 *
 * Neighbour: `frontend.ts`, the only user.
 */
import type { AssemblyScript } from "./assemblyscript-api.ts";
import { registerPlainLoad } from "./plain-load.ts";

type Binaryen = typeof import("binaryen")["default"];

/** `memoryBase` that stands for `NATIVE_DATA_BASE`. */
export const NATIVE_BASE_MARKER = 0x80100000;

/** Where static data of a native build starts: physical 1 MiB in the kernel's virtual window. */
export const NATIVE_DATA_BASE = 0xffffffff80100000n;

type SetMemory = (...args: number[]) => void;
type LongFactory = (low: number, high?: number) => unknown;

const MEMORY64_ARGUMENT = 11;
const INITIAL_PAGES_ARGUMENT = 1;
/** Page counts above this come from an upper-half base and mean nothing. */
const SANE_PAGES = 0x10000;

let is64 = true;

/** Whether modules compiled from now on have 64-bit memories. */
export function setMemory64(on: boolean): void {
  is64 = on;
}

function patchSetMemory(binaryen: Binaryen): void {
  const library = binaryen as unknown as { _BinaryenSetMemory: SetMemory };
  const original = library._BinaryenSetMemory;
  if (typeof original !== "function") {
    throw new Error(
      "binaryen has no _BinaryenSetMemory: this version does not fit compiler/binaryen-patches.ts; " +
        "install the pinned one (npm ci)",
    );
  }
  library._BinaryenSetMemory = (...args: number[]): void => {
    if (is64) args[MEMORY64_ARGUMENT] = 1;
    const pages = args[INITIAL_PAGES_ARGUMENT] ?? 0;
    if (pages >>> 0 > SANE_PAGES) args[INITIAL_PAGES_ARGUMENT] = 1;
    original(...args);
  };
}

type Builder = (...args: number[]) => number;

/** Binaryen's expression builders by name. */
function builders(binaryen: Binaryen): (name: string) => Builder {
  const library = binaryen as unknown as Record<string, Builder>;
  return (name) => {
    const target = library[name];
    if (!target) throw new Error(`binaryen has no ${name}: install the pinned version (npm ci)`);
    return target;
  };
}

/** References are 64 bits wide here; the library tests and offsets some as if they were 32. */
function patchReferences(binaryen: Binaryen): void {
  const get = builders(binaryen);
  const library = binaryen as unknown as Record<string, Builder>;
  const [makeIf, makeUnary, makeBinary] = ["If", "Unary", "Binary"].map((n) =>
    get(`_Binaryen${n}`),
  );
  const typeOf = get("_BinaryenExpressionGetType");
  const int64 = get("_BinaryenTypeInt64")();
  const int32 = get("_BinaryenTypeInt32")();
  const isZero64 = get("_BinaryenEqZInt64")();
  const isZero32 = get("_BinaryenEqZInt32")();
  const extend = get("_BinaryenExtendUInt32")();
  if (!makeIf || !makeUnary || !makeBinary) return;
  library._BinaryenUnary = (module = 0, operation = 0, value = 0): number =>
    makeUnary(
      module,
      operation === isZero32 && typeOf(value) === int64 ? isZero64 : operation,
      value,
    );
  library._BinaryenIf = (module = 0, condition = 0, ...branches: number[]): number => {
    if (typeOf(condition) !== int64) return makeIf(module, condition, ...branches);
    const zero = makeUnary(module, isZero64, condition);
    return makeIf(module, makeUnary(module, isZero32, zero), ...branches);
  };
  library._BinaryenBinary = (module = 0, operation = 0, left = 0, right = 0): number => {
    const mixed = typeOf(left) === int64 && typeOf(right) === int32;
    return makeBinary(module, operation, left, mixed ? makeUnary(module, extend, right) : right);
  };
}

function patchLongFactory(): void {
  const scope = globalThis as unknown as { i64_new: LongFactory };
  const original = scope.i64_new;
  if (typeof original !== "function") {
    throw new Error(
      "the AssemblyScript library defines no global i64_new: this version does not fit " +
        "compiler/binaryen-patches.ts; install the pinned one (npm ci)",
    );
  }
  scope.i64_new = (low: number, high?: number): unknown =>
    high === undefined && low >>> 0 === NATIVE_BASE_MARKER
      ? original(low | 0, Number(BigInt.asIntN(32, NATIVE_DATA_BASE >> 32n)))
      : original(low, high);
}

/** The libraries, loaded and adjusted. */
export interface Libraries {
  assemblyscript: AssemblyScript;
  binaryen: Binaryen;
}

let loaded: Promise<Libraries> | null = null;

/** Loads the AssemblyScript library with the adjustments in place. */
export function loadLibraries(): Promise<Libraries> {
  loaded ??= (async (): Promise<Libraries> => {
    registerPlainLoad();
    const { default: binaryen } = await import("binaryen");
    patchSetMemory(binaryen);
    patchReferences(binaryen);
    const name = "assemblyscript"; // not a literal: keeps its global declarations out of our types
    const assemblyscript = (await import(name)) as AssemblyScript;
    patchLongFactory();
    return { assemblyscript, binaryen };
  })();
  return loaded;
}
