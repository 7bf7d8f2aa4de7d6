/**
 * Waits for what a background instance writes, with `capstan logs -f`. Neighbour: `serving.ts` does
 * the same for a guest in the foreground.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { capstanLauncher } from "./paths.ts";

/**
 * Returns when the log of an instance holds this; fails if the instance ends before.
 * @param env with the CAPSTAN_ROOT of the instance
 */
export async function instanceWrites(
  name: string,
  pattern: RegExp,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const logs = spawn(process.execPath, [capstanLauncher, "logs", "-f", name], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(logs, "close");
  let text = "";
  for await (const bytes of logs.stdout) {
    text += String(bytes);
    if (pattern.test(text)) break;
  }
  logs.kill();
  await closed;
  assert.match(text, pattern);
}
