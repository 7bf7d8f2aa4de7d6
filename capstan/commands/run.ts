/**
 * `capstan run [options] SOURCE [ARGS...]`, or `-- PROGRAM [ARGS...]`: makes an image, boots it
 * and behaves like the program in it: same output, same exit status. Neighbours: `run/` does the work
 * in parts that are tested on their own; this file connects them.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescriptorSink } from "../console/output.ts";
import { enterRawMode, isInteractive, terminalSize } from "../console/terminal.ts";
import { exitStatusTable } from "../exit-status.ts";
import { capstanHome } from "../home.ts";
import { chooseAccelerator, thisHost } from "../hypervisor/accelerator.ts";
import { findQemu } from "../hypervisor/find-qemu.ts";
import type { MachineSpec } from "../hypervisor/hypervisor.ts";
import { qemuHypervisor } from "../hypervisor/qemu.ts";
import {
  commandLineLimitBytes,
  configurationInInitrd,
  encodeConfiguration,
  type GuestConfiguration,
} from "../protocol/command-line.ts";
import { findKernel } from "../run/kernel-file.ts";
import { exitStatusOf } from "../run/outcome.ts";
import { type PreparedSource, prepareSource } from "../run/prepare.ts";
import { explain, type RunFacts, timings, toJson } from "../run/report.ts";
import { runSession, type SessionResult } from "../run/session.ts";
import { abortOnSignals, endBySignal, stopOnSignals } from "../run/signals.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { parseRunOptions, type RunOptions, runOptionDefinitions } from "./run-options.ts";
import { parseSource, sourceNotes } from "./source-options.ts";

const notes = `${sourceNotes}

Arguments of a program of this machine that name files or directories of the host are copied into the image; the program
starts in the same directory.

In a terminal, keys go to the program as they are (Ctrl-C interrupts the program); Ctrl-] ends
the machine. Otherwise Ctrl-C ends the machine.

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
    "capstan run --trace=file,mmap -- ls",
    "capstan run --add ./data:/data -- sha256sum /data/big.bin",
  ],
  completes: "program",
  run,
};

async function run(input: CommandInput): Promise<number> {
  const { env } = input;
  const options = parseRunOptions(input);
  const qemuPath = findQemu(env);
  const kernelPath = findKernel(options.kernel, env);
  const isTerminal = isInteractive(process.stdin, process.stdout) && !options.json;
  const console = options.console ?? (isTerminal ? "hvc" : "ports");
  const hasTerminal = console !== "ports";
  const accelerator = chooseAccelerator(options.accel, thisHost(qemuPath, capstanHome(env)));
  // Both take time of their own; a failure of either is reported after both are settled.
  const [chosen, prepared] = await settleBoth(
    accelerator,
    abortOnSignals((signal) => {
      const terminal = hasTerminal && env.TERM !== undefined ? { terminalType: env.TERM } : {};
      const given = parseSource(input, { ...terminal, signal });
      return prepareSource(given.request, given.options);
    }),
  );
  const { launch } = prepared.source;
  const configuration: GuestConfiguration = {
    console,
    executable: launch.executable,
    argv0: launch.argv0,
    args: launch.args,
    cwd: launch.cwd,
    env: launch.env,
    user: launch.user,
    verbose: options.verbose,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    epochNs: BigInt(Date.now()) * 1_000_000n,
    entropy: randomBytes(32),
    ...(isTerminal ? { terminal: terminalSize(process.stdout) } : {}),
    ...(options.network?.ip === undefined ? {} : { ip: options.network.ip }),
  };
  const spec: Omit<MachineSpec, "commandLine" | "initrdPath"> = {
    machine: options.machine,
    accelerator: chosen,
    kernelPath,
    rootImagePath: prepared.image.path,
    memoryBytes: options.memoryBytes,
    cpus: options.cpus,
    console,
    ...(options.gdbPort === undefined ? {} : { gdbPort: options.gdbPort }),
    ...(options.network === undefined ? {} : { network: options.network }),
  };
  announce(options, prepared);
  const result = await withConfiguration(spec, configuration, (complete) =>
    runMachine(qemuPath, complete, options, isTerminal),
  );
  return finish(options, prepared, spec, result);
}

/** Whether the serial port's text goes to stderr: the kernel's log, or the trace. */
function showsLog(options: RunOptions): boolean {
  return options.verbose || options.trace !== undefined;
}

/** Things to know before the machine starts. */
function announce(options: RunOptions, prepared: PreparedSource): void {
  if (!options.quiet && !options.json) {
    for (const warning of prepared.source.warnings) {
      process.stderr.write(`capstan: note: ${warning}\n`);
    }
  }
  if (options.gdbPort !== undefined) {
    process.stderr.write(
      `capstan: the machine waits for a debugger: ` +
        `gdb build/kernel.debug.elf -ex 'target remote :${options.gdbPort}'\n`,
    );
  }
}

/** Runs with the configuration as the command line, or in a temporary file when it is long. */
async function withConfiguration(
  spec: Omit<MachineSpec, "commandLine" | "initrdPath">,
  configuration: GuestConfiguration,
  use: (spec: MachineSpec) => Promise<SessionResult>,
): Promise<SessionResult> {
  const text = encodeConfiguration(configuration);
  if (text.length <= commandLineLimitBytes) return use({ ...spec, commandLine: text });
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  try {
    const initrdPath = join(folder, "configuration");
    writeFileSync(initrdPath, text);
    return await use({ ...spec, commandLine: configurationInInitrd, initrdPath });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runMachine(
  qemuPath: string,
  spec: MachineSpec,
  options: RunOptions,
  isTerminal: boolean,
): Promise<SessionResult> {
  const stderr = new DescriptorSink(2);
  const restoreTerminal = isTerminal ? enterRawMode(process.stdin) : () => {};
  const signals = stopOnSignals();
  try {
    return await runSession(qemuHypervisor(qemuPath), spec, {
      input: process.stdin,
      hasTerminal: spec.console !== "ports",
      waitsForBoot: spec.console === "serial",
      stdout: options.json ? stderr : new DescriptorSink(1),
      stderr,
      log: showsLog(options) ? stderr : null,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      onStarted: signals.connect,
    });
  } finally {
    signals.disconnect();
    restoreTerminal();
  }
}

function finish(
  options: RunOptions,
  prepared: PreparedSource,
  spec: Omit<MachineSpec, "commandLine">,
  result: SessionResult,
): number {
  const facts: RunFacts = {
    program: prepared.source.launch.executable,
    machine: {
      type: spec.machine,
      accelerator: spec.accelerator,
      memoryBytes: spec.memoryBytes,
      cpus: spec.cpus,
    },
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

/** Waits for both, so that no failure is left unhandled; the first one's error comes first. */
async function settleBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
