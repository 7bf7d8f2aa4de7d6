/**
 * Starts a machine of a virtual machine monitor that is told over an HTTP API on a UNIX socket what
 * to run, and that has the machine's serial line on its own standard input and output.
 *
 * Neighbours: `firecracker.ts` and `cloud-hypervisor.ts` know the requests, `api-socket.ts` makes them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FatalError } from "../errors.ts";
import { type ApiRequest, callApi, whenOpen } from "./api-socket.ts";
import type { RunningMachine } from "./hypervisor.ts";
import type { Leash } from "./leash.ts";
import { startVmm } from "./process.ts";
import { serialMachine } from "./serial-machine.ts";

/** What differs between the monitors. */
export interface ApiMonitor {
  /** As the user knows it. */
  name: string;
  /** The program. */
  path: string;
  /** Its arguments, with the path of the socket to listen at. */
  args: (socketPath: string) => string[];
  /** What sets the machine up and starts it, in this order. */
  requests: ApiRequest[];
  /** GET here tells the `state` of the machine. */
  statusPath: string;
  /** A guest that resets would be started again, so the monitor is ended once the program has. */
  restarts?: boolean;
}

/**
 * @returns the machine, started; its socket's folder is removed when it ends
 * @throws FatalError if the monitor does not start or refuses a request; it is then ended
 */
export async function startApiMachine(monitor: ApiMonitor, leash: Leash): Promise<RunningMachine> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const socketPath = join(folder, "api.sock");
  const forget = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const { child, ended } = await whenOpen(socketPath, () =>
      startVmm(monitor.path, monitor.args(socketPath), ["pipe", "pipe", "pipe"], leash),
    );
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new FatalError(`${monitor.name} has no console`);
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    const machine = serialMachine({
      pid: child.pid ?? 0,
      input: stdin,
      output: stdout,
      ended,
      status: async () =>
        stateOf(await callApi(socketPath, { method: "GET", path: monitor.statusPath })),
      // Neither monitor's button arrives at anything the guest listens to yet.
      requestStop: async () => false,
      ...(monitor.restarts === true ? { afterExit: kill } : {}),
      kill,
    });
    void ended.then(forget);
    // The line is read from here on: what a machine that ends at once has said is not lost.
    try {
      for (const request of monitor.requests) await callApi(socketPath, request);
    } catch (error) {
      kill();
      throw error;
    }
    return machine;
  } catch (error) {
    forget();
    throw error;
  }
}

/** `state` of the answer (InstanceInfo, VmInfo). */
function stateOf(answer: unknown): string {
  const hasState = typeof answer === "object" && answer !== null && "state" in answer;
  return hasState ? String(answer.state).toLowerCase() : "unknown";
}
