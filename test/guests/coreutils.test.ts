/** Unmodified programs of Debian's base system. */
import { closeSync, existsSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot, testDataFolder } from "../harness/paths.ts";

const fiftyMegabytes = 50_000_000;
const longMs = 15 * 60_000;

/** A text file of 50 MB, the same on every machine; made once. */
function largeFile(): string {
  const path = join(testDataFolder(), "fifty-megabytes.txt");
  if (existsSync(path) && statSync(path).size === fiftyMegabytes) return path;
  const file = openSync(path, "w");
  let state = 12345n;
  let written = 0;
  while (written < fiftyMegabytes) {
    let lines = "";
    while (lines.length < 100_000) {
      state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
      lines += `${(state >> 20n).toString(36)} ${(state >> 32n).toString(16)}\n`;
    }
    written += writeSync(file, lines.slice(0, fiftyMegabytes - written));
  }
  closeSync(file);
  return path;
}

guestTest("true", () => assertSameAsHost({ argv: ["/bin/true"] }));
guestTest("false", () => assertSameAsHost({ argv: ["/bin/false"] }));

guestTest("echo", () =>
  assertSameAsHost({ argv: ["/bin/echo", "hello", "", "two  spaces", "ünïcödé", '"%"', "-n"] }),
);

guestTest("env", () =>
  assertSameAsHost({
    argv: ["/usr/bin/env"],
    env: { GREETING: "hello world", EMPTY: "", ODD: '100% "odd"\n=' },
    normalise: (text) => text.split("\n").sort().join("\n"),
  }),
);

guestTest("ls -lR /etc", () =>
  assertSameAsHost({
    argv: ["/bin/ls", "-lR", "/etc"],
    cwd: "/",
    // The size that a directory itself has is the business of each file system.
    normalise: (text) =>
      text
        .replace(/^(d\S+\s+)\d+(\s+\S+\s+\S+\s+)\d+/gm, "$1-$2-")
        .replace(/^total \d+$/gm, "total"),
    timeoutMs: longMs,
  }),
);

guestTest("sha256sum of 50 MB", () =>
  assertSameAsHost({ argv: ["sha256sum", largeFile()], timeoutMs: longMs }),
);

guestTest("sort of 50 MB", () =>
  assertSameAsHost({ argv: ["sort", largeFile()], options: ["-m", "1G"], timeoutMs: longMs }),
);

guestTest("gzip -c of 50 MB", () =>
  assertSameAsHost({ argv: ["gzip", "-n", "-c", largeFile()], timeoutMs: longMs }),
);

guestTest("bash with a loop", () =>
  assertSameAsHost({ argv: ["bash", "-c", "for i in 1 2 3; do echo $((i*i)); done"] }),
);

guestTest("a command line of 20,000 bytes", () =>
  assertSameAsHost({
    argv: ["/bin/echo", ...Array.from({ length: 2000 }, (_, index) => `word${index}`)],
  }),
);

guestTest("relative paths in the current directory", () =>
  assertSameAsHost({ argv: ["cat", "package.json", "./LICENSE"], cwd: repositoryRoot }),
);
