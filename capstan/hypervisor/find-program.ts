/**
 * Finds the program by which a hypervisor is driven, before anything is built.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../errors.ts";
import { hypervisors } from "./catalog.ts";
import type { HypervisorName } from "./hypervisor-names.ts";

/**
 * Its path: what the environment variable says (`$CAPSTAN_QEMU`), or the first on PATH.
 * @throws UserError `HypervisorNotFound`
 */
export function findHypervisor(name: HypervisorName, env: NodeJS.ProcessEnv): string {
  const { title, program, variable, install } = hypervisors[name];
  const chosen = env[variable];
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new UserError({
      code: "HypervisorNotFound",
      what: `${title} was not found`,
      why: `${variable} names ${chosen}, which is not an executable file`,
      fix: `set ${variable} to the path of ${program}, or unset it`,
    });
  }
  const found = findOnPath(program, env);
  if (found !== undefined) return found;
  throw new UserError({
    code: "HypervisorNotFound",
    what: `${title} was not found`,
    why: `there is no ${program} on PATH`,
    fix: name === "qemu" ? install : `${install}; or use --hypervisor qemu`,
  });
}

/** Where PATH has a program; undefined if nowhere. */
export function findOnPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? "/usr/bin:/bin").split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
