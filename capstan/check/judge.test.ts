import assert from "node:assert/strict";
import { test } from "node:test";
import { type Syscall, syscalls } from "../../kernel/linux/syscall-table.ts";
import { fallbacks } from "./fallbacks.ts";
import { judge, type ProgramFacts } from "./judge.ts";
import type { FoundCalls } from "./objects.ts";

function call(nr: number, name: string, status: Syscall["status"]): Syscall {
  const note = status === "full" ? "" : "a reason";
  return { nr, name, handler: "", from: "", args: "", status, note };
}

const table = [
  call(0, "read", "full"),
  call(29, "shmget", "absent"),
  call(56, "clone", "partial"),
  call(57, "fork", "full"),
  call(59, "execve", "full"),
];

function facts(found: Partial<FoundCalls>, changes: Partial<ProgramFacts> = {}): ProgramFacts {
  const nothing = {
    calls: new Map(),
    computed: new Map(),
    forking: new Map(),
    programs: new Set(["/p"]),
    skipped: [],
  };
  return {
    isDynamic: true,
    missingLibraries: [],
    found: { ...nothing, ...found },
    ...changes,
  };
}

test("full and partial calls leave a program ready", () => {
  const calls = new Map([
    [56, ["/p"]],
    [0, ["/p"]],
  ]);
  const result = judge(facts({ calls }), table);
  assert.equal(result.verdict, "ready");
  assert.deepEqual(
    result.calls.map(({ name }) => name),
    ["read", "clone"],
  );
  assert.equal(result.forks.answer, "no");
});

test("an absent call, and one that the table lacks, are limits", () => {
  assert.equal(judge(facts({ calls: new Map([[29, ["/p"]]]) }), table).verdict, "limits");
  const unknown = judge(facts({ calls: new Map([[499, ["/p"]]]) }), table);
  assert.equal(unknown.verdict, "limits");
  assert.equal(unknown.calls[0]?.name, "number 499");
});

test("an absent call is a limit if the program makes it and nothing is known to do without", () => {
  const absent = ["mount", "keyctl", "io_uring_setup"].map((name, nr) => call(nr, name, "absent"));
  const judged = (nr: number, ...files: string[]) => {
    const { verdict, calls } = judge(facts({ calls: new Map([[nr, files]]) }), absent);
    return [verdict, calls[0]?.isEssential, (calls[0]?.fallback ?? "") !== ""];
  };
  assert.deepEqual(judged(0, "/p"), ["limits", true, false]);
  assert.deepEqual(judged(0, "/lib.so"), ["ready", false, false]);
  assert.deepEqual(judged(0, "/lib.so", "/p"), ["limits", true, false]);
  // What libraries do without, a program that asks for it is about.
  assert.deepEqual(judged(1, "/p"), ["limits", true, false]);
  assert.deepEqual(judged(1, "/lib.so"), ["ready", false, true]);
  assert.deepEqual(judged(2, "/p"), ["ready", false, true]);
});

test("ways without calls are known for calls that Linux has", () => {
  const names = new Set(syscalls.map(({ name }) => name));
  for (const name of fallbacks.keys()) assert.ok(names.has(name), name);
});

test("a missing library blocks, and the advice names it", () => {
  const missingLibraries = [{ name: "libx.so.1", neededBy: "/p" }];
  const result = judge(facts({}, { missingLibraries }), table);
  assert.equal(result.verdict, "blocked");
  assert.match(result.advice.join(), /libx\.so\.1/);
});

test("processes: imported functions, direct calls, the loader's, computed numbers", () => {
  const forking = new Map([["popen", ["/p"]]]);
  const imported = judge(facts({ forking }), table);
  assert.equal(imported.verdict, "ready");
  assert.deepEqual(imported.forks, { answer: "yes", because: "/p imports popen" });
  const withoutFork = table.map((each) => ({ ...each, status: "absent" as const, note: "no" }));
  assert.equal(judge(facts({ forking }), withoutFork).verdict, "limits");
  const direct = judge(facts({ calls: new Map([[59, ["/p"]]]) }), table);
  assert.equal(direct.forks.answer, "yes");
  const loader = judge(facts({ calls: new Map([[59, ["/lib64/ld-linux-x86-64.so.2"]]]) }), table);
  assert.equal(loader.forks.answer, "no");
  const go = judge(facts({ computed: new Map([["/go", 3]]) }, { isDynamic: false }), table);
  assert.equal(go.forks.answer, "unknown");
});
