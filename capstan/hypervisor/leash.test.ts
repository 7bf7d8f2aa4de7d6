import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const leashModule = pathToFileURL(join(dirname(fileURLToPath(import.meta.url)), "leash.ts")).href;

/**
 * Starts a process that starts `sleep` on a leash. `sleep` holds one end of a pipe; so the other
 * end reads end of file exactly when `sleep` is gone.
 */
function startOwner(leash: string) {
  const script = `
    import { spawn } from "node:child_process";
    import { findLeash, shellLeash } from ${JSON.stringify(leashModule)};
    const leash = ${leash};
    const [program, ...args] = [...leash.prefix, "sh", "-c", "echo runs; exec sleep 600"];
    const child = spawn(program, args, { stdio: ["ignore", 3, "ignore"] });
    child.once("spawn", () => { leash.attach(child); process.stdout.write("up"); });
    setInterval(() => {}, 60_000);`;
  const nodeOptions = ["--import", "tsx", "--input-type=module", "--eval", script];
  const owner = spawn(process.execPath, nodeOptions, { stdio: ["ignore", "pipe", 2, "pipe"] });
  const life = owner.stdio[3] as Readable;
  return { owner, life };
}

for (const leash of ["findLeash()", "shellLeash"]) {
  test(`a process on ${leash} dies when its owner is killed`, { timeout: 60_000 }, async () => {
    const { owner, life } = startOwner(leash);
    assert.ok(owner.stdout);
    // Both must have happened: the leash is attached, and the process runs behind its prefix.
    await Promise.all([once(owner.stdout, "data"), once(life, "data")]);
    assert.equal(life.readableEnded, false);
    owner.kill("SIGKILL");
    life.resume();
    await once(life, "end");
  });
}
