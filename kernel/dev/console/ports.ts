/**
 * Named byte streams to the host (virtio-serial ports): the application's stdin, stdout and stderr
 * when the console is `ports`. Not terminals: bytes pass unchanged.
 *
 * Neighbours: `dev/virtio/console` implements them; `linux/init` opens them by name.
 */
import { monotonicNs } from "../../sched/clock";
import { CharacterDevice } from "../character";
import { ConsolePort } from "../virtio/console-port";
import { firstVirtioConsole } from "../virtio/console";
import { consoleTty } from "./tty";

/** How long a device may take to announce its ports. */
const ANNOUNCE_NS: u64 = 2_000_000_000;

/** The port called `name`, waiting a little while the device announces its ports; or null. */
export function findConsolePort(name: string): ConsolePort | null {
  const deadlineNs = monotonicNs() + ANNOUNCE_NS;
  let console = firstVirtioConsole();
  while (console) {
    const port = console.find(name, deadlineNs);
    if (port) return port;
    console = console.next;
  }
  return null;
}

/**
 * The stream of the host called `name` ("stdin", "stdout", "stderr"), or null if there is none.
 * Sleeps while the device announces its streams.
 */
export function findPort(name: string): CharacterDevice | null {
  return findConsolePort(name);
}

/**
 * Waits until the host has taken every byte written to any port or terminal; sleeps. Call it before
 * power-off. A host that does not read keeps it waiting, as it would keep a writer.
 */
export function drainConsoles(): void {
  let console = firstVirtioConsole();
  while (console) {
    console.drain();
    console = console.next;
  }
  const tty = consoleTty();
  if (tty) tty.drainFully();
}
