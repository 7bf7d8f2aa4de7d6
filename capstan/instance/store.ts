/**
 * The folder of background instances.
 *
 *     $CAPSTAN_ROOT/instances/NAME/
 *         instance.json    what it is (record.ts)
 *         state.json       how it is, written by its supervisor
 *         root.erofs       its image: a link to the one in the cache
 *         console.log      what its program wrote
 *         supervisor.log   messages of the supervisor itself
 *         control.sock     where the supervisor listens while it lives
 *
 * A folder gets its name by rename(2) when its definition is complete, so that a name is taken by
 * one instance only and no half-written instance is ever seen. Files are replaced in the same way.
 */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { systemErrorCode, UserError } from "../errors.ts";
import { capstanHome } from "../home.ts";
import { processIdentity } from "./process-identity.ts";
import {
  type Instance,
  type InstanceDefinition,
  type InstanceState,
  RECORD_VERSION,
} from "./record.ts";

const imageName = "root.erofs";
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** The folder of all instances; it need not exist. */
export function instancesFolder(env: NodeJS.ProcessEnv): string {
  return join(capstanHome(env), "instances");
}

/**
 * Checks a name that the user gave.
 * @throws UserError `BadName`
 */
export function checkName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new UserError({
    code: "BadName",
    what: `${name === "" ? "''" : name} is no name for an instance`,
    why: "a name has 1 to 63 letters, digits, dots, dashes and underscores, the first a letter or digit",
    fix: "for example: --name web-1",
  });
}

/** A name that is free: the program's, with a number if need be. */
export function freeName(base: string, env: NodeJS.ProcessEnv): string {
  const stem = base.replace(/[^a-zA-Z0-9_.-]+/g, "-").replace(/^[^a-zA-Z0-9]+/, "") || "machine";
  const taken = new Set(instanceNames(env));
  const short = stem.slice(0, 50);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? short : `${short}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** The names of all instances, sorted. */
export function instanceNames(env: NodeJS.ProcessEnv): string[] {
  const folder = instancesFolder(env);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => namePattern.test(name))
    .sort();
}

/**
 * Makes an instance's folder.
 * @returns its path
 * @throws UserError `NameInUse`
 */
export function createInstance(definition: InstanceDefinition, env: NodeJS.ProcessEnv): string {
  const parent = instancesFolder(env);
  const folder = join(parent, definition.name);
  // A name that begins with a dot is no instance.
  const temporary = join(parent, `.${definition.name}.${randomBytes(6).toString("hex")}`);
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  try {
    const kept = keepImage(definition, temporary, folder);
    writeFileSync(join(temporary, "instance.json"), JSON.stringify(kept, null, 2), { mode: 0o600 });
    renameSync(temporary, folder);
    return folder;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const isTaken = ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(systemErrorCode(error) ?? "");
    if (isTaken) throw nameInUse(definition.name, env);
    throw error;
  }
}

/**
 * Links the image into the instance's folder, because the cache may forget it. On another file
 * system it stays where it is, and the instance can be started as long as it is there.
 */
function keepImage(
  definition: InstanceDefinition,
  temporary: string,
  folder: string,
): InstanceDefinition {
  const { plan } = definition;
  const image = plan.machine.rootImagePath;
  if (image === undefined) return definition;
  try {
    linkSync(image, join(temporary, imageName));
  } catch {
    return definition;
  }
  const machine = { ...plan.machine, rootImagePath: join(folder, imageName) };
  return { ...definition, plan: { ...plan, machine } };
}

/** The error of a name that an instance has already. */
export function nameInUse(name: string, env: NodeJS.ProcessEnv): UserError {
  const found = readInstance(name, env);
  const status = found?.status ?? "unreadable";
  const isRunning = status === "running" || status === "starting";
  return new UserError({
    code: "NameInUse",
    what: `the name ${name} is in use`,
    why: `there is an instance of this name already (${status})`,
    fix: `choose another --name, or: capstan delete ${isRunning ? "--force " : ""}${name}`,
  });
}

/** Reads an instance; undefined if there is none, or its record cannot be understood. */
export function readInstance(name: string, env: NodeJS.ProcessEnv): Instance | undefined {
  const folder = join(instancesFolder(env), name);
  const definition = readJson<InstanceDefinition>(join(folder, "instance.json"));
  if (definition?.version !== RECORD_VERSION) return undefined;
  return refreshed({ definition, folder });
}

/** An instance as it is now. */
export function refreshed({
  definition,
  folder,
}: Pick<Instance, "definition" | "folder">): Instance {
  const state = readJson<InstanceState>(join(folder, "state.json"));
  return { definition, folder, state, status: statusOf(state) };
}

function statusOf(state: InstanceState | null): Instance["status"] {
  if (state === null) return "lost";
  if (state.status === "exited") return "exited";
  const isAlive = processIdentity(state.supervisorPid) === state.supervisorIdentity;
  return isAlive ? state.status : "lost";
}

/** All instances that can be read, sorted by name. */
export function listInstances(env: NodeJS.ProcessEnv): Instance[] {
  return instanceNames(env).flatMap((name) => readInstance(name, env) ?? []);
}

/**
 * The instance that the user named.
 * @throws UserError `NoSuchInstance`
 */
export function findInstance(name: string, env: NodeJS.ProcessEnv): Instance {
  const found = namePattern.test(name) ? readInstance(name, env) : undefined;
  if (found !== undefined) return found;
  const names = instanceNames(env);
  throw new UserError({
    code: "NoSuchInstance",
    what: `there is no instance ${name}`,
    why: names.length === 0 ? "there are no instances at all" : `there are: ${names.join(", ")}`,
    fix: "capstan instances -a lists them; capstan run -d starts one",
  });
}

/** Replaces an instance's state; a reader sees the old or the new one. */
export function writeState(folder: string, state: InstanceState): void {
  const path = join(folder, "state.json");
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(state, null, 2));
  renameSync(temporary, path);
}

/** Removes an instance's folder; its machine must not run. */
export function removeInstance({ folder }: Pick<Instance, "folder">): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Files here are written by capstan alone, so their shape follows from the version. */
function readJson<T>(path: string): T | null {
  try {
    const value: T = JSON.parse(readFileSync(path, "utf8"));
    return value;
  } catch {
    return null;
  }
}
