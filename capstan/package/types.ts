/**
 * What `package/` is asked for and what it hands back.
 *
 * Neighbours: `collect.ts` implements `collectProgram`; `commands/run.ts` calls it and passes the
 * result to `image/build.ts`.
 */
import type { FsTree } from "../image/tree.ts";
import type { Skip } from "./tree-limits.ts";

/** A directory or file of the user's, where it goes, and what of it stays behind. */
export interface ProjectTree {
  /** Absolute host path. */
  readonly path: string;
  /** Absolute guest path; absent: the host's own. */
  readonly guest?: string;
  readonly skip?: Skip;
}

/** A program of the host with all that decides which files it needs. */
export interface ProgramRequest {
  /** Program as typed: a name looked up in `searchPath`, or a path (with a slash). */
  readonly program: string;
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** Absolute host directory in which relative paths are understood. */
  readonly cwd: string;
  /** Environment that the program will see in the guest. */
  readonly env: Readonly<Record<string, string>>;
  /** Extra files or directories, `HOST` or `HOST:GUEST`. */
  readonly add: readonly string[];
  /** Directories that are taken along as a whole, but for what is skipped. */
  readonly projects?: readonly ProjectTree[];
  /** Directories to search for `program`, separated by `:`; normally the host's `PATH`. */
  readonly searchPath: string;
  /** Largest sum of file contents, in bytes; default `DEFAULT_CONTENT_LIMIT_BYTES`. */
  readonly contentLimitBytes?: number;
  /** Stops the collection with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A program with everything it needs, ready to be written as an image. */
export interface CollectedProgram {
  readonly tree: FsTree;
  /** Absolute guest path of an ELF program; scripts have been replaced by their interpreters. */
  readonly executable: string;
  /** What the program sees as its argv[0]. */
  readonly argv0: string;
  /** Arguments for the guest, argv[1] and on. */
  readonly args: readonly string[];
  /** Absolute guest directory to start in; exists in the tree. */
  readonly cwd: string;
  /** Environment to add to the guest's, from the recipe (may be empty). */
  readonly env: Readonly<Record<string, string>>;
  /** Things the user may want to know, one sentence each. */
  readonly warnings: readonly string[];
}

/** Default for `ProgramRequest.contentLimitBytes`: what an image may hold without being asked. */
export const DEFAULT_CONTENT_LIMIT_BYTES = 16 * 1024 ** 3;
