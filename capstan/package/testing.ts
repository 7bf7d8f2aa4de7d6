/**
 * Helpers of the packaging tests: collecting with usual settings, and running what was collected on
 * this machine, with the image's files as the only ones there are.
 *
 * Neighbours: the `*.test.ts` files of `package/`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { assertFsckAccepts } from "../image/erofs/testing.ts";
import { type ImageSummary, writeErofs } from "../image/erofs/writer.ts";
import { collectProgram } from "./collect.ts";
import type { CollectedProgram, ProgramRequest } from "./types.ts";

/** PATH and HOME as `capstan run` gives them to a guest. */
export const guestEnv = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
} as const;

/** Collects a program as `capstan run -- PROGRAM ARGS` does. */
export function collect(
  program: string,
  args: readonly string[],
  cwd: string,
  changes: Partial<ProgramRequest> = {},
): Promise<CollectedProgram> {
  const searchPath = process.env.PATH ?? "/usr/bin:/bin";
  return collectProgram({ program, args, cwd, env: guestEnv, add: [], searchPath, ...changes });
}

/** What a program did. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** How to run something with another root directory; undefined if this machine does not let us. */
const changeRoot = ((): readonly string[] | undefined => {
  const own = ["--map-root-user", "--root=/", "--wd=/", "true"];
  if (spawnSync("unshare", own).status === 0) return ["--map-root-user"];
  const asRoot = ["--mount", "--root=/", "--wd=/", "true"];
  return spawnSync("unshare", asRoot).status === 0 ? ["--mount"] : undefined;
})();

/** For `test(..., { skip })`: why programs cannot be run from images here, or false. */
export const cannotRunImages =
  changeRoot === undefined ? "unshare(1) may not change the root directory here" : false;

/** Writes the image of a collected program, has fsck.erofs extract it and runs the program there. */
export async function runImage(
  collected: CollectedProgram,
  scratch: string,
  env: Readonly<Record<string, string>> = guestEnv,
): Promise<Outcome & { readonly summary: ImageSummary }> {
  assert.ok(changeRoot !== undefined);
  const image = join(scratch, "image.erofs");
  const root = join(scratch, "root");
  rmSync(root, { recursive: true, force: true });
  const summary = await writeErofs(collected.tree, image);
  assertFsckAccepts(image, `--extract=${root}`);
  // The guest's kernel has /dev; some runtimes refuse to start without /dev/null.
  mkdirSync(join(root, "dev"), { recursive: true });
  spawnSync("mknod", ["-m", "666", join(root, "dev/null"), "c", "1", "3"]);
  const result = spawnSync(
    "unshare",
    [
      ...changeRoot,
      `--root=${root}`,
      `--wd=${collected.cwd}`,
      collected.executable,
      ...collected.args,
    ],
    { env: { ...env, ...collected.env }, encoding: "utf8" },
  );
  const { stdout, stderr, status } = result;
  return { stdout, stderr, status, summary };
}

/** Checks that a promise is rejected with a UserError of this code; returns it. */
export async function rejectionOf(promise: Promise<unknown>, code: string): Promise<UserError> {
  let found: UserError | undefined;
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.format());
    for (const part of [error.what, error.why, error.fix]) assert.ok(part.length > 0);
    found = error;
    return true;
  });
  assert.ok(found !== undefined);
  return found;
}
