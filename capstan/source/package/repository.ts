/**
 * The packages of this machine, laid out as Capstan does:
 *
 *     $CAPSTAN_ROOT/packages/NAME.mpm      tar.gz of the package's directory with meta/
 *     $CAPSTAN_ROOT/packages/NAME.yaml     its meta/package.yaml
 *     $CAPSTAN_ROOT/cache/packages/<key>/  the same unpacked, made again when it is missing
 *
 * Neighbours: `requirements.ts` looks packages up, `../../commands/package-*.ts` fill it.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { badArchive, writeError } from "../../archive/decompress.ts";
import { systemErrorCode, UserError } from "../../errors.ts";
import { capstanHome } from "../../home.ts";
import { readYamlFile } from "../../text/yaml-file.ts";
import {
  isPackageDirectory,
  openPackage,
  type PackageDirectory,
  type PackageMetadata,
  packageSchema,
} from "./metadata.ts";

/** The packages of this machine. */
export class PackageRepository {
  readonly #folder: string;
  readonly #cache: string;

  /** Throws a UserError if the directories cannot be made. */
  constructor(host: NodeJS.ProcessEnv) {
    this.#folder = join(capstanHome(host), "packages");
    this.#cache = join(capstanHome(host), "cache", "packages");
    try {
      mkdirSync(this.#folder, { recursive: true });
      mkdirSync(this.#cache, { recursive: true });
    } catch (error) {
      throw writeError(this.#folder, error);
    }
  }

  /** Whether there is a package of this name. */
  has(name: string): boolean {
    return existsSync(this.#archive(name)) && existsSync(this.#description(name));
  }

  /** Descriptions of all packages, by name. */
  list(): PackageMetadata[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => file.slice(0, -".yaml".length))
      .filter((name) => this.has(name))
      .sort()
      .map((name) => this.describe(name));
  }

  /** The description of a package. Throws a UserError `PackageMissing`. */
  describe(name: string): PackageMetadata {
    if (!this.has(name)) throw packageMissing(name);
    return readYamlFile(this.#description(name), "the description of a package", packageSchema)
      .value;
  }

  /**
   * The package's directory, unpacked.
   * @throws UserError `PackageMissing`, `BadArchive`
   */
  async open(name: string): Promise<PackageDirectory> {
    if (!this.has(name)) throw packageMissing(name);
    const archive = this.#archive(name);
    const { ino, size, mtimeMs } = statSync(archive);
    const identity = createHash("sha256").update(`${archive} ${ino} ${size} ${mtimeMs}`);
    const path = join(this.#cache, `${name}-${identity.digest("hex").slice(0, 16)}`);
    if (!existsSync(path)) {
      const temporary = await unpack(archive, this.#cache);
      try {
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { recursive: true });
        // Another command was faster.
        if (!["ENOTEMPTY", "EEXIST"].includes(systemErrorCode(error) ?? "")) throw error;
      }
    }
    return openPackage(path);
  }

  /**
   * Takes a package archive in, under the name that its description has.
   * @throws UserError `FileNotFound`, `BadArchive`, `NotAPackage`
   */
  async import(archive: string): Promise<PackageMetadata> {
    if (!existsSync(archive)) {
      throw new UserError({
        code: "FileNotFound",
        what: `cannot import ${archive}`,
        why: "there is no such file",
        fix: "capstan package build makes one",
      });
    }
    const unpacked = await unpack(archive, this.#cache);
    try {
      const { metadata } = openPackage(unpacked);
      const description = join(unpacked, "meta/package.yaml");
      if (!existsSync(description)) throw notAPackage(archive);
      replace(archive, this.#archive(metadata.name));
      replace(description, this.#description(metadata.name));
      return metadata;
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  }

  #archive(name: string): string {
    return join(this.#folder, `${name}.mpm`);
  }

  #description(name: string): string {
    return join(this.#folder, `${name}.yaml`);
  }
}

/** Unpacks an archive into a new directory. */
async function unpack(archive: string, folder: string): Promise<string> {
  const target = mkdtempSync(join(folder, "new-"));
  try {
    await extract({ file: archive, cwd: target, strict: true });
    if (!isPackageDirectory(target)) throw notAPackage(archive);
    return target;
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error instanceof UserError ? error : badArchive(archive, error);
  }
}

function replace(from: string, to: string): void {
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    copyFileSync(from, temporary);
    renameSync(temporary, to);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeError(to, error);
  }
}

function notAPackage(path: string): UserError {
  return new UserError({
    code: "NotAPackage",
    what: `${path} is no package`,
    why: "it has no meta/package.yaml",
    fix: "capstan package init and capstan package build make one",
  });
}

/** The error for a package that is not on this machine. */
export function packageMissing(name: string, neededBy?: string): UserError {
  return new UserError({
    code: "PackageMissing",
    what: `the package ${name} is not on this machine`,
    why:
      neededBy === undefined ? "capstan package list does not have it" : `${neededBy} requires it`,
    fix: `get it with capstan package pull ${name}, or capstan package import ${name}.mpm`,
  });
}
