/**
 * The module as a whole, analysed: which functions are needed, who calls whom, what each is called
 * in C, and which are small enough to be copied into every C file that uses them.
 *
 * Neighbours: `partition.ts` divides the result among C files, `emit.ts` writes them.
 */
import { CompileError } from "../diagnostics.ts";
import { type Body, readBody } from "../wasm/code.ts";
import type { FunctionType, WasmModule } from "../wasm/module.ts";
import { typeOfFunction } from "../wasm/module.ts";
import { NameSpace } from "./mangle.ts";

/** A function with a body. */
export interface ProgramFunction {
  /** Index in the module. */
  index: number;
  /** Name in the source, such as `kernel/sched/thread/Thread#wake`. */
  name: string;
  /** C identifier. */
  identifier: string;
  /** Source module, such as `kernel/sched/thread`. */
  sourceModule: string;
  type: FunctionType;
  body: Body;
  /** Symbols that assembly and the linker know it by. */
  exportNames: string[];
  isInTable: boolean;
  /** Copied into every C file that calls it, as `static inline`: is small, or has one caller. */
  isInline: boolean;
  /** Fills a table by calling the same function again and again: is to be small, not fast. */
  isFiller: boolean;
  /** Stays a function of its own: a dispatcher calls it, or it is a rare way off a busy one. */
  isApart: boolean;
  /** What it calls at one place each, if it is a dispatcher. */
  dispatches: number[];
  calls: number[];
  globals: number[];
}

export interface Program {
  module: WasmModule;
  /** Needed functions by index. */
  functions: Map<number, ProgramFunction>;
  /** C identifiers of all globals. */
  globalNames: string[];
  instructionCount: number;
}

/**
 * Functions of at most this many instructions and without loops are inlined across files: more where
 * every system call and context switch passes, fewer elsewhere, which keeps the kernel small …
 */
const INLINE_INSTRUCTIONS = 16;
const HOT_INLINE_INSTRUCTIONS = 30;
const HOT_MODULES = /^kernel\/(arch|sched)\//;
const HOT_CALLERS = /^kernel\/(arch\/|sched\/|trap$|linux\/dispatch$)/;
/** … unless so many functions call them that the copies cost more space than they save time … */
const MANY_CALLERS = 200;
/** … and they have more instructions than this. */
const TINY_INSTRUCTIONS = 6;
/** A function without loops that calls another one this often fills a table. */
const FILLER_CALLS = 10;
/**
 * A function that calls this many different ones is a dispatcher: with their code copied into it, it
 * would save all registers for the sake of the few that need them.
 */
const DISPATCHER_CALLS = 100;
const RUNTIME_PREFIX = "~lib/rt/";
const CONSTRUCTOR = "#constructor";
/** End of the name of a function that looks up how many arguments its caller gave. */
const COUNTED_CALL = "@varargs";

/** `kernel/sched/thread` for any function or initialiser of that file. */
export function sourceModuleOf(name: string): string {
  if (name.startsWith("start:")) return name.slice("start:".length).replace(/~.*/, "");
  const path = name.replace(/^~anonymous|[<#|].*$/g, "").replace(/~anonymous.*$/, "");
  const slash = path.lastIndexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}

function analyse(module: WasmModule, index: number, names: NameSpace): ProgramFunction {
  const definition = module.functions[index - module.imports.length];
  if (!definition) throw new RangeError(`the module has no function ${index}`);
  const body = readBody(module.bytes, definition.start, definition.end);
  const name = module.names.functions.get(index) ?? `function${index}`;
  const calls = new Map<number, number>();
  const globals = new Set<number>();
  let hasLoop = false;
  for (const instruction of body.instructions) {
    const opcode = instruction.opcode.name;
    if (opcode === "call") calls.set(instruction.index, (calls.get(instruction.index) ?? 0) + 1);
    else if (opcode === "loop") hasLoop = true;
    else if (opcode.startsWith("global.")) globals.add(instruction.index);
  }
  const sourceModule = sourceModuleOf(name);
  const inlineLimit = HOT_MODULES.test(sourceModule)
    ? HOT_INLINE_INSTRUCTIONS
    : INLINE_INSTRUCTIONS;
  return {
    index,
    name,
    identifier: names.global(name),
    sourceModule,
    type: typeOfFunction(module, index),
    body,
    exportNames: [],
    isInTable: false,
    isInline: !hasLoop && body.instructions.length <= inlineLimit,
    isFiller: !hasLoop && Math.max(0, ...calls.values()) >= FILLER_CALLS,
    isApart: false,
    dispatches: calls.size < DISPATCHER_CALLS ? [] : calledOnce(calls),
    calls: [...calls.keys()],
    globals: [...globals],
  };
}

function calledOnce(calls: ReadonlyMap<number, number>): number[] {
  return [...calls].filter(([, places]) => places === 1).map(([index]) => index);
}

/** Exports that the entry file asked for; those of the runtime exist for JavaScript only. */
function wantedExports(module: WasmModule): { name: string; index: number }[] {
  return module.exports.filter(
    ({ index }) => !module.names.functions.get(index)?.startsWith(RUNTIME_PREFIX),
  );
}

/** Which functions call each function. */
function callersOf(
  functions: ReadonlyMap<number, ProgramFunction>,
): Map<number, ProgramFunction[]> {
  const callers = new Map<number, ProgramFunction[]>();
  for (const caller of functions.values()) {
    for (const index of caller.calls) {
      const known = callers.get(index);
      if (known) known.push(caller);
      else callers.set(index, [caller]);
    }
  }
  return callers;
}

/**
 * Whether a function becomes part of the only one that calls it, wherever it stands in the source:
 * no call, and an object's constructor need not look whether it is to allocate. Where every system
 * call and context switch passes, the rare ways stay apart, or the usual one would save registers
 * for their sake.
 */
function isPartOf(caller: ProgramFunction, target: ProgramFunction): boolean {
  if (target.isApart || target.isFiller) return false;
  return !HOT_CALLERS.test(caller.sourceModule) || target.name.endsWith(CONSTRUCTOR);
}

/**
 * A default value that is no literal makes AssemblyScript count the arguments in a global variable
 * for the function that supplies it. Another processor or an interrupt may write it in between.
 * @throws {CompileError}
 */
function rejectCountedCalls(functions: ReadonlyMap<number, ProgramFunction>): void {
  const counted = [...functions.values()].filter(({ name }) => name.endsWith(COUNTED_CALL));
  if (counted.length === 0) return;
  throw new CompileError(
    counted.map(({ name, sourceModule }) => ({
      file: `${sourceModule}.ts`,
      line: 1,
      column: 1,
      severity: "error",
      message:
        `a parameter of ${name.slice(0, -COUNTED_CALL.length)} has a default value that is no literal, ` +
        "which is not safe on several processors; write a literal, or let callers pass it",
    })),
  );
}

/** Reads the functions reachable from exports, the table and the start function. */
export function analyseProgram(module: WasmModule): Program {
  const names = new NameSpace();
  const functions = new Map<number, ProgramFunction>();
  const exports = wantedExports(module);
  const inTable = module.elements.flatMap((segment) => segment.functions);
  const queue = [...exports.map((e) => e.index), ...inTable];
  if (module.start !== null) queue.push(module.start);
  let instructionCount = 0;
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    if (index < module.imports.length || functions.has(index)) continue;
    const entry = analyse(module, index, names);
    functions.set(index, entry);
    instructionCount += entry.body.instructions.length;
    queue.push(...entry.calls);
  }
  rejectCountedCalls(functions);
  for (const { dispatches } of functions.values()) {
    for (const index of dispatches) {
      const target = functions.get(index);
      if (!target) continue;
      target.isApart = true;
      target.isInline = false;
    }
  }
  for (const [index, callers] of callersOf(functions)) {
    const target = functions.get(index);
    const [caller] = callers;
    if (!target || !caller) continue;
    if (callers.length === 1) {
      if (isPartOf(caller, target)) target.isInline = true;
      else target.isApart = !target.isInline;
    }
    if (callers.length < MANY_CALLERS) continue;
    if (target.body.instructions.length > TINY_INSTRUCTIONS) target.isInline = false;
  }
  for (const { name, index } of exports) {
    const target = functions.get(index);
    if (!target) continue;
    target.exportNames.push(name);
    target.isInline = false;
  }
  for (const index of inTable) {
    const target = functions.get(index);
    if (!target) continue;
    target.isInTable = true;
    target.isInline = false;
  }
  const globalNames = module.globals.map(
    (_, i) => `g_${names.global(module.names.globals.get(i) ?? `global${i}`)}`,
  );
  const sorted = new Map([...functions].sort(([a], [b]) => a - b));
  return { module, functions: sorted, globalNames, instructionCount };
}
