/**
 * `capstan version`: what is installed: capstan, the kernel that it boots, QEMU, Node.js.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { UserError } from "../errors.ts";
import { capstanVersion } from "../home.ts";
import { findHypervisor } from "../hypervisor/find-program.ts";
import { findKernel } from "../run/kernel-file.ts";
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const versionCommand: CommandDefinition = {
  name: "version",
  summary: "show the versions of capstan, its kernel, QEMU and Node.js",
  parameters: "",
  options: [],
  examples: ["capstan version", "capstan version --json"],
  run: version,
};

async function version({ options, env }: CommandInput): Promise<number> {
  const facts = {
    capstan: capstanVersion(),
    kernel: orNull(() => kernelFacts(env)),
    qemu: orNull(() => qemuFacts(env)),
    node: process.versions.node,
  };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return 0;
  }
  const { kernel, qemu } = facts;
  process.stdout.write(
    formatTable([
      ["capstan", facts.capstan],
      ["kernel", kernel === null ? "not built" : `${kernel.sha256.slice(0, 12)}  ${kernel.path}`],
      ["QEMU", qemu === null ? "not found" : `${qemu.version}  ${qemu.path}`],
      ["Node.js", facts.node],
    ]),
  );
  return 0;
}

function kernelFacts(env: NodeJS.ProcessEnv) {
  const path = findKernel(undefined, env);
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, sizeBytes: bytes.length, sha256 };
}

function qemuFacts(env: NodeJS.ProcessEnv) {
  const path = findHypervisor("qemu", env);
  const text = execFileSync(path, ["--version"], { encoding: "utf8" });
  return { path, version: /version (\S+)/.exec(text)?.[1] ?? "unknown" };
}

/** What is missing is no error here: the command is there to find that out. */
function orNull<T>(find: () => T): T | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
