/** What single operations of the kernel cost: each program times itself in the guest. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../test/harness/paths.ts";
import type { GuestExperiment, RowDefinition } from "../experiment.ts";
import { value } from "./boot.ts";
import { benchProgram } from "./programs.ts";

/** What a program needs besides itself. */
interface Needs {
  readonly files?: () => Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
}

/** An experiment that boots one program and takes its results as rows. */
function programExperiment(
  program: string,
  rows: readonly RowDefinition[],
  { files = () => ({}), memoryMiB }: Needs = {},
): GuestExperiment {
  return {
    kind: "guest",
    rows,
    isCountable: true,
    measure: async (guest) => {
      const request = {
        program: benchProgram(program),
        files: files(),
        args: Object.keys(files()),
        ...(memoryMiB === undefined ? {} : { memoryMiB }),
      };
      const result = await guest.boot(request);
      return Object.fromEntries(rows.map(({ id }) => [id, value(result, id)]));
    },
  };
}

const nanoseconds = { unit: "ns", better: "lower" } as const;
const throughput = { unit: "MiB/s", better: "higher" } as const;

/** What each of these is to reach: as fast as Linux, most twice as fast. */
const goal = "≥ 1×";

/** System calls and the clock of the vDSO. */
export const systemCalls = programExperiment("syscall", [
  { id: "syscall", title: "null system call", ...nanoseconds, goal },
  { id: "getpid", title: "getpid", ...nanoseconds, goal },
  { id: "byte", title: "read of one byte of a file in memory", ...nanoseconds, goal },
  { id: "clock", title: "clock_gettime by the vDSO", ...nanoseconds },
]);

/** Page faults. */
export const pageFaults = programExperiment("fault", [
  { id: "fault", title: "page fault and unmapping, 4 KiB pages", ...nanoseconds, goal },
  { id: "touch", title: "the same per 4 KiB, page size by the system", ...nanoseconds },
]);

/** Context switches. */
export const contextSwitches = programExperiment("switch", [
  { id: "pipe", title: "pipe ping-pong, threads, one switch", ...nanoseconds, goal },
  { id: "pipe-processes", title: "pipe ping-pong, processes, one switch", ...nanoseconds, goal },
  { id: "futex", title: "futex wake to run", ...nanoseconds, goal },
]);

/** An event loop. */
export const eventLoop = programExperiment("epoll", [
  {
    id: "epoll",
    title: "epoll, 1,000 descriptors: write, wait, read",
    ...nanoseconds,
    goal,
  },
  { id: "epoll-all", title: "epoll, all of 1,000 ready, an event", ...nanoseconds, goal },
]);

/** Threads and processes. */
export const creation = programExperiment("create", [
  { id: "thread", title: "thread made and joined", ...nanoseconds, goal },
  { id: "fork", title: "fork, exit, wait", ...nanoseconds, goal },
  { id: "fork-exec", title: "fork, exec, exit, wait", ...nanoseconds, goal },
  { id: "spawn", title: "posix_spawn, exit, wait", ...nanoseconds, goal },
]);

/** What a process pays for fork before it calls it: each operation once before and once after. */
export const singleProcess = programExperiment("single", [
  { id: "call-before", title: "never forked: null system call", ...nanoseconds, goal },
  { id: "call-after", title: "the same after a fork", ...nanoseconds },
  { id: "fault-before", title: "never forked: page fault and unmapping", ...nanoseconds, goal },
  { id: "fault-after", title: "the same after a fork", ...nanoseconds },
  { id: "thread-before", title: "never forked: thread made and joined", ...nanoseconds, goal },
  { id: "thread-after", title: "the same after a fork", ...nanoseconds },
  { id: "write-shared", title: "first write to a page after a fork", ...nanoseconds, goal },
]);

/** fork of a large process. */
export const largeFork = programExperiment(
  "fork-large",
  [
    { id: "fork-large", title: "fork, exit, wait with 500 MB in use", ...nanoseconds, goal },
    { id: "fork-small-pages", title: "the same in 4 KiB pages", ...nanoseconds, goal },
  ],
  { memoryMiB: 1024 },
);

const dataBytes = 16 * 1024 ** 2;

/** A file of 16 MiB that is the same every time. */
function dataFile(): Readonly<Record<string, string>> {
  const path = join(repositoryRoot, "build/bench/data");
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(dataBytes, "unikernel "));
  return { "/data": path };
}

/** Reading a file whose pages are in the page cache. */
export const fileReads = programExperiment(
  "file",
  [
    { id: "read64k", title: "file read, 64 KiB pieces", ...throughput, goal: "≥ 1×" },
    { id: "read4k", title: "file read, 4 KiB pieces", ...throughput, goal: "≥ 1×" },
    { id: "mmap", title: "file read by mmap", ...throughput, goal: "≥ 1×" },
  ],
  { files: dataFile },
);
