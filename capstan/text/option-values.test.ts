import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import {
  parseChoice,
  parseCount,
  parseEnvironment,
  parseMemory,
  parseSeconds,
} from "./option-values.ts";

const mebibyte = 1024 ** 2;

function isUserError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof UserError && error.code === code && error.fix !== "";
}

test("memory sizes", () => {
  assert.equal(parseMemory("512M"), 512 * mebibyte);
  assert.equal(parseMemory("6m"), 6 * mebibyte);
  assert.equal(parseMemory("1G"), 1024 * mebibyte);
  assert.equal(parseMemory("1.5GiB"), 1536 * mebibyte);
  assert.equal(parseMemory("6144K"), 6 * mebibyte);
  assert.equal(parseMemory("2049K"), 2 * mebibyte + 4096);
});

test("sizes that make no sense are refused", () => {
  for (const text of ["", "512", "M", "-1M", "1X", "1M2", "1K", "99999T"]) {
    assert.throws(() => parseMemory(text), isUserError("BadMemory"), text);
  }
});

test("counts and durations have limits", () => {
  assert.equal(parseCount("--cpus", "4", 1, 64), 4);
  for (const text of ["0", "65", "two", "1.5", ""]) {
    assert.throws(() => parseCount("--cpus", text, 1, 64), isUserError("BadNumber"), text);
  }
  assert.equal(parseSeconds("--timeout", "0.25"), 250);
  for (const text of ["0", "-1", "soon", ""]) {
    assert.throws(() => parseSeconds("--timeout", text), isUserError("BadDuration"), text);
  }
});

test("a choice names the possible words", () => {
  assert.equal(parseChoice("--accel", "tcg", ["kvm", "tcg"]), "tcg");
  assert.throws(
    () => parseChoice("--accel", "xen", ["kvm", "tcg"]),
    (error) => isUserError("BadChoice")(error) && String(error).includes("kvm, tcg"),
  );
});

test("environment variables are set, passed on, or left out", () => {
  const host = { HOSTED: "yes" };
  assert.deepEqual(parseEnvironment(["A=1", "B=x=y", "C=", "HOSTED", "ABSENT"], host), {
    A: "1",
    B: "x=y",
    C: "",
    HOSTED: "yes",
  });
  assert.throws(() => parseEnvironment(["=1"], host), isUserError("BadEnvironment"));
});
