/**
 * A program of this machine as a source: `capstan run -- PROGRAM [ARGS...]`. Neighbours:
 * `../package/` finds all that it needs; `resolve.ts` is the user, and sources that come down to a
 * program of the host (a directory with a script).
 */
import { resolve } from "node:path";
import { collectProgram } from "../package/collect.ts";
import type { ProgramRequest, ProjectTree } from "../package/types.ts";
import { guestEnvironment } from "./guest-environment.ts";
import { launchDefaults, type Origin, type ResolvedSource, type SourceOptions } from "./source.ts";

/** Where programs are looked for when capstan itself has no PATH. */
const DEFAULT_SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

/** What a kind of source may change about a program of the host. */
export interface ProgramChanges {
  readonly cwd?: string;
  /** Variables of the source; those that the user set win. */
  readonly env?: Readonly<Record<string, string>>;
  /** Extra files, as in `SourceOptions.add`. */
  readonly add?: readonly string[];
  /** Directories to take along; see `ProgramRequest`. */
  readonly projects?: readonly ProjectTree[];
  readonly origin?: Origin;
}

/** All that decides which files a program of the host needs. */
export function programRequest(
  program: string,
  args: readonly string[],
  options: SourceOptions,
  changes: ProgramChanges = {},
): ProgramRequest {
  const { host, signal, terminalType, workdir } = options;
  const base = changes.cwd ?? options.cwd;
  return {
    program,
    args,
    cwd: workdir === undefined ? base : resolve(base, workdir),
    env: guestEnvironment({ ...changes.env, ...options.env }, terminalType),
    add: [...(changes.add ?? []), ...options.add],
    projects: changes.projects ?? [],
    searchPath: host.PATH ?? DEFAULT_SEARCH_PATH,
    ...(signal === undefined ? {} : { signal }),
  };
}

/**
 * Collects a program of the host.
 * @throws UserError when it does not exist, cannot be executed, lacks libraries, or is too large
 */
export async function programSource(
  program: string,
  args: readonly string[],
  options: SourceOptions,
  changes: ProgramChanges = {},
): Promise<ResolvedSource> {
  const request = programRequest(program, args, options, changes);
  const { tree, warnings, ...found } = await collectProgram(request);
  return {
    tree,
    launch: { ...launchDefaults, ...found, env: { ...found.env, ...request.env } },
    origin: changes.origin ?? { kind: "program", name: found.executable },
    warnings,
  };
}
