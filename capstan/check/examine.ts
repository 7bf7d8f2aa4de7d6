/**
 * Gathers what `capstan check` knows about a program, without running or writing anything: its
 * kind, its libraries, the files that an image would hold, and the system calls in the code.
 *
 * Neighbours: `../package/` finds the files exactly as `capstan run` would; `objects.ts` searches
 * the code; `judge.ts` draws the conclusions.
 */

import { contentSizeBytes } from "../image/tree.ts";
import { collectProgram } from "../package/collect.ts";
import { hasElfMagic, type Linkage } from "../package/elf.ts";
import { planLaunch } from "../package/launch.ts";
import { LibraryClosure, type MissingLibrary } from "../package/libraries.ts";
import { recipeFor } from "../package/recipes/index.ts";
import type { CollectedProgram, ProgramRequest } from "../package/types.ts";
import { type FoundCalls, findCalls } from "./objects.ts";

/** Files below one directory of the image. */
export interface FileGroup {
  readonly path: string;
  readonly count: number;
  readonly sizeBytes: number;
}

/** What was found out about a program. */
export interface Examination {
  /** Path of the ELF program that is executed; a script's interpreter. */
  readonly executable: string;
  readonly args: readonly string[];
  readonly linkage: Linkage;
  readonly interpreter: string | undefined;
  /** Host paths of the libraries that the program is linked with. */
  readonly libraries: readonly string[];
  readonly missingLibraries: readonly MissingLibrary[];
  /** Name of the runtime recipe that applies, if any. */
  readonly recipe: string | undefined;
  /** Files of the image by directory, the largest groups first; empty when libraries are missing. */
  readonly files: readonly FileGroup[];
  readonly warnings: readonly string[];
  readonly found: FoundCalls;
}

/** How deep directories are told apart in `Examination.files`. */
const GROUP_DEPTH = 3;

function groupFiles({ tree }: CollectedProgram): FileGroup[] {
  const groups = new Map<string, { count: number; sizeBytes: number }>();
  for (const [path, node] of tree.walk()) {
    if (node.kind !== "file") continue;
    const names = path.split("/").slice(1, -1).slice(0, GROUP_DEPTH);
    const key = `/${names.join("/")}`;
    const group = groups.get(key) ?? { count: 0, sizeBytes: 0 };
    group.count += 1;
    group.sizeBytes += contentSizeBytes(node.content);
    groups.set(key, group);
  }
  return [...groups]
    .map(([path, group]) => ({ path, ...group }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
}

/** Host paths of the ELF files in an image. Unreadable ones are reported when it is written. */
function elfFiles({ tree }: CollectedProgram): string[] {
  const found: string[] = [];
  for (const [, node] of tree.walk()) {
    if (node.kind !== "file" || node.content.from !== "host") continue;
    try {
      if (hasElfMagic(node.content.path)) found.push(node.content.path);
    } catch {}
  }
  return found;
}

/**
 * Examines a program.
 * Throws a UserError, as `capstan run` would, if there is no such program, it cannot be executed,
 * or is built for another machine. Missing libraries are part of the result.
 */
export async function examine(request: ProgramRequest): Promise<Examination> {
  const launch = await planLaunch(request);
  const { elf, executable } = launch;
  const closure = new LibraryClosure(elf, request.env.LD_LIBRARY_PATH, request.cwd);
  const missingLibraries = closure.addProgram();
  const libraries = [...closure.files];
  const collected = missingLibraries.length > 0 ? undefined : await collectProgram(request);
  const loader = elf.interpreter === undefined ? [] : [elf.interpreter];
  const others = collected === undefined ? [...libraries, ...loader] : elfFiles(collected);
  return {
    executable,
    args: launch.args,
    linkage: elf.linkage,
    interpreter: elf.interpreter,
    libraries,
    missingLibraries,
    recipe: recipeFor(executable)?.name,
    files: collected === undefined ? [] : groupFiles(collected),
    warnings: collected?.warnings ?? [],
    found: findCalls([...new Set([executable, ...others])]),
  };
}
