/**
 * The process that a background instance belongs to: it starts the VMM, keeps its output and its
 * state, and serves the control socket. The VMM ends with it, and it ends with the VMM.
 *
 * Neighbours: `start.ts` starts it, `control.ts` is its protocol, `audience.ts` its listeners,
 * `../run/session.ts` drives the machine.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { OutputSink } from "../console/output.ts";
import { hypervisors } from "../hypervisor/catalog.ts";
import type { RunningMachine } from "../hypervisor/hypervisor.ts";
import { exitStatusOf, type Stop } from "../run/outcome.ts";
import { withMachine } from "../run/plan.ts";
import { explain } from "../run/report.ts";
import { runSession } from "../run/session.ts";
import { Audience } from "./audience.ts";
import { reportStart, type StartReport, unforeseen } from "./background.ts";
import { ConsoleLog } from "./console-log.ts";
import { type FrameChannel, frameChannel, socketName } from "./control.ts";
import { ControlServer } from "./control-server.ts";
import { processIdentity } from "./process-identity.ts";
import type { Instance, InstanceState } from "./record.ts";
import { removeInstance, writeState } from "./store.ts";

/** How long a guest may take to end when the host itself is shut down. */
const SHUTDOWN_LIMIT_MS = 5000;

/** Runs an instance until its machine has ended. */
export async function supervise(instance: Instance): Promise<void> {
  const supervisor = new Supervisor(instance);
  try {
    await supervisor.run();
  } catch (error) {
    supervisor.fail(error);
  }
}

class Supervisor {
  readonly #instance: Instance;
  readonly #startedAt = new Date().toISOString();
  readonly #input = new PassThrough();
  readonly #audience = new Audience(this.#input);
  #hasReported = false;
  #machine: RunningMachine | null = null;
  #end: ((reason: Stop) => void) | null = null;
  #killTimer: NodeJS.Timeout | undefined;
  #markEnded: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#markEnded = resolve;
  });

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  async run(): Promise<void> {
    const { definition, folder } = this.#instance;
    const { plan, timeoutMs } = definition;
    this.#write("starting");
    const log = new ConsoleLog(folder);
    const hypervisor = await hypervisors[plan.hypervisor].open(plan.programPath);
    const server = new ControlServer(folder, {
      stop: (limitMs, signal) => this.#stop(limitMs, signal),
      setTerminalSize: (size) => this.#machine?.setTerminalSize(size),
      join: (client, hasInput) => this.#audience.join(client, hasInput),
      logBytes: () => log.sizeBytes,
      hasTerminal: plan.machine.console !== "ports",
    });
    await server.listen();
    process.on("SIGTERM", () => void this.#stop(SHUTDOWN_LIMIT_MS, definition.stopSignal));
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
    const sink = (channel: FrameChannel): OutputSink => ({
      isBusy: false,
      write: async (bytes) => {
        log.write(bytes);
        this.#audience.send(channel, bytes);
        return true;
      },
    });
    const result = await withMachine(
      plan,
      (spec) =>
        runSession(hypervisor, spec, {
          input: this.#input,
          hasTerminal: spec.console !== "ports",
          waitsForBoot: spec.console === "serial",
          stdout: sink(frameChannel.stdout),
          stderr: sink(frameChannel.stderr),
          log: null,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          onStarted: (stop, machine) => this.#started(stop, machine),
          onEvent: ({ event }) => {
            if (event === "boot") this.#report({ started: true });
          },
        }),
      folder,
    );
    clearTimeout(this.#killTimer);
    log.close();
    const message = explain(result, { quiet: false, logWasShown: false })
      .replaceAll("capstan: ", "")
      .trimEnd();
    this.#finish(exitStatusOf(result.ending), result.ending.kind, message);
    server.close();
    this.#audience.close();
    rmSync(join(folder, socketName), { force: true });
    this.#markEnded();
    // Does nothing after a boot: a program that then ended was started all the same.
    this.#report({
      started: false,
      code: "NotBooted",
      what: `${definition.name} was not started`,
      why: message === "" ? "the machine ended before its program ran" : message,
      fix: "capstan run --verbose, without -d, shows the kernel's log",
      exitStatus: exitStatusOf(result.ending),
    });
    if (definition.removesItself) removeInstance(this.#instance);
  }

  /** Keeps what went wrong before there was a machine, and tells who waits for the start. */
  fail(error: unknown): void {
    const { definition, folder } = this.#instance;
    const failed = `the instance ${definition.name} could not be started`;
    const { what, why, fix, code, exitStatus } = unforeseen(failed, error, folder);
    process.stderr.write(`${what}\n${why}\n`);
    this.#finish(exitStatus, "failed", `${what}: ${why}`);
    this.#report({ started: false, code, what, why, fix, exitStatus });
    process.exit(exitStatus);
  }

  #started(stop: (reason: Stop) => void, machine: RunningMachine): void {
    this.#machine = machine;
    this.#end = stop;
    this.#write("running");
    // A machine that waits for a debugger boots later.
    if (this.#instance.definition.plan.machine.gdbPort !== undefined) {
      this.#report({ started: true });
    }
  }

  /** Asks the program to end, kills the machine after the limit; resolves when it has ended. */
  async #stop(limitMs: number, signal: number | undefined): Promise<void> {
    const kill = (): void => this.#end?.({ by: "signal", signal: "SIGKILL" });
    this.#write("stopping");
    const wasAsked = await this.#machine?.requestStop(
      signal ?? this.#instance.definition.stopSignal,
    );
    clearTimeout(this.#killTimer);
    if (wasAsked !== true || limitMs === 0) kill();
    else this.#killTimer = setTimeout(kill, limitMs);
    await this.#ended;
  }

  #write(status: "starting" | "running" | "stopping"): void {
    const state: InstanceState = {
      status,
      supervisorPid: process.pid,
      supervisorIdentity: processIdentity(process.pid) ?? "",
      machinePid: this.#machine?.pid ?? 0,
      startedAt: this.#startedAt,
    };
    writeState(this.#instance.folder, state);
  }

  #finish(exitStatus: number, reason: string, message: string): void {
    const endedAt = new Date().toISOString();
    const startedAt = this.#startedAt;
    const { folder } = this.#instance;
    writeState(folder, { status: "exited", startedAt, endedAt, exitStatus, reason, message });
  }

  #report(report: StartReport): void {
    if (this.#hasReported) return;
    this.#hasReported = true;
    reportStart(report);
  }
}
