import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { withScratch } from "../image/erofs/testing.ts";
import { resolveSource, sourceRequest } from "../source/resolve.ts";
import { sourceOptions } from "../source/testing.ts";
import { findRuntime, missingFiles, writeFiles } from "./init.ts";
import { runtimes } from "./runtimes.ts";

function init(name: string, folder: string, changes: { main?: string; isForced?: boolean } = {}) {
  const { main, isForced = false } = changes;
  const files = missingFiles({ runtime: findRuntime(name), folder, main, isForced });
  writeFiles(folder, files);
  return files.map(({ path }) => path);
}

test("an empty folder gets a sample and its configuration, once", () =>
  withScratch(async (scratch) => {
    for (const { name, mains } of runtimes) {
      const folder = join(scratch, name);
      mkdirSync(folder);
      const written = init(name, folder);
      assert.equal(written[0], mains[0]);
      assert.equal(written.length, 2);
      for (const path of written) assert.ok(existsSync(join(folder, path)));
      assert.throws(() => init(name, folder), /says already/);
      assert.deepEqual(init(name, folder, { isForced: true }), [written[1]]);
    }
  }));

test("a program that exists is not changed, and is what is started", () =>
  withScratch(async (folder) => {
    writeFileSync(join(folder, "start.py"), "print(1)\n");
    assert.deepEqual(init("python", folder), ["meta/run.yaml"]);
    assert.match(readFileSync(join(folder, "meta/run.yaml"), "utf8"), /main: \/start\.py/);
    const { launch } = await resolveSource(
      sourceRequest([folder], false),
      sourceOptions({ cwd: folder }),
    );
    assert.equal(launch.args.at(-1), "/start.py");
  }));

test("several programs without a usual name need one to be named", () =>
  withScratch(async (folder) => {
    for (const name of ["a.rb", "b.rb"]) writeFileSync(join(folder, name), "");
    assert.throws(
      () => init("ruby", folder),
      (error) => error instanceof UserError && error.fix.includes("--main a.rb"),
    );
    assert.deepEqual(init("ruby", folder, { main: "./b.rb" }), ["meta/run.yaml"]);
  }));

test("an unknown runtime is answered with the known ones", () => {
  assert.throws(() => findRuntime("cobol"), /node, java, python/);
});
