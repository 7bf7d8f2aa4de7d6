/**
 * Makes `dispatch.gen.ts` (one `switch` over the call number), `trace.gen.ts` and `docs/syscalls.md`
 * (the public compatibility page) from `syscall-table.ts`. Run it after every change of the table:
 * `node --import tsx kernel/linux/generate-dispatch.ts`. What it makes is committed, and a unit test
 * fails while that differs from the table; the build does not run it, so that nothing hides the
 * difference.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { traceSource } from "./generate-trace.ts";
import { type Syscall, syscalls } from "./syscall-table.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const dispatchPath = join(folder, "dispatch.gen.ts");
const tracePath = join(folder, "trace.gen.ts");
const pagePath = join(folder, "../../docs/syscalls.md");

/** Argument types of the table and the AssemblyScript type each becomes. */
const argumentTypes: Readonly<Record<string, string>> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  u64: "u64",
  usize: "usize",
  ptr: "usize",
};

/** The registers of `TrapFrame` that carry arguments 1 to 6 (syscall(2), x86-64). */
const argumentRegisters = ["rdi", "rsi", "rdx", "r10", "r8", "r9"];

/** Splits the `args` column into name and type; throws an error that names the line. */
export function parseArguments(call: Syscall): { name: string; type: string }[] {
  if (call.args === "") return [];
  return call.args.split(" ").map((text) => {
    const [name, type] = text.split(":");
    const native = type === undefined ? undefined : argumentTypes[type];
    if (!name || !native) {
      throw new Error(
        `syscall-table.ts: ${call.name}: argument "${text}" is not name:type; types: ${Object.keys(argumentTypes).join(" ")}`,
      );
    }
    return { name, type: native };
  });
}

/** Throws if the table contradicts itself: order, doubles, missing handlers or reasons. */
export function validate(table: readonly Syscall[]): void {
  let previous = -1;
  for (const call of table) {
    const fail = (problem: string): never => {
      throw new Error(`syscall-table.ts: ${call.nr} ${call.name}: ${problem}`);
    };
    if (call.nr <= previous) fail("numbers must rise from line to line");
    previous = call.nr;
    if (parseArguments(call).length > argumentRegisters.length) fail("more than six arguments");
    if (call.status === "absent") {
      if (call.note === "") fail("an absent call needs a note that says why");
      continue;
    }
    if (call.handler === "" || !call.from.startsWith("./"))
      fail("needs a handler and ./its-module");
    if (call.status === "partial" && call.note === "") fail("a partial call needs a note");
  }
}

/** The text of `dispatch.gen.ts`. */
export function dispatchSource(table: readonly Syscall[]): string {
  const served = table.filter((call) => call.status !== "absent");
  const modules = new Map<string, Set<string>>();
  for (const call of served) {
    const handlers = modules.get(call.from) ?? new Set<string>();
    modules.set(call.from, handlers.add(call.handler));
  }
  const lines = [
    "/**",
    " * Generated from syscall-table.ts by generate-dispatch.ts; do not edit.",
    " */",
    'import { ENOSYS } from "../lib/errno";',
    'import { TrapFrame } from "../arch/x86_64/trapframe";',
  ];
  for (const from of [...modules.keys()].sort()) {
    lines.push(`import { ${[...(modules.get(from) ?? [])].sort().join(", ")} } from "${from}";`);
  }
  const last = table.at(-1)?.nr ?? 0;
  lines.push(
    "",
    "/** Highest call number of the table. */",
    `export const LAST_SYSCALL: u32 = ${last};`,
    "",
    "/** Calls the handler of system call `nr` with the arguments in `frame`; -ENOSYS if none. */",
    "export function dispatch(nr: u32, frame: TrapFrame): i64 {",
    "  switch (nr) {",
  );
  for (const call of served) {
    const values = parseArguments(call).map(({ type }, index) => {
      const register = `frame.${argumentRegisters[index]}`;
      return type === "u64" ? register : `<${type}>${register}`;
    });
    lines.push(`    case ${call.nr}:`, `      return ${call.handler}(${values.join(", ")});`);
  }
  lines.push("    default:", "      return -ENOSYS;", "  }", "}", "");
  lines.push(
    "/** The name of system call `nr`, for reports; empty if the number is unknown. */",
    "export function syscallName(nr: u32): string {",
    "  switch (nr) {",
  );
  for (const call of table) lines.push(`    case ${call.nr}:`, `      return "${call.name}";`);
  lines.push("    default:", '      return "";', "  }", "}", "");
  lines.push(...parameterTables(table));
  return lines.join("\n");
}

/** Functions for the trace: how many arguments a call has, and which is a path. */
function parameterTables(table: readonly Syscall[]): string[] {
  const countCases = [0, 1, 2, 3, 4, 5].map((count) =>
    table.filter((call) => parseArguments(call).length === count && call.args !== ""),
  );
  const pathIndex = (call: Syscall): number =>
    parseArguments(call).findIndex(({ name }) => name === "path" || name === "oldPath");
  const pathCases = [0, 1, 2].map((index) => table.filter((call) => pathIndex(call) === index));
  const cases = (calls: readonly Syscall[], value: number): string[] =>
    calls.length === 0
      ? []
      : [...calls.map((call) => `    case ${call.nr}:`), `      return ${value};`];
  return [
    "/** How many arguments system call `nr` has; 6 if it is unknown. */",
    "export function parameterCount(nr: u32): u32 {",
    "  switch (nr) {",
    ...cases(
      table.filter((call) => call.args === "" && call.handler !== ""),
      0,
    ),
    ...countCases.flatMap((calls, count) => cases(calls, count)),
    "    default:",
    "      return 6;",
    "  }",
    "}",
    "",
    "/** Which argument of system call `nr` is a path, or -1. */",
    "export function pathParameter(nr: u32): i32 {",
    "  switch (nr) {",
    ...pathCases.flatMap((calls, index) => cases(calls, index)),
    "    default:",
    "      return -1;",
    "  }",
    "}",
    "",
  ];
}

/** The text of `docs/syscalls.md`. */
export function compatibilityPage(table: readonly Syscall[]): string {
  const count = (status: Syscall["status"]): number =>
    table.filter((call) => call.status === status).length;
  const lines = [
    "# System calls",
    "",
    "Generated from `kernel/linux/syscall-table.ts`, the table that the kernel dispatches by; do not edit.",
    "",
    `${count("full")} full, ${count("partial")} partial, ${count("absent")} absent (they return ENOSYS, and are listed with counts when the application ends).`,
    "",
    "| nr | call | arguments | status | remarks |",
    "|---:|---|---|---|---|",
  ];
  for (const call of table) {
    const names = parseArguments(call).map(({ name }) => name);
    const signature = names.length > 0 ? `\`${names.join(", ")}\`` : "";
    lines.push(`| ${call.nr} | ${call.name} | ${signature} | ${call.status} | ${call.note} |`);
  }
  return `${lines.join("\n")}\n`;
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Writes the files where their text changed (an unchanged file keeps its time stamp). */
export function generateDispatch(): void {
  validate(syscalls);
  for (const [path, text] of [
    [dispatchPath, dispatchSource(syscalls)],
    [tracePath, traceSource(syscalls)],
    [pagePath, compatibilityPage(syscalls)],
  ] as const) {
    if (readIfPresent(path) !== text) writeFileSync(path, text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  generateDispatch();
}
