/**
 * What is kept of a background instance, in two files: `instance.json` says what it is and never
 * changes; `state.json` says how it is and is replaced as a whole by the instance's supervisor.
 *
 * Neighbours: `store.ts` reads and writes them, `supervisor.ts` knows the state.
 */

import type { PortForward } from "../hypervisor/network.ts";
import type { BootPlan } from "../run/plan.ts";

/** Raised when older records can no longer be understood. */
export const RECORD_VERSION = 1;

/** What an instance is. */
export interface InstanceDefinition {
  readonly version: typeof RECORD_VERSION;
  readonly name: string;
  /** What the user would type to name its source again. */
  readonly source: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly plan: BootPlan;
  /** Linux signal number that asks the program to end. */
  readonly stopSignal: number;
  /** Whether it is deleted when it has ended. */
  readonly removesItself: boolean;
  readonly timeoutMs?: number;
  /** The compose project and service that it belongs to. */
  readonly service?: { readonly project: string; readonly name: string };
}

/** How an instance is, as its supervisor wrote it. */
export type InstanceState =
  | {
      readonly status: "starting" | "running" | "stopping";
      readonly supervisorPid: number;
      /** See `processIdentity`. */
      readonly supervisorIdentity: string;
      /** Process id of the VMM; 0 before it has started. */
      readonly machinePid: number;
      readonly startedAt: string;
    }
  | {
      readonly status: "exited";
      readonly startedAt: string;
      readonly endedAt: string;
      /** As `capstan run` would have ended. */
      readonly exitStatus: number;
      /** `exit`, `signal`, `panic` ...: the field `reason` of docs/run-json.md. */
      readonly reason: string;
      /** What `capstan run` would have said, without a final line break. */
      readonly message: string;
    };

/** How an instance is seen from outside. */
export interface Instance {
  readonly definition: InstanceDefinition;
  readonly folder: string;
  /** `lost`: its supervisor was killed, or the host restarted. */
  readonly status: InstanceState["status"] | "lost";
  readonly state: InstanceState | null;
}

/** Whether its machine runs, or is about to. */
export function isActive({ status }: Instance): boolean {
  return status === "starting" || status === "running" || status === "stopping";
}

/** The ports that an instance publishes. */
export function publishedPorts({ definition }: Instance): readonly PortForward[] {
  const backend = definition.plan.machine.network?.backend;
  if (backend?.kind === "switch") return backend.published;
  return backend?.kind === "user" ? backend.forwards : [];
}

/** A port as `docker ps` shows it: `127.0.0.1:8080->80/tcp`. */
export function portText({ hostAddress, hostPort, guestPort, protocol }: PortForward): string {
  return `${hostAddress}:${hostPort}->${guestPort}/${protocol}`;
}
