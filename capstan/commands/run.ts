/**
 * `capstan run [options] SOURCE [ARGS...]`, or `-- PROGRAM [ARGS...]`: makes an image, boots it
 * and behaves like the program in it: same output, same exit status. Neighbours: `run/` does the work
 * in parts that are tested on their own; this file connects them.
 */
import { DescriptorSink } from "../console/output.ts";
import { enterRawMode, followSize, isInteractive, terminalSize } from "../console/terminal.ts";
import { exitStatusTable } from "../exit-status.ts";
import { hypervisors } from "../hypervisor/catalog.ts";
import type { MachineSpec } from "../hypervisor/hypervisor.ts";
import { exitStatusOf } from "../run/outcome.ts";
import { type BootPlan, withMachine } from "../run/plan.ts";
import { explain, type RunFacts, timings, toJson } from "../run/report.ts";
import { runSession, type SessionResult } from "../run/session.ts";
import { endBySignal, stopOnSignals } from "../run/signals.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { parseRunOptions, type RunOptions, runOptionDefinitions } from "./run-options.ts";
import { announce, type PlannedRun, planRun } from "./run-plan.ts";
import { parseSource, sourceNotes } from "./source-options.ts";

const notes = `${sourceNotes}

Arguments of a program of this machine that name files or directories of the host are copied into the image; the program
starts in the same directory.

In a terminal, keys go to the program as they are (Ctrl-C interrupts the program); Ctrl-] ends
the machine. Otherwise Ctrl-C ends the machine.

With -d, the program runs in the background; capstan prints the name of the instance when it has
started. It goes on without the shell: capstan instances, logs, attach, stop and delete find it.

With --json, standard output carries one JSON object at the end and nothing else; the program's
own output goes to standard error.

Exit status:
${exitStatusTable.map(({ status, meaning }) => `  ${status.padEnd(6)} ${meaning}`).join("\n")}`;

/** The command as data. */
export const runCommand: CommandDefinition = {
  name: "run",
  summary: "run an application in a virtual machine",
  parameters: "[source] [args...]",
  options: runOptionDefinitions,
  notes,
  examples: [
    "capstan run -- /bin/echo hello",
    "capstan run -m 1G -- python3 script.py",
    "capstan run -p 8080:80 -- python3 -m http.server 80",
    "capstan run -d --name web -p 8080:80 -- python3 -m http.server 80",
    "capstan run --trace=file,mmap -- ls",
    "capstan run --add ./data:/data -- sha256sum /data/big.bin",
  ],
  completes: "program",
  run,
};

async function run(input: CommandInput): Promise<number> {
  const { env } = input;
  const options = parseRunOptions(input);
  if (options.detach !== undefined) {
    const { runDetached } = await import("./run-detached.ts");
    return runDetached(input, options, options.detach);
  }
  const isTerminal = isInteractive(process.stdin, process.stdout) && !options.json;
  const console = options.console ?? (isTerminal ? "hvc" : "ports");
  const planned = await planRun({
    source: parseSource(
      input,
      console !== "ports" && env.TERM !== undefined ? { terminalType: env.TERM } : {},
    ),
    options,
    env,
    console,
    takesSignals: isTerminal,
    ...(isTerminal ? { terminal: terminalSize(process.stdout) } : {}),
  });
  announce(options, planned);
  if (options.isDryRun) return describe(planned.plan);
  const result = await withMachine(planned.plan, (spec) =>
    runMachine(planned.plan, spec, options, isTerminal),
  );
  return finish(options, planned, result);
}

/** Shows what the hypervisor would be told. */
async function describe(plan: BootPlan): Promise<number> {
  const text = await withMachine(plan, (spec) => hypervisors[plan.hypervisor].describe(spec));
  process.stdout.write(text);
  return 0;
}

/** Whether the serial port's text goes to stderr: the kernel's log, or the trace. */
function showsLog(options: RunOptions): boolean {
  return options.verbose || options.trace !== undefined;
}

async function runMachine(
  plan: BootPlan,
  spec: MachineSpec,
  options: RunOptions,
  isTerminal: boolean,
): Promise<SessionResult> {
  const stderr = new DescriptorSink(2);
  const restoreTerminal = isTerminal ? enterRawMode(process.stdin) : () => {};
  const signals = stopOnSignals();
  let unfollow = (): void => {};
  try {
    return await runSession(await hypervisors[plan.hypervisor].open(plan.programPath), spec, {
      input: process.stdin,
      hasTerminal: spec.console !== "ports",
      waitsForBoot: spec.console === "serial",
      stdout: options.json ? stderr : new DescriptorSink(1),
      stderr,
      log: showsLog(options) ? stderr : null,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      onStarted: (stop, machine) => {
        signals.connect(stop);
        if (isTerminal) unfollow = followSize(process.stdout, machine.setTerminalSize);
      },
    });
  } finally {
    unfollow();
    signals.disconnect();
    restoreTerminal();
  }
}

function finish(options: RunOptions, planned: PlannedRun, result: SessionResult): number {
  const { prepared, plan } = planned;
  const { machine, accelerator, memoryBytes, cpus } = plan.machine;
  const facts: RunFacts = {
    program: prepared.source.launch.executable,
    machine: { type: machine, accelerator, memoryBytes, cpus },
    image: prepared.image,
    imageMs: prepared.durationMs,
    warnings: prepared.source.warnings,
  };
  const shown = { quiet: options.quiet || options.json, logWasShown: showsLog(options) };
  process.stderr.write(explain(result, shown));
  if (options.verbose) process.stderr.write(timings(facts, result.report, result));
  if (options.json) process.stdout.write(`${JSON.stringify(toJson(facts, result))}\n`);
  if (result.ending.kind === "interrupted") endBySignal(result.ending.signal);
  return exitStatusOf(result.ending);
}
