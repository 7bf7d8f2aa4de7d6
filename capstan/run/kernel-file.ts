/**
 * Finds the kernel to boot and sees that it is one, before anything is built.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode, UserError } from "../errors.ts";
import { installationRoot } from "../home.ts";

/**
 * The kernel's path: the one chosen with `--kernel` or `$CAPSTAN_KERNEL`, else the built one.
 * @throws UserError `KernelNotFound` or `KernelNotElf`
 */
export function findKernel(chosen: string | undefined, env: NodeJS.ProcessEnv): string {
  const path = chosen ?? env.CAPSTAN_KERNEL ?? join(installationRoot(), "build/kernel.elf");
  const magic = Buffer.alloc(4);
  try {
    const file = openSync(path, "r");
    readSync(file, magic, 0, 4, 0);
    closeSync(file);
  } catch (error) {
    throw new UserError({
      code: "KernelNotFound",
      what: "there is no kernel to boot",
      why: `${path} cannot be read (${systemErrorCode(error) ?? error})`,
      fix: chosen === undefined ? "build it: npm run build" : "check the path given to --kernel",
      cause: error,
    });
  }
  if (magic.toString("latin1") === "\x7fELF") return path;
  throw new UserError({
    code: "KernelNotElf",
    what: "the kernel cannot be booted",
    why: `${path} is not an ELF file`,
    fix: "give an uncompressed ELF kernel with a PVH entry, such as build/kernel.elf",
  });
}
