/**
 * Packages as sources: a directory with meta/package.yaml or meta/run.yaml, and packages of this
 * machine by name. The files of all packages together are the guest's root; the runtime comes from
 * them, or from this machine with all that it needs.
 *
 * Neighbours: `requirements.ts` finds the packages, `config-set.ts` the command.
 */
import { resolve } from "node:path";
import { ignoreRules } from "../directory/ignore.ts";
import { placedSource } from "../relocate.ts";
import type { ResolvedSource, SourceKind, SourceOptions } from "../source.ts";
import { packageCommand } from "./config-set.ts";
import { isPackageDirectory, openPackage, type PackageDirectory } from "./metadata.ts";
import { PackageRepository } from "./repository.ts";
import { collectRequirements } from "./requirements.ts";

/** Puts a package together with what it requires. */
async function packageSource(
  main: PackageDirectory,
  name: string,
  args: readonly string[],
  options: SourceOptions,
): Promise<ResolvedSource> {
  const repository = new PackageRepository(options.host);
  const packages = await collectRequirements(main, repository, options.require ?? []);
  const { command, env } =
    options.command === undefined
      ? packageCommand(main, packages, options.boot ?? [])
      : { command: options.command, env: {} };
  const placements = [...packages.values()].map(({ path }) => {
    return { host: path, guest: "/", skip: ignoreRules(path) };
  });
  const origin = { kind: "package", name };
  return placedSource({ command: [...command, ...args], placements, env, origin }, options);
}

/** A package's directory. */
export const packageDirectoryKind: SourceKind = {
  name: "package",
  recognises: (text, { cwd }) => isPackageDirectory(resolve(cwd, text)),
  resolve(text, args, options) {
    const path = resolve(options.cwd, text);
    return packageSource(openPackage(path), path, args, options);
  },
};

/** Packages of this machine. */
export const packageKind: SourceKind = {
  name: "package",
  scheme: "package",
  recognises: (text, { host }) => /^[\w.+-]+$/.test(text) && new PackageRepository(host).has(text),
  async resolve(text, args, options) {
    const found = await new PackageRepository(options.host).open(text);
    return packageSource(found, `package:${text}`, args, options);
  },
};
