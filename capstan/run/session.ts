/**
 * Drives one machine from start to end: connects its channels with capstan's standard streams,
 * listens to the control channel, and ends the machine when the user or the time limit says so.
 * Neighbours: `hypervisor/` starts machines, `console/` moves bytes, `outcome.ts` judges the end.
 */
import type { Readable } from "node:stream";
import type { OutputSink } from "../console/output.ts";
import { relayInput, relayKeys, relayOutput } from "../console/relay.ts";
import type { Hypervisor, MachineSpec, RunningMachine } from "../hypervisor/hypervisor.ts";
import { ControlChannelReader, type ControlEvent } from "../protocol/control-channel.ts";
import { type Ending, endingOf, type GuestReport, type Stop, summarise } from "./outcome.ts";

/** What a session needs besides the machine. */
export interface SessionOptions {
  readonly input: Readable;
  /** Whether the guest's program has a terminal: input is keys, with Ctrl-] as the way out. */
  readonly hasTerminal: boolean;
  /**
   * Holds input back until the guest has booted: a serial port forgets what arrives before its
   * driver has started. Virtio ports keep it.
   */
  readonly waitsForBoot?: boolean;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  /** Where the kernel's log goes while it is written; null to keep only its end. */
  readonly log: OutputSink | null;
  /** Ends the machine after this time; undefined for no limit. */
  readonly timeoutMs?: number;
  /** Lets the caller end the machine: for signals. */
  readonly onStarted?: (stop: (reason: Stop) => void, machine: RunningMachine) => void;
  /** Called with what the guest reports, as it comes. */
  readonly onEvent?: (event: ControlEvent) => void;
}

/** What a session came to. */
export interface SessionResult {
  readonly ending: Ending;
  readonly report: GuestReport;
  /** The end of the kernel's log. */
  readonly log: string;
  /** From the start of the VMM's process to the program's first output; null without output. */
  readonly firstOutputMs: number | null;
  /** From the start of the VMM's process to its end. */
  readonly durationMs: number;
}

const logLimitBytes = 64 * 1024;

/** How long a guest may take to power off after it has reported the end of its program. */
const powerOffLimitMs = 10_000;

/** Starts a machine and stays with it until it has ended and all its output is written. */
export async function runSession(
  hypervisor: Hypervisor,
  spec: MachineSpec,
  options: SessionOptions,
): Promise<SessionResult> {
  const startMs = performance.now();
  const machine = await hypervisor.start(spec);
  const session = new Session(machine, options, startMs);
  return session.finish();
}

class Session {
  readonly #machine: RunningMachine;
  readonly #options: SessionOptions;
  readonly #startMs: number;
  readonly #events: ControlEvent[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #log = Buffer.alloc(0);
  #firstOutputMs: number | null = null;
  #stop: Stop | null = null;
  /** Undoes the connection of the input; does nothing before it is connected. */
  #stopInput: () => void = () => {};
  #isInputConnected = false;

  constructor(machine: RunningMachine, options: SessionOptions, startMs: number) {
    this.#machine = machine;
    this.#options = options;
    this.#startMs = startMs;
  }

  async finish(): Promise<SessionResult> {
    const { timeoutMs, onStarted } = this.#options;
    onStarted?.((reason) => this.#end(reason), this.#machine);
    if (timeoutMs !== undefined) this.#after(timeoutMs, () => this.#end({ by: "timeout" }));
    if (this.#options.waitsForBoot !== true) this.#connectInput();
    const channels = this.#connectOutput();
    const machineEnding = await this.#machine.ended;
    const durationMs = performance.now() - this.#startMs;
    this.#stopInput();
    for (const timer of this.#timers) clearTimeout(timer);
    // After an interruption nobody may be reading any more: waiting for that could take for ever.
    if (this.#stop?.by !== "signal" || !this.#outputIsBusy()) await Promise.all(channels);
    const report = summarise(this.#events);
    return {
      ending: endingOf(report, machineEnding, this.#stop),
      report,
      log: this.#log.toString("utf8"),
      firstOutputMs: this.#firstOutputMs,
      durationMs,
    };
  }

  #connectInput(): void {
    if (this.#isInputConnected) return;
    this.#isInputConnected = true;
    const { input, hasTerminal } = this.#options;
    const { stdin } = this.#machine;
    this.#stopInput = hasTerminal
      ? relayKeys(input, stdin, () => this.#end({ by: "escape" }))
      : relayInput(input, stdin);
  }

  #connectOutput(): Promise<void>[] {
    const { stdout, stderr, log, control } = this.#machine;
    const noteFirst = (): void => {
      this.#firstOutputMs ??= performance.now() - this.#startMs;
    };
    const reader = new ControlChannelReader();
    const nowhere: OutputSink = { write: async () => true, isBusy: false };
    const listen = (bytes: Buffer): void => this.#listen(reader.push(bytes));
    return [
      relayOutput(stdout, this.#options.stdout, noteFirst),
      ...(stderr ? [relayOutput(stderr, this.#options.stderr, noteFirst)] : []),
      ...(log ? [relayOutput(log, this.#options.log ?? nowhere, (b) => this.#keepLog(b))] : []),
      relayOutput(control, nowhere, listen),
    ];
  }

  #listen(events: readonly ControlEvent[]): void {
    this.#events.push(...events);
    for (const event of events) this.#options.onEvent?.(event);
    if (events.some(({ event }) => event === "boot")) this.#connectInput();
    const isOver = events.some(({ event }) => ["exit", "signal", "panic"].includes(event));
    if (isOver) this.#expectPowerOff();
  }

  /** A guest that reported its end must be gone soon, unless its last output is still held up. */
  #expectPowerOff(): void {
    this.#after(powerOffLimitMs, () => {
      if (this.#outputIsBusy()) this.#expectPowerOff();
      else this.#machine.kill();
    });
  }

  #outputIsBusy(): boolean {
    return this.#options.stdout.isBusy || this.#options.stderr.isBusy;
  }

  #keepLog(bytes: Buffer): void {
    this.#log = Buffer.concat([this.#log, bytes]).subarray(-logLimitBytes);
  }

  #end(reason: Stop): void {
    this.#stop ??= reason;
    this.#machine.kill();
  }

  #after(delayMs: number, action: () => void): void {
    this.#timers.add(setTimeout(action, delayMs));
  }
}
