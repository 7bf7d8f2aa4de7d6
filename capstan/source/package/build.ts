/**
 * Makes packages: the two files of a new one, the archive of a finished one, all files of one and of
 * what it requires in a directory. Neighbours: `../../commands/package-*.ts` are the users.
 */
import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { stringify } from "yaml";
import { writeError } from "../../archive/decompress.ts";
import { writeTar } from "../../archive/tar-writer.ts";
import { UserError } from "../../errors.ts";
import { Pacer } from "../../image/erofs/pacer.ts";
import { FsTree, neutralAttributes } from "../../image/tree.ts";
import { GuestFiles } from "../../package/guest-files.ts";
import { ignoreRules } from "../directory/ignore.ts";
import type { SourceOptions } from "../source.ts";
import { openPackage, type PackageDirectory, type PackageMetadata } from "./metadata.ts";
import { PackageRepository } from "./repository.ts";
import { collectRequirements } from "./requirements.ts";

/** Where `collectPackage` puts everything, below the package's directory. */
const COLLECTED = "mpm-pkg";

/** What a new package says about itself. */
export type NewPackage = Pick<PackageMetadata, "name" | "title" | "author" | "version" | "require">;

/**
 * Writes meta/package.yaml.
 * @returns its path
 * @throws UserError `PackageExists`
 */
export function initPackage(directory: string, { require, ...fields }: NewPackage): string {
  const path = join(directory, "meta/package.yaml");
  if (existsSync(path)) {
    throw new UserError({
      code: "PackageExists",
      what: `cannot make a package in ${directory}`,
      why: `${path} is there already`,
      fix: "change that file, or remove it first",
    });
  }
  const text = stringify({ ...fields, ...(require.length === 0 ? {} : { require }) });
  mkdirSync(join(directory, "meta"), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/**
 * Writes the package's archive, NAME.mpm, into its directory. The same files give the same bytes.
 * @returns its path
 * @throws UserError when the directory is no package or a file cannot be read
 */
export async function buildPackage(directory: string, signal?: AbortSignal): Promise<string> {
  const { metadata } = openPackageWithDescription(directory);
  const path = join(directory, `${metadata.name}.mpm`);
  const temporary = `${path}.${process.pid}.tmp`;
  const tree = new FsTree();
  const files = new GuestFiles(signal, undefined, tree);
  const { name, leavesOut } = ignoreRules(directory);
  const skip = {
    name: `archive ${name}`,
    leavesOut(entry: string, file: string, isDirectory: boolean): boolean {
      if (file === join(directory, "meta") || file.startsWith(join(directory, "meta/")))
        return false;
      return /\.(mpm|tmp)$/.test(entry) || leavesOut(entry, file, isDirectory);
    },
  };
  await files.copyTo(directory, "/", { skip });
  // Writing the archive changes the directory's time.
  tree.root.attributes = neutralAttributes(0o755);
  const pacer = new Pacer(signal);
  try {
    await pipeline(
      Readable.from(writeTar(tree, () => pacer.pause())),
      createGzip(),
      createWriteStream(temporary),
      ...(signal === undefined ? [] : [{ signal }]),
    );
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    signal?.throwIfAborted();
    throw error instanceof UserError ? error : writeError(path, error);
  }
  return path;
}

/**
 * Lays the files of a package and of all that it requires into mpm-pkg/, as the guest will see them.
 * @returns its path
 */
export async function collectPackage(
  directory: string,
  options: Pick<SourceOptions, "host" | "require">,
): Promise<string> {
  const main = openPackage(directory);
  const repository = new PackageRepository(options.host);
  const packages = await collectRequirements(main, repository, options.require);
  const target = join(directory, COLLECTED);
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    for (const { path } of packages.values()) {
      const { leavesOut } = ignoreRules(path);
      mkdirSync(temporary, { recursive: true });
      // Entry by entry: a directory cannot be copied into itself.
      for (const name of readdirSync(path)) {
        if (name.startsWith(COLLECTED)) continue;
        cpSync(join(path, name), join(temporary, name), {
          recursive: true,
          verbatimSymlinks: true,
          preserveTimestamps: true,
          filter: (file) => !isLeftOut(file, leavesOut),
        });
      }
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error instanceof UserError ? error : writeError(target, error);
  }
  return target;
}

function isLeftOut(
  file: string,
  leavesOut: (name: string, path: string, isDirectory: boolean) => boolean,
): boolean {
  return leavesOut("", file, true) || leavesOut("", file, false);
}

function openPackageWithDescription(directory: string): PackageDirectory {
  if (!existsSync(join(directory, "meta/package.yaml"))) {
    throw new UserError({
      code: "NotAPackage",
      what: `${directory} is no package`,
      why: "it has no meta/package.yaml",
      fix: "capstan package init writes one",
    });
  }
  return openPackage(directory);
}
