/**
 * From the options of `capstan run` to a boot plan and an image: what a run in the foreground and
 * one in the background have in common. Neighbours: `run.ts`, `run-detached.ts`, `../run/plan.ts`.
 */
import type { TerminalSize } from "../console/terminal.ts";
import { capstanHome } from "../home.ts";
import { chooseAccelerator, thisHost } from "../hypervisor/accelerator.ts";
import { findQemu } from "../hypervisor/find-qemu.ts";
import type { GuestConsole } from "../protocol/command-line.ts";
import { assertPortsFree } from "../run/free-ports.ts";
import { findKernel } from "../run/kernel-file.ts";
import type { BootPlan } from "../run/plan.ts";
import { type PreparedSource, prepareSource } from "../run/prepare.ts";
import { abortOnSignals } from "../run/signals.ts";
import type { RunOptions } from "./run-options.ts";
import type { GivenSource } from "./source-options.ts";

/** What the plan depends on besides the options. */
export interface PlanRequest {
  readonly source: GivenSource;
  readonly options: RunOptions;
  /** Environment of capstan itself. */
  readonly env: NodeJS.ProcessEnv;
  readonly console: GuestConsole;
  /** Size of the host's terminal, when the program has it as its own. */
  readonly terminal?: TerminalSize;
  /** Whether the guest takes signals from the host. */
  readonly takesSignals: boolean;
}

/** A machine that is ready to start. */
export interface PlannedRun {
  readonly plan: BootPlan;
  readonly prepared: PreparedSource;
}

/**
 * Plans a run: finds QEMU and the kernel, chooses an accelerator, builds the image.
 * @throws UserError when one of these is impossible, or a port is in use
 */
export async function planRun(input: PlanRequest): Promise<PlannedRun> {
  const { options, env, console } = input;
  const vmmPath = findQemu(env);
  const kernelPath = findKernel(options.kernel, env);
  await assertPortsFree(options.network);
  // Both take time of their own; a failure of either is reported after both are settled.
  const [accelerator, prepared] = await settleBoth(
    chooseAccelerator(options.accel, thisHost(vmmPath, capstanHome(env))),
    abortOnSignals((signal) =>
      prepareSource(input.source.request, { ...input.source.options, signal }),
    ),
  );
  const { executable, argv0, args, cwd, env: variables, user } = prepared.source.launch;
  const { network, gdbPort, trace } = options;
  const plan: BootPlan = {
    vmmPath,
    machine: {
      machine: options.machine,
      accelerator,
      kernelPath,
      rootImagePath: prepared.image.path,
      memoryBytes: options.memoryBytes,
      cpus: options.cpus,
      console,
      takesSignals: input.takesSignals,
      ...(gdbPort === undefined ? {} : { gdbPort }),
      ...(network === undefined ? {} : { network }),
    },
    guest: {
      console,
      executable,
      argv0,
      args,
      cwd,
      env: variables,
      user,
      verbose: options.verbose,
      takesSignals: input.takesSignals,
      ...(trace === undefined ? {} : { trace }),
      ...(input.terminal === undefined ? {} : { terminal: input.terminal }),
      ...(network?.ip === undefined ? {} : { ip: network.ip }),
    },
  };
  return { plan, prepared };
}

/** Things to know before the machine starts. */
export function announce(options: RunOptions, prepared: PreparedSource): void {
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

/** Waits for both, so that no failure is left unhandled; the first one's error comes first. */
async function settleBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
