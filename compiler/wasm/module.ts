/**
 * Reads a WebAssembly binary: every section that AssemblyScript produces.
 *
 * https://webassembly.github.io/spec/core/binary/modules.html
 * Neighbours: `cursor.ts` (encodings), `code.ts` (function bodies), `names.ts` (name section),
 * `source-map.ts`.
 */
import { readInstruction, readValueType } from "./code.ts";
import { Cursor } from "./cursor.ts";
import { type Names, readNames } from "./names.ts";
import type { ValueType } from "./opcodes.ts";

/** A function signature; at most one result. */
export interface FunctionType {
  parameters: ValueType[];
  result: ValueType | null;
}

/** An imported function: `module` is the basename of the file that declares it. */
export interface FunctionImport {
  module: string;
  name: string;
  type: number;
}

/** A function with a body at [start, end) of the file. */
export interface FunctionDefinition {
  type: number;
  start: number;
  end: number;
}

export interface Global {
  type: ValueType;
  mutable: boolean;
  /** Constant initial value (for floats: the IEEE bits), or the global it is copied from. */
  initial: { constant: bigint } | { global: number };
}

/** Bytes that are in memory from the beginning. */
export interface DataSegment {
  address: bigint;
  bytes: Uint8Array;
}

/** Functions at consecutive places of the table. */
export interface ElementSegment {
  offset: number;
  functions: number[];
}

export interface FunctionExport {
  name: string;
  index: number;
}

export interface WasmModule {
  bytes: Uint8Array;
  types: FunctionType[];
  imports: FunctionImport[];
  functions: FunctionDefinition[];
  globals: Global[];
  exports: FunctionExport[];
  /** Function run at instantiation. */
  start: number | null;
  tableSize: number;
  elements: ElementSegment[];
  data: DataSegment[];
  /** Objects made before the program runs, each in memory behind the static data. */
  objects: DataSegment[];
  names: Names;
}

const MAGIC_AND_VERSION = "0,97,115,109,1,0,0,0";
const FUNCTION_FORM = 0x60;
const FUNCREF = 0x70;
const KIND_FUNCTION = 0;
const KIND_GLOBAL = 3;

const Section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

function readFunctionType(cursor: Cursor): FunctionType {
  if (cursor.u8() !== FUNCTION_FORM) cursor.fail("only function types are supported");
  const parameters = cursor.vector(() => readValueType(cursor));
  const results = cursor.vector(() => readValueType(cursor));
  if (results.length > 1) cursor.fail("functions with several results are not supported");
  return { parameters, result: results[0] ?? null };
}

/** Limits of a table or memory; returns the minimum. */
function readLimits(cursor: Cursor): number {
  const flags = cursor.u8();
  const minimum = Number(cursor.u64());
  if (flags & 1) cursor.u64();
  return minimum;
}

function readConstant(cursor: Cursor): Global["initial"] {
  const instruction = readInstruction(cursor);
  const { name } = instruction.opcode;
  if (!/\.const$|^global\.get$/.test(name)) cursor.fail(`initial value by ${name}: not supported`);
  if (readInstruction(cursor).opcode.name !== "end") cursor.fail("a compound initial value");
  return name === "global.get" ? { global: instruction.index } : { constant: instruction.value };
}

function constantOnly(cursor: Cursor): bigint {
  const initial = readConstant(cursor);
  return "constant" in initial ? initial.constant : cursor.fail("an offset that is not constant");
}

function readImport(cursor: Cursor): FunctionImport {
  const module = cursor.name();
  const name = cursor.name();
  if (cursor.u8() !== KIND_FUNCTION) cursor.fail(`${module}.${name}: only functions are imported`);
  return { module, name, type: cursor.u32() };
}

function readElement(cursor: Cursor): ElementSegment {
  const flags = cursor.u32();
  if (flags !== 0) cursor.fail("only active element segments of table 0 are supported");
  const offset = Number(constantOnly(cursor));
  return { offset, functions: cursor.vector(() => cursor.u32()) };
}

function readData(cursor: Cursor): DataSegment {
  const flags = cursor.u32();
  if (flags !== 0) cursor.fail("only active data segments of memory 0 are supported");
  const address = BigInt.asUintN(64, constantOnly(cursor));
  return { address, bytes: cursor.take(cursor.u32()) };
}

function readSection(id: number, cursor: Cursor, module: WasmModule, typeIndices: number[]): void {
  switch (id) {
    case Section.type:
      module.types = cursor.vector(() => readFunctionType(cursor));
      return;
    case Section.import:
      module.imports = cursor.vector(() => readImport(cursor));
      return;
    case Section.function:
      typeIndices.push(...cursor.vector(() => cursor.u32()));
      return;
    case Section.table:
      cursor.vector(() => {
        if (cursor.u8() !== FUNCREF) cursor.fail("only tables of functions are supported");
        module.tableSize = readLimits(cursor);
      });
      return;
    case Section.global:
      module.globals = cursor.vector(() => ({
        type: readValueType(cursor),
        mutable: cursor.u8() === 1,
        initial: readConstant(cursor),
      }));
      return;
    case Section.export:
      cursor.vector(() => {
        const name = cursor.name();
        const kind = cursor.u8();
        const index = cursor.u32();
        if (kind === KIND_FUNCTION) module.exports.push({ name, index });
        else if (kind > KIND_GLOBAL) cursor.fail(`${name}: unknown kind of export`);
      });
      return;
    case Section.start:
      module.start = cursor.u32();
      return;
    case Section.element:
      module.elements = cursor.vector(() => readElement(cursor));
      return;
    case Section.code:
      cursor.vector(() => {
        const size = cursor.u32();
        const start = cursor.skip(size);
        const type = typeIndices[module.functions.length];
        if (type === undefined) cursor.fail("more function bodies than functions");
        module.functions.push({ type, start, end: start + size });
      });
      return;
    case Section.data:
      module.data = cursor.vector(() => readData(cursor));
      return;
    case Section.memory:
    case Section.dataCount:
      return;
    default:
      cursor.fail(`section ${id} is not supported`);
  }
}

/**
 * Reads a module.
 * @throws {WasmFormatError} if it is damaged or uses something unsupported
 */
export function readModule(bytes: Uint8Array): WasmModule {
  const file = new Cursor(bytes);
  if ([...file.take(8)].join() !== MAGIC_AND_VERSION) file.fail("not a WebAssembly 1.0 module");
  const module: WasmModule = {
    bytes,
    types: [],
    imports: [],
    functions: [],
    globals: [],
    exports: [],
    start: null,
    tableSize: 0,
    elements: [],
    data: [],
    objects: [],
    names: { functions: new Map(), locals: new Map(), globals: new Map() },
  };
  const typeIndices: number[] = [];
  while (!file.atEnd) {
    const id = file.u8();
    const size = file.u32();
    const start = file.skip(size);
    const section = new Cursor(bytes, start, start + size);
    if (id !== Section.custom) readSection(id, section, module, typeIndices);
    else if (section.name() === "name") module.names = readNames(section);
  }
  return module;
}

/** Type of the function at `index` of the joint index space of imports and definitions. */
export function typeOfFunction(module: WasmModule, index: number): FunctionType {
  const imported = module.imports[index];
  const typeIndex = imported?.type ?? module.functions[index - module.imports.length]?.type ?? -1;
  const type = module.types[typeIndex];
  if (!type) throw new RangeError(`the module has no function ${index}`);
  return type;
}
