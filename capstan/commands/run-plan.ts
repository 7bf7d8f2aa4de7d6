/**
 * From the options of `capstan run` to a boot plan and an image: what a run in the foreground and
 * one in the background have in common. Neighbours: `run.ts`, `run-detached.ts`, `../run/plan.ts`.
 */
import type { TerminalSize } from "../console/terminal.ts";
import { capstanHome } from "../home.ts";
import { chooseAccelerator, thisHost } from "../hypervisor/accelerator.ts";
import { assertSupported, hypervisors } from "../hypervisor/catalog.ts";
import { findHypervisor } from "../hypervisor/find-program.ts";
import { needsOneThread } from "../hypervisor/live-code.ts";
import { publishPorts } from "../hypervisor/network.ts";
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
  const { options, env } = input;
  const { hypervisor } = options;
  const facts = hypervisors[hypervisor];
  assertSupported(hypervisor, options.network);
  // What is only described need not be installed; QEMU is asked for its accelerators.
  const isDescribed = options.isDryRun && hypervisor !== "qemu";
  const programPath = isDescribed ? facts.program : findHypervisor(hypervisor, env);
  const kernelPath = findKernel(options.kernel, env);
  await assertPortsFree(options.network);
  // Both take time of their own; a failure of either is reported after both are settled.
  const [accelerator, prepared] = await settleBoth(
    hypervisor === "qemu"
      ? chooseAccelerator(options.accel, thisHost(programPath, capstanHome(env)))
      : Promise.resolve(options.accel === "auto" ? "kvm" : options.accel),
    abortOnSignals((signal) =>
      prepareSource(input.source.request, { ...input.source.options, signal }),
    ),
  );
  const {
    executable,
    argv0,
    args,
    cwd,
    env: variables,
    user,
    isAppliance,
    ports,
  } = prepared.source.launch;
  const { gdbPort, trace } = options;
  const network = options.publishesAll ? publishPorts(options.network, ports) : options.network;
  if (options.publishesAll) await assertPortsFree(network);
  const diskFormat = typeof facts.boots === "string" ? options.bootFrom : facts.boots.diskFormat;
  const console = facts.hasStreams ? input.console : "serial";
  const takesSignals = facts.hasStreams && input.takesSignals;
  const hasOneThread =
    hypervisor === "qemu" &&
    needsOneThread({ accelerator, cpus: options.cpus }, prepared.source.tree);
  const plan: BootPlan = {
    hypervisor,
    programPath,
    ...(diskFormat === undefined ? {} : { diskFormat }),
    machine: {
      machine: options.machine,
      accelerator,
      kernelPath,
      rootImagePath: prepared.image.path,
      memoryBytes: options.memoryBytes,
      cpus: options.cpus,
      ...(hasOneThread ? { hasOneThread } : {}),
      console,
      takesSignals,
      ...(gdbPort === undefined ? {} : { gdbPort }),
      ...(network === undefined ? {} : { network }),
    },
    guest: {
      console,
      ...(isAppliance === true ? { isAppliance } : {}),
      executable,
      argv0,
      args,
      cwd,
      env: variables,
      user,
      verbose: options.verbose,
      takesSignals,
      controlOnSerial: !facts.hasStreams,
      ...(trace === undefined ? {} : { trace }),
      ...(input.terminal === undefined ? {} : { terminal: input.terminal }),
      ...(network?.ip === undefined ? {} : { ip: network.ip }),
    },
  };
  return { plan, prepared };
}

/** Things to know before the machine starts. */
export function announce(options: RunOptions, { plan, prepared }: PlannedRun): void {
  if (!options.quiet && !options.json) {
    if (plan.machine.hasOneThread === true) {
      process.stderr.write(
        "capstan: note: the processors are emulated in turn, since the program replaces code " +
          "while they execute it; with KVM they run at the same time\n",
      );
    }
    for (const warning of prepared.source.warnings) {
      process.stderr.write(`capstan: note: ${warning}\n`);
    }
    const { ports } = prepared.source.launch;
    if (ports.length > 0 && options.network === undefined && !options.publishesAll) {
      const names = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(", ");
      process.stderr.write(
        `capstan: note: it may listen on ${names}; -P or -p makes that reachable\n`,
      );
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
