/**
 * Builds a program for guests from one source file, when the source or the command has changed.
 * Used by the end-to-end tests and the benchmarks.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How a program is built. */
export interface Recipe {
  readonly source: string;
  readonly output: string;
  /** The compiler and its options; `-o OUTPUT SOURCE` is added. */
  readonly command: readonly string[];
}

/** Builds the program if need be and returns its path. */
export function buildProgram({ source, output, command }: Recipe): string {
  const record = `${output}.recipe`;
  const identity = `${command.join(" ")}\n${statSync(source).mtimeMs}\n`;
  if (existsSync(output) && existsSync(record) && readFileSync(record, "utf8") === identity) {
    return output;
  }
  mkdirSync(dirname(output), { recursive: true });
  const [compiler = "", ...options] = command;
  // The source comes last: musl-gcc's specs and `go build` both want it there.
  execFileSync(compiler, [...options, "-o", output, source], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  writeFileSync(record, identity);
  return output;
}
