/**
 * Where capstan keeps what it may throw away, and where it was installed.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder for caches: `$CAPSTAN_ROOT`, or `~/.capstan`. It need not exist. */
export function capstanHome(env: NodeJS.ProcessEnv): string {
  const chosen = env.CAPSTAN_ROOT;
  return chosen !== undefined && chosen !== "" ? chosen : join(homedir(), ".capstan");
}

/** The folder that holds `capstan/` and `build/`, seen from the sources or from the bundle. */
export function installationRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "capstan/package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** capstan's version, from its package.json. */
export function capstanVersion(): string {
  const path = join(installationRoot(), "capstan/package.json");
  const fields: unknown = JSON.parse(readFileSync(path, "utf8"));
  const isKnown = typeof fields === "object" && fields !== null && "version" in fields;
  return isKnown ? String(fields.version) : "unknown";
}
