import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SerialDemux } from "./serial-demux.ts";

const consoleText = fc.stringMatching(/^[ -~\n]*$/);
const record = fc.stringMatching(/^[ -~]*$/).map((text) => `${text}\n`);

test("console and control come apart, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(consoleText, record)), fc.array(fc.nat(200)), (parts, cuts) => {
      const whole = Buffer.from(parts.map(([text, line]) => `${text}\x1e${line}`).join(""));
      const demux = new SerialDemux();
      const ends = [...cuts.map((cut) => Math.min(cut, whole.length)), whole.length];
      ends.sort((a, b) => a - b);
      const pieces = ends.map((end, at) => demux.push(whole.subarray(ends[at - 1] ?? 0, end)));
      const joined = (kind: "console" | "control") =>
        pieces.map((piece) => piece[kind].toString()).join("");
      assert.equal(joined("console"), parts.map(([text]) => text).join(""));
      assert.equal(joined("control"), parts.map(([, line]) => line).join(""));
    }),
  );
});
