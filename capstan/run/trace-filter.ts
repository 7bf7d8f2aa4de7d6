/**
 * What `--trace=FILTER` selects: names of system calls and of families, joined by commas. The
 * kernel gets numbers, so that a misspelt name is an error here and not an empty trace.
 *
 * Neighbours: `../commands/run-options.ts` reads the option, `../protocol/command-line.ts` sends
 * the numbers; `kernel/linux/trace.ts` reads them.
 */
import { type Syscall, syscalls } from "../../kernel/linux/syscall-table.ts";
import { UserError } from "../errors.ts";

/** Families of calls: by argument or by name. `all` is every call. */
const families: Readonly<Record<string, (call: Syscall) => boolean>> = {
  all: () => true,
  file: ({ name, args }) => /\b(path|oldPath|directoryFd):/.test(args) || /^f?chdir$/.test(name),
  desc: ({ args }) => /\b(fd|epollFd|inFd|oldFd|directoryFd):/.test(args),
  memory: ({ name }) =>
    /^(brk|mmap|munmap|mremap|mprotect|pkey_.*|madvise|process_madvise|msync|mincore|m(un)?lock(2|all)?|mbind|[gs]et_mempolicy|memfd_create|shm.*|membarrier)$/.test(
      name,
    ),
  network: ({ name }) =>
    /^(socket(pair)?|bind|listen|accept4?|connect|shutdown|send(to|m?msg|file)|recv(from|m?msg)|[gs]etsockopt|getsockname|getpeername)$/.test(
      name,
    ),
  process: ({ name }) =>
    /^(clone3?|v?fork|execve(at)?|exit(_group)?|wait4|waitid|kill|tkill|tgkill|pidfd_.*|rt_(tg)?sigqueueinfo)$/.test(
      name,
    ),
  signal: ({ name }) => /^(rt_sig.*|sigaltstack|signalfd4?|t?g?kill|tkill|pause)$/.test(name),
  time: ({ name }) =>
    /^(clock_.*|gettimeofday|settimeofday|time|times|nanosleep|timer_.*|timerfd_.*|[gs]etitimer|alarm)$/.test(
      name,
    ),
};

/** Names of the families, for the help. */
export const traceFamilies: readonly string[] = Object.keys(families);

/**
 * The numbers that a filter selects, as `0-3,257`; "" for all calls.
 * @throws UserError `BadTraceFilter`
 */
export function traceNumbers(filter: string, table: readonly Syscall[] = syscalls): string {
  const words = filter.split(",").map((word) => word.trim());
  if (words.includes("all")) return "";
  const numbers = new Set<number>();
  for (const word of words) {
    const isSelected = Object.hasOwn(families, word)
      ? families[word]
      : ({ name }: Syscall): boolean => name === word;
    const selected = isSelected === undefined ? [] : table.filter(isSelected);
    if (selected.length === 0) throw unknownWord(word, filter);
    for (const { nr } of selected) numbers.add(nr);
  }
  return ranges([...numbers].sort((a, b) => a - b));
}

function ranges(numbers: readonly number[]): string {
  const parts: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const part = parts.at(-1);
    if (part !== undefined && part.last + 1 === number) part.last = number;
    else parts.push({ first: number, last: number });
  }
  return parts.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join();
}

function unknownWord(word: string, filter: string): UserError {
  return new UserError({
    code: "BadTraceFilter",
    what: `--trace=${filter} was not understood`,
    why: `there is no system call and no family ${word === "" ? "without a name" : word}`,
    fix: `use names as in docs/syscalls.md, or families: ${traceFamilies.join(", ")}`,
  });
}
