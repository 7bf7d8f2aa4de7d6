/**
 * Errors that `capstan` shows to its user.
 *
 * Two kinds, and nothing else reaches the terminal:
 * - `UserError`: the user can do something about it (a missing program, a bad option). It carries
 *   what failed, why, and how to fix it; it is printed without a stack trace.
 * - `FatalError`: a defect of OSv.ts itself or of the host. It is printed with its stack trace.
 *
 * Neighbours: `commands/` prints them; `image/` and `package/` throw them.
 */

/** The parts of a message to the user; each is one sentence or a few, without a final line break. */
export interface UserErrorParts {
  /** Machine-readable kind, stable across releases, e.g. `ProgramNotFound`. */
  readonly code: string;
  /** What failed, from the user's point of view. */
  readonly what: string;
  /** Why it failed: the fact that was found. */
  readonly why: string;
  /** How to fix it: something the user can type or change. */
  readonly fix: string;
  /**
   * Exit status that `capstan` ends with: 125 (the default) for an error of usage or preparation,
   * 126 for a program that cannot be executed, 127 for one that does not exist, as in POSIX shells
   * (POSIX.1-2017, Shell Command Language, 2.8.2).
   */
  readonly exitStatus?: number;
  /** The underlying error, if any. */
  readonly cause?: unknown;
}

/** An error that the user can do something about. */
export class UserError extends Error {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly exitStatus: number;

  constructor(parts: UserErrorParts) {
    super(`${parts.what}: ${parts.why}`, parts.cause === undefined ? {} : { cause: parts.cause });
    this.name = "UserError";
    this.code = parts.code;
    this.what = parts.what;
    this.why = parts.why;
    this.fix = parts.fix;
    this.exitStatus = parts.exitStatus ?? 125;
  }

  /** The text for a terminal: three lines, what, why and how to fix it. */
  format(): string {
    return `capstan: ${this.what}\n  why: ${this.why}\n  fix: ${this.fix}\n`;
  }
}

/** A defect of OSv.ts or of the host that the user cannot be expected to repair. */
export class FatalError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "FatalError";
  }
}

/** The `code` of a Node system error (`ENOENT` ...), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
