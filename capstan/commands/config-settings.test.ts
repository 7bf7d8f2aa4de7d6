import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { writeSetting } from "../config/file.ts";
import { findSetting, settingsPath } from "../config/settings.ts";
import { UserError } from "../errors.ts";
import { withScratch } from "../image/erofs/testing.ts";
import type { CommandInput } from "./command.ts";
import { settingNamed } from "./config-set.ts";
import { parseCommandLine } from "./parse.ts";
import { runCommand } from "./run.ts";

/** The options that `capstan run` would get. */
async function runOptions(env: NodeJS.ProcessEnv, ...argv: string[]) {
  let seen: CommandInput | undefined;
  const run = async (input: CommandInput): Promise<number> => {
    seen = input;
    return 0;
  };
  const recording = { ...runCommand, run };
  const invocation = await parseCommandLine(["run", ...argv, "--", "x"], {
    env,
    write: () => {},
    version: () => "",
    commands: [{ name: "run", load: async () => recording }],
  });
  await invocation.run();
  assert.ok(seen);
  return seen.options;
}

test("an option counts more than the environment, that more than the file, that more than nothing", () =>
  withScratch(async (folder) => {
    const env = { CAPSTAN_ROOT: folder };
    const memory = settingNamed("memory");
    assert.deepEqual(await findSetting(memory, env), { value: "512M", origin: "default" });
    writeSetting(settingsPath(env), memory, "1G");
    assert.deepEqual(await findSetting(memory, env), { value: "1G", origin: "file" });
    assert.equal((await runOptions(env)).memory, "1G");
    const both = { ...env, CAPSTAN_MEMORY: "2G" };
    assert.deepEqual(await findSetting(memory, both), { value: "2G", origin: "environment" });
    assert.equal((await runOptions(both)).memory, "2G");
    assert.equal((await runOptions(both, "-m", "3G")).memory, "3G");
    // Also when it is what it would be anyway.
    assert.equal((await runOptions(both, "-m", "512M")).memory, "512M");
  }));

test("the file keeps its comments, and forgets what is taken out", () =>
  withScratch(async (folder) => {
    const path = settingsPath({ CAPSTAN_ROOT: folder });
    writeFileSync(path, "# mine\ncpus: 2 # two\n");
    writeSetting(path, settingNamed("memory"), "1G");
    assert.equal(readFileSync(path, "utf8"), "# mine\ncpus: 2 # two\nmemory: 1G\n");
    writeSetting(path, settingNamed("cpus"), undefined);
    assert.ok(!readFileSync(path, "utf8").includes("cpus"));
  }));

test("values that are not understood are refused where they stand", () =>
  withScratch(async (folder) => {
    const env = { CAPSTAN_ROOT: folder };
    const path = settingsPath(env);
    const memory = settingNamed("memory");
    assert.throws(() => writeSetting(path, memory, "much"), UserError);
    await assert.rejects(findSetting(memory, { ...env, CAPSTAN_MEMORY: "x" }), UserError);
    for (const [text, place] of [
      ["memory: 1G\ncpus: many\n", "2:1"],
      ["memery: 1G\n", "1:1"],
      ["memory: [\n", "2:1"],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(
        findSetting(memory, env),
        (error) => error instanceof UserError && error.what.includes(`config.yaml:${place}: `),
        text,
      );
    }
  }));
