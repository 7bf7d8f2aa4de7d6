/**
 * A serial line that a VMM offers as a UNIX socket: VirtualBox, VMware and libvirt do. The line
 * breaks when the machine has ended, so that nobody has to ask whether it has.
 */
import { connect, type Socket } from "node:net";
import { UserError } from "../errors.ts";
import type { MachineEnding } from "./hypervisor.ts";

/** Connects with the line. @throws UserError `NoConsole` */
export function connectSerial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", (error) => {
      reject(
        new UserError({
          code: "NoConsole",
          what: "the machine's serial line cannot be reached",
          why: error.message,
          fix: "look into the log of the hypervisor: it did not open the line",
          cause: error,
        }),
      );
    });
  });
}

/** Resolves when the line has broken and what was to be cleared away is gone. */
export function endOf(socket: Socket, clear: () => Promise<unknown>): Promise<MachineEnding> {
  return new Promise((resolve) => {
    socket.once("close", () => {
      clear().then(
        () => resolve({ status: 0, signal: null, diagnostics: "" }),
        (error: unknown) => resolve({ status: 0, signal: null, diagnostics: String(error) }),
      );
    });
  });
}
