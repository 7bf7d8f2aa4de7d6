/**
 * Files that the program's arguments name, and files that the user adds.
 *
 * Arguments. Whatever names an existing file or directory of the host is taken along, under the same
 * path: `sha256sum ./x`, `ls -lR /etc`, `python3 script.py`. The rule looks at
 *   - arguments that do not start with `-`;
 *   - the value of `--option=VALUE` and `name=VALUE` (dd's `if=FILE`).
 * Relative paths start in the current directory, which the guest has, too. Directories come with
 * everything in them, up to 1 GiB and 100,000 entries; symbolic links in them stay links, and what
 * they point to is not added. /, /proc, /sys and /dev are the guest's own.
 *
 * `--add HOST[:GUEST]` takes any amount, and follows symbolic links that lead out of a directory.
 *
 * Neighbours: `guest-files.ts` does the adding; `collect.ts` resolves libraries of what was added.
 */
import { realpathSync, statSync } from "node:fs";
import { isAbsolute, posix, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { type GuestFiles, isKernelPath } from "./guest-files.ts";
import { TreeLimit } from "./tree-limits.ts";

const MAX_ARGUMENT_BYTES = 1024 ** 3;
const MAX_ARGUMENT_ENTRIES = 100_000;

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The host paths that an argument may name, without looking whether they exist. */
export function pathsInArgument(argument: string): string[] {
  if (argument === "" || argument.includes("\0")) return [];
  if (!argument.startsWith("-")) {
    const value = /^[A-Za-z_][\w-]*=(.+)$/s.exec(argument)?.[1];
    return value === undefined ? [argument] : [argument, value];
  }
  const value = /^--[A-Za-z][\w-]*=(.+)$/s.exec(argument)?.[1];
  return value === undefined ? [] : [value];
}

/**
 * Adds what the arguments name. Returns the host paths of the regular files among them (not of those
 * in directories). Throws a UserError for a directory beyond the limits.
 */
export async function addArguments(
  files: GuestFiles,
  args: readonly string[],
  cwd: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of args.flatMap(pathsInArgument)) {
    const absolute = resolve(cwd, path);
    if (!exists(absolute) || isKernelPath(absolute)) continue;
    if (absolute === "/") {
      files.warnings.push("the argument / means the guest's own root directory, not the host's");
      continue;
    }
    const limit = new TreeLimit(
      `the directory ${path} (an argument of the program)`,
      MAX_ARGUMENT_BYTES,
      MAX_ARGUMENT_ENTRIES,
      `name the files that the program needs, or put all of it into the image with --add ${path}`,
    );
    const added = await files.addTree(absolute, { limit });
    if (added?.node.kind === "file") found.push(added.realPath);
  }
  return found;
}

/** `--add HOST[:GUEST]`, taken apart. */
export interface Addition {
  readonly hostPath: string;
  /** Absolute guest path, or undefined for the host's own. */
  readonly guestPath: string | undefined;
}

/**
 * Understands the value of `--add`. A colon separates host and guest path; a host path that contains
 * colons is meant as it is if it exists. Throws a UserError if there is no such file.
 */
export function parseAddition(text: string, cwd: string): Addition {
  const whole = resolve(cwd, text);
  if (text !== "" && exists(whole)) return { hostPath: whole, guestPath: undefined };
  const colon = text.lastIndexOf(":");
  const host = colon === -1 ? text : text.slice(0, colon);
  const guest = colon === -1 ? "" : text.slice(colon + 1);
  const hostPath = resolve(cwd, host);
  if (host === "" || !exists(hostPath)) {
    throw new UserError({
      code: "AddedFileMissing",
      what: `cannot do --add ${text}`,
      why: `there is no file or directory ${host === "" ? "without a name" : hostPath}`,
      fix: "check the path; the form is --add HOST or --add HOST:GUEST",
    });
  }
  if (!isAbsolute(guest)) {
    throw new UserError({
      code: "AddedPathRelative",
      what: `cannot do --add ${text}`,
      why: `the path in the guest, "${guest}", does not start with /`,
      fix: `write --add ${host}:/${guest}`,
    });
  }
  return { hostPath, guestPath: posix.normalize(guest) };
}

/** Adds the value of one `--add`; `onFile` is told every regular file's host path. */
export async function addAddition(
  files: GuestFiles,
  addition: Addition,
  onFile: (path: string) => void,
): Promise<void> {
  const { hostPath, guestPath } = addition;
  if (guestPath === undefined) {
    await files.addTree(hostPath, { followLinks: true, onFile });
    return;
  }
  const real = realpathSync(hostPath);
  if (guestPath === "/" && !statSync(real).isDirectory()) {
    throw new UserError({
      code: "GuestPathBlocked",
      what: `cannot do --add ${hostPath}:/`,
      why: "the guest's root must be a directory",
      fix: `write --add ${hostPath}:/NAME`,
    });
  }
  await files.copyTo(real, guestPath, { onFile });
}
