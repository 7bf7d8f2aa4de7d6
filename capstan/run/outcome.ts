/**
 * What a run of a machine came to, put together from what the guest reported, how the VMM ended
 * and what capstan did itself; and the exit status that follows. Pure functions.
 * Neighbours: `session.ts` collects the facts, `report.ts` puts them into words.
 */
import { ExitStatus, signalStatus } from "../exit-status.ts";
import type { MachineEnding } from "../hypervisor/hypervisor.ts";
import type { ControlEvent, MissingCall } from "../protocol/control-channel.ts";

/** Why capstan ended the machine by itself. */
export type Stop =
  | { readonly by: "timeout" }
  | { readonly by: "escape" }
  | { readonly by: "signal"; readonly signal: NodeJS.Signals };

/** How the run ended. */
export type Ending =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: number }
  | { readonly kind: "panic"; readonly message: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "interrupted"; readonly signal: NodeJS.Signals }
  | { readonly kind: "no-report"; readonly machine: MachineEnding };

/** Everything the guest reported, in one place. */
export interface GuestReport {
  readonly end: Extract<ControlEvent, { event: "exit" | "signal" }> | null;
  readonly panic: string | null;
  readonly outOfMemory: string | null;
  readonly errors: readonly string[];
  readonly missingCalls: readonly MissingCall[];
  readonly bootNs: number | null;
}

/** Puts the guest's events together; the first panic and the last exit count. */
export function summarise(events: readonly ControlEvent[]): GuestReport {
  const messages = (kind: "panic" | "oom" | "error"): string[] =>
    events.flatMap((each) => (each.event === kind ? [each.message] : []));
  return {
    end:
      events.flatMap((e) => (e.event === "exit" || e.event === "signal" ? [e] : [])).at(-1) ?? null,
    panic: messages("panic")[0] ?? null,
    outOfMemory: messages("oom")[0] ?? null,
    errors: messages("error"),
    missingCalls: events.flatMap((each) => (each.event === "enosys" ? each.calls : [])),
    bootNs: events.flatMap((each) => (each.event === "boot" ? [each.durationNs] : []))[0] ?? null,
  };
}

/**
 * How the run ended. What capstan did itself comes first, since it also explains a VMM that was
 * killed; a panic outweighs an exit status, because the program did not choose that.
 */
export function endingOf(report: GuestReport, machine: MachineEnding, stop: Stop | null): Ending {
  if (stop?.by === "timeout") return { kind: "timeout" };
  if (stop?.by === "escape") return { kind: "interrupted", signal: "SIGINT" };
  if (stop?.by === "signal") return { kind: "interrupted", signal: stop.signal };
  if (report.panic !== null) return { kind: "panic", message: report.panic };
  if (report.end?.event === "exit") return { kind: "exit", status: report.end.status };
  if (report.end?.event === "signal") return { kind: "signal", signal: report.end.signal };
  return { kind: "no-report", machine };
}

const hostSignalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
};

/** The status that capstan exits with. */
export function exitStatusOf(ending: Ending): number {
  switch (ending.kind) {
    case "exit":
      return ending.status;
    case "signal":
      return signalStatus(ending.signal);
    case "panic":
      return ExitStatus.kernelPanic;
    case "timeout":
      return ExitStatus.timeout;
    case "interrupted":
      return signalStatus(hostSignalNumbers[ending.signal] ?? 15);
    case "no-report":
      return ExitStatus.noReport;
  }
}
