import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { installationRoot } from "../home.ts";
import { candidates } from "./complete.ts";
import { commands } from "./registry.ts";

async function words(...line: string[]): Promise<string[]> {
  return (await candidates(line, commands)).map((text) => text.split("\t")[0] ?? "");
}

test("names of commands, options and choices are completed", async () => {
  assert.deepEqual(await words("vers"), ["version"]);
  assert.ok(!(await words("")).includes("__complete"));
  assert.ok((await words("run", "--")).includes("--memory"));
  assert.deepEqual(await words("run", "--accel", "t"), ["tcg"]);
  assert.deepEqual(await words("run", "-m", "1G", "--gd"), ["--gdb"]);
});

test("the shell completes programs and files, and nothing of the program's own options", async () => {
  assert.deepEqual(await candidates(["run", ""], commands), [":program"]);
  assert.deepEqual(await words("run", "-m", "1G", "ls", "--"), [":file"]);
});

test("bash completes with the script that capstan prints", () => {
  const launcher = join(installationRoot(), "capstan/bin/capstan.js");
  const script = `
    capstan() { "${process.execPath}" "${launcher}" "$@"; }
    source <(capstan completion bash)
    COMP_WORDS=(capstan run --accel k) COMP_CWORD=3
    _capstan; echo "\${COMPREPLY[*]}"
    COMP_WORDS=(capstan run "${launcher}") COMP_CWORD=2
    cd /; _capstan; echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  assert.equal(stdout, `kvm\n${launcher}\n`, stderr);
});
