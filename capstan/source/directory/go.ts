/**
 * Go projects: the binary that was built, else one that is built now. The go command keeps what it
 * compiled, so an unchanged project takes a fraction of a second.
 */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { capstanHome } from "../../home.ts";
import { hasElfMagic } from "../../package/elf.ts";
import { runBuild } from "../run-build.ts";
import { cannotStart, type ProjectDirectory, type ProjectKind } from "./project.ts";

/** The name that `go build` gives the program: the last part of the module's path. */
function moduleName(directory: ProjectDirectory): string {
  if (!directory.has("go.mod")) return basename(directory.path);
  const [, path] = /^module\s+"?([^\s"]+)/m.exec(directory.read("go.mod")) ?? [];
  const names = (path ?? basename(directory.path)).split("/");
  const last = names.at(-1) ?? "";
  return /^v\d+$/.test(last) ? (names.at(-2) ?? last) : last;
}

export const goProject: ProjectKind = {
  name: "Go",
  signs: "go.mod, main.go",
  async recognise(directory, options) {
    const sources = directory.matching(/\.go$/).filter((name) => !name.endsWith("_test.go"));
    if (!directory.has("go.mod") && sources.length === 0) return undefined;
    const name = moduleName(directory);
    const built = [name, `bin/${name}`].find(
      (path) => directory.has(path) && hasElfMagic(join(directory.path, path)),
    );
    if (built !== undefined) return { program: `./${built}`, args: [] };
    if (sources.length === 0) {
      const why = "its module has no program at the top, and none has been built";
      throw cannotStart(directory, why, `build one: go build -o ${name} ./cmd/...`);
    }
    const key = createHash("sha256").update(directory.path).digest("hex").slice(0, 16);
    const folder = join(capstanHome(options.host), "cache", "builds", key);
    mkdirSync(folder, { recursive: true });
    const program = join(folder, name);
    const what = directory.has("go.mod") ? ["."] : sources;
    await runBuild(["go", "build", "-o", program, ...what], directory.path, options);
    return { program, args: [] };
  },
};
