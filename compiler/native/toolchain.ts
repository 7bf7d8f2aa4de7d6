/**
 * Runs the C compiler and binutils, and says what to do when one is missing or fails.
 *
 * Neighbours: `objects.ts` compiles with it, `link.ts` links.
 */
import { execFile } from "node:child_process";
import { REPOSITORY } from "../frontend.ts";

/** A tool is missing or reported errors. */
export class ToolError extends Error {}

const OUTPUT_MAX = 512 << 20;

/** Debian packages that contain the tools. */
const PACKAGES: Record<string, string> = {
  gcc: "gcc",
  ld: "binutils",
  objcopy: "binutils",
  objdump: "binutils",
};

/**
 * Runs a tool in the repository's root.
 * @returns its standard output
 * @throws {ToolError} with its messages if it fails
 */
export function runTool(name: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: REPOSITORY, maxBuffer: OUTPUT_MAX, encoding: "utf8" } as const;
    execFile(name, args, options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (error.code === "ENOENT") {
        const hint = `apt-get install ${PACKAGES[name] ?? name}`;
        reject(new ToolError(`${name} is needed to build the kernel but not installed: ${hint}`));
      } else {
        const command = [name, ...args].join(" ");
        reject(new ToolError(`${name} failed:\n${stderr.trim() || error.message}\n  ${command}`));
      }
    });
  });
}

/** Runs `tasks` with at most `limit` at a time; stops at the first failure. */
export async function inParallel<T>(
  tasks: readonly (() => Promise<T>)[],
  limit: number,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tasks.length) {
      const i = next++;
      const task = tasks[i];
      if (task) results[i] = await task();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, worker));
  return results;
}
