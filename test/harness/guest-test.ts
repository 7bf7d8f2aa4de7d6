/**
 * Declares an end-to-end test that needs a working kernel. `test/enabled.json` lists the tests
 * that are expected to pass; the others are reported as skipped, so that `npm test` tells how far
 * the kernel has come. `"*"` in the list enables all. Every name in the list must exist.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "./paths.ts";

const listed: unknown = JSON.parse(readFileSync(join(repositoryRoot, "test/enabled.json"), "utf8"));
const enabled = new Set(Array.isArray(listed) ? listed.map(String) : []);
const enablesAll = enabled.has("*") || process.env.OSV_TEST_ALL === "1";

/**
 * A test with a guest.
 * @param name unique over all guest tests
 */
export function guestTest(name: string, body: () => Promise<void>): void {
  const skip = enablesAll || enabled.has(name) ? false : "not in test/enabled.json yet";
  test(name, { skip }, body);
}
