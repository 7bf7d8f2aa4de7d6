/**
 * The process of a compose project's network: the switch, and the gateway as a QEMU that ends with
 * it. It ends when `capstan compose down` tells it to. Neighbours: `network-store.ts` starts it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { findLeash } from "../hypervisor/leash.ts";
import { startVmm } from "../hypervisor/process.ts";
import { reportStart, unforeseen } from "../instance/background.ts";
import { processIdentity } from "../instance/process-identity.ts";
import { gatewayArguments } from "./network.ts";
import { networkFolder, readNetwork, writeNetworkState } from "./network-store.ts";
import { EthernetSwitch } from "./switch.ts";

/** Runs the network of a project until it is told to end. */
export async function serveNetwork(project: string, env: NodeJS.ProcessEnv): Promise<void> {
  // QEMU takes the path of a socket as it is, and it has at most 107 bytes (unix(7)).
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  const socketPath = join(folder, "switch");
  const ethernet = new EthernetSwitch();
  const told = new Promise<void>((resolve) => process.once("SIGTERM", resolve));
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  try {
    const { qemuPath, ports } = readNetwork(project, env);
    await ethernet.listen(socketPath);
    const args = gatewayArguments(socketPath, ports);
    const gateway = await startVmm(qemuPath, args, ["ignore", "ignore", "pipe"], findLeash());
    // QEMU has opened all ports when it connects with the switch, or ends with a message.
    const failed = gateway.ended.then(({ diagnostics }) => diagnostics.trim() || "QEMU ended");
    const problem = await Promise.race([ethernet.firstPort.then(() => null), failed]);
    if (problem !== null) throw gatewayError(problem);
    const identity = processIdentity(process.pid) ?? "";
    writeNetworkState(project, { pid: process.pid, identity, socketPath }, env);
    reportStart({ started: true });
    await Promise.race([told, failed]);
    gateway.child.kill("SIGKILL");
  } catch (error) {
    const what = `the network of ${project} could not be started`;
    const { code, why, fix, ...rest } = unforeseen(what, error, networkFolder(project, env));
    reportStart({ started: false, code, what: rest.what, why, fix, exitStatus: rest.exitStatus });
  } finally {
    ethernet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function gatewayError(why: string): UserError {
  return new UserError({
    code: "NetworkFailed",
    what: "the gateway of the network could not be started",
    why,
    fix: "see whether all ports of the compose file are free",
  });
}
