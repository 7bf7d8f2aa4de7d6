/**
 * Stops an instance through its supervisor. Neighbours: `client.ts`, `../commands/stop.ts`,
 * `../commands/delete.ts`.
 */
import { converse } from "./client.ts";
import { type Instance, isActive } from "./record.ts";
import { readInstance } from "./store.ts";

/** How a machine came to its end. */
export interface Stopped {
  /** `stopped` by the program itself, `killed` after the limit, or it did not run before. */
  readonly how: "stopped" | "killed" | "was not running";
  /** As `capstan run` would have ended; null when that is not known. */
  readonly exitStatus: number | null;
}

/** The status of a machine that was ended by force: 128 and SIGKILL's number. */
const KILLED_STATUS = 137;

/**
 * Asks the program to end, and has the machine ended when the limit is over.
 * @param signal to send instead of the instance's own
 */
export async function stopInstance(
  instance: Instance,
  limitMs: number,
  signal: number | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Stopped> {
  if (!isActive(instance)) return { how: "was not running", exitStatus: exitStatusOf(instance) };
  const { socket } = await converse(instance, {
    op: "stop",
    timeoutMs: limitMs,
    ...(signal === undefined ? {} : { signal }),
  });
  socket.destroy();
  const exitStatus = exitStatusOf(readInstance(instance.definition.name, env));
  return { how: exitStatus === KILLED_STATUS ? "killed" : "stopped", exitStatus };
}

function exitStatusOf(instance: Instance | undefined): number | null {
  const state = instance?.state;
  return state?.status === "exited" ? state.exitStatus : null;
}
