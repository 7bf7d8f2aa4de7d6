/** Language runtimes with the files that they need. */
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";

const scripts = join(repositoryRoot, "test/scripts");
const timeoutMs = 15 * 60_000;

guestTest("perl", () =>
  assertSameAsHost({ argv: ["perl", join(scripts, "runtime.pl")], timeoutMs }),
);

guestTest("python3", () =>
  assertSameAsHost({
    argv: ["/usr/bin/python3", join(scripts, "runtime.py")],
    options: ["-m", "1G"],
    timeoutMs,
  }),
);

guestTest("node", () =>
  assertSameAsHost({
    argv: [process.execPath, join(scripts, "runtime.mjs")],
    options: ["-m", "1G"],
    timeoutMs,
  }),
);

guestTest("node -e", () => {
  const script =
    'const { createHash } = require("crypto"); const { deflateSync } = require("zlib");' +
    'const text = require("fs").readFileSync("/proc/self/comm", "utf8");' +
    'console.log(text.trim(), createHash("md5").update(deflateSync("x".repeat(9999))).digest("hex"))';
  return assertSameAsHost({
    argv: [process.execPath, "-e", script],
    options: ["-m", "1G"],
    timeoutMs,
  });
});
