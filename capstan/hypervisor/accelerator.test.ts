import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UserError } from "../errors.ts";
import { type AcceleratorHost, chooseAccelerator, type ProbeResult } from "./accelerator.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-accelerator-"));
after(() => rmSync(scratch, { recursive: true }));

let hosts = 0;

/** A host whose probe gives one answer, and the list of what was probed. */
function host(result: ProbeResult, changes: Partial<AcceleratorHost> = {}) {
  hosts += 1;
  const probed: string[] = [];
  const qemuPath = join(scratch, `qemu-${hosts}`);
  writeFileSync(qemuPath, "");
  const made: AcceleratorHost = {
    platform: "linux",
    architecture: "x64",
    qemuPath,
    cacheFolder: join(scratch, `cache-${hosts}`),
    probe: async (accelerator) => {
      probed.push(accelerator);
      return result;
    },
    ...changes,
  };
  return { made, probed };
}

const works: ProbeResult = { works: true, reason: "" };
const fails: ProbeResult = { works: false, reason: "a test guest stopped" };

test("auto takes the hardware's accelerator when a guest really ran", async () => {
  assert.equal(await chooseAccelerator("auto", host(works).made), "kvm");
  assert.equal(await chooseAccelerator("auto", host(works, { platform: "darwin" }).made), "hvf");
});

test("auto falls back to tcg", async () => {
  assert.equal(await chooseAccelerator("auto", host(fails).made), "tcg");
  const arm = host(works, { architecture: "arm64" });
  assert.equal(await chooseAccelerator("auto", arm.made), "tcg");
  assert.deepEqual(arm.probed, []);
});

test("tcg is never probed; an accelerator that was asked for is an error when it fails", async () => {
  const { made, probed } = host(fails);
  assert.equal(await chooseAccelerator("tcg", made), "tcg");
  assert.deepEqual(probed, []);
  await assert.rejects(
    chooseAccelerator("kvm", made),
    (error) => error instanceof UserError && error.why === fails.reason,
  );
});

test("the answer is remembered until QEMU changes", async () => {
  const { made, probed } = host(works);
  await chooseAccelerator("auto", made);
  await chooseAccelerator("kvm", made);
  assert.deepEqual(probed, ["kvm"]);
  utimesSync(made.qemuPath, 1, 1);
  await chooseAccelerator("auto", made);
  assert.deepEqual(probed, ["kvm", "kvm"]);
});

test("a damaged memory is asked again", async () => {
  const { made, probed } = host(works);
  await chooseAccelerator("auto", made);
  for (const text of ["", "{", "null", '{"key":1}']) {
    writeFileSync(join(made.cacheFolder, "accelerator-kvm.json"), text);
    assert.equal(await chooseAccelerator("auto", made), "kvm");
  }
  assert.equal(probed.length, 5);
});
