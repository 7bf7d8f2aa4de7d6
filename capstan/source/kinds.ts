/**
 * The kinds of sources, and which of them gets a text:
 *
 *     SCHEME:TEXT          the kind that has this scheme
 *     TEXT                 the first kind that recognises it, in the order of `sourceKinds`
 *
 * Neighbours: one file or folder for each kind; `resolve.ts` loads this file when a source is not
 * simply a program.
 */
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { findProgram } from "../package/program.ts";
import { isRegularFile } from "../package/recipes/recipe.ts";
import { applianceKind } from "./appliance.ts";
import { capstanfileKind } from "./capstanfile/capstanfile.ts";
import { imageFileKinds } from "./container/files.ts";
import { registryImageKind, storedImageKind } from "./container/named.ts";
import { debianKind } from "./debian/debian.ts";
import { directoryKind } from "./directory/directory.ts";
import { packageDirectoryKind, packageKind } from "./package/package-source.ts";
import { programSource } from "./program.ts";
import type { ResolvedSource, SourceKind, SourceOptions } from "./source.ts";

/** A program of this machine, named without `--`: by a path, or a name that PATH knows. */
const program: SourceKind = {
  name: "program",
  recognises: isProgram,
  resolve: (text, args, options) => programSource(text, args, options),
};

function isProgram(text: string, { cwd, host }: SourceOptions): boolean {
  if (text.includes("/")) return isRegularFile(resolve(cwd, text));
  try {
    return findProgram(text, host.PATH ?? "", cwd) !== "";
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** All kinds of sources; the first that recognises a text gets it. */
export const sourceKinds: readonly SourceKind[] = [
  ...imageFileKinds,
  applianceKind,
  debianKind,
  capstanfileKind((text, options) => resolveText(text, [], options)),
  packageDirectoryKind,
  directoryKind,
  storedImageKind,
  packageKind,
  program,
  registryImageKind,
];

/**
 * Resolves a source that is named by a text.
 * @throws UserError when it is not there or cannot be understood
 */
export async function resolveText(
  text: string,
  args: readonly string[],
  options: SourceOptions,
): Promise<ResolvedSource> {
  if (text.startsWith("-")) {
    throw new UserError({
      code: "OptionMisplaced",
      what: `${text} stands where a source is expected`,
      why: "words after the first one that is no option belong to the source and its program",
      fix: `write ${text} before all names`,
    });
  }
  const [, scheme, rest] = /^([a-z][a-z-]*):(?:\/\/)?(.*)$/s.exec(text) ?? [];
  const named = sourceKinds.find((kind) => kind.scheme !== undefined && kind.scheme === scheme);
  if (named !== undefined) return named.resolve(rest ?? "", args, options);
  const found = sourceKinds.find((kind) => kind.recognises(text, options));
  if (found !== undefined) return found.resolve(text, args, options);
  throw new UserError({
    code: "SourceNotFound",
    what: `cannot find ${text}`,
    why: "there is no directory, image, package or program of this name",
    fix: "check the name; write -- before a program of this machine: capstan run -- ls",
    exitStatus: 127,
  });
}
