/**
 * Starts the supervisor of an instance and waits until its guest has booted. Neighbours:
 * `background.ts`, `supervisor.ts` (the process), `store.ts` (the folder).
 */
import { startBackground } from "./background.ts";
import type { Instance } from "./record.ts";
import { findInstance } from "./store.ts";

/**
 * Starts an instance whose folder exists.
 * @returns the instance as it is after the boot; it may have ended already
 * @throws UserError what prevented the start; the folder stays
 */
export async function startSupervisor(name: string, env: NodeJS.ProcessEnv): Promise<Instance> {
  await startBackground(["__supervise", name], findInstance(name, env).folder, env);
  return findInstance(name, env);
}
