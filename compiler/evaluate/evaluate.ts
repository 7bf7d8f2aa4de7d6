/**
 * Runs the initialisers of a program when it is built. What they leave (objects, tables, values of
 * variables) becomes static data, and they themselves are gone: the kernel starts without executing
 * them, and a variable that only an initialiser sets is a constant everywhere.
 *
 *     const queue = new WaitQueue();     executed here; the object follows the static data
 *
 * An initialiser may thus use nothing that exists in the running machine only: instructions,
 * assembly, addresses of the linker.
 *
 * Neighbours: `interpreter.ts` executes; `../native/build.ts` calls this between the frontend and
 * the back end.
 */
import { BackendError } from "../backend/context.ts";
import { readBody } from "../wasm/code.ts";
import type { DataSegment, Global, WasmModule } from "../wasm/module.ts";
import { ImageMemory } from "./image-memory.ts";
import { Interpreter, type Substitute } from "./interpreter.ts";
import { EvaluationTrap } from "./numbers.ts";

export interface EvaluateOptions {
  /** Name of the exported function that runs all initialisers. */
  start: string;
  /** Source module with `heapAllocate` and `heapFree`, which initialisers do not reach. */
  heap: string;
}

/** Values of globals before anything runs; unsigned. */
export function initialValues(globals: readonly Global[]): bigint[] {
  const values: bigint[] = [];
  for (const { type, initial } of globals) {
    const value = "constant" in initial ? initial.constant : (values[initial.global] ?? 0n);
    values.push(BigInt.asUintN(type === "i32" || type === "f32" ? 32 : 64, value));
  }
  return values;
}

function substitutes(
  module: WasmModule,
  heap: string,
  memory: ImageMemory,
): Map<number, Substitute> {
  const found = new Map<number, Substitute>();
  for (const [index, name] of module.names.functions) {
    if (name === `${heap}/heapAllocate`) found.set(index, ([size = 0n]) => memory.allocate(size));
    // What grows while initialisers run leaves its old memory behind.
    if (name === `${heap}/heapFree`) found.set(index, () => null);
  }
  return found;
}

/** Indices of the globals that functions other than `except` set. */
function writtenGlobals(module: WasmModule, except: ReadonlySet<number>): Set<number> {
  const written = new Set<number>();
  for (const [i, { start, end }] of module.functions.entries()) {
    if (except.has(i + module.imports.length)) continue;
    for (const { opcode, index } of readBody(module.bytes, start, end).instructions) {
      if (opcode.name === "global.set") written.add(index);
    }
  }
  return written;
}

/** Functions that exist to run initialisers: the exported one, `~start` and `start:FILE`. */
function starters(module: WasmModule, start: number): Set<number> {
  const found = new Set([start]);
  for (const [index, name] of module.names.functions) {
    if (name === "~start" || name.startsWith("start:")) found.add(index);
  }
  return found;
}

/**
 * Returns the module as it is after its initialisers; without the export that runs them.
 * @throws {BackendError} if one of them needs the running machine
 */
export function evaluateInitialisers(module: WasmModule, options: EvaluateOptions): WasmModule {
  const entry = module.exports.find(({ name }) => name === options.start);
  if (!entry) return module;
  const memory = new ImageMemory(module.data);
  const interpreter = new Interpreter(
    module,
    memory,
    initialValues(module.globals),
    substitutes(module, options.heap, memory),
  );
  try {
    interpreter.call(entry.index, []);
  } catch (error) {
    if (!(error instanceof EvaluationTrap)) throw error;
    throw new BackendError(
      "initialisers are executed when the kernel is built, and one of them does what only the " +
        `running machine can: ${error.message}\nDo it in a function that the boot calls.`,
    );
  }
  const written = writtenGlobals(module, starters(module, entry.index));
  const globals = module.globals.map(
    (global, index): Global => ({
      type: global.type,
      mutable: global.mutable && written.has(index),
      initial: { constant: interpreter.globals[index] ?? 0n },
    }),
  );
  const data = module.data.map(
    ({ address, bytes }): DataSegment => ({ address, bytes: memory.read(address, bytes.length) }),
  );
  return {
    ...module,
    globals,
    data,
    objects: memory.objects(),
    exports: module.exports.filter((e) => e !== entry),
  };
}
