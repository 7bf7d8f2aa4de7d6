/**
 * Finds the QEMU binary, before anything is built. Used by `commands/run.ts`.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../errors.ts";

const qemuName = "qemu-system-x86_64";

/**
 * The path of QEMU: `$CAPSTAN_QEMU`, or `qemu-system-x86_64` on PATH.
 * @throws UserError `QemuNotFound`
 */
export function findQemu(env: NodeJS.ProcessEnv): string {
  const chosen = env.CAPSTAN_QEMU;
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new UserError({
      code: "QemuNotFound",
      what: "QEMU was not found",
      why: `CAPSTAN_QEMU names ${chosen}, which is not an executable file`,
      fix: "set CAPSTAN_QEMU to the path of qemu-system-x86_64, or unset it",
    });
  }
  const folders = (env.PATH ?? "/usr/bin:/bin").split(delimiter);
  const found = folders.map((folder) => join(folder, qemuName)).find(isExecutable);
  if (found !== undefined) return found;
  throw new UserError({
    code: "QemuNotFound",
    what: "QEMU was not found",
    why: `there is no ${qemuName} on PATH`,
    fix: installHint(process.platform),
  });
}

function installHint(platform: NodeJS.Platform): string {
  if (platform === "darwin") return "brew install qemu";
  return (
    "sudo apt-get install qemu-system-x86 (Debian, Ubuntu), " +
    "sudo dnf install qemu-system-x86 (Fedora) or the like"
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
