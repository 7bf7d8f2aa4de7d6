/**
 * Images of real directories and programs of this machine: accepted by fsck.erofs, extracted
 * unchanged, small and quick.
 *
 * Neighbours: `erofs/writer.test.ts` has made-up trees.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { makeElf } from "../package/elf-fixtures.ts";
import { GuestFiles } from "../package/guest-files.ts";
import { collect } from "../package/testing.ts";
import { buildImage } from "./build.ts";
import { assertFsckAccepts, assertImageHolds, withScratch } from "./erofs/testing.ts";
import { writeErofs } from "./erofs/writer.ts";

test("/etc is extracted unchanged", () =>
  withScratch(async (scratch) => {
    const files = new GuestFiles();
    await files.addTree("/etc");
    const image = join(scratch, "image");
    const summary = await writeErofs(files.tree, image);
    assertImageHolds(image, files.tree);
    assertFsckAccepts(image, `--extract=${join(scratch, "root")}`);
    const list = ["-c", "find . -printf '%p %m %y %l %T@\\n' | sort"];
    const find = (cwd: string) => spawnSync("sh", list, { cwd, encoding: "utf8" }).stdout;
    if (files.warnings.length === 0) assert.equal(find(join(scratch, "root/etc")), find("/etc"));
    assert.ok(summary.sizeBytes - summary.contentBytes < 1024 ** 2);
  }));

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test(
  "python3 with everything it needs: sound, and at most 1 MB over its files",
  { skip: hasPython ? false : "python3 is not installed" },
  () =>
    withScratch(async (scratch) => {
      const { tree } = await collect("python3", ["-c", "import json, ssl, sqlite3"], scratch);
      const image = join(scratch, "image");
      const summary = await writeErofs(tree, image);
      assertFsckAccepts(image);
      assertImageHolds(image, tree);
      const stored = summary.contentBytes - summary.sharedBytes;
      assert.ok(summary.sizeBytes - stored < 1024 ** 2, `${summary.sizeBytes} for ${stored} bytes`);
    }),
);

test("a program of 5 MB is in an image in less than a second", () =>
  withScratch(async (scratch) => {
    const padding = Buffer.alloc(5_000_000);
    for (let index = 0; index < padding.length; index++) padding[index] = (index * 31) >> 4;
    const program = Buffer.concat([makeElf({ type: 2 }), padding]);
    writeFileSync(join(scratch, "program"), program, { mode: 0o755 });
    const startMs = performance.now();
    const collected = await collect("./program", [], scratch);
    const image = await buildImage(collected, { env: { CAPSTAN_ROOT: join(scratch, "capstan") } });
    const durationMs = performance.now() - startMs;
    assert.equal(image.cached, false);
    assert.ok(durationMs < 1000, `${durationMs} ms`);
  }));
