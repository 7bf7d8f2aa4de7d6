/**
 * Every instruction, executed natively and in Node on the same random operands: results, traps and
 * memory must agree.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble, runInNode, runNative } from "../testing/native-run.ts";
import { callsOf, isFloat, moduleOf, simpleOpcodes } from "../testing/samples.ts";
import type { Opcode } from "../wasm/opcodes.ts";

async function compare(opcodes: readonly Opcode[], floats: boolean): Promise<void> {
  const wasm = await assemble(moduleOf(opcodes));
  const calls = callsOf(opcodes);
  const expected = runInNode(wasm, calls);
  const actual = runNative(wasm, calls, { floats, parts: 2 });
  for (const [i, call] of calls.entries()) {
    const text = `${call.name}(${call.args.map((arg) => `0x${arg.toString(16)}`).join(", ")})`;
    assert.equal(actual.outcomes[i], expected.outcomes[i], text);
  }
  assert.equal(actual.outcomes.length, calls.length);
  assert.equal(actual.memory, expected.memory, "memory differs at the end");
}

test("integer and memory instructions", async () => {
  const opcodes = simpleOpcodes.filter((opcode) => !isFloat(opcode));
  assert.ok(opcodes.length > 120, "the table lost instructions");
  await compare(opcodes, false);
});

test("floating-point instructions", async () => {
  const opcodes = simpleOpcodes.filter(isFloat);
  assert.ok(opcodes.length > 70, "the table lost instructions");
  await compare(opcodes, true);
});
