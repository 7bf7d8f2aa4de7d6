/** Standard streams between host and guest: binary, separate, in order, at any speed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";

/** Bytes that look random and are the same every time. */
function noise(sizeBytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index * 64 < sizeBytes; index += 1) {
    pieces.push(createHash("sha512").update(String(index)).digest());
  }
  return Buffer.concat(pieces).subarray(0, sizeBytes);
}

guestTest("cat gives back 5 MB of noise", () =>
  assertSameAsHost({ argv: ["cat"], stdin: noise(5_000_000), timeoutMs: 10 * 60_000 }),
);

guestTest("end of input is seen", () => assertSameAsHost({ argv: ["wc", "-c"] }));

guestTest("stdout and stderr are separate", async () => {
  const script = "echo out; echo err >&2; echo out; echo err >&2";
  const finished = await runCapstan(["--", "bash", "-c", script]);
  assert.equal(finished.stdout.toString("latin1"), "out\nout\n");
  assert.equal(finished.stderr.toString("latin1"), "err\nerr\n");
});

guestTest("50 MB of output", () =>
  assertSameAsHost({ argv: ["head", "-c", "50000000", "/dev/zero"], timeoutMs: 10 * 60_000 }),
);

guestTest("a slow reader loses nothing", async () => {
  const argv = [capstanLauncher, "run", "--quiet", "--", "seq", "400000"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  // Reads nothing until the machine must have filled every buffer on the way.
  await once(child.stdout, "readable");
  const pieces: Buffer[] = [];
  for await (const piece of child.stdout) {
    pieces.push(piece);
    await new Promise(setImmediate);
  }
  const lines = Buffer.concat(pieces).toString("latin1").split("\n");
  assert.deepEqual([lines.length, lines.at(-2)], [400_001, "400000"]);
});

guestTest("a reader that goes away ends the program", async () => {
  const argv = [capstanLauncher, "run", "--quiet", "--", "yes"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [status] = await once(child, "close");
  assert.equal(status, 128 + 13);
});
