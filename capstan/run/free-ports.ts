/**
 * Sees before anything is started whether the ports to publish are free; QEMU would say it later
 * and less clearly. Used by commands that publish ports.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { systemErrorCode, UserError } from "../errors.ts";
import type { NetworkSpec, PortForward } from "../hypervisor/network.ts";

/**
 * Tries each port that a card publishes.
 * @throws UserError `PortInUse` or `PortNotAllowed`
 */
export async function assertPortsFree(network: NetworkSpec | undefined): Promise<void> {
  const backend = network?.backend;
  if (backend === undefined || !("forwards" in backend)) return;
  for (const forward of backend.forwards) {
    const error = await tryPort(forward);
    if (error !== null) throw portError(forward, error);
  }
}

/** Listens for a moment; null if that was possible. */
function tryPort({ protocol, hostAddress, hostPort }: PortForward): Promise<Error | null> {
  return new Promise((resolve) => {
    if (protocol === "udp") {
      const socket = createSocket("udp4");
      socket.once("error", resolve);
      socket.bind(hostPort, hostAddress, () => socket.close(() => resolve(null)));
    } else {
      const server = createServer();
      server.once("error", resolve);
      server.listen(hostPort, hostAddress, () => server.close(() => resolve(null)));
    }
  });
}

function portError({ protocol, hostAddress, hostPort }: PortForward, error: Error): UserError {
  const where = `${protocol} port ${hostPort} of ${hostAddress}`;
  if (systemErrorCode(error) === "EADDRINUSE") {
    return new UserError({
      code: "PortInUse",
      what: `${where} is in use`,
      why: "another program, or another instance, listens on it",
      fix: `publish another one, as -p ${hostPort + 1}:…; capstan instances shows those of instances`,
      cause: error,
    });
  }
  return new UserError({
    code: "PortNotAllowed",
    what: `${where} cannot be opened`,
    why: error.message,
    fix: "publish a port from 1024 on, or on an address of this machine",
    cause: error,
  });
}
