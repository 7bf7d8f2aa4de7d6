import assert from "node:assert/strict";
import { test } from "node:test";
import { signalMessage, sizeMessage } from "./host-messages.ts";

test("signals are a byte, sizes five; no window is too large for the message", () => {
  assert.deepEqual([...signalMessage(15)], [15]);
  assert.deepEqual([...sizeMessage({ columns: 132, rows: 300 })], [0x80, 132, 0, 44, 1]);
  assert.deepEqual([...sizeMessage({ columns: 70_000, rows: 1 })], [0x80, 255, 255, 1, 0]);
});
