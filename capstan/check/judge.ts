/**
 * The judgement of `capstan check`: what was found in a program against what the kernel can do.
 * Pure functions over facts, so that every verdict can be tested.
 *
 * Neighbours: `examine.ts` gathers the facts, `report.ts` words the result;
 * `kernel/linux/syscall-table.ts` says what the kernel can do.
 */
import { basename } from "node:path";
import { type Syscall, type SyscallStatus, syscalls } from "../../kernel/linux/syscall-table.ts";
import type { MissingLibrary } from "../package/libraries.ts";
import { fallbacks } from "./fallbacks.ts";
import type { FoundCalls } from "./objects.ts";

/**
 * - `ready`: nothing stands in the way, though libraries may offer features that are absent here.
 * - `limits`: the program starts; something that it asks for itself is absent and fails with ENOSYS.
 * - `blocked`: the program cannot start.
 */
export type Verdict = "ready" | "limits" | "blocked";

/** A system call that the program can make, as the kernel's table has it. */
export interface JudgedCall {
  readonly nr: number;
  readonly name: string;
  readonly status: SyscallStatus;
  readonly note: string;
  /** Paths of the files that make the call. */
  readonly usedBy: readonly string[];
  /** An absent call that a program makes itself, and has no way without as far as is known. */
  readonly isEssential: boolean;
  /** How an absent call is done without; "" if that is not known. */
  readonly fallback: string;
}

/** Whether the program starts processes, as far as one can see. */
export interface ForkJudgement {
  readonly answer: "yes" | "no" | "unknown";
  /** What the answer rests on. */
  readonly because: string;
}

/** The judgement. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly calls: readonly JudgedCall[];
  readonly forks: ForkJudgement;
  /** What to do, one sentence each. */
  readonly advice: readonly string[];
}

/** What is judged. */
export interface ProgramFacts {
  readonly isDynamic: boolean;
  readonly missingLibraries: readonly MissingLibrary[];
  readonly found: FoundCalls;
}

/** Threads are made by clone and clone3, so those two say nothing. */
const forkingCalls: ReadonlySet<string> = new Set(["fork", "vfork", "execve", "execveat"]);
const unknownNote = "not in Linux's list for x86-64 that this version knows";

function judgeCalls(found: FoundCalls, table: readonly Syscall[]): JudgedCall[] {
  const byNumber = new Map(table.map((call) => [call.nr, call]));
  return [...found.calls]
    .sort(([a], [b]) => a - b)
    .map(([nr, usedBy]) => {
      const { name, status, note } = byNumber.get(nr) ?? {
        name: `number ${nr}`,
        status: "absent" as const,
        note: unknownNote,
      };
      return { nr, name, status, note, usedBy, ...weigh(name, status, usedBy, found.programs) };
    });
}

/** How much hangs on a call: who makes it, and whether there is a way without. */
function weigh(
  name: string,
  status: SyscallStatus,
  usedBy: readonly string[],
  programs: ReadonlySet<string>,
): Pick<JudgedCall, "isEssential" | "fallback"> {
  if (status !== "absent") return { isEssential: false, fallback: "" };
  const isOfProgram = usedBy.some((path) => programs.has(path));
  const known = fallbacks.get(name);
  const hasWay = known?.of === "anyone" || (known !== undefined && !isOfProgram);
  return { isEssential: isOfProgram && !hasWay, fallback: hasWay ? known.how : "" };
}

function judgeFork(facts: ProgramFacts, calls: readonly JudgedCall[]): ForkJudgement {
  const [first] = facts.found.forking;
  if (first !== undefined) {
    const names = [...facts.found.forking.keys()].join(", ");
    return { answer: "yes", because: `${first[1][0]} imports ${names}` };
  }
  for (const { name, usedBy } of calls) {
    // The loader can be started as a program with another one as its argument: not by itself.
    const user = usedBy.find((path) => !basename(path).startsWith("ld-"));
    if (user === undefined || !forkingCalls.has(name)) continue;
    return { answer: "yes", because: `${user} makes the call ${name}` };
  }
  const computed = [...facts.found.computed.keys()][0];
  if (!facts.isDynamic && computed !== undefined) {
    return { answer: "unknown", because: `${computed} computes the numbers of its calls` };
  }
  return { answer: "no", because: "no file imports or calls what starts a process" };
}

/** Judges a program. */
export function judge(facts: ProgramFacts, table: readonly Syscall[] = syscalls): Judgement {
  const calls = judgeCalls(facts.found, table);
  const forks = judgeFork(facts, calls);
  const essential = calls.filter(({ isEssential }) => isEssential);
  const isForkAbsent = table.some(({ name, status }) => name === "fork" && status === "absent");
  const lacksFork = forks.answer === "yes" && isForkAbsent;
  const advice: string[] = [];
  if (facts.missingLibraries.length > 0) {
    const names = facts.missingLibraries.map(({ name }) => name).join(", ");
    advice.push(
      `Install the packages that contain ${names}, or pass --env LD_LIBRARY_PATH=DIRECTORY if they are elsewhere.`,
    );
    return { verdict: "blocked", calls, forks, advice };
  }
  if (lacksFork) advice.push("Have the program start no processes: this kernel cannot fork yet.");
  if (essential.length > 0) {
    const names = essential.map(({ name }) => name).join(", ");
    advice.push(
      `Run it: what does not need ${names} works; capstan run lists absent calls that were made.`,
    );
  }
  const verdict = essential.length > 0 || lacksFork ? "limits" : "ready";
  return { verdict, calls, forks, advice };
}
