import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { probeAddress, probeCode, probeElf, probeSuccessStatus } from "./probe-guest.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-probe-"));
after(() => rmSync(scratch, { recursive: true }));

test("the bytes are those of probe.S", () => {
  const source = join(dirname(fileURLToPath(import.meta.url)), "probe.S");
  const [object, elf, binary] = ["p.o", "p.elf", "p.bin"].map((name) => join(scratch, name));
  assert.ok(object && elf && binary);
  execFileSync("gcc", ["-c", source, "-o", object]);
  const address = `0x${probeAddress.toString(16)}`;
  const linking = ["-Ttext", address, "-e", "start", "-N", "--no-warn-rwx-segments"];
  execFileSync("ld", [...linking, object, "-o", elf]);
  execFileSync("objcopy", ["-O", "binary", "-j", ".text", elf, binary]);
  assert.equal(readFileSync(binary).toString("hex"), probeCode.toString("hex"));
});

test("the probe reaches its end under emulation", () => {
  const kernel = join(scratch, "probe.elf");
  writeFileSync(kernel, probeElf());
  const { status } = spawnSync(
    "qemu-system-x86_64",
    [
      ...["-M", "microvm,acpi=off,rtc=off", "-accel", "tcg", "-cpu", "max", "-m", "16M"],
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
      ...["-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", kernel],
    ],
    { timeout: 60_000 },
  );
  assert.equal(status, probeSuccessStatus);
});
