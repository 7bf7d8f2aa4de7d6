/**
 * The networks of compose projects: a folder each, and a process that runs switch and gateway.
 *
 *     $CAPSTAN_ROOT/networks/PROJECT/
 *         network.json      ports to publish, where QEMU is
 *         state.json        the process, and the socket of the switch
 *         supervisor.log    its messages
 *
 * Neighbours: `network-process.ts` (the process), `project.ts` (the user).
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capstanHome } from "../home.ts";
import { startBackground } from "../instance/background.ts";
import { processIdentity } from "../instance/process-identity.ts";
import type { MemberPorts } from "./network.ts";

/** What a network is to be. */
export interface NetworkDefinition {
  readonly qemuPath: string;
  readonly ports: readonly MemberPorts[];
}

/** A network that runs. */
export interface NetworkState {
  readonly pid: number;
  readonly identity: string;
  /** Where machines connect. */
  readonly socketPath: string;
}

/** The folder of a project's network. */
export function networkFolder(project: string, env: NodeJS.ProcessEnv): string {
  return join(capstanHome(env), "networks", project);
}

/** The network of a project, if it runs. */
export function findNetwork(project: string, env: NodeJS.ProcessEnv): NetworkState | undefined {
  try {
    const path = join(networkFolder(project, env), "state.json");
    const state: NetworkState = JSON.parse(readFileSync(path, "utf8"));
    return processIdentity(state.pid) === state.identity ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a network. @throws UserError why it could not be started; nothing is kept */
export async function startNetwork(
  project: string,
  definition: NetworkDefinition,
  env: NodeJS.ProcessEnv,
): Promise<NetworkState | undefined> {
  const folder = networkFolder(project, env);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "network.json"), JSON.stringify(definition));
  try {
    await startBackground(["__network", project], folder, env);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return findNetwork(project, env);
}

/** Reads what a network is to be; its own process does. */
export function readNetwork(project: string, env: NodeJS.ProcessEnv): NetworkDefinition {
  return JSON.parse(readFileSync(join(networkFolder(project, env), "network.json"), "utf8"));
}

/** Says that a network runs. */
export function writeNetworkState(
  project: string,
  state: NetworkState,
  env: NodeJS.ProcessEnv,
): void {
  const path = join(networkFolder(project, env), "state.json");
  writeFileSync(`${path}.tmp`, JSON.stringify(state));
  renameSync(`${path}.tmp`, path);
}

/** Ends a project's network, if it runs, and forgets it. */
export function stopNetwork(project: string, env: NodeJS.ProcessEnv): void {
  const running = findNetwork(project, env);
  if (running !== undefined) process.kill(running.pid, "SIGTERM");
  rmSync(networkFolder(project, env), { recursive: true, force: true });
}
