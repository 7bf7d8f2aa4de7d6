/**
 * From what the user typed to the file that is executed: search in PATH, `#!` lines, and version
 * managers' stand-ins.
 *
 * The rules are those of execvp(3) and execve(2): a name with a slash is a path; another name is
 * looked for in each directory of PATH; a file that starts with `#!` is run by the interpreter that
 * stands there, with at most one argument.
 *
 * Neighbours: `shims.ts` recognises stand-ins; `collect.ts` is the user.
 */
import { accessSync, constants, type Stats, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { systemErrorCode, UserError } from "../errors.ts";
import { readStart } from "./elf.ts";

/** Linux reads this much of a script's first line (BINPRM_BUF_SIZE). */
const SHEBANG_LIMIT_BYTES = 256;

/** A script's first line, taken apart. */
export interface Shebang {
  readonly interpreter: string;
  /** Everything behind the interpreter as one argument, if there is anything. */
  readonly argument: string | undefined;
}

function notFound(program: string, why: string, fix: string): UserError {
  const what = `cannot run ${program === "" ? "a program without a name" : program}`;
  return new UserError({ code: "ProgramNotFound", what, why, fix, exitStatus: 127 });
}

function notExecutable(program: string, code: string, why: string, fix: string): UserError {
  return new UserError({ code, what: `cannot run ${program}`, why, fix, exitStatus: 126 });
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `stat` that takes "not there" and "may not look" for an answer. */
function statOf(path: string): Stats | "missing" | "forbidden" {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "missing";
  } catch (error) {
    const code = systemErrorCode(error);
    return code === "EACCES" || code === "EPERM" ? "forbidden" : "missing";
  }
}

/** Checks a path that is to be executed. Throws a UserError with exit status 126 or 127. */
export function checkExecutable(path: string, typed: string): void {
  const stats = statOf(path);
  if (stats === "missing") {
    throw notFound(typed, `there is no file ${path}`, "check the path for a typing error");
  }
  if (stats === "forbidden") {
    const why = `${path} lies in a directory that you may not enter`;
    throw notExecutable(typed, "PermissionDenied", why, "ask for permission to enter it");
  }
  if (stats.isDirectory()) {
    const fix = `name a program, for instance one inside ${path}`;
    throw notExecutable(typed, "IsADirectory", `${path} is a directory`, fix);
  }
  if (!stats.isFile()) {
    const why = `${path} is not a regular file`;
    throw notExecutable(typed, "NotARegularFile", why, "name a program");
  }
  if (!mayExecute(path)) {
    const why = `you have no permission to execute ${path}`;
    throw notExecutable(typed, "PermissionDenied", why, `chmod +x ${path}`);
  }
}

/**
 * Finds a program like execvp(3). Returns an absolute path whose symbolic links are not resolved.
 * Throws a UserError with exit status 127 if there is none, 126 if it cannot be executed.
 */
export function findProgram(program: string, searchPath: string, cwd: string): string {
  if (program.includes("/")) {
    const path = resolve(cwd, program);
    checkExecutable(path, program);
    return path;
  }
  let refused: string | undefined;
  for (const directory of program === "" ? [] : searchPath.split(":")) {
    const path = join(resolve(cwd, directory), program);
    const stats = statOf(path);
    if (stats === "missing" || stats === "forbidden" || !stats.isFile()) continue;
    if (mayExecute(path)) return path;
    refused ??= path;
  }
  if (refused !== undefined) {
    const why = `you have no permission to execute ${refused}`;
    throw notExecutable(program, "PermissionDenied", why, `chmod +x ${refused}`);
  }
  const inDirectory = program === "" ? "missing" : statOf(join(cwd, program));
  const isHere = typeof inDirectory === "object" && inDirectory.isFile();
  if (typeof inDirectory === "object" && inDirectory.isDirectory()) {
    const why = `${program} is a directory, and no directory in PATH has a program of that name`;
    throw notExecutable(program, "IsADirectory", why, "name a program");
  }
  throw notFound(
    program,
    "no directory in PATH has a program of that name",
    isHere
      ? `write ./${program} to run the file in this directory`
      : "check the spelling, install the program, or give its path",
  );
}

/**
 * The `#!` line of a script, or undefined if the file does not start with one.
 * Throws a UserError if the line is empty or does not end in the first 256 bytes.
 */
export function readShebang(path: string): Shebang | undefined {
  return parseShebang(readStart(path, SHEBANG_LIMIT_BYTES), path);
}

/**
 * The `#!` line in the first bytes of a file, at least 256 if it has as many; see `readShebang`.
 * @param path for messages
 */
export function parseShebang(start: Buffer, path: string): Shebang | undefined {
  if (start.toString("latin1", 0, 2) !== "#!") return undefined;
  const end = start.indexOf(0x0a);
  if (end === -1 && start.length >= SHEBANG_LIMIT_BYTES) {
    const why = `its #! line has more than ${SHEBANG_LIMIT_BYTES} bytes`;
    throw notExecutable(path, "BadShebang", why, "shorten the line");
  }
  const line = start.toString("utf8", 2, end === -1 ? start.length : end);
  const match = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t\0]*$/.exec(line);
  const interpreter = match?.[1];
  if (interpreter === undefined) {
    const why = "its #! line names no interpreter";
    throw notExecutable(path, "BadShebang", why, "write for instance #!/bin/sh");
  }
  const argument = match?.[2];
  return { interpreter, argument: argument === "" ? undefined : argument };
}

/** The error for a file that is neither ELF nor a script. */
export function notAProgram(path: string): UserError {
  const start = readStart(path, 512);
  const isText = start.length > 0 && !start.includes(0);
  const why =
    start.length === 0
      ? "the file is empty"
      : isText
        ? "it is a text file without a #! line"
        : "it is neither an ELF program nor a script";
  const fix = isText
    ? `give it a first line such as #!/bin/sh, or run its interpreter: capstan run -- sh ${path}`
    : "name a Linux program for x86-64, or a script that starts with #!";
  return notExecutable(path, isText ? "TextWithoutShebang" : "NotElf", why, fix);
}

/** What `env` runs for a `#!` line such as `/usr/bin/env -S python3 -u`. */
export interface EnvCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Understands `#!/usr/bin/env NAME` and `#!/usr/bin/env -S NAME ARGS...`, env(1). Undefined for
 * other interpreters and for options that change more than the program's name.
 */
export function parseEnvShebang(shebang: Shebang): EnvCommand | undefined {
  if (basename(shebang.interpreter) !== "env" || shebang.argument === undefined) return undefined;
  const split = /^(?:-S|--split-string=?)\s*(.*)$/.exec(shebang.argument);
  const words = split === null ? [shebang.argument] : (split[1] ?? "").split(/\s+/);
  const [program, ...args] = words;
  if (program === undefined || program === "" || /^-|=|["'\\$]/.test(words.join(" "))) {
    return undefined;
  }
  return { program, args };
}
