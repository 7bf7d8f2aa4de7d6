/** Initialisers executed at build time: every instruction against Node, and what is left of a program. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackendError } from "../backend/context.ts";
import { compileToWasm } from "../frontend.ts";
import { assemble, type Call, runInNode } from "../testing/native-run.ts";
import { callsOf, isFloat, moduleOf, simpleOpcodes } from "../testing/samples.ts";
import { readModule, typeOfFunction, type WasmModule } from "../wasm/module.ts";
import { evaluateInitialisers, initialValues } from "./evaluate.ts";
import { ImageMemory } from "./image-memory.ts";
import { Interpreter } from "./interpreter.ts";
import { EvaluationTrap } from "./numbers.ts";

const HEAP = "compiler/testdata/bumpheap";
const START = "moduleInit";

/** Executes calls of exported functions here, with outcomes worded as `runInNode` does. */
function interpret(module: WasmModule, calls: readonly Call[]): string[] {
  const memory = new ImageMemory([...module.data, ...module.objects]);
  const interpreter = new Interpreter(module, memory, initialValues(module.globals), new Map());
  return calls.map(({ name, args }) => {
    const entry = module.exports.find((e) => e.name === name);
    assert.ok(entry, name);
    const { parameters } = typeOfFunction(module, entry.index);
    const values = args.map((arg, i) => BigInt.asUintN(parameters[i] === "i32" ? 32 : 64, arg));
    try {
      return interpreter.call(entry.index, values)?.toString(16) ?? "void";
    } catch (error) {
      if (error instanceof EvaluationTrap) return "trap";
      throw error;
    }
  });
}

test("every integer instruction computes what Node computes", async () => {
  const opcodes = simpleOpcodes.filter((opcode) => !isFloat(opcode));
  assert.ok(opcodes.length > 120, "the table lost instructions");
  const wasm = await assemble(moduleOf(opcodes));
  const calls = callsOf(opcodes);
  const expected = runInNode(wasm, calls).outcomes;
  for (const [i, outcome] of interpret(readModule(wasm), calls).entries()) {
    const text = `${calls[i]?.name}(${calls[i]?.args.map((arg) => `0x${arg.toString(16)}`)})`;
    assert.equal(outcome, expected[i], text);
  }
});

test("control flow takes the ways that Node takes", async () => {
  const wat = `(module (memory i64 1) (data (i64.const 0) "\\00")
    (func (export "table") (param i32) (result i32)
      (block $c (block $b (block $a
        (br_table $a $b $c $a $b (local.get 0)))
        (return (i32.const 10)))
        (return (i32.const 20)))
      (i32.const 30))
    (func (export "sum") (param i32) (result i32) (local $sum i32)
      (block $out
        (loop $again
          (br_if $out (i32.eqz (local.get 0)))
          (local.set $sum (i32.add (local.get $sum) (local.get 0)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br $again)))
      (local.get $sum))
    (func (export "choice") (param i32) (result i32)
      (i32.add (i32.const 100)
        (if (result i32) (local.get 0)
          (then (if (i32.eq (local.get 0) (i32.const 2)) (then (return (i32.const 1)))) (i32.const 5))
          (else (select (i32.const 7) (i32.const 8) (local.get 0))))))
    (func (export "value") (param i32) (result i32)
      (i32.add (i32.const 100)
        (block $b (result i32)
          (drop (br_if $b (i32.const 1) (local.get 0)))
          (i32.const 2)))))`;
  const wasm = await assemble(wat);
  const names = ["table", "sum", "choice", "value"];
  const calls = names.flatMap((name) =>
    [0n, 1n, 2n, 3n, 4n, 5n, 77n].map((arg): Call => ({ name, args: [arg] })),
  );
  assert.deepEqual(interpret(readModule(wasm), calls), runInNode(wasm, calls).outcomes);
});

test("an evaluated program does what it does after running its initialisers", async () => {
  const { wasm } = await compileToWasm({
    entries: ["compiler/testdata/initialisers.ts"],
    layout: "node",
    heap: HEAP,
    exportStart: START,
  });
  const total: Call = { name: "total", args: [] };
  const before = readModule(wasm);
  const after = evaluateInitialisers(before, { start: START, heap: HEAP });
  const start: Call = { name: START, args: [] };
  const [, ...expected] = runInNode(wasm, [start, total, total], { env: { abort() {} } }).outcomes;
  assert.deepEqual(interpret(after, [total, total]), expected);

  assert.ok(before.exports.some(({ name }) => name === START));
  assert.ok(!after.exports.some(({ name }) => name === START), "nothing is left to run");
  const global = (module: WasmModule, name: string): boolean | undefined => {
    const [index] = [...module.names.globals].find(([, n]) => n.endsWith(`/${name}`)) ?? [];
    return module.globals[index ?? -1]?.mutable;
  };
  assert.equal(global(before, "first"), true);
  assert.equal(global(after, "first"), false, "what only initialisers set is a constant");
  assert.equal(global(after, "calls"), true);
  assert.ok(
    after.objects.some(({ bytes }) => bytes.length >= 600),
    "300 squares",
  );
});

test("an initialiser that needs the machine is refused, with the way to it", async () => {
  const { wasm } = await compileToWasm({
    entries: ["compiler/testdata/initialiser-hardware.ts"],
    layout: "native",
    heap: HEAP,
    exportStart: START,
  });
  assert.throws(
    () => evaluateInitialisers(readModule(wasm), { start: START, heap: HEAP }),
    (error: unknown) =>
      error instanceof BackendError &&
      /a call of hw\.rdtsc, which exists when it runs only[\s\S]*in start:compiler\/testdata\/initialiser-hardware/.test(
        error.message,
      ),
  );
});

test("what initialisers must not do ends the evaluation with its reason", async () => {
  const cases: [string, RegExp][] = [
    ["(loop $again (br $again))", /a loop without end/],
    ["(call $start)", /endless recursion/],
    ["(i64.store (i64.const 0x900000) (i64.const 1))", /0x900000, which is no static data/],
    ["(drop (i32.div_u (i32.const 1) (i32.const 0)))", /division by zero/],
    ["(drop (f64.sqrt (f64.const 2)))", /a f64\.const/],
    ["(unreachable)", /a failed assertion/],
  ];
  for (const [body, reason] of cases) {
    const wasm = await assemble(`(module (memory i64 1) (data (i64.const 0) "\\00")
      (func $start (export "${START}") ${body}))`);
    const run = () => evaluateInitialisers(readModule(wasm), { start: START, heap: HEAP });
    assert.throws(run, reason, body);
  }
});
