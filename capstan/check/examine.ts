/**
 * Gathers what `capstan check` knows about an application without running it: its program's kind and
 * libraries, the files that an image would hold, and the system calls in the code.
 *
 * Neighbours: `../source/` finds the files exactly as `capstan run` would; `searched-files.ts`
 * chooses among them, `objects.ts` searches the code; `judge.ts` draws the conclusions.
 */
import { basename } from "node:path";
import { contentSizeBytes, type FsTree } from "../image/tree.ts";
import type { Linkage } from "../package/elf.ts";
import { planLaunch } from "../package/launch.ts";
import { LibraryClosure, type MissingLibrary } from "../package/libraries.ts";
import { recipeFor, recipeForNames } from "../package/recipes/index.ts";
import { programRequest } from "../source/program.ts";
import { resolveSource } from "../source/resolve.ts";
import type { Origin, SourceOptions, SourceRequest } from "../source/source.ts";
import { type FoundCalls, findCalls } from "./objects.ts";
import { searchedFiles } from "./searched-files.ts";
import { fileInTree, treeObjects } from "./tree-objects.ts";

/** Files below one directory of the image. */
export interface FileGroup {
  readonly path: string;
  readonly count: number;
  readonly sizeBytes: number;
}

/** What was found out about an application. */
export interface Examination {
  readonly origin: Origin;
  /** Path of the ELF program that is executed; a script's interpreter. */
  readonly executable: string;
  readonly args: readonly string[];
  /** `kernel`: it is linked with the kernel, an appliance. */
  readonly linkage: Linkage | "kernel";
  readonly interpreter: string | undefined;
  /** Paths of the libraries that the program is linked with. */
  readonly libraries: readonly string[];
  readonly missingLibraries: readonly MissingLibrary[];
  /** Name of the runtime recipe that applies, if any. */
  readonly recipe: string | undefined;
  /** The program was collected on this machine; else it came with all its files. */
  readonly isCollected: boolean;
  /** Files of the image by directory, the largest groups first; empty when libraries are missing. */
  readonly files: readonly FileGroup[];
  readonly warnings: readonly string[];
  /** Paths of the files that were searched. */
  readonly searched: readonly string[];
  readonly found: FoundCalls;
}

/** How deep directories are told apart in `Examination.files`. */
const GROUP_DEPTH = 3;

function groupFiles(tree: FsTree): FileGroup[] {
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

/** What is known of a program of this machine that lacks libraries: no image can be made of it. */
async function examineIncomplete(
  request: Extract<SourceRequest, { kind: "program" }>,
  options: SourceOptions,
): Promise<Examination | undefined> {
  const wanted = programRequest(request.program, request.args, options);
  const { elf, executable, args } = await planLaunch(wanted);
  const closure = new LibraryClosure(elf, wanted.env.LD_LIBRARY_PATH, wanted.cwd);
  const missingLibraries = closure.addProgram();
  if (missingLibraries.length === 0) return undefined;
  const libraries = [...closure.files];
  const loader = elf.interpreter === undefined ? [] : [elf.interpreter];
  const paths = [...new Set([executable, ...libraries, ...loader])];
  return {
    origin: { kind: "program", name: executable },
    executable,
    args,
    linkage: elf.linkage,
    interpreter: elf.interpreter,
    libraries,
    missingLibraries,
    recipe: recipeFor(executable)?.name,
    isCollected: true,
    files: [],
    warnings: [],
    searched: paths,
    found: findCalls(new Map(paths.map((path) => [path, { path }]))),
  };
}

/**
 * Examines an application.
 * @throws UserError as `capstan run` would, if there is no such source, it cannot be executed, or is
 * built for another machine; libraries that its program lacks are part of the result
 */
export async function examine(
  request: SourceRequest,
  options: SourceOptions,
): Promise<Examination> {
  const incomplete =
    request.kind === "program" ? await examineIncomplete(request, options) : undefined;
  if (incomplete !== undefined) return incomplete;
  const { tree, launch, origin, warnings } = await resolveSource(request, options);
  const { executable, args } = launch;
  const common = { origin, executable, args, files: groupFiles(tree) };
  if (launch.isAppliance === true) {
    return {
      ...common,
      linkage: "kernel",
      interpreter: undefined,
      libraries: [],
      missingLibraries: [],
      recipe: undefined,
      isCollected: false,
      warnings,
      searched: [],
      found: findCalls(new Map()),
    };
  }
  const objects = treeObjects(tree);
  const elf = objects.readElf(executable);
  const isCollected = fileInTree(tree, executable)?.node.content.from === "host";
  const chosen = searchedFiles(tree, launch);
  return {
    ...common,
    linkage: elf.linkage,
    interpreter: elf.interpreter,
    libraries: chosen.libraries,
    missingLibraries: chosen.missingLibraries,
    recipe: recipeForNames([objects.realPath(executable), executable].map((each) => basename(each)))
      ?.name,
    isCollected,
    warnings: [...warnings, ...chosen.warnings],
    searched: [...chosen.places.keys()],
    found: findCalls(chosen.places),
  };
}
