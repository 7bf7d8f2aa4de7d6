/** Ruby, PHP, Erlang, and programs that were built already. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasElfMagic } from "../../package/elf.ts";
import { cannotStart, type ProjectDirectory, type ProjectKind } from "./project.ts";

/** A kind of project that is a script with a usual name. */
function scripts(
  name: string,
  program: string,
  names: readonly string[],
  ending: RegExp,
  sign?: string,
): ProjectKind {
  return {
    name,
    signs: [...(sign === undefined ? [] : [sign]), names[0]].join(", "),
    async recognise(directory) {
      const all = directory.matching(ending);
      const script = directory.firstOf(names) ?? (all.length === 1 ? all[0] : undefined);
      if (script !== undefined) return { program, args: [script] };
      if (sign === undefined || !directory.has(sign)) return undefined;
      const why = `it has a ${sign}, but none of ${names.join(", ")}`;
      const fix = `name the script: capstan run -- ${program} FILE`;
      throw cannotStart(directory, why, fix);
    },
  };
}

export const rubyProject = scripts(
  "Ruby",
  "ruby",
  ["main.rb", "app.rb", "server.rb", "index.rb"],
  /\.rb$/,
  "Gemfile",
);

export const erlangProject = scripts("Erlang", "escript", ["main.escript"], /\.escript$/);

/** PHP brings a web server; without a script of another name it serves the directory. */
export const phpProject: ProjectKind = {
  name: "PHP",
  signs: "index.php",
  async recognise(directory) {
    const script = directory.firstOf(["main.php", "server.php"]);
    if (script !== undefined) return { program: "php", args: [script] };
    const root = ["public/index.php", "index.php"].find((name) => directory.has(name));
    if (root === undefined) return undefined;
    const folder = root.replace(/\/?index\.php$/, "");
    const args = ["-S", "0.0.0.0:8080", "-t", folder === "" ? "." : folder];
    return { program: "php", args, warnings: ["PHP's web server listens on port 8080"] };
  },
};

/** Where builds leave programs. */
const OUTPUTS = [".", "bin", "build", "target/release"];

function isProgram(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || (stats.mode & 0o111) === 0) return false;
  return !/\.so(\.|$)/.test(path) && hasElfMagic(path);
}

function programsIn(directory: ProjectDirectory, folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(directory.path, folder)).sort();
  } catch {
    return [];
  }
  return names
    .map((name) => join(folder, name))
    .filter((path) => isProgram(join(directory.path, path)));
}

export const nativeProject: ProjectKind = {
  name: "native",
  signs: "a program for x86-64",
  async recognise(directory) {
    for (const folder of OUTPUTS) {
      const [program, ...others] = programsIn(directory, folder);
      if (program === undefined) continue;
      if (others.length === 0) return { program: `./${program}`, args: [] };
      const all = [program, ...others].join(", ");
      throw cannotStart(
        directory,
        `it has several programs: ${all}`,
        `name the one to run: capstan run -- ./${program}`,
      );
    }
    if (!directory.has("Cargo.toml")) return undefined;
    throw cannotStart(directory, "Cargo has built nothing yet", "run: cargo build --release");
  },
};
