/**
 * The instructions of `hw.ts` that an ordinary program may execute: native results against those of
 * the test double, so each checks the other. Privileged ones run in a guest
 * (`../native/guest.test.ts`).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Hardware } from "../testing/hardware.ts";
import { TestMemory } from "../testing/memory.ts";
import {
  assemble,
  type Call,
  MEMORY_START,
  MEMORY_WAT,
  runInNode,
  runNative,
} from "../testing/native-run.ts";
import { loadIntrinsics } from "./imports.ts";

/** Signature of each intrinsic under test: parameters and result. */
const SIGNATURES: Record<string, string> = {
  mulHighU64: "i64 i64 > i64",
  mulDivU64: "i64 i64 i64 > i64",
  memoryCompare: "i64 i64 i64 > i32",
  copyForward: "i64 i64 i64 >",
  gsLoad64: "i32 > i64",
  gsStore64: "i32 i64 >",
  gsLoad32: "i32 > i32",
  gsStore32: "i32 i32 >",
  gsSubtract32: "i32 i32 > i32",
  compilerBarrier: ">",
  mfence: ">",
  lfence: ">",
  sfence: ">",
  pause: ">",
};
for (const bits of [8, 16, 32, 64]) {
  const type = bits === 64 ? "i64" : "i32";
  for (const kind of ["mmio", "volatile"]) {
    SIGNATURES[`${kind}${kind === "mmio" ? "Read" : "Load"}${bits}`] = `i64 > ${type}`;
    SIGNATURES[`${kind}${kind === "mmio" ? "Write" : "Store"}${bits}`] = `i64 ${type} >`;
  }
}

/** GS must point somewhere: this is Linux's arch_prctl(ARCH_SET_GS). */
const SET_GS = `
static unsigned char block[4096];
void asm_setGs(void) __asm__("setGs");
void asm_setGs(void) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(158l), "D"(0x1001l), "S"(block) : "rcx", "r11", "memory");
}`;

function parse(signature: string): { parameters: string[]; result: string } {
  const [parameters = "", result = ""] = signature.split(">").map((part) => part.trim());
  return { parameters: parameters.split(" ").filter(Boolean), result };
}

function moduleText(): string {
  const imports: string[] = [];
  const functions: string[] = [];
  for (const [name, signature] of Object.entries(SIGNATURES)) {
    const { parameters, result } = parse(signature);
    const type = `${parameters.map((t) => `(param ${t})`).join(" ")} ${result ? `(result ${result})` : ""}`;
    const call = `(call $${name} ${parameters.map((_, i) => `(local.get ${i})`).join(" ")})`;
    imports.push(`(import "hw" "${name}" (func $${name} ${type}))`);
    // Only the sign of a comparison is defined.
    const body =
      name === "memoryCompare"
        ? `(local $r i32) (local.set $r ${call})
           (i32.sub (i32.gt_s (local.get $r) (i32.const 0)) (i32.lt_s (local.get $r) (i32.const 0)))`
        : call;
    functions.push(`(func (export "${name}") ${type} ${body})`);
  }
  return `(module (import "asm" "setGs" (func $setGs)) ${imports.join("\n")} ${MEMORY_WAT}
    (data (i64.const ${MEMORY_START}) "some bytes to start with, some bytes to compare")
    (func (export "prepare") (call $setGs)) ${functions.join("\n")})`;
}

const u64 = fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.bigInt(0n, 5n));
const address = fc.integer({ min: MEMORY_START, max: MEMORY_START + 200 }).map(BigInt);
const gsOffset = fc.integer({ min: 0, max: 500 }).map((n) => BigInt(n * 8));

function argumentsOf(name: string, parameters: readonly string[]): fc.Arbitrary<bigint[]> {
  if (name === "memoryCompare" || name === "copyForward") {
    return fc.tuple(address, address, fc.bigInt(0n, 64n)).map((args) => [...args]);
  }
  if (name === "mulDivU64") {
    // The quotient must fit: a divisor at least as large as one factor.
    return fc.tuple(u64, u64, u64).map(([a, b, c]) => [a, b, (a > c ? a : c) || 1n]);
  }
  const first = name.startsWith("gs") ? gsOffset : /^(mmio|volatile)/.test(name) ? address : u64;
  return fc.tuple(...parameters.map((_, i) => (i === 0 ? first : u64))).map((args) => [...args]);
}

test("intrinsics agree with the test double", async () => {
  const wasm = await assemble(moduleText());
  const calls: Call[] = [{ name: "prepare", args: [] }];
  for (const [name, signature] of Object.entries(SIGNATURES)) {
    const args = argumentsOf(name, parse(signature).parameters);
    for (const sample of fc.sample(args, { numRuns: 80, seed: name.length })) {
      calls.push({ name, args: sample });
    }
  }
  // Interleave stores and loads of all kinds.
  const [prepare, ...rest] = calls;
  const mixed = fc.sample(fc.shuffledSubarray(rest, { minLength: rest.length }), {
    numRuns: 1,
    seed: 3,
  });
  const order = [...(prepare ? [prepare] : []), ...(mixed[0] ?? [])];

  const memory: { current: TestMemory | null } = { current: null };
  const hardware = new Hardware(
    new Proxy({} as TestMemory, {
      get: (_, key) => {
        if (!memory.current) throw new Error("the memory is used before the instance exists");
        const value: unknown = Reflect.get(memory.current, key);
        return typeof value === "function" ? value.bind(memory.current) : value;
      },
    }),
  );
  const imports = { hw: hardware.imports(), asm: { setGs: () => undefined } };
  const expected = runInNode(wasm, order, imports, (instance) => {
    memory.current = new TestMemory(instance);
  });
  const actual = runNative(wasm, order, { extraC: SET_GS, parts: 1 });
  for (const [i, { name, args }] of order.entries()) {
    assert.equal(actual.outcomes[i], expected.outcomes[i], `${i}: ${name}(${args.join(", ")})`);
  }
  assert.equal(actual.memory, expected.memory);
});

test("division by zero and a quotient of over 64 bits trap", async () => {
  const wasm = await assemble(`(module
    (import "hw" "mulDivU64" (func $f (param i64 i64 i64) (result i64)))
    ${MEMORY_WAT}
    (func (export "f") (param i64 i64 i64) (result i64)
      (call $f (local.get 0) (local.get 1) (local.get 2))))`);
  const run = (...args: bigint[]): string | undefined =>
    runNative(wasm, [{ name: "f", args }]).outcomes[0];
  assert.equal(run(10n, 10n, 0n), "trap");
  assert.equal(run(1n << 63n, 4n, 2n), "trap");
  assert.equal(run(1n << 63n, 4n, 4n), (1n << 63n).toString(16));
});

test("clock, identification and FPU state", async () => {
  const scratch = MEMORY_START + 4096;
  const wasm = await assemble(`(module
    (import "hw" "rdtsc" (func $rdtsc (result i64)))
    (import "hw" "cpuid" (func $cpuid (param i32 i32 i32) (result i32)))
    (import "hw" "fxsave" (func $fxsave (param i64)))
    (import "hw" "fxrstor" (func $fxrstor (param i64)))
    (import "hw" "fninit" (func $fninit))
    (import "hw" "ldmxcsr" (func $ldmxcsr (param i64)))
    (import "hw" "framePointer" (func $framePointer (result i64)))
    (import "hw" "stackPointer" (func $stackPointer (result i64)))
    ${MEMORY_WAT}
    (func (export "clockAdvances") (result i32) (i64.gt_u
      (i64.sub (i64.const 0) (i64.sub (call $rdtsc) (call $rdtsc))) (i64.const 0)))
    (func (export "vendor") (param i32) (result i32)
      (call $cpuid (i32.const 0) (i32.const 0) (local.get 0)))
    (func (export "mxcsr") (result i32)
      (i32.store (i64.const ${scratch}) (i32.const 0x3f80))
      (call $fninit)
      (call $ldmxcsr (i64.const ${scratch}))
      (call $fxsave (i64.const ${scratch + 64}))
      (i32.store (i64.const ${scratch + 64 + 24}) (i32.const 0x5f80))
      (call $fxrstor (i64.const ${scratch + 64}))
      (call $fxsave (i64.const ${scratch + 1024}))
      (i32.load (i64.const ${scratch + 1024 + 24})))
    (func (export "frame") (result i32)
      (i64.ge_u (call $framePointer) (call $stackPointer))))`);
  const names = ["clockAdvances", "vendor", "vendor", "vendor", "mxcsr", "frame"];
  const calls = names.map((name, i) => ({
    name,
    args: name === "vendor" ? [BigInt(i)] : [],
  }));
  const [advances, ebx = "", ecx = "", edx = "", mxcsr, frame] = runNative(wasm, calls).outcomes;
  assert.equal(advances, "1");
  assert.equal(mxcsr, "5f80");
  assert.equal(frame, "1");
  const text = [ebx, edx, ecx].map((hex) =>
    Buffer.from(hex.padStart(8, "0"), "hex").reverse().toString("latin1"),
  );
  assert.match(text.join(""), /^[\x20-\x7e]{12}$/, "the vendor is 12 characters");
});

test("every intrinsic has a test double", () => {
  const double = new Hardware(new TestMemory(new WebAssembly.Memory({ initial: 1 }))).imports();
  assert.deepEqual(
    [...loadIntrinsics().keys()].filter((name) => !(name in double)),
    [],
  );
});
