/**
 * The test programs and how each is built, as data: the same source linked in every way that a
 * Linux program can be. They end up in `build/test/programs`.
 */
import { join } from "node:path";
import { buildProgram } from "./build-program.ts";
import { repositoryRoot } from "./paths.ts";

const c = (...options: string[]): readonly string[] => ["gcc", "-O2", "-pthread", ...options];
const musl = (...options: string[]): readonly string[] => ["musl-gcc", "-O2", ...options];

/** The abi-*.c programs make wrong calls on purpose. */
const abi = c("-static", "-w");

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
  "machine-races": { source: "machine-races.c", command: c("-w") },
  "pi-mutexes": { source: "pi-mutexes.c", command: c("-w") },
  "threads-musl": { source: "threads.c", command: musl("-static") },
  ending: { source: "ending.c", command: c("-static") },
  exhaust: { source: "exhaust.c", command: c("-static") },
  "hello-go": { source: "hello.go", command: ["go", "build"] },
  goroutines: { source: "goroutines.go", command: ["go", "build"] },
  profile: { source: "profile.go", command: ["go", "build"] },
  "idle-connections": { source: "idle-connections.c", command: c("-static") },
  interfaces: { source: "interfaces.c", command: c() },
  "interfaces-go": { source: "interfaces.go", command: ["go", "build"] },
  "threads-rust": { source: "threads.rs", command: ["rustc", "-O"] },
  "abi-open": { source: "abi-open.c", command: abi },
  "abi-descriptors": { source: "abi-descriptors.c", command: abi },
  "abi-names": { source: "abi-names.c", command: abi },
  "abi-attributes": { source: "abi-attributes.c", command: abi },
  "abi-pipes": { source: "abi-pipes.c", command: abi },
  "abi-poll": { source: "abi-poll.c", command: abi },
  "abi-epoll": { source: "abi-epoll.c", command: abi },
  "abi-herd": { source: "abi-herd.c", command: abi },
  "abi-event-files": { source: "abi-event-files.c", command: abi },
  "abi-sockets": { source: "abi-sockets.c", command: abi },
  "abi-unix": { source: "abi-unix.c", command: abi },
  "abi-races": { source: "abi-races.c", command: abi },
  "abi-processes": { source: "abi-processes.c", command: abi },
  "processes-memory": { source: "processes-memory.c", command: c("-static") },
  "abi-pty": { source: "abi-pty.c", command: abi },
  "abi-sysv": { source: "abi-sysv.c", command: abi },
  "abi-seccomp": { source: "abi-seccomp.c", command: abi },
  "abi-mqueue": { source: "abi-mqueue.c", command: abi },
  "abi-inotify": { source: "abi-inotify.c", command: abi },
  "abi-other-process": { source: "abi-other-process.c", command: abi },
  "abi-system": { source: "abi-system.c", command: abi },
  "abi-futex-pi": { source: "abi-futex-pi.c", command: abi },
  "abi-cpu-time": { source: "abi-cpu-time.c", command: abi },
  "abi-aio": { source: "abi-aio.c", command: abi },
  "abi-mapped-files": { source: "abi-mapped-files.c", command: abi },
  "abi-memory-usage": { source: "abi-memory-usage.c", command: abi },
  "abi-identities": { source: "abi-identities.c", command: abi },
  fuzz: { source: "fuzz.c", command: c("-static", "-mno-red-zone", "-w") },
  "abi-kernel-memory": { source: "abi-kernel-memory.c", command: abi },
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
