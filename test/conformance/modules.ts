/**
 * CPython's test modules that run in a guest, as data. They come from Debian's package
 * libpython3.11-testsuite. Neighbours: `skips.ts` (tests left out), `run.ts`.
 */

/** One test module. */
export interface TestModule {
  readonly name: string;
  /** Memory of the guest. */
  readonly memory: string;
  /** How long the guest may take, in minutes; generous for machines without virtualisation. */
  readonly minutes: number;
  /** Programs and files that the tests start or read, beside Python's own. */
  readonly files?: readonly string[];
  /** Whether it is quick enough for `npm test`. */
  readonly isShort?: boolean;
}

/** Shell and tools that the tests start by name. */
const shellTools = [
  "/bin/bash",
  "/bin/cat",
  "/bin/echo",
  "/bin/ls",
  "/bin/sleep",
  "/bin/true",
  "/usr/bin/id",
];

/** All modules, quick ones first. */
export const modules: readonly TestModule[] = [
  { name: "test_mmap", memory: "1G", minutes: 5, isShort: true },
  { name: "test_select", memory: "1G", minutes: 5, files: shellTools, isShort: true },
  { name: "test_posix", memory: "1G", minutes: 5, files: shellTools, isShort: true },
  { name: "test_os", memory: "1G", minutes: 10, files: shellTools },
  { name: "test_threading", memory: "1G", minutes: 10 },
  { name: "test_signal", memory: "1G", minutes: 10, files: shellTools },
  { name: "test_subprocess", memory: "1G", minutes: 15, files: shellTools },
  { name: "test_multiprocessing_fork", memory: "1G", minutes: 20 },
  { name: "test_socket", memory: "1G", minutes: 15 },
  { name: "test_ssl", memory: "1G", minutes: 15 },
  { name: "test_asyncio", memory: "1G", minutes: 30, files: shellTools },
];
