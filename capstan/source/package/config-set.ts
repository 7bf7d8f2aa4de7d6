/**
 * From the settings of a package to a command. Which set counts: that of `--boot`, else
 * `config_set_default`, else the only one or the one called `default`. Variables: `--env` over the
 * set's own over those of the set that it is based on.
 *
 * Neighbours: `metadata.ts` reads the settings, `package-source.ts` is the user.
 */
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { UserError } from "../../errors.ts";
import { splitWords } from "../words.ts";
import type { ConfigSet, PackageDirectory, RunMetadata } from "./metadata.ts";

/** What a package runs. */
export interface PackageCommand {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How deep sets may be based on others. */
const MAX_BASES = 16;

/**
 * The command of a package.
 * @param packages the package and all that it requires, by name
 * @param boot names of sets that the user chose
 * @throws UserError `NoConfigSet`, `BadConfigSet`
 */
export function packageCommand(
  main: PackageDirectory,
  packages: ReadonlyMap<string, PackageDirectory>,
  boot: readonly string[],
): PackageCommand {
  if (boot.length > 1) {
    throw noSet(main, "one machine runs one program", "give --boot once, or use capstan compose");
  }
  const name = boot[0] ?? defaultSet(main);
  const { set, runtime } = findSet(main, name, packages, 0);
  const problem = (why: string, ...key: string[]): UserError =>
    main.run?.errorAt(["config_set", name, ...key], why) ?? noSet(main, why, "mend meta/run.yaml");
  const hasFile = (path: string): boolean =>
    [main, ...packages.values()].some((each) => existsSync(join(each.path, path)));
  return { command: commandOf(runtime, set, { problem, hasFile }), env: set.env };
}

function setsOf({ run }: PackageDirectory): RunMetadata["config_set"] {
  return run?.value.config_set ?? {};
}

function defaultSet(main: PackageDirectory): string {
  const names = Object.keys(setsOf(main));
  const chosen = main.run?.value.config_set_default ?? (names.length === 1 ? names[0] : "default");
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  const { name } = main.metadata;
  if (names.length === 0) {
    throw noSet(
      main,
      `${name} has nothing to run`,
      "capstan runtime init NAME writes meta/run.yaml",
    );
  }
  throw noSet(
    main,
    `${name} has the configurations ${names.join(", ")}, and none is the default`,
    `choose one: --boot ${names[0]}`,
  );
}

/** A set with what it inherits. */
function findSet(
  owner: PackageDirectory,
  name: string,
  packages: ReadonlyMap<string, PackageDirectory>,
  depth: number,
): { set: ConfigSet; runtime: RunMetadata["runtime"] } {
  const set = setsOf(owner)[name];
  if (set === undefined || owner.run === undefined) {
    const known = Object.keys(setsOf(owner)).join(", ");
    const why = `${owner.metadata.name} has no configuration ${name}`;
    throw noSet(owner, why, known === "" ? "write meta/run.yaml" : `it has: ${known}`);
  }
  const runtime = owner.run.value.runtime;
  if (set.base === undefined) return { set, runtime };
  const [packageName = "", baseName = ""] = set.base.split(":");
  const base = packages.get(packageName);
  const at = ["config_set", name, "base"];
  if (base === undefined) {
    throw owner.run.errorAt(
      at,
      `the package ${packageName} is not required, so it cannot be a base`,
    );
  }
  if (depth === MAX_BASES) throw owner.run.errorAt(at, "the bases never end");
  const inherited = findSet(base, baseName, packages, depth + 1);
  const own = Object.entries(set).filter(
    ([, value]) =>
      value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
  );
  const merged = { ...inherited.set, ...Object.fromEntries(own) };
  return {
    set: { ...merged, env: { ...inherited.set.env, ...set.env } },
    runtime: inherited.runtime,
  };
}

/** What a command is checked with. */
interface CommandContext {
  /** An error at the set, or at a setting of it. */
  problem(why: string, ...key: string[]): UserError;
  /** Whether one of the packages brings a file of the guest. */
  hasFile(path: string): boolean;
}

function commandOf(
  runtime: RunMetadata["runtime"],
  set: ConfigSet,
  { problem, hasFile }: CommandContext,
): string[] {
  if (set.bootcmd !== undefined) {
    const words = splitWords(set.bootcmd);
    if (words === undefined || words.length === 0) throw problem("bootcmd names no program");
    return words;
  }
  const main = (): string => {
    if (set.main === undefined) throw problem("main is missing: it says what is run");
    const path = posix.resolve("/", set.main);
    if (!hasFile(path)) throw problem(`main: there is no file ${path} in the package`, "main");
    return path;
  };
  const isShell = set.shell === true;
  switch (runtime) {
    case "native":
      throw problem("bootcmd is missing: it says what is run");
    case "go":
      return [main(), ...set.args];
    case "node":
      return ["node", ...set.node_args, ...(isShell ? [] : [main(), ...set.args])];
    case "python":
      return ["python3", ...set.python_args, ...(isShell ? [] : [main(), ...set.args])];
    case "java":
      return javaCommand(set, main);
    case "ruby":
      return ["ruby", main(), ...set.args];
    case "php":
      return ["php", main(), ...set.args];
    case "erlang":
      return ["escript", main(), ...set.args];
  }
}

/** `main` is a class, or a jar that says itself which. */
function javaCommand(set: ConfigSet, mainFile: () => string): string[] {
  const { main, xms, xmx, jvm_args: jvmArgs, classpath, args } = set;
  const memory = [...(xms ? [`-Xms${xms}`] : []), ...(xmx ? [`-Xmx${xmx}`] : [])];
  const paths = classpath.map((path) => posix.resolve("/", path));
  const start =
    main === undefined || main.endsWith(".jar")
      ? ["-jar", mainFile()]
      : ["-cp", paths.length === 0 ? "/" : paths.join(":"), main];
  return ["java", ...memory, ...jvmArgs, ...start, ...args];
}

function noSet({ path }: PackageDirectory, why: string, fix: string): UserError {
  return new UserError({
    code: "NoConfigSet",
    what: `cannot run the package in ${path}`,
    why,
    fix,
  });
}
