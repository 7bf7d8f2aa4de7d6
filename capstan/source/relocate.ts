/**
 * Programs whose files lie elsewhere in the guest than on the host: `build/server` that is to be
 * /app/server, a package whose directory is to be the root.
 *
 *     placements         build/server -> /app/server,  ROOTFS -> /
 *     command            /app/server --port 80
 *     is collected as    build/server --port 80        so that libraries and runtimes are found
 *     and started as     /app/server --port 80         in a tree that has the files in their places
 *
 * Neighbours: `program.ts` collects; `capstanfile/` and `package/` are the users.
 */
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import type { FsTree } from "../image/tree.ts";
import type { Skip } from "../package/tree-limits.ts";
import { programSource } from "./program.ts";
import type { Origin, ResolvedSource, SourceOptions } from "./source.ts";

/** A file or directory of the host, and where it is in the guest. */
export interface Placement {
  /** Absolute host path. */
  readonly host: string;
  /** Absolute guest path. */
  readonly guest: string;
  readonly skip?: Skip;
}

/** What is started. */
export interface PlacedCommand {
  /** Program and arguments as the guest sees them. */
  readonly command: readonly string[];
  /** Later ones win. */
  readonly placements: readonly Placement[];
  readonly env: Readonly<Record<string, string>>;
  readonly origin: Origin;
}

/** Where a program without a slash is looked for among the placed files, before the host's PATH. */
const PROGRAM_DIRECTORIES = ["/usr/local/bin", "/usr/bin", "/bin", "/"];

/**
 * Collects a command with its files in their places.
 * @throws UserError as `programSource` does
 */
export async function placedSource(
  { command, placements, env, origin }: PlacedCommand,
  options: SourceOptions,
): Promise<ResolvedSource> {
  const toHost = (path: string): string => hostPath(path, placements) ?? path;
  const [program = "", ...args] = command;
  const placed = program.includes("/")
    ? toHost(program)
    : (PROGRAM_DIRECTORIES.map((directory) =>
        hostPath(posix.join(directory, program), placements),
      ).find((path) => path !== undefined) ?? program);
  const { workdir, ...others } = options;
  const source = await programSource(placed, args.map(toHost), others, {
    cwd: "/",
    env,
    projects: placements.map(({ host, guest, skip }) => {
      return { path: host, guest, ...(skip === undefined ? {} : { skip }) };
    }),
    origin,
  });
  const { tree, launch } = source;
  for (const { host, guest } of placements) {
    if (host !== guest) removePath(tree, host);
  }
  const toGuest = (path: string): string => guestPath(path, placements);
  return {
    ...source,
    launch: {
      ...launch,
      executable: toGuest(launch.executable),
      argv0: placed === program ? toGuest(launch.argv0) : program,
      args: launch.args.map(toGuest),
      cwd: workdir ?? "/",
    },
  };
}

/** The host file that is to be at a guest path, if a placement has it. */
function hostPath(path: string, placements: readonly Placement[]): string | undefined {
  if (!path.startsWith("/")) return undefined;
  for (const { host, guest } of [...placements].reverse()) {
    const inside = posix.relative(guest, path);
    if (inside.startsWith("..")) continue;
    const found = join(host, inside);
    // A directory alone says nothing: `/` as an argument means the guest's own.
    if (inside === "" ? statSync(host).isFile() : existsSync(found)) return found;
  }
  return undefined;
}

/** The guest path of a host file, if a placement has it; else the same path. */
function guestPath(path: string, placements: readonly Placement[]): string {
  for (const { host, guest } of [...placements].reverse()) {
    const inside = posix.relative(host, path);
    if (path.startsWith("/") && !inside.startsWith("..")) return posix.join(guest, inside);
  }
  return path;
}

/** Takes a path out of a tree, with the directories that become empty. */
function removePath(tree: FsTree, path: string): void {
  for (let at = path; at !== "/"; at = posix.dirname(at)) {
    const parent = tree.get(posix.dirname(at));
    if (parent?.kind !== "directory") return;
    parent.children.delete(posix.basename(at));
    if (parent.children.size > 0) return;
  }
}
