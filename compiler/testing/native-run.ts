/**
 * Runs the same calls of a WebAssembly module twice: in Node, and as a Linux program made by the
 * back end, so that tests can compare results, traps and memory.
 *
 * Neighbours: `../backend/emit.ts` is what is tested; `native-harness.h` is the program's `main`.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { emitC } from "../backend/emit.ts";
import { C_TYPES } from "../backend/expression.ts";
import { RUNTIME_FOLDER } from "../backend/imports.ts";
import { loadLibraries } from "../binaryen-patches.ts";
import { REPOSITORY } from "../frontend.ts";
import { KERNEL_FLAGS } from "../native/objects.ts";
import { readModule, typeOfFunction } from "../wasm/module.ts";
import type { ValueType } from "../wasm/opcodes.ts";

setFlagsFromString("--experimental-wasm-memory64");

/** A call; arguments are bits (of integers or floats). */
export interface Call {
  name: string;
  args: bigint[];
}

/** Result bits in hexadecimal, `void`, `nan`, or `trap`. */
export type Outcome = string;

export interface RunResult {
  outcomes: Outcome[];
  /** Hash of the test's part of the memory at the end. */
  memory: string;
}

/** Part of the memory that programs use: it lies at the same address in both runs. */
export const MEMORY_START = 0x100000;
export const MEMORY_BYTES = 0x200000;
const PAGE = 65536;

/** Assembles WebAssembly text (with a 64-bit memory of the right size). */
export async function assemble(wat: string): Promise<Uint8Array> {
  const { binaryen } = await loadLibraries();
  const module = binaryen.parseText(wat);
  try {
    module.setFeatures(binaryen.Features.All);
    if (!module.validate()) throw new Error(`the test module is not valid:\n${wat}`);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** WebAssembly text of the memory that `runNative` maps. */
export const MEMORY_WAT = `(memory $memory i64 ${(MEMORY_START + MEMORY_BYTES) / PAGE}) (export "memory" (memory $memory))`;

function toValue(bits: bigint, type: ValueType): number | bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, bits), true);
  if (type === "i32") return view.getInt32(0, true);
  if (type === "i64") return view.getBigInt64(0, true);
  return type === "f32" ? view.getFloat32(0, true) : view.getFloat64(0, true);
}

function toOutcome(value: unknown, type: ValueType | null): Outcome {
  if (type === null) return "void";
  if (typeof value === "number" && Number.isNaN(value)) return "nan";
  const view = new DataView(new ArrayBuffer(8));
  if (type === "i32") view.setInt32(0, Number(value), true);
  else if (type === "i64") view.setBigInt64(0, value as bigint, true);
  else if (type === "f32") view.setFloat32(0, Number(value), true);
  else view.setFloat64(0, Number(value), true);
  return view.getBigUint64(0, true).toString(16);
}

const hash = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Runs the calls in Node. */
export function runInNode(
  wasm: Uint8Array,
  calls: readonly Call[],
  imports: WebAssembly.Imports = {},
  onMemory: (memory: WebAssembly.Memory) => void = () => {},
): RunResult {
  const module = readModule(wasm);
  const types = new Map(module.exports.map((e) => [e.name, typeOfFunction(module, e.index)]));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wasm)), imports);
  const memory = instance.exports.memory as WebAssembly.Memory | undefined;
  if (memory) onMemory(memory);
  const outcomes = calls.map(({ name, args }) => {
    const type = types.get(name);
    const target = instance.exports[name] as ((...args: unknown[]) => unknown) | undefined;
    if (!type || !target) throw new Error(`the module exports no function ${name}`);
    try {
      const values = args.map((bits, i) => toValue(bits, type.parameters[i] ?? "i64"));
      return toOutcome(target(...values), type.result);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return "trap";
      throw error;
    }
  });
  const used = memory
    ? new Uint8Array(memory.buffer, MEMORY_START, MEMORY_BYTES)
    : new Uint8Array();
  return { outcomes, memory: hash(used) };
}

/** How the native program is made. */
export interface NativeOptions {
  /** Compile with floating point; otherwise as the kernel is. */
  floats?: boolean;
  /** Number of C files. */
  parts?: number;
  /** Definitions in C of functions imported from `asm` and symbols from `sym`. */
  extraC?: string;
  optimisation?: string;
}

function dispatcher(wasm: Uint8Array): string {
  const module = readModule(wasm);
  const cases = module.exports.map(({ name, index }, i) => {
    const type = typeOfFunction(module, index);
    const args = type.parameters.map((t, k) =>
      t.startsWith("f") ? `w_${t}((u${t.slice(1)})args[${k}])` : `(${C_TYPES[t]})args[${k}]`,
    );
    const list = type.parameters.map((t) => C_TYPES[t]).join(", ") || "void";
    const result = type.result ? C_TYPES[type.result] : "void";
    const prototype = `${result} export_${i}(${list}) __asm__("${name}");`;
    const call = `export_${i}(${args.join(", ")})`;
    const report =
      type.result === null
        ? `${call}; report_void();`
        : type.result.startsWith("f")
          ? `${type.result} r = ${call}; if (r != r) report_nan(); else report(w_bits${type.result.slice(1)}(r));`
          : `report(${call});`;
    return { prototype, text: `case ${i}: { ${report} break; }` };
  });
  return [
    '#include "wasm.h"',
    '#include "wasm-float.h"',
    `#define MEMORY_START ${MEMORY_START}ul`,
    `#define MEMORY_BYTES ${MEMORY_BYTES}ul`,
    ...cases.map((c) => c.prototype),
    '#include "native-harness.h"',
    "static void dispatch(u32 function, const u64 *args) {",
    "  switch (function) {",
    ...cases.map((c) => c.text),
    "  }",
    "}",
  ].join("\n");
}

function encodeCalls(wasm: Uint8Array, calls: readonly Call[]): Buffer {
  const indices = new Map(readModule(wasm).exports.map((e, i) => [e.name, i]));
  const words: bigint[] = [];
  for (const { name, args } of calls) {
    words.push(BigInt(indices.get(name) ?? -1), BigInt(args.length));
    words.push(...args.map((arg) => BigInt.asUintN(64, arg)));
  }
  return Buffer.from(new BigUint64Array(words).buffer);
}

const HOST_FLAGS = KERNEL_FLAGS.filter(
  (flag) => !/^-(O2|mcmodel|fno-pi[ce]|g$|ffunction|fdata|w$)/.test(flag),
);

/** Builds a Linux program from the module in an empty folder; returns its path. */
function buildNative(wasm: Uint8Array, options: NativeOptions, folder: string): string {
  const emitted = emitC(readModule(wasm), null, {
    allowFloats: options.floats === true,
    lines: false,
    ...(options.parts ? { parts: options.parts } : {}),
  });
  const sources = new Map(emitted.files);
  if (options.extraC) sources.set("extra.c", `#include "wasm.h"\n${options.extraC}`);
  const main = dispatcher(wasm);
  const program = path.join(folder, "program");
  const images = emitted.data;
  writeFileSync(path.join(folder, "main.c"), main);
  writeFileSync(path.join(folder, "data.bin"), images?.bytes ?? new Uint8Array(1));
  writeFileSync(
    path.join(folder, "data.S"),
    `.section .rodata\n.globl data_image, data_address, data_size\n` +
      `data_image: .incbin "${folder}/data.bin"\n.balign 8\n` +
      `.section .note.GNU-stack,"",@progbits\n.section .rodata\n` +
      `data_address: .quad ${images?.address ?? 0}\ndata_size: .quad ${images?.bytes.length ?? 0}\n`,
  );
  const flags = HOST_FLAGS.filter((flag) => !options.floats || flag !== "-mgeneral-regs-only");
  const objects: string[] = [];
  const compile = (name: string, extra: readonly string[]): void => {
    const object = path.join(folder, `${name}.o`);
    execFileSync("gcc", [
      ...extra,
      "-w",
      "-I",
      RUNTIME_FOLDER,
      "-I",
      HARNESS_FOLDER,
      "-c",
      path.join(name.includes("memory.S") ? RUNTIME_FOLDER : folder, name),
      "-o",
      object,
    ]);
    objects.push(object);
  };
  for (const [name, text] of sources) {
    writeFileSync(path.join(folder, name), text);
    compile(name, [options.optimisation ?? "-O2", "-ffp-contract=off", "-fPIE", ...flags]);
  }
  compile("main.c", ["-O1", "-std=gnu11", "-fPIE"]);
  compile("data.S", []);
  compile("memory.S", []);
  execFileSync("gcc", ["-pie", "-o", program, ...objects, "-lm"]);
  return program;
}

const HARNESS_FOLDER = path.join(REPOSITORY, "compiler/testing");

/** Builds a program from the module and runs the calls in it. */
export function runNative(
  wasm: Uint8Array,
  calls: readonly Call[],
  options: NativeOptions = {},
): RunResult {
  const folder = mkdtempSync(path.join(tmpdir(), "osv-native-"));
  let output: Buffer;
  try {
    const program = buildNative(wasm, options, folder);
    output = execFileSync(program, { input: encodeCalls(wasm, calls), maxBuffer: 64 << 20 });
  } finally {
    rmSync(folder, { recursive: true });
  }
  const memoryStart = output.length - MEMORY_BYTES;
  const text = output.subarray(0, memoryStart).toString("ascii").trimEnd();
  const outcomes = text === "" ? [] : text.split("\n");
  return { outcomes, memory: hash(output.subarray(memoryStart)) };
}
