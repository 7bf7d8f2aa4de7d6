/** The benchmark programs, built statically from `bench/programs/`. */
import { join } from "node:path";
import { buildProgram } from "../../test/harness/build-program.ts";
import { repositoryRoot } from "../../test/harness/paths.ts";

/** The path of a benchmark program, built if need be. */
export function benchProgram(name: string): string {
  return buildProgram({
    source: join(repositoryRoot, "bench/programs", `${name}.c`),
    output: join(repositoryRoot, "build/bench/programs", name),
    command: ["gcc", "-O2", "-static", "-pthread"],
  });
}
