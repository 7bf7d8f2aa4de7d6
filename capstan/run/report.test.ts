import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlEvent } from "../protocol/control-channel.ts";
import { type Ending, summarise } from "./outcome.ts";
import { explain, type RunFacts, type Shown, toJson } from "./report.ts";
import type { SessionResult } from "./session.ts";

function result(ending: Ending, events: readonly ControlEvent[] = [], log = ""): SessionResult {
  return { ending, report: summarise(events), log, firstOutputMs: 12.3456, durationMs: 20 };
}

const facts: RunFacts = {
  program: "/bin/true",
  machine: { type: "microvm", accelerator: "tcg", memoryBytes: 2 ** 29, cpus: 1 },
  image: { path: "/x.erofs", sizeBytes: 4096, contentBytes: 100, files: 3, cached: true },
  imageMs: 1,
  warnings: [],
};

const all: Shown = { quiet: false, logWasShown: false };

test("a run without anything special needs no words", () => {
  assert.equal(explain(result({ kind: "exit", status: 1 }), all), "");
});

test("missing system calls are named with their counts, unless they are not wanted", () => {
  const calls = [
    { number: 334, name: "rseq", count: 1 },
    { number: 999, name: "", count: 4 },
  ];
  const run = result({ kind: "exit", status: 0 }, [{ event: "enosys", calls }]);
  assert.match(explain(run, all), /rseq \(once\), number 999 \(4 times\)\n$/);
  assert.equal(explain(run, { ...all, quiet: true }), "");
});

test("the end of memory is always explained", () => {
  const run = result({ kind: "signal", signal: 9 }, [{ event: "oom", message: "out of memory" }]);
  assert.equal(explain(run, { ...all, quiet: true }), "capstan: out of memory\n");
});

test("a panic shows its message and the log with the backtrace", () => {
  const text = explain(
    result({ kind: "panic", message: "bad page" }, [], "at mm/heap.ts:3\n"),
    all,
  );
  assert.match(text, /bad page\nat mm\/heap\.ts:3\n/);
});

test("a log that was shown is not shown again", () => {
  const run = result({ kind: "panic", message: "bad page" }, [], "at mm/heap.ts:3\n");
  assert.equal(
    explain(run, { ...all, logWasShown: true }),
    "capstan: the kernel panicked: bad page\n",
  );
});

test("a machine that dies without a word shows what QEMU said", () => {
  const machine = { status: 1, signal: null, diagnostics: "qemu: no such device" };
  const text = explain(result({ kind: "no-report", machine }), { ...all, quiet: true });
  assert.match(text, /status 1[\s\S]*no such device/);
});

test("the JSON report names status, signal and timings", () => {
  const json = toJson(facts, result({ kind: "signal", signal: 11 }));
  assert.deepEqual(JSON.parse(JSON.stringify(json)), {
    status: 139,
    reason: "signal",
    signal: 11,
    message: null,
    outOfMemory: null,
    errors: [],
    missingSystemCalls: [],
    program: "/bin/true",
    machine: facts.machine,
    image: facts.image,
    warnings: [],
    timingsMs: { image: 1, guestBoot: null, firstOutput: 12.346, machine: 20 },
  });
});
