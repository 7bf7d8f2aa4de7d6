/**
 * Runs programs on the host and in guests, and gives back what they wrote and how they ended.
 */
import { spawn } from "node:child_process";
import { capstanLauncher } from "./paths.ts";

/** How a program ended. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** How a program is run. */
export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Buffer;
  readonly timeoutMs?: number;
}

/** The environment of every program under test, on the host as in the guest. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
};

const defaultTimeoutMs = 5 * 60_000;

/** Runs a program of the host to its end. */
export function runOnHost(argv: readonly string[], options: ProcessOptions = {}) {
  return runProcess(argv, { env: plainEnvironment, ...options });
}

/**
 * Runs `capstan run` to its end.
 * @param argv options of `capstan run`, `--`, program, arguments
 */
export function runCapstan(argv: readonly string[], options: ProcessOptions = {}) {
  const env = { ...process.env, ...options.env } as Record<string, string>;
  const words = [process.execPath, capstanLauncher, "run", "--quiet", ...argv];
  return runProcess(words, { ...options, env });
}

function runProcess(argv: readonly string[], options: ProcessOptions): Promise<Finished> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? defaultTimeoutMs,
      // capstan takes its machine along when it is ended.
      killSignal: "SIGKILL",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading all its input is not an error here.
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? Buffer.alloc(0));
    child.on("error", reject);
    child.on("close", (status, signal) => {
      const output = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
      resolve({ status, signal, ...output });
    });
  });
}
