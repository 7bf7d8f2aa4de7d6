import assert from "node:assert/strict";
import test from "node:test";
import { barLine, formatBytes, type ProgressStream, progressOn } from "./progress.ts";

function recording(isTTY: boolean): ProgressStream & { text: string } {
  return {
    text: "",
    isTTY,
    columns: 40,
    write(piece: string) {
      this.text += piece;
    },
  };
}

test("bytes for people", () => {
  const cases = { "0 B": 0, "999 B": 999, "1.0 kB": 1000, "14.2 MB": 14_200_000, "3.0 TB": 3e12 };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(formatBytes(bytes), text);
});

test("a bar shows share and rate, and no share without a total", () => {
  assert.equal(barLine("x", 50, 100, 50), "x  [##########..........]  50%  50 B/s");
  assert.equal(barLine("x", 300, 100, 300), "x  [####################] 100%  300 B/s");
  assert.equal(barLine("x", 50, undefined, 100), "x  50 B  100 B/s");
});

test("elsewhere than on a terminal, each task is one line", () => {
  const stream = recording(false);
  const task = progressOn(stream).start("layer", 2000);
  task.advance(1000);
  task.advance(1000);
  task.end();
  progressOn(stream).start("other").end("already here");
  assert.equal(stream.text, "layer  2.0 kB\nother  already here\n");
});

test("what was there before counts for the share, not for the rate", () => {
  const stream = recording(true);
  const task = progressOn(stream).start("layer", 2e9);
  task.resume(1e9);
  const end = performance.now() + 200;
  while (performance.now() < end) task.advance(0);
  assert.match(stream.text, /layer {2}\[#{10}\.{10}\] {2}50% {2}0 B/);
});

test("on a terminal the last line is written over the bar", () => {
  const stream = recording(true);
  const task = progressOn(stream).start("a".repeat(100), 10);
  task.end("done");
  assert.ok(stream.text.startsWith("\r"));
  assert.ok(stream.text.endsWith("\n"));
});
