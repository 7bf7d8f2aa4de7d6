/**
 * Named byte streams to the host (virtio-serial ports): the application's stdin, stdout and stderr
 * when the console is `ports`. Not terminals: bytes pass unchanged.
 *
 * Neighbours: `dev/virtio/console` implements them; `linux/init` opens them by name.
 */
import { CharacterDevice } from "../character";

/** The stream of the host called `name` ("stdin", "stdout", "stderr"), or null if there is none. */
export function findPort(name: string): CharacterDevice | null {
  return null;
}

/**
 * Waits until the host has taken every byte written to any port or terminal; sleeps. Call it before
 * power-off. A host that does not read keeps it waiting, as it would keep a writer.
 */
export function drainConsoles(): void {}
