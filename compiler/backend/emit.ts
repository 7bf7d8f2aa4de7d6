/**
 * Writes the C files of a program: one a part, one with the function table, and the image of the
 * static data.
 *
 * Neighbours: `program.ts` and `partition.ts` prepare, `function.ts` writes each function,
 * `imports.ts` resolves imports, `data.ts` makes the data image.
 */
import { createHash } from "node:crypto";
import type { Global, WasmModule } from "../wasm/module.ts";
import type { ValueType } from "../wasm/opcodes.ts";
import { type Location, SourceMap } from "../wasm/source-map.ts";
import { BackendError, type Callee, declarator, type FunctionContext } from "./context.ts";
import {
  type DataImage,
  findSegment,
  makeDataImage,
  type NamedSegment,
  nameObjects,
  nameSegments,
} from "./data.ts";
import { C_TYPES, integerLiteral } from "./expression.ts";
import { FunctionWriter } from "./function.ts";
import { type NativeImport, nativeImport } from "./imports.ts";
import { SourceText } from "./lines.ts";
import { type Part, type Partition, partition } from "./partition.ts";
import { analyseProgram, type Program, type ProgramFunction } from "./program.ts";

export interface BackendOptions {
  /** Modules for ordinary programs may use floats; the kernel may not. */
  allowFloats: boolean;
  /** Write `#line` directives. */
  lines: boolean;
  /** Refer to static data by symbols, which `BackendResult.segments` defines. */
  symbolicData?: boolean;
  /** Number of C files (without the table); by size if absent. */
  parts?: number;
}

/** C files by name, and the data to be linked at `data.address`. */
export interface BackendResult {
  files: Map<string, string>;
  data: DataImage | null;
  segments: NamedSegment[];
  program: Program;
}

/** Exports that never return. */
const NO_RETURN = new Set(["abort", "trapUnreachable"]);
/** Functions of the runtime that abort rather than return 0: constructors need not look. */
const ALLOCATORS = new Set(["__new", "__renew", "__alloc"].map((name) => `~lib/rt/osv/${name}`));
const TABLE_FILE = "table.c";

/** Writes everything for one module. */
class ModuleEmitter {
  readonly #program: Program;
  readonly #module: WasmModule;
  readonly #partition: Partition;
  readonly #options: BackendOptions;
  readonly #context: FunctionContext;
  readonly #imports: (NativeImport | undefined)[] = [];
  readonly #exports = new Map<string, ProgramFunction>();
  readonly #signatures: number[];
  readonly #locations = new Map<ProgramFunction, Location | null>();

  /** Symbols of static data that the part being written mentions. */
  #dataSymbols = new Set<string>();

  constructor(
    program: Program,
    sourceMap: SourceMap | null,
    segments: readonly NamedSegment[],
    options: BackendOptions,
  ) {
    this.#program = program;
    this.#module = program.module;
    this.#options = options;
    this.#partition = partition(program, options.parts);
    for (const entry of program.functions.values()) {
      for (const name of entry.exportNames) this.#exports.set(name, entry);
    }
    this.#signatures = numberSignatures(this.#module);
    this.#context = {
      callee: (index) => this.#callee(index),
      global: (index) => this.#globalText(index),
      signature: (index) => {
        const type = this.#module.types[index];
        if (!type) throw new RangeError(`the module has no type ${index}`);
        return { type, id: this.#signatures[index] ?? 0 };
      },
      sourceMap,
      allowFloats: options.allowFloats,
      address: (value) => {
        const segment = options.symbolicData ? findSegment(segments, value) : null;
        if (!segment) return null;
        this.#dataSymbols.add(segment.symbol);
        return `W_DATA(${segment.symbol}, ${value - segment.address})`;
      },
    };
  }

  #import(index: number): NativeImport {
    const known = this.#imports[index];
    if (known) return known;
    const made = nativeImport(this.#module, index, (name) => this.#exports.get(name)?.identifier);
    this.#imports[index] = made;
    return made;
  }

  #callee(index: number): Callee {
    if (index < this.#module.imports.length) return this.#import(index).callee;
    const entry = this.#program.functions.get(index);
    if (!entry) throw new RangeError(`function ${index} is called but was not found reachable`);
    const isNonZero = ALLOCATORS.has(entry.name);
    return { text: entry.identifier, type: entry.type, isNonZero };
  }

  #globalText(index: number): { text: string; type: ValueType; constant?: bigint } {
    const global = this.#module.globals[index];
    if (!global) throw new RangeError(`the module has no global ${index}`);
    const { type, mutable } = global;
    if (mutable) return { text: this.#program.globalNames[index] ?? "", type };
    const value = this.#initialValue(global);
    const { text, constant } = literal(value, type);
    const address =
      constant !== undefined && type === "i64" ? this.#context.address?.(constant) : null;
    if (address && constant !== undefined) return { text: address, type, constant };
    return constant === undefined ? { text, type } : { text, type, constant };
  }

  #initialValue(global: Global): bigint {
    if ("constant" in global.initial) return global.initial.constant;
    const source = this.#module.globals[global.initial.global];
    if (!source) throw new RangeError("a global is copied from one that does not exist");
    return this.#initialValue(source);
  }

  #isNoReturn(entry: ProgramFunction): boolean {
    return entry.exportNames.some((name) => NO_RETURN.has(name));
  }

  #prototype(entry: ProgramFunction, storage: string): string {
    const attributes = [
      this.#isNoReturn(entry) ? "W_NORETURN" : "",
      entry.isFiller || this.#isNoReturn(entry) ? "W_COLD" : "",
      entry.isFiller || entry.isApart ? "W_NOINLINE" : "",
    ].filter(Boolean);
    const [symbol] = entry.exportNames;
    const label = symbol ? ` __asm__("${symbol}")` : "";
    const prefix = [storage, ...attributes].filter(Boolean).join(" ");
    return `${prefix ? `${prefix} ` : ""}${declarator(entry.identifier, entry.type)}${label};`;
  }

  #preamble(): string[] {
    const trap = this.#exports.get("trapUnreachable");
    return [
      '#include "wasm.h"',
      this.#options.allowFloats ? '#include "wasm-float.h"' : "",
      '#include "intrinsics.h"',
      trap
        ? `${this.#prototype(trap, "")}\n#define W_UNREACHABLE() ${trap.identifier}()`
        : "#define W_UNREACHABLE() __builtin_trap()",
      // Dropped by the linker. Being first it makes this file number 1 of the line table, where
      // addr2line and objdump (binutils 2.40) expect it; otherwise they misname the first source.
      "__attribute__((used, no_reorder)) static void w_first(void) {}",
      "extern void *const w_table[];",
      "extern const u32 w_table_types[], w_table_size;",
      // A macro, so that its instructions carry the line of the call.
      "#define w_callee(index, type) __extension__ ({ const u32 w_i = (index); " +
        "if (W_UNLIKELY(w_i >= w_table_size || w_table_types[w_i] != type)) W_UNREACHABLE(); " +
        "w_table[w_i]; })",
    ].filter(Boolean);
  }

  #declareGlobal(index: number, part: Part): string {
    const global = this.#module.globals[index];
    if (!global?.mutable) return "";
    const name = this.#program.globalNames[index] ?? "";
    const owner = this.#partition.globalOwners.get(index) === part.number;
    const storage = this.#partition.privateGlobals.has(index) ? "static " : owner ? "" : "extern ";
    const value = this.#initialValue(global);
    const initial =
      storage === "extern " || value === 0n ? "" : ` = ${staticValue(value, global.type)}`;
    return `${storage}${C_TYPES[global.type]} ${name}${initial};`;
  }

  /** Declarations of everything that the part mentions. */
  #declarations(part: Part): string[] {
    const lines: string[] = [];
    for (const global of [...part.globals].sort((a, b) => a - b)) {
      lines.push(this.#declareGlobal(global, part));
    }
    const imported = new Set<number>();
    for (const entry of [...part.inlined, ...part.owned]) {
      for (const index of entry.calls) if (index < this.#module.imports.length) imported.add(index);
    }
    for (const index of [...imported].sort((a, b) => a - b)) {
      const { module: from, name } = this.#module.imports[index] ?? { module: "", name: "" };
      const target = from === "env" ? this.#exports.get(name) : undefined;
      // Also reports imports that mean nothing natively.
      lines.push(this.#import(index).declaration, target ? this.#prototype(target, "") : "");
    }
    for (const index of [...part.external].sort((a, b) => a - b)) {
      const entry = this.#program.functions.get(index);
      if (entry) lines.push(this.#prototype(entry, ""));
    }
    return [...new Set(lines.filter(Boolean))];
  }

  /** The part's own functions with their storage classes. */
  #prototypes(part: Part): [ProgramFunction, string][] {
    const isPrivate = this.#partition.privateFunctions;
    return [
      ...part.inlined.map((entry): [ProgramFunction, string] => [entry, "static inline"]),
      ...part.owned.map((entry): [ProgramFunction, string] => [
        entry,
        isPrivate.has(entry.index) ? "static" : "",
      ]),
    ];
  }

  /** Text of one part. */
  part(part: Part): string {
    this.#dataSymbols = new Set();
    const body = this.#body(part);
    const text = new SourceText(this.#options.lines);
    for (const line of [...this.#preamble(), ...this.#declarations(part)]) text.plain(line);
    const data = [...this.#dataSymbols].sort();
    if (data.length > 0) text.plain(`extern u8 ${data.map((name) => `${name}[]`).join(", ")};`);
    return text.toString() + body;
  }

  /** Prototypes and functions of a part. */
  #body(part: Part): string {
    const text = new SourceText(this.#options.lines);
    // With the line of the definition: gcc gives it to clones that it makes of the function.
    for (const [entry, storage] of this.#prototypes(part)) {
      const location = this.#locationOf(entry);
      text.add({ text: this.#prototype(entry, storage), location });
    }
    for (const entry of [...part.inlined, ...part.owned]) {
      text.plain("");
      for (const line of this.#function(entry)) text.add(line);
      const [symbol, ...aliases] = entry.exportNames;
      for (const alias of aliases) {
        text.plain(`extern __typeof__(${entry.identifier}) ${entry.identifier}_as_${alias}`);
        text.plain(`  __asm__("${alias}") __attribute__((alias("${symbol}")));`);
      }
    }
    return text.toString();
  }

  #function(entry: ProgramFunction): ReturnType<FunctionWriter["write"]> {
    const input = {
      name: entry.name,
      identifier: entry.identifier,
      type: entry.type,
      body: entry.body,
      location: this.#locationOf(entry),
      localNames: this.#module.names.locals.get(entry.index) ?? new Map<number, string>(),
      noReturn: this.#isNoReturn(entry),
    };
    const lines = new FunctionWriter(input, this.#context).write();
    const [head] = lines;
    if (!head) throw new Error(`nothing was written for ${entry.name}`);
    const storage = entry.isInline
      ? "static inline "
      : this.#partition.privateFunctions.has(entry.index)
        ? "static "
        : "";
    return [{ ...head, text: storage + head.text }, ...lines.slice(1)];
  }

  #locationOf(entry: ProgramFunction): Location | null {
    const known = this.#locations.get(entry);
    if (known !== undefined) return known;
    const found = this.#firstLocation(entry) ?? this.#calleeLocation(entry);
    this.#locations.set(entry, found);
    return found;
  }

  #firstLocation(entry: ProgramFunction): Location | null {
    for (const { offset } of entry.body.instructions) {
      const found = this.#context.sourceMap?.find(offset);
      if (found) return found;
    }
    return null;
  }

  /** Functions that the compiler made up, such as the choice of an override, go by what they call. */
  #calleeLocation(entry: ProgramFunction): Location | null {
    for (const index of entry.calls) {
      const callee = this.#program.functions.get(index);
      const found = callee ? this.#firstLocation(callee) : null;
      if (found) return found;
    }
    return null;
  }

  /** The function table and the signature number of each of its entries. */
  table(): string {
    const size = Math.max(this.#module.tableSize, 1);
    const functions = new Array<string>(size).fill("0");
    const types = new Array<number>(size).fill(0);
    const prototypes = new Set<string>();
    for (const segment of this.#module.elements) {
      for (const [i, index] of segment.functions.entries()) {
        const entry = this.#program.functions.get(index);
        if (!entry) throw new BackendError("a reference to an imported function is not supported");
        prototypes.add(this.#prototype(entry, ""));
        functions[segment.offset + i] = `(void *)${entry.identifier}`;
        const definition = this.#module.functions[index - this.#module.imports.length];
        types[segment.offset + i] = this.#signatures[definition?.type ?? -1] ?? 0;
      }
    }
    return [
      '#include "wasm.h"',
      this.#options.allowFloats ? '#include "wasm-float.h"' : "",
      ...prototypes,
      `void *const w_table[] = {${functions.join(", ")}};`,
      `const u32 w_table_types[] = {${types.join(", ")}};`,
      `const u32 w_table_size = ${this.#module.tableSize};`,
      "",
    ].join("\n");
  }

  parts(): readonly Part[] {
    return this.#partition.parts;
  }
}

/**
 * A number for each type of the module, the same for equal signatures. It is a hash, so that a new
 * signature does not change the others' numbers; 0 stands for an empty place of the table.
 */
function numberSignatures(module: WasmModule): number[] {
  const owners = new Map<number, string>();
  return module.types.map((type) => {
    const key = JSON.stringify(type);
    const number = createHash("sha256").update(key).digest().readUInt32LE(0);
    const owner = owners.get(number) ?? key;
    if (number === 0 || owner !== key) {
      throw new BackendError(
        `signatures ${owner} and ${key} get the same number: use another hash`,
      );
    }
    owners.set(number, key);
    return number;
  });
}

function literal(value: bigint, type: ValueType): { text: string; constant?: bigint } {
  if (type === "f32") return { text: `w_f32(0x${value.toString(16)}u)` };
  if (type === "f64") return { text: `w_f64(0x${value.toString(16)}ul)` };
  const constant = BigInt.asUintN(type === "i32" ? 32 : 64, value);
  return { text: integerLiteral(constant, type), constant };
}

/** Initialiser of a variable at file level, where C wants a constant expression. */
function staticValue(value: bigint, type: ValueType): string {
  if (type === "i32" || type === "i64") return literal(value, type).text;
  const view = new DataView(new ArrayBuffer(8));
  if (type === "f32") view.setUint32(0, Number(value));
  else view.setBigUint64(0, value);
  const number = type === "f32" ? view.getFloat32(0) : view.getFloat64(0);
  if (Number.isNaN(number)) return '__builtin_nan("")';
  if (!Number.isFinite(number)) return number > 0 ? "__builtin_inf()" : "-__builtin_inf()";
  return Object.is(number, -0) ? "-0.0" : number.toExponential();
}

/** Values of the variables that never change and are wide enough for an address, by C identifier. */
function constantsOf({ module, globalNames }: Program): Map<string, bigint> {
  const constants = new Map<string, bigint>();
  for (const [index, { type, mutable, initial }] of module.globals.entries()) {
    if (mutable || type !== "i64" || !("constant" in initial)) continue;
    constants.set(globalNames[index] ?? "", BigInt.asUintN(64, initial.constant));
  }
  return constants;
}

/**
 * Turns a WebAssembly module into C.
 * @throws {BackendError} if it uses what has no native counterpart
 */
export function emitC(
  module: WasmModule,
  sourceMap: string | null,
  options: BackendOptions,
): BackendResult {
  const program = analyseProgram(module);
  const map = sourceMap === null ? null : new SourceMap(sourceMap);
  const segments = [
    ...nameSegments(module.data),
    ...nameObjects(module.objects, constantsOf(program)),
  ];
  const emitter = new ModuleEmitter(program, map, segments, options);
  const files = new Map<string, string>();
  for (const part of emitter.parts()) files.set(`part${part.number}.c`, emitter.part(part));
  files.set(TABLE_FILE, emitter.table());
  return { files, data: makeDataImage([...module.data, ...module.objects]), segments, program };
}
