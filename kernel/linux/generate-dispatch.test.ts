/** The dispatch generator: its output, its complaints, and that what is committed is up to date. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { REPOSITORY } from "../../compiler/frontend.ts";
import { compatibilityPage, dispatchSource, validate } from "./generate-dispatch.ts";
import { traceSource } from "./generate-trace.ts";
import { type Syscall, syscalls } from "./syscall-table.ts";

const read: Syscall = {
  nr: 0,
  name: "read",
  handler: "sysRead",
  from: "./file-io",
  args: "fd:i32 buffer:ptr count:usize",
  status: "full",
  note: "",
};
const getpid: Syscall = {
  ...read,
  nr: 39,
  name: "getpid",
  handler: "sysGetpid",
  from: "./ids",
  args: "",
};
const bpf: Syscall = {
  ...read,
  nr: 321,
  name: "bpf",
  handler: "",
  from: "",
  args: "",
  status: "absent",
  note: "no",
};

test("the dispatcher narrows arguments and skips what is absent", () => {
  assert.equal(
    dispatchSource([read, getpid, bpf]),
    `/**
 * Generated from syscall-table.ts by generate-dispatch.ts; do not edit.
 */
import { ENOSYS } from "../lib/errno";
import { TrapFrame } from "../arch/x86_64/trapframe";
import { sysRead } from "./file-io";
import { sysGetpid } from "./ids";

/** Highest call number of the table. */
export const LAST_SYSCALL: u32 = 321;

/** Calls the handler of system call \`nr\` with the arguments in \`frame\`; -ENOSYS if none. */
export function dispatch(nr: u32, frame: TrapFrame): i64 {
  switch (nr) {
    case 0:
      return sysRead(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 39:
      return sysGetpid();
    default:
      return -ENOSYS;
  }
}

/** The name of system call \`nr\`, for reports; empty if the number is unknown. */
export function syscallName(nr: u32): string {
  switch (nr) {
    case 0:
      return "read";
    case 39:
      return "getpid";
    case 321:
      return "bpf";
    default:
      return "";
  }
}

/** How many arguments system call \`nr\` has; 6 if it is unknown. */
export function parameterCount(nr: u32): u32 {
  switch (nr) {
    case 39:
      return 0;
    case 0:
      return 3;
    default:
      return 6;
  }
}

/** Which argument of system call \`nr\` is a path, or -1. */
export function pathParameter(nr: u32): i32 {
  switch (nr) {
    default:
      return -1;
  }
}
`,
  );
});

test("the page counts and lists every call", () => {
  const page = compatibilityPage([read, getpid, bpf]);
  assert.match(page, /^2 full, 0 partial, 1 absent/m);
  assert.match(page, /^\| 0 \| read \| `fd, buffer, count` \| full \| {2}\|$/m);
  assert.match(page, /^\| 321 \| bpf \| {2}\| absent \| no \|$/m);
});

test("a table that contradicts itself is refused with the line's name", () => {
  const cases: [Syscall[], RegExp][] = [
    [[getpid, read], /0 read: numbers must rise/],
    [[{ ...read, args: "fd:int" }], /read: argument "fd:int"/],
    [[{ ...read, args: "a:i32 b:i32 c:i32 d:i32 e:i32 f:i32 g:i32" }], /more than six/],
    [[{ ...read, handler: "" }], /needs a handler/],
    [[{ ...read, from: "file-io" }], /needs a handler/],
    [[{ ...read, status: "partial" }], /partial call needs a note/],
    [[{ ...bpf, note: "" }], /absent call needs a note/],
  ];
  for (const [table, message] of cases) assert.throws(() => validate(table), message);
});

test("the table has every number of the ABI up to 462, each once", () => {
  const numbers = syscalls.map((call) => call.nr);
  const expected = Array.from({ length: 463 }, (_, nr) => nr).filter((nr) => nr < 335 || nr > 423);
  assert.deepEqual(numbers, expected);
  assert.equal(new Set(syscalls.map((call) => call.name)).size, syscalls.length);
});

test("names and numbers are those of the system's headers", (t) => {
  const header = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
  if (!existsSync(header)) return t.skip("linux-libc-dev is not installed");
  const names = new Map(syscalls.map((call) => [call.name, call.nr]));
  for (const [, name, nr] of readFileSync(header, "utf8").matchAll(
    /^#define __NR_(\w+) (\d+)$/gm,
  )) {
    assert.equal(names.get(name ?? ""), Number(nr), `number of ${name}`);
  }
});

test("every handler that the table names is exported by its module", () => {
  validate(syscalls);
  for (const call of syscalls.filter((each) => each.status !== "absent")) {
    const source = readFileSync(path.join(REPOSITORY, "kernel/linux", `${call.from}.ts`), "utf8");
    assert.ok(source.includes(`export function ${call.handler}(`), `${call.from}: ${call.handler}`);
  }
});

test("what is generated from the table is up to date", () => {
  const advice = "run: node --import tsx kernel/linux/generate-dispatch.ts, and commit the result";
  const committed = (file: string): string => readFileSync(path.join(REPOSITORY, file), "utf8");
  assert.ok(committed("docs/syscalls.md") === compatibilityPage(syscalls), advice);
  assert.ok(committed("kernel/linux/dispatch.gen.ts") === dispatchSource(syscalls), advice);
  assert.ok(committed("kernel/linux/trace.gen.ts") === traceSource(syscalls), advice);
});
