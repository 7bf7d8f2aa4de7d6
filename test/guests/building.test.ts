/**
 * Compilers in a guest: a small project is copied, built by several processes at once, and the
 * program that came out of it runs. The recipes of the compilers find what these need.
 */
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";

const projects = join(repositoryRoot, "test/projects");
const timeoutMs = 5 * 60_000;

/** Runs shell code in a copy of a project. */
function inCopyOf(project: string, code: string, memory: string): Promise<void> {
  const folder = join(projects, project);
  const script = `d=$(mktemp -d) && cp -r . $d && cd $d && ${code}; s=$?; rm -r $d; exit $s`;
  const options = ["-c", "2", "-m", memory, "--add", folder];
  return assertSameAsHost({ argv: ["bash", "-c", script], options, cwd: folder, timeoutMs });
}

guestTest("make -j4 of a C project with gcc", () =>
  inCopyOf("c", "make -s -j4 CC=gcc && ./program", "1G"),
);

guestTest("javac of a Java project", () => {
  const files = ["Main", "Shape", "Total"].map((name) => `app/${name}.java`).join(" ");
  return inCopyOf("java", `javac -d classes ${files} && java -cp classes app.Main`, "1G");
}, ["javac", "java"]);
