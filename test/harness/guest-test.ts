/**
 * Declares an end-to-end test that needs a working kernel. `test/enabled.json` lists the tests
 * that are expected to pass; the others are reported as skipped, so that `npm test` tells how far
 * the kernel has come. `"*"` in the list enables all. Every name in the list must exist.
 */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { repositoryRoot } from "./paths.ts";

const listed: unknown = JSON.parse(readFileSync(join(repositoryRoot, "test/enabled.json"), "utf8"));
const enabled = new Set(Array.isArray(listed) ? listed.map(String) : []);
const enablesAll = enabled.has("*") || process.env.OSV_TEST_ALL === "1";

/**
 * A test with a guest.
 * @param name unique over all guest tests
 * @param needs programs that must be on PATH; the test is skipped on a machine that lacks one
 */
export function guestTest(
  name: string,
  body: (context: TestContext) => Promise<void>,
  needs: readonly string[] = [],
): void {
  const isEnabled = enablesAll || enabled.has(name);
  const missing = needs.filter((program) => !isOnPath(program));
  const reason = isEnabled
    ? `not installed on this machine: ${missing.join(", ")}`
    : "not in test/enabled.json yet";
  test(name, { skip: isEnabled && missing.length === 0 ? false : reason }, body);
}

function isOnPath(program: string): boolean {
  if (program.startsWith("/")) return existsSync(program);
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.some((directory) => existsSync(join(directory, program)));
}
