/**
 * Fetches .deb files with apt's own helper, which knows the host's proxies and mirrors, into a cache
 * by their SHA-256. Nothing is installed, and no right of root is needed.
 *
 *     $CAPSTAN_ROOT/cache/debs/<sha-256>.deb
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { verifyDigest, writeError } from "../../archive/decompress.ts";
import { UserError } from "../../errors.ts";
import { capstanHome } from "../../home.ts";
import { inParallel } from "../../parallel.ts";
import type { WorkOptions } from "../../work.ts";
import { APT_HELPER, type AptOptions, aptSettings, type DebianPackage } from "./package-lists.ts";

const run = promisify(execFile);

/** Downloads at once; archives dislike more. */
const PARALLEL = 4;

/**
 * Paths of the .deb files of packages, in their order.
 * @throws UserError `FetchFailed`, `DigestMismatch`
 */
export async function fetchPackages(
  packages: readonly DebianPackage[],
  options: WorkOptions,
): Promise<string[]> {
  const folder = join(capstanHome(options.host), "cache", "debs");
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, error);
  }
  const pathOf = ({ sha256 }: DebianPackage): string => join(folder, `${sha256}.deb`);
  const missing = packages.filter((each) => !existsSync(pathOf(each)));
  if (missing.length > 0) {
    const total = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const task = options.progress.start(`fetching ${missing.length} Debian packages`, total);
    await inParallel(missing, PARALLEL, async (each) => {
      await fetchOne(each, pathOf(each), options);
      task.advance(each.sizeBytes);
    });
    task.end();
  }
  return packages.map(pathOf);
}

async function fetchOne(
  { name, uri, sha256 }: DebianPackage,
  path: string,
  options: AptOptions,
): Promise<void> {
  const partial = `${path}.${process.pid}.tmp`;
  // Without root there is no other user to change to; as root, that user could not write here.
  const args = ["-o", "APT::Sandbox::User=", "download-file", uri, partial];
  try {
    await run(APT_HELPER, args, aptSettings(options));
    verifyDigest(`the Debian package ${name}`, await sha256Of(partial), sha256);
    renameSync(partial, path);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new UserError({
      code: "FetchFailed",
      what: `cannot fetch the Debian package ${name}`,
      why: said.split("\n")[0] || `apt could not get ${uri}`,
      fix: "check the network; if the archive has a newer version, run apt-get update",
      cause: error,
    });
  } finally {
    rmSync(partial, { force: true });
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
