/**
 * Node.js projects: `package.json`, or a script with a usual name. Neighbours: `package-json.ts` is
 * loaded when there is such a file.
 */
import { plainWords } from "../words.ts";
import { cannotStart, type ProjectDirectory, type ProjectKind } from "./project.ts";

const NAMES = ["index", "server", "app", "main"];
const SCRIPTS = NAMES.flatMap((name) => ["js", "mjs", "cjs"].map((end) => `${name}.${end}`));

/** What `npm start` runs, if that is node with a script. */
function startScript(line: string | undefined): string[] | undefined {
  const words = line === undefined ? undefined : plainWords(line);
  return words?.[0] === "node" && words.length > 1 ? words.slice(1) : undefined;
}

/** The file that `main` means: with or without its ending, or a directory. */
function mainFile(directory: ProjectDirectory, main: string | undefined): string | undefined {
  if (main === undefined) return undefined;
  return directory.firstOf([main, `${main}.js`, `${main}/index.js`]);
}

export const nodeProject: ProjectKind = {
  name: "Node.js",
  signs: "package.json, index.js",
  async recognise(directory) {
    const script = directory.firstOf(SCRIPTS);
    if (!directory.has("package.json")) {
      return script === undefined ? undefined : { program: "node", args: [script] };
    }
    const { readPackageJson } = await import("./package-json.ts");
    const manifest = readPackageJson(directory);
    const main = mainFile(directory, manifest.main) ?? script;
    const args = startScript(manifest.scripts?.start) ?? (main === undefined ? undefined : [main]);
    if (args === undefined) {
      throw cannotStart(
        directory,
        "its package.json has neither a start script that calls node nor a main file that exists",
        'give it one: "scripts": { "start": "node FILE" }',
      );
    }
    const needsModules = Object.keys(manifest.dependencies ?? {}).length > 0;
    if (needsModules && !directory.names.includes("node_modules")) {
      throw cannotStart(directory, "its dependencies are not installed", "run: npm install");
    }
    return { program: "node", args };
  },
};
