/**
 * Control flow, calls and operand order, executed natively and in Node: hand-made corner cases and
 * random nests of blocks, loops, branches and stores.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  assemble,
  type Call,
  MEMORY_START,
  MEMORY_WAT,
  type NativeOptions,
  runInNode,
  runNative,
} from "../testing/native-run.ts";

async function compare(wat: string, calls: Call[], options: NativeOptions = {}): Promise<string[]> {
  const wasm = await assemble(wat);
  const expected = runInNode(wasm, calls);
  const actual = runNative(wasm, calls, options);
  assert.deepEqual(actual, expected);
  return actual.outcomes;
}

const call = (name: string, ...args: number[]): Call => ({ name, args: args.map(BigInt) });

test("values of blocks, branches out of them, and code after dead code", async () => {
  const wat = `(module ${MEMORY_WAT}
    (func (export "value") (param i32) (result i32)
      (i32.add (i32.const 100)
        (block $b (result i32)
          (drop (br_if $b (i32.const 1) (local.get 0)))
          (i32.const 2))))
    (func (export "early") (param i32) (result i32)
      (i32.mul (i32.const 3)
        (block $b (result i32)
          (if (local.get 0) (then (return (i32.const 50))))
          (i32.const 7))))
    (func (export "dead") (param i32) (result i32)
      (block $out
        (block $in
          (br_if $in (local.get 0))
          (br $out)
          (unreachable)
          (block (loop (br 0)))
          (if (i32.const 1) (then (nop)) (else (nop))))
        (return (i32.const 1)))
      (i32.const 2))
    (func (export "table") (param i32) (result i32)
      (block $c (block $b (block $a
        (br_table $a $b $c $a $b (local.get 0)))
        (return (i32.const 10)))
        (return (i32.const 20)))
      (i32.const 30))
    (func (export "tableValue") (param i32) (result i32)
      (block $b (result i32) (block $a (result i32)
        (br_table $a $b (i32.const 5) (local.get 0)))
        (i32.add (i32.const 1000))))
    (func (export "loopValue") (param i32) (result i32) (local $sum i32)
      (loop $again (result i32)
        (local.set $sum (i32.add (local.get $sum) (local.get 0)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if $again (local.get 0))
        (local.get $sum)))
    (func (export "bothReturn") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (return (i32.const 1)))
        (else (return (i32.const 2)))))
    (func (export "trap") (param i32) (result i32)
      (if (local.get 0) (then (unreachable)))
      (i32.const 9)))`;
  const names = ["value", "early", "dead", "table", "tableValue", "bothReturn", "trap"];
  const calls = names.flatMap((name) => [0, 1, 2, 3, 4, 5, 77].map((n) => call(name, n)));
  await compare(wat, [...calls, call("loopValue", 5)]);
});

test("operands are evaluated in order", async () => {
  const wat = `(module ${MEMORY_WAT}
    (global $g (mut i32) (i32.const 1))
    (func $bump (result i32)
      (global.set $g (i32.mul (global.get $g) (i32.const 3)))
      (i32.store (i64.const ${MEMORY_START}) (global.get $g))
      (global.get $g))
    (func (export "globals") (result i32)
      (i32.sub (global.get $g) (i32.add (call $bump) (i32.mul (global.get $g) (call $bump)))))
    (func (export "reads") (result i32)
      (i32.sub
        (i32.load (i64.const ${MEMORY_START}))
        (i32.add (call $bump) (i32.load (i64.const ${MEMORY_START})))))
    (func (export "locals") (param $x i32) (result i32)
      (i32.add
        (i32.mul (local.get $x) (i32.const 10))
        (i32.add (local.tee $x (i32.const 5)) (i32.add (local.get $x) (local.tee $x (i32.const 6))))))
    (func (export "swap") (param $x i32) (param $y i32) (result i32)
      (local.get $x) (local.get $y) (local.set $x) (local.set $y)
      (i32.sub (local.get $x) (local.get $y)))
    (func (export "select") (result i32)
      (select (call $bump) (call $bump) (i32.const 0)))
    (func (export "acrossBlock") (param $x i32) (result i32)
      (i32.add (local.get $x)
        (block (result i32)
          (local.set $x (i32.const 40))
          (i32.add (local.get $x) (call $bump)))))
    (func (export "keptEffect") (result i32)
      (drop (call $bump)) (global.get $g)))`;
  await compare(wat, [
    ...["globals", "reads", "select", "keptEffect"].map((name) => call(name)),
    call("locals", 3),
    call("swap", 3, 11),
    call("acrossBlock", 2),
  ]);
});

test("indirect calls check index and signature", async () => {
  const wat = `(module ${MEMORY_WAT}
    (type $unary (func (param i32) (result i32)))
    (type $same (func (param i32) (result i32)))
    (type $other (func (param i64) (result i32)))
    (table 5 funcref)
    (elem (i32.const 1) $double $wide $triple)
    (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
    (func $triple (type $same) (i32.mul (local.get 0) (i32.const 3)))
    (func $wide (type $other) (i32.const 1))
    (func (export "call") (param i32) (result i32)
      (call_indirect (type $unary) (i32.const 21) (local.get 0))))`;
  const calls = [0, 1, 2, 3, 4, 5, -1].map((n) => call("call", n));
  const outcomes = await compare(wat, calls, { parts: 3 });
  assert.deepEqual(outcomes, ["trap", "2a", "trap", "3f", "trap", "trap", "trap"]);
});

test("data segments are where they belong", async () => {
  const wat = `(module ${MEMORY_WAT}
    (data (i64.const ${MEMORY_START + 100}) "abc\\00\\ff")
    (data (i64.const ${MEMORY_START + 102}) "C")
    (data (i64.const ${MEMORY_START + 9000}) "far away")
    (func (export "load") (param i64) (result i64) (i64.load (local.get 0))))`;
  await compare(
    wat,
    [98, 100, 102, 8999, 9004].map((n) => call("load", MEMORY_START + n)),
  );
});

test("memory.copy and memory.fill, with every kind of overlap", async () => {
  const wat = `(module ${MEMORY_WAT}
    (func (export "copy") (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill") (param i64 i32 i64) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy5") (param i64 i64) (memory.copy (local.get 0) (local.get 1) (i64.const 5)))
    (func (export "put") (param i64 i64) (i64.store (local.get 0) (local.get 1))))`;
  const at = fc.integer({ min: MEMORY_START, max: MEMORY_START + 400 }).map(BigInt);
  const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 300 }));
  const anyCall = fc.oneof(
    fc.tuple(at, at, length.map(BigInt)).map((args) => ({ name: "copy", args: [...args] })),
    fc
      .tuple(at, fc.bigInt(0n, 999n), length.map(BigInt))
      .map((args) => ({ name: "fill", args: [...args] })),
    fc.tuple(at, at).map((args) => ({ name: "copy5", args: [...args] })),
    fc.tuple(at, fc.bigInt(0n, 1n << 60n)).map((args) => ({ name: "put", args: [...args] })),
  );
  await compare(wat, fc.sample(anyCall, { numRuns: 3000, seed: 4 }));
});

// Random programs: statements over three locals and one cell of memory, with bounded loops.

const LOCALS = ["$a", "$b", "$c"] as const;
const CELL = `(i64.const ${MEMORY_START + 64})`;

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthIdentifier: "expression" },
    fc.constantFrom(...LOCALS).map((l) => `(local.get ${l})`),
    fc.integer({ min: -9, max: 9 }).map((n) => `(i32.const ${n})`),
    fc.constant(`(i32.load ${CELL})`),
    fc
      .tuple(
        fc.constantFrom("add", "sub", "mul", "xor", "lt_s", "ne"),
        tie("expression"),
        tie("expression"),
      )
      .map(([op, a, b]) => `(i32.${op} ${a} ${b})`),
    fc
      .tuple(fc.constantFrom(...LOCALS), tie("expression"))
      .map(([l, e]) => `(local.tee ${l} ${e})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(call $mix ${a} ${b})`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([c, a, b]) => `(if (result i32) ${c} (then ${a}) (else ${b}))`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([a, b, c]) => `(select ${a} ${b} ${c})`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([a, c, b]) => `(block (result i32) (drop (br_if 0 ${a} ${c})) ${b})`),
  ),
}));

const { statement } = fc.letrec<{ statement: string; list: string }>((tie) => ({
  list: fc.array(tie("statement"), { maxLength: 4 }).map((all) => all.join("\n")),
  statement: fc.oneof(
    { maxDepth: 4, depthIdentifier: "statement" },
    fc.tuple(fc.constantFrom(...LOCALS), expression).map(([l, e]) => `(local.set ${l} ${e})`),
    expression.map((e) => `(i32.store ${CELL} ${e})`),
    expression.map((e) => `(drop ${e})`),
    fc
      .tuple(expression, tie("list"), tie("list"))
      .map(([c, a, b]) => `(if ${c} (then ${a}) (else ${b}))`),
    fc
      .tuple(tie("list"), expression, tie("list"))
      .map(([a, c, b]) => `(block ${a} (br_if 0 ${c}) ${b})`),
    fc.tuple(tie("list"), tie("list")).map(([a, b]) => `(block ${a} (br 0) ${b})`),
    fc.tuple(tie("list"), expression).map(
      // $fuel makes every loop end.
      ([a, c]) => `(loop ${a}
        (local.set $fuel (i32.sub (local.get $fuel) (i32.const 1)))
        (br_if 0 (i32.and (i32.gt_s (local.get $fuel) (i32.const 0)) (i32.ne ${c} (i32.const 0)))))`,
    ),
    fc
      .tuple(expression, tie("list"), tie("list"), tie("list"))
      .map(([i, a, b, c]) => `(block (block (block (br_table 0 1 2 1 ${i}) ${a}) ${b}) ${c})`),
    fc.tuple(expression, expression).map(([c, e]) => `(if ${c} (then (return ${e})))`),
  ),
}));

test("random control flow", async () => {
  const programs = fc.sample(fc.array(statement, { minLength: 2, maxLength: 8 }), {
    numRuns: 150,
    seed: 11,
  });
  const functions = programs.map(
    (body, i) => `(func (export "f${i}") (param $a i32) (param $b i32) (result i32)
      (local $c i32) (local $fuel i32)
      (local.set $fuel (i32.const 30))
      ${body.join("\n")}
      (i32.add (local.get $a) (i32.mul (local.get $c) (i32.const 31))))`,
  );
  const wat = `(module ${MEMORY_WAT}
    (func $mix (param i32 i32) (result i32)
      (i32.store ${CELL} (i32.add (i32.load ${CELL}) (local.get 0)))
      (i32.rotl (i32.xor (local.get 0) (i32.load ${CELL})) (local.get 1)))
    ${functions.join("\n")})`;
  const calls = programs.flatMap((_, i) =>
    [
      [0, 0],
      [1, -1],
      [5, 3],
      [-7, 100],
    ].map((args) => call(`f${i}`, ...args)),
  );
  await compare(wat, calls, { parts: 2 });
  await compare(wat, calls, { optimisation: "-O0" });
});
