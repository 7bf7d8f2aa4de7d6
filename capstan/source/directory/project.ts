/**
 * What a recognised project is. One file for each kind of project; `projects.ts` lists them.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import type { SourceOptions } from "../source.ts";

/** How a project's program is started, in the project's directory. */
export interface Project {
  /** A name in PATH or a path. */
  readonly program: string;
  readonly args: readonly string[];
  /** Things the user may want to know. */
  readonly warnings?: readonly string[];
  /** Variables of the project. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A kind of project. */
export interface ProjectKind {
  /** For messages: `Node.js`. */
  readonly name: string;
  /** The files that tell, for the message when none is there. */
  readonly signs: string;
  /**
   * How the project is started; undefined if it is of another kind.
   * @throws UserError if it is of this kind and something is missing
   */
  recognise(directory: ProjectDirectory, options: SourceOptions): Promise<Project | undefined>;
}

/** The directory of a project. */
export class ProjectDirectory {
  readonly path: string;
  readonly names: readonly string[];

  /** Throws Node's system errors. */
  constructor(path: string) {
    this.path = path;
    this.names = readdirSync(path).sort();
  }

  /** Whether there is a regular file of this name, which may be a path. */
  has(name: string): boolean {
    return statSync(join(this.path, name), { throwIfNoEntry: false })?.isFile() === true;
  }

  /** The first of these files that exists. */
  firstOf(names: readonly string[]): string | undefined {
    return names.find((name) => this.has(name));
  }

  /** Text of a file. Throws Node's system errors. */
  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  /** Regular files here whose names match. */
  matching(pattern: RegExp): string[] {
    return this.names.filter((name) => pattern.test(name) && this.has(name));
  }
}

/** The error for a project of a known kind that cannot be started. */
export function cannotStart(directory: ProjectDirectory, why: string, fix: string): UserError {
  return new UserError({
    code: "ProjectIncomplete",
    what: `cannot run ${directory.path}`,
    why,
    fix,
  });
}
