import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ControlChannelReader, parseEvent } from "./control-channel.ts";

test("every event is understood", () => {
  assert.deepEqual(parseEvent('{"event":"exit","status":3}'), { event: "exit", status: 3 });
  assert.deepEqual(parseEvent('{"event":"exit","signal":11}'), { event: "signal", signal: 11 });
  assert.deepEqual(parseEvent('{"event":"panic","message":"a\\nb"}'), {
    event: "panic",
    message: "a\nb",
  });
  assert.deepEqual(parseEvent('{"event":"boot","ns":12}'), { event: "boot", durationNs: 12 });
  assert.deepEqual(
    parseEvent('{"event":"enosys","calls":[{"nr":334,"name":"rseq","count":3},{"nr":"x"}]}'),
    { event: "enosys", calls: [{ number: 334, name: "rseq", count: 3 }] },
  );
});

test("what is not an event is ignored", () => {
  const lines = ["", "{", "null", "[]", '"exit"', '{"event":"new"}', '{"event":"exit"}'];
  for (const line of [...lines, '{"event":"exit","signal":0}', '{"event":"boot","ns":-1}']) {
    assert.equal(parseEvent(line), null, line);
  }
});

test("a message can not control the terminal", () => {
  assert.deepEqual(parseEvent('{"event":"oom","message":"\\u001b[2Jno memory"}'), {
    event: "oom",
    message: "[2Jno memory",
  });
});

test("events do not depend on how the bytes are cut into pieces", () => {
  const lines = '{"event":"boot","ns":5}\n{"event":"error","message":"é"}\nnoise\n';
  const bytes = Buffer.from(`${lines}{"event":"exit","status":7}\n`, "utf8");
  const whole = new ControlChannelReader().push(bytes);
  assert.equal(whole.length, 3);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const reader = new ControlChannelReader();
      const ends = [...cuts, bytes.length].sort((a, b) => a - b);
      const events = ends.flatMap((end, index) => {
        return reader.push(bytes.subarray(ends[index - 1] ?? 0, end));
      });
      assert.deepEqual(events, whole);
    }),
  );
});

test("no bytes make the reader throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const reader = new ControlChannelReader();
      for (const chunk of chunks) reader.push(Buffer.from(chunk));
    }),
  );
});
