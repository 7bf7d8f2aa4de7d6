import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { followLog } from "./follow.ts";
import { processIdentity } from "./process-identity.ts";
import { RECORD_VERSION } from "./record.ts";
import { findInstance, instancesFolder, writeState } from "./store.ts";

const root = mkdtempSync(join(tmpdir(), "capstan-follow-"));
after(() => rmSync(root, { recursive: true }));
const env = { CAPSTAN_ROOT: root };
const startedAt = new Date(0).toISOString();

/** An instance whose supervisor seems to run, but does not listen. */
function runningInstance(name: string) {
  const folder = join(instancesFolder(env), name);
  mkdirSync(folder, { recursive: true });
  const definition = { version: RECORD_VERSION, name };
  writeFileSync(join(folder, "instance.json"), JSON.stringify(definition));
  writeFileSync(join(folder, "console.log"), "one\ntwo\n");
  writeState(folder, {
    status: "running",
    supervisorPid: process.pid,
    supervisorIdentity: processIdentity(process.pid) ?? "",
    machinePid: 0,
    startedAt,
  });
  return findInstance(name, env);
}

async function followed(instance: ReturnType<typeof runningInstance>): Promise<string> {
  let text = "";
  const write = (bytes: Buffer): void => {
    text += bytes.toString("utf8");
  };
  await followLog(instance, (log) => log, write);
  return text;
}

test("an instance that ends between the look and the question shows its whole log", async () => {
  const instance = runningInstance("brief");
  assert.equal(instance.status, "running");
  const ended = { endedAt: startedAt, exitStatus: 0, reason: "exit", message: "" };
  writeState(instance.folder, { status: "exited", startedAt, ...ended });
  assert.equal(await followed(instance), "one\ntwo\n");
});

test("a supervisor that lives but does not answer is an error", async () => {
  await assert.rejects(followed(runningInstance("mute")), { code: "NotRunning" });
});
