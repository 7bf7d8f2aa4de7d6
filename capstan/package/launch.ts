/**
 * Decides what is executed in the guest: which ELF file, under which name, with which arguments.
 *
 * Scripts are turned into what the kernel would make of them, so that the guest starts with an ELF
 * program and every program sees the arguments that it would see on the host:
 *
 *     ./x.py a              with #!/usr/bin/python3 -u       /usr/bin/python3 -u ./x.py a
 *     ./x.py a              with #!/usr/bin/env python3      python3 ./x.py a   (env is left out)
 *     python3 x.py          python3 stands in for another    /home/u/.pyenv/.../python3 x.py
 *
 * Reference: execve(2), "Interpreter scripts".
 *
 * Neighbours: `program.ts` finds and reads, `shims.ts` looks behind stand-ins, `collect.ts` is the
 * user.
 */
import { dirname, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { type ElfFile, hasElfMagic, readElf } from "./elf.ts";
import { ElfError } from "./elf-error.ts";
import {
  checkExecutable,
  findProgram,
  notAProgram,
  parseEnvShebang,
  readShebang,
} from "./program.ts";
import { resolveShim } from "./shims.ts";
import type { ProgramRequest } from "./types.ts";

/** Linux follows four interpreters that are scripts themselves. */
const MAX_SCRIPTS = 5;

/** What the guest executes. */
export interface Launch {
  /** Absolute path of an ELF program; symbolic links are not resolved. */
  readonly executable: string;
  readonly elf: ElfFile;
  readonly argv0: string;
  /** argv[1] and on. */
  readonly args: readonly string[];
  /** Scripts on the way, absolute host paths. */
  readonly scripts: readonly string[];
}

/** The host's environment without undefined values; version managers keep their settings in it. */
function hostEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * The name that a program found in PATH sees as its own. Interpreters look for themselves in PATH
 * under this name, so it is the full path if the guest's PATH does not lead there.
 */
function ownName(typed: string, path: string, guestPath: string | undefined): string {
  if (typed.includes("/")) return typed;
  return (guestPath ?? "").split(":").includes(dirname(path)) ? typed : path;
}

function readProgram(path: string): ElfFile {
  try {
    const elf = readElf(path);
    if (elf.linkage === "library" && elf.interpreter === undefined) {
      throw new ElfError(path, "NotExecutable", "it is a shared library, not a program");
    }
    return elf;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({
      code: "ProgramUnreadable",
      what: `cannot run ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: "make the file readable for you",
      exitStatus: 126,
      cause: error,
    });
  }
}

function isElf(path: string): boolean {
  try {
    return hasElfMagic(path);
  } catch {
    // Reading it as a program explains what is wrong.
    return true;
  }
}

/** An interpreter that is named in a `#!` line. */
function findInterpreter(interpreter: string, script: string, cwd: string): string {
  const path = resolve(cwd, interpreter);
  try {
    checkExecutable(path, script);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError({
      code: "InterpreterMissing",
      what: `cannot run ${script}`,
      why: `its first line asks for the interpreter ${interpreter}: ${error.why}`,
      fix: "install the interpreter, or change the script's first line",
      exitStatus: error.exitStatus,
    });
  }
  return path;
}

/**
 * Follows a program to the ELF file that is executed for it.
 * Throws a UserError with exit status 127 if something is missing, 126 if it cannot be executed.
 */
export async function planLaunch(request: ProgramRequest): Promise<Launch> {
  const { program, searchPath, cwd, env } = request;
  const scripts: string[] = [];
  let path = findProgram(program, searchPath, cwd);
  let argv0 = ownName(program, path, env.PATH);
  // What a script's interpreter gets as the script's name: execve's first argument.
  let scriptName = program.includes("/") ? program : path;
  let args = [...request.args];
  while (!isElf(path)) {
    const shebang = readShebang(path);
    if (shebang === undefined) throw notAProgram(path);
    if (scripts.length === MAX_SCRIPTS) {
      throw new UserError({
        code: "TooManyInterpreters",
        what: `cannot run ${program}`,
        why: `its interpreter is a script, whose interpreter is a script, and so on: ${scripts.join(", ")}`,
        fix: "change the #! lines to name an ELF program",
        exitStatus: 126,
      });
    }
    const behind = await resolveShim(path, hostEnvironment(), cwd);
    if (behind !== undefined) {
      path = behind;
      argv0 = behind;
      scriptName = behind;
      continue;
    }
    scripts.push(path);
    const command = parseEnvShebang(shebang);
    if (command !== undefined) {
      path = findProgram(command.program, searchPath, cwd);
      args = [...command.args, scriptName, ...args];
      argv0 = ownName(command.program, path, env.PATH);
      scriptName = path;
      continue;
    }
    path = findInterpreter(shebang.interpreter, path, cwd);
    args = [...(shebang.argument === undefined ? [] : [shebang.argument]), scriptName, ...args];
    argv0 = shebang.interpreter;
    scriptName = shebang.interpreter;
  }
  return { executable: path, elf: readProgram(path), argv0, args, scripts };
}
