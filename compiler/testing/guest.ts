/**
 * Builds and boots the small kernels in `compiler/testdata/kernel`.
 *
 * Neighbours: `../native/guest.test.ts`.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { REPOSITORY } from "../frontend.ts";
import { type BuildReport, buildKernel } from "../native/build.ts";

/** Booting takes well under a second; this bounds a hang on a busy machine. */
const TIMEOUT_MS = 120_000;

/** Builds `compiler/testdata/kernel/NAME.ts`. */
export function buildTestKernel(name: string): Promise<BuildReport> {
  const folder = `build/test-kernel-${name}`;
  return buildKernel({
    entry: `compiler/testdata/kernel/${name}.ts`,
    heap: "compiler/testdata/bumpheap",
    assembly: "compiler/testdata/kernel",
    linkerScript: "compiler/link/x86_64.ld",
    workFolder: folder,
    output: `${folder}/kernel.elf`,
  });
}

/** Runs a program to its end; returns what it wrote to standard output. */
export function runToEnd(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: REPOSITORY, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString("latin1");
    });
    child.stderr.on("data", (data: Buffer) => {
      errors += data.toString("latin1");
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${command} does not start (is it installed?): ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${signal ?? code}:\n${output}\n${errors}`));
    });
  });
}

/** Command line of QEMU for a test kernel. */
export function qemuArguments(kernel: string): string[] {
  const file = path.resolve(REPOSITORY, kernel);
  const machine = ["-M", "microvm,rtc=off", "-accel", "tcg", "-cpu", "max", "-m", "64"];
  return [...machine, "-display", "none", "-no-reboot", "-kernel", file];
}

/** Boots a kernel until it resets the machine; returns its serial output. */
export async function bootTestKernel(kernel: string): Promise<string> {
  const output = await runToEnd("qemu-system-x86_64", [
    ...qemuArguments(kernel),
    "-serial",
    "stdio",
  ]);
  return output.replaceAll("\r", "");
}
