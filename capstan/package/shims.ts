/**
 * Stand-ins of version managers: pyenv, rbenv, nodenv, plenv and their like put a shell script named
 * `python3` into PATH that finds out, each time, which python3 is meant.
 *
 * Running such a script in the guest would need the manager, its settings and a shell. What the user
 * means is the interpreter behind it, so we ask for that here, on the host.
 *
 * Neighbours: `collect.ts` calls this for every script it meets; `ask.ts` runs the question.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { UserError } from "../errors.ts";
import { ask } from "./ask.ts";
import { readShebang } from "./program.ts";

/** For interpreters: how to make them print their own path. */
const questions: readonly (readonly [name: RegExp, args: readonly string[]])[] = [
  [/^python[0-9.]*$/, ["-c", "import sys; print(sys.executable)"]],
  [/^node$/, ["-p", "process.execPath"]],
  [/^ruby$/, ["-e", "print RbConfig.ruby"]],
  [/^perl[0-9.]*$/, ["-e", "print $^X"]],
];

/** The manager's own program, if a script is one of its stand-ins: `exec ".../pyenv" exec ...`. */
export function shimManager(scriptPath: string): string | undefined {
  if (basename(dirname(scriptPath)) !== "shims" || readShebang(scriptPath) === undefined) {
    return undefined;
  }
  const text = readFileSync(scriptPath, "utf8");
  const manager = /exec\s+"?([^"\s]+)"?\s+exec\b/.exec(text)?.[1];
  if (manager === undefined) return undefined;
  if (isAbsolute(manager)) return manager;
  return join(dirname(dirname(scriptPath)), "bin", manager);
}

/**
 * The program behind a stand-in, or undefined if the script is none. `env` is the host's
 * environment, because managers keep their settings there.
 * Throws a UserError if the manager does not tell.
 */
export async function resolveShim(
  scriptPath: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<string | undefined> {
  const manager = shimManager(scriptPath);
  if (manager === undefined) return undefined;
  const name = basename(scriptPath);
  const question = questions.find(([pattern]) => pattern.test(name));
  const answer =
    question === undefined
      ? await ask(manager, ["which", name], { env, cwd })
      : await ask(scriptPath, question[1], { env, cwd });
  const path = "text" in answer ? answer.text.trim() : "";
  if (isAbsolute(path) && existsSync(path)) return path;
  throw new UserError({
    code: "ShimUnresolved",
    what: `cannot run ${scriptPath}`,
    why: `it only stands in for another program, and asking which one gave: ${
      "failure" in answer ? answer.failure : path || "nothing"
    }`,
    fix: `choose a version with ${basename(manager)}, or give the path of the program itself`,
    exitStatus: 127,
  });
}
