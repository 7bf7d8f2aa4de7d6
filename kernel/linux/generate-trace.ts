/**
 * Makes `trace.gen.ts`: how the trace shows each argument of each call, from the names and types in
 * `syscall-table.ts`, and the names of flags and numbers from `trace-names.ts`. `generate-dispatch.ts`
 * runs it together with its own work.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Syscall } from "./syscall-table.ts";
import { nameSets, setOfArgument } from "./trace-names.ts";

const errnoPath = join(dirname(fileURLToPath(import.meta.url)), "../lib/errno.ts");

/** How an argument is shown; `trace.ts` has the same numbers. From 32 on: name sets. */
export const kinds = {
  number: 0,
  signed: 1,
  path: 2,
  directoryFd: 3,
  octal: 4,
  bytesIn: 5,
  bytesOut: 6,
  strings: 7,
  pairOut: 8,
  pointer: 9,
  pathOut: 10,
} as const;

/** Kind of the first name set. */
const FIRST_SET = 32;
const MAX_ARGUMENTS = 6;

const written = /^(write|pwrite64|sendto|mq_timedsend)$/;
const filled = /^(read|pread64|recvfrom|getrandom|mq_timedreceive)$/;
const filledWithPath = /^(readlink|readlinkat)$/;

/** How argument `name` of type `type` of a call is shown. */
export function kindOf(call: string, name: string, type: string): number {
  const set = setOfArgument(call, name);
  if (set !== undefined) return FIRST_SET + nameSets.findIndex((each) => each.name === set);
  if (type === "ptr") {
    if (/^(path|oldPath|newPath|target)$/.test(name)) return kinds.path;
    if (call === "memfd_create" && name === "name") return kinds.path;
    if (/^execve(at)?$/.test(call) && name === "arguments") return kinds.strings;
    if (/^(pipe2?|socketpair)$/.test(call) && name === "fds") return kinds.pairOut;
    if (name === "buffer" && written.test(call)) return kinds.bytesIn;
    if (name === "buffer" && filled.test(call)) return kinds.bytesOut;
    if (name === "buffer" && filledWithPath.test(call)) return kinds.pathOut;
    return kinds.pointer;
  }
  if (/^(d|oldD|newD)irectoryFd$/.test(name)) return kinds.directoryFd;
  if (name === "mode" && !/access/.test(call)) return kinds.octal;
  return type === "i32" || type === "i64" ? kinds.signed : kinds.number;
}

function parameters(call: Syscall): [string, string][] {
  return call.args
    .split(" ")
    .filter((text) => text !== "")
    .map((text) => {
      const [name = "", type = ""] = text.split(":");
      return [name, type];
    });
}

/** Error numbers as `NAME=number`, read from the kernel's own list. */
function errorNames(): string {
  const text = readFileSync(errnoPath, "utf8");
  const found = [...text.matchAll(/^export const (E\w+): i32 = (\d+);/gm)];
  return found.map(([, name, value]) => `${name}=${value}`).join(" ");
}

/** The text of `trace.gen.ts`. */
export function traceSource(table: readonly Syscall[]): string {
  const last = table.at(-1)?.nr ?? 0;
  const rows = new Array<string>((last + 1) * MAX_ARGUMENTS).fill("0");
  for (const call of table) {
    parameters(call).forEach(([name, type], index) => {
      const kind = kindOf(call.name, name, type);
      // Signed 32-bit values arrive in registers whose upper half means nothing.
      const isNarrow = /32$/.test(type) ? 128 : 0;
      rows[call.nr * MAX_ARGUMENTS + index] = String(kind + isNarrow);
    });
  }
  const sets = nameSets.map(({ isFlags, names }) => {
    const words = Object.entries(names).map(([name, value]) => `${name}=${value}`);
    return `${isFlags ? "|" : "="}${words.join(" ")}`;
  });
  return [
    "/**",
    " * Generated from syscall-table.ts and trace-names.ts by generate-trace.ts; do not edit.",
    " */",
    "",
    "/** Arguments of a call that have an entry below. */",
    `export const ARGUMENT_SLOTS: u32 = ${MAX_ARGUMENTS};`,
    "",
    "/** How each argument is shown, by number of the call * 6 + index; 128: a 32-bit value. */",
    "export const argumentKinds: StaticArray<u8> = [",
    `  ${rows.join(", ")},`,
    "];",
    "",
    "/** Error numbers, as `NAME=number` separated by blanks. */",
    `export const ERROR_NAMES = "${errorNames()}";`,
    "",
    "/** Names of a set: `|` for flags, `=` for one of several, then `NAME=number ...`. */",
    "export function nameSet(index: u32): string {",
    "  switch (index) {",
    ...sets.flatMap((text, index) => [`    case ${index}:`, `      return "${text}";`]),
    "    default:",
    '      return "=";',
    "  }",
    "}",
    "",
  ].join("\n");
}
