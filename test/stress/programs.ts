/**
 * Threaded programs that find races of the kernel when they run often enough on several processors.
 * Their output is the same every time. Neighbours: `main.ts` runs them often, `processors.test.ts` and
 * `runtimes-more.test.ts` in `test/guests/` once.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../harness/paths.ts";
import { testProgram } from "../harness/programs.ts";

/** One program. */
export interface ThreadedProgram {
  readonly name: string;
  /** Program and arguments; built when asked for. */
  readonly argv: () => readonly string[];
  /** Programs of the host that must be there. */
  readonly needs: readonly string[];
}

const scripts = join(repositoryRoot, "test/scripts");

/** All of them. */
export const threadedPrograms: readonly ThreadedProgram[] = [
  {
    name: "python3",
    argv: () => ["/usr/bin/python3", join(scripts, "stress.py")],
    needs: ["/usr/bin/python3"],
  },
  { name: "go", argv: () => [testProgram("goroutines")], needs: ["go"] },
  { name: "rust", argv: () => [testProgram("threads-rust")], needs: ["rustc"] },
  { name: "c", argv: () => [testProgram("threads")], needs: [] },
  { name: "machine-races", argv: () => [testProgram("machine-races")], needs: [] },
  { name: "pi-mutexes", argv: () => [testProgram("pi-mutexes")], needs: [] },
];

/** After a crash, the registers and what lay around them are in the output. */
const javaOptions = ["-Xmx96m", "-XX:+ErrorFileToStdout"];
const collectors = ["Serial", "Parallel", "G1", "Z"] as const;

/** 50 threads and a full heap under each of Java's collectors: too long for `processors.test.ts`. */
export const javaPrograms: readonly ThreadedProgram[] = collectors.map((collector) => ({
  name: `java-${collector}GC`,
  argv: () => ["java", ...javaOptions, `-XX:+Use${collector}GC`, "-cp", javaClasses(), "Work"],
  needs: ["java", "javac"],
}));

/** The folder with the compiled `Work.java`. */
function javaClasses(): string {
  const classes = join(repositoryRoot, "build/test/classes");
  mkdirSync(classes, { recursive: true });
  execFileSync("javac", ["-d", classes, join(scripts, "Work.java")]);
  return classes;
}

/** Numbers of processors to run them on. */
export const processorCounts: readonly string[] = ["2", "4"];

/** Programs that these start. */
const helpers = ["/bin/echo", "/bin/sh", "/usr/bin/tr"];

/** Options of `capstan run` for these programs. */
export function stressOptions(cpus: string): readonly string[] {
  return ["-c", cpus, "-m", "1G", ...helpers.flatMap((path) => ["--add", path])];
}
