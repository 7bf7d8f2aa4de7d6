/**
 * Makes sure that a VMM never outlives its capstan, not even when capstan is killed with SIGKILL.
 *
 * On Linux, `setpriv --pdeathsig KILL` (util-linux 2.33 or newer) asks the kernel to kill the VMM
 * when the thread that started it dies (prctl(2), PR_SET_PDEATHSIG); it then executes the VMM in
 * its own place, so no extra process remains. Elsewhere a shell watches a pipe that only capstan
 * holds open: when capstan is gone, the shell reads end of file and kills the VMM.
 *
 * Rejected: a QMP connection that capstan holds (QEMU goes on when it closes), and a shell on all
 * systems (one process more for every machine). Used by `qemu.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** How to start a program so that it dies with capstan. */
export interface Leash {
  /** The words to put before the program. */
  readonly prefix: readonly string[];
  /** To call with the process once it runs. */
  readonly attach: (child: ChildProcess) => void;
}

const setprivPaths = ["/usr/bin/setpriv", "/bin/setpriv"];

/** The best way of this host. */
export function findLeash(platform: NodeJS.Platform = process.platform): Leash {
  if (platform !== "linux") return shellLeash;
  const setpriv = setprivPaths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (setpriv === undefined) return shellLeash;
  return { prefix: [setpriv, "--pdeathsig", "KILL", "--"], attach: () => {} };
}

/** The watching shell. */
export const shellLeash: Leash = {
  prefix: [],
  attach: (child) => {
    const script = 'read -r line; [ "$line" = ended ] || kill -9 "$1"';
    const watcher = spawn("/bin/sh", ["-c", script, "sh", String(child.pid)], {
      stdio: ["pipe", "ignore", "ignore"],
      // Its own process group, so that Ctrl-C in a terminal does not end it before the VMM.
      detached: true,
    });
    watcher.on("error", () => child.kill("SIGKILL"));
    watcher.stdin.on("error", () => {});
    watcher.unref();
    child.once("exit", () => watcher.stdin.end("ended\n"));
  },
};
