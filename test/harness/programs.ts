/**
 * The test programs and how each is built, as data: the same source linked in every way that a
 * Linux program can be. They end up in `build/test/programs`.
 */
import { join } from "node:path";
import { buildProgram } from "./build-program.ts";
import { repositoryRoot } from "./paths.ts";

const c = (...options: string[]): readonly string[] => ["gcc", "-O2", "-pthread", ...options];
const musl = (...options: string[]): readonly string[] => ["musl-gcc", "-O2", ...options];

const recipes = {
  "hello-static": { source: "hello.c", command: c("-static", "-no-pie") },
  "hello-static-pie": { source: "hello.c", command: c("-static-pie") },
  "hello-pie": { source: "hello.c", command: c("-pie", "-fPIE") },
  "hello-no-pie": { source: "hello.c", command: c("-no-pie", "-fno-pie") },
  "hello-musl-static": { source: "hello.c", command: musl("-static") },
  "hello-musl-dynamic": { source: "hello.c", command: musl() },
  memory: { source: "memory.c", command: c() },
  "memory-musl": { source: "memory.c", command: musl("-static") },
  threads: { source: "threads.c", command: c() },
  "threads-musl": { source: "threads.c", command: musl("-static") },
  ending: { source: "ending.c", command: c("-static") },
  exhaust: { source: "exhaust.c", command: c("-static") },
  "hello-go": { source: "hello.go", command: ["go", "build"] },
  "threads-rust": { source: "threads.rs", command: ["rustc", "-O"] },
} satisfies Record<string, { source: string; command: readonly string[] }>;

/** Names of the test programs. */
export type ProgramName = keyof typeof recipes;

/** The path of a test program, built if need be. */
export function testProgram(name: ProgramName): string {
  const { source, command } = recipes[name];
  return buildProgram({
    source: join(repositoryRoot, "test/programs", source),
    output: join(repositoryRoot, "build/test/programs", name),
    command,
  });
}
