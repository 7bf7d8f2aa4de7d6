/**
 * System calls with hostile arguments (test/programs/fuzz.c): the kernel survives them, and every
 * process can be ended. For longer runs set the time for each test:
 *
 *     OSV_FUZZ_SECONDS=600 npm test -- guests fuzz
 *
 * A failure names the seed of its generation; OSV_FUZZ_SEED begins there.
 */
import assert from "node:assert/strict";
import { fuzzTable } from "../harness/fuzz.ts";
import { guestTest } from "../harness/guest-test.ts";
import { runCapstan } from "../harness/process.ts";
import { testProgram } from "../harness/programs.ts";

const seconds = process.env.OSV_FUZZ_SECONDS ?? "12";
const seed = process.env.OSV_FUZZ_SEED ?? "1";
/** The rest of the time is for booting and for a busy host. */
const timeoutMs = (Number(seconds) + 120) * 1000;
/** With fewer calls that ever succeed the fuzzer has tested little. */
const leastSuccesses = 120;

for (const cpus of ["1", "2"]) {
  guestTest(`system calls with hostile arguments, ${cpus} processors`, async () => {
    const argv = ["-c", cpus, "--", testProgram("fuzz"), seconds, seed];
    const stdin = Buffer.from(fuzzTable());
    const { status, stdout, stderr } = await runCapstan(argv, { stdin, timeoutMs });
    const said = `${stdout.toString("utf8")}${stderr.toString("utf8")}`;
    assert.equal(status, 0, said);
    const [, successes] = /^fuzzed: (\d+) of \d+ calls/m.exec(said) ?? [];
    assert.ok(Number(successes) >= leastSuccesses, said);
  });
}
