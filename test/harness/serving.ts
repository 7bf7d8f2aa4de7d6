/**
 * A server in a guest that runs until a test ends it: `capstan run` in the background, whose output is
 * waited for. `tap-guest.ts` gives it a network of its own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { capstanLauncher } from "./paths.ts";

const startLimitMs = 90_000;

/** A guest that runs. */
export interface ServingGuest {
  /** What it has written so far, on either output. */
  readonly output: string;
  /** Writes to its standard input. */
  type(text: string): void;
  /** Waits until it has written this, since the start; fails if it ends before. */
  writes(pattern: RegExp): Promise<void>;
}

/**
 * Runs a guest while `use` uses it, then ends it.
 * @param words options of `capstan run`, `--`, program, arguments
 * @param ready what the program writes when it serves
 * @param prefix words before the command, such as those that enter a namespace
 */
export async function withServingGuest(
  words: readonly string[],
  ready: RegExp,
  use: (guest: ServingGuest) => Promise<void>,
  prefix: readonly string[] = [],
): Promise<void> {
  const command = [...prefix, process.execPath, capstanLauncher, "run", "--quiet", ...words];
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const arrivals = new EventTarget();
  const note = (chunk: Buffer) => {
    output += chunk.toString("latin1");
    arrivals.dispatchEvent(new Event("output"));
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  child.stdin.on("error", () => {});
  const closed = once(child, "close");
  const writes = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`it did not write ${pattern}:\n${output}`));
      const limit = setTimeout(fail, startLimitMs);
      const look = () => {
        if (!pattern.test(output)) return;
        clearTimeout(limit);
        resolve();
      };
      arrivals.addEventListener("output", look);
      closed.then(fail, fail);
      look();
    });
  const guest: ServingGuest = {
    get output() {
      return output;
    },
    type: (text) => child.stdin.write(text),
    writes,
  };
  try {
    await writes(ready);
    await use(guest);
  } finally {
    child.kill("SIGKILL"); // capstan takes its machine along
    await closed;
  }
}
