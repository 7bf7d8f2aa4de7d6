/**
 * Puts the outcome of a run into words for people and into JSON for programs. Pure functions.
 * Neighbours: `outcome.ts` (the facts), `commands/run.ts` (prints the result).
 */
import { signalStatus } from "../exit-status.ts";
import { qemuHint } from "../hypervisor/qemu-hints.ts";
import type { MissingCall } from "../protocol/control-channel.ts";
import { type Ending, exitStatusOf, type GuestReport } from "./outcome.ts";
import type { SessionResult } from "./session.ts";

/** What need not be said. */
export interface Shown {
  /** Missing system calls are not wanted. */
  readonly quiet: boolean;
  /** The kernel's log was shown while it was written. */
  readonly logWasShown: boolean;
}

/** Lines for stderr after a run; empty when there is nothing to say. */
export function explain(result: SessionResult, { quiet, logWasShown }: Shown): string {
  const { ending, report } = result;
  const lines = [
    ...report.errors.map((message) => message),
    ...(report.outOfMemory === null ? [] : [report.outOfMemory]),
    ...explainEnding(ending, logWasShown ? "" : result.log.trim()),
    ...(quiet ? [] : explainMissing(report.missingCalls)),
  ];
  return lines.map((line) => `capstan: ${line}\n`).join("");
}

function explainEnding(ending: Ending, log: string): string[] {
  switch (ending.kind) {
    case "exit":
    case "signal":
    case "interrupted":
      return [];
    case "panic":
      return [`the kernel panicked: ${ending.message}\n${log}`.trimEnd()];
    case "timeout":
      return ["the time limit ran out; the machine was ended"];
    case "no-report": {
      const { status, signal, diagnostics } = ending.machine;
      const how = signal === null ? `with status ${status}` : `by ${signal}`;
      const hint = qemuHint(diagnostics);
      const fix = hint === undefined ? "" : `  fix: ${hint}`;
      const details = [diagnostics.trim(), log, fix].filter((text) => text !== "");
      return [
        [`the machine ended without reporting a status (QEMU ended ${how})`, ...details].join("\n"),
      ];
    }
  }
}

function explainMissing(calls: readonly MissingCall[]): string[] {
  if (calls.length === 0) return [];
  const names = calls.map(({ number, name, count }) => {
    return `${name === "" ? `number ${number}` : name} (${count === 1 ? "once" : `${count} times`})`;
  });
  return [`the program used system calls that the kernel does not have: ${names.join(", ")}`];
}

/** What is known about a run besides its session; goes into the JSON report. */
export interface RunFacts {
  readonly program: string;
  readonly machine: {
    readonly type: string;
    readonly accelerator: string;
    readonly memoryBytes: number;
    readonly cpus: number;
  };
  readonly image: {
    readonly path: string;
    readonly sizeBytes: number;
    readonly contentBytes: number;
    readonly files: number;
    readonly cached: boolean;
  };
  readonly imageMs: number;
  readonly warnings: readonly string[];
}

/** The object that `--json` prints; its shape is described in `docs/run-json.md`. */
export function toJson(facts: RunFacts, result: SessionResult): object {
  const { ending, report } = result;
  return {
    status: exitStatusOf(ending),
    reason: ending.kind,
    signal: signalOf(ending),
    message: ending.kind === "panic" ? ending.message : null,
    outOfMemory: report.outOfMemory,
    errors: report.errors,
    missingSystemCalls: report.missingCalls,
    program: facts.program,
    machine: facts.machine,
    image: facts.image,
    warnings: facts.warnings,
    timingsMs: {
      image: round(facts.imageMs),
      guestBoot: report.bootNs === null ? null : round(report.bootNs / 1e6),
      firstOutput: result.firstOutputMs === null ? null : round(result.firstOutputMs),
      machine: round(result.durationMs),
    },
  };
}

function signalOf(ending: Ending): number | null {
  if (ending.kind === "signal") return ending.signal;
  return ending.kind === "interrupted" ? exitStatusOf(ending) - signalStatus(0) : null;
}

/** The timings for `--verbose`, one line. */
export function timings(facts: RunFacts, report: GuestReport, result: SessionResult): string {
  const { image } = facts;
  const cached = image.cached ? "from the cache" : `${image.files} files`;
  const parts = [
    `image ${ms(facts.imageMs)} (${(image.sizeBytes / 2 ** 20).toFixed(1)} MiB, ${cached})`,
    ...(report.bootNs === null ? [] : [`guest boot ${ms(report.bootNs / 1e6)}`]),
    ...(result.firstOutputMs === null ? [] : [`first output ${ms(result.firstOutputMs)}`]),
    `machine ${ms(result.durationMs)}`,
  ];
  return `capstan: ${parts.join(", ")}\n`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
