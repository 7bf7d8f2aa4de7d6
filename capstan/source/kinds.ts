/**
 * The kinds of sources, and which of them gets a text:
 *
 *     SCHEME:TEXT          the kind that has this scheme
 *     TEXT                 the first kind that recognises it, in the order of the list
 *
 * A kind is loaded when a text may be of it: with the libraries that they use, loading all of them
 * would take longer than what most commands do with one.
 *
 * Neighbours: one file or folder for each kind; `resolve.ts` loads this file when a source is not
 * simply a program.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { findProgram } from "../package/program.ts";
import { isRegularFile } from "../package/recipes/recipe.ts";
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

/** Kinds that are in one module. */
interface KindModule {
  readonly schemes: readonly string[];
  /** Whether one of them may recognise a text, as far as that can be told without loading them. */
  mayRecognise(text: string, options: SourceOptions): boolean;
  load(): Promise<readonly SourceKind[]>;
}

const has =
  (...names: readonly string[]) =>
  (text: string, { cwd }: SourceOptions): boolean =>
    names.some((name) => existsSync(join(resolve(cwd, text), name)));

/** Names of images and packages do not begin as paths do. */
const isName = (text: string): boolean => !/^[./]/.test(text);

/** All kinds of sources; the first that recognises a text gets it. */
export const kindModules: readonly KindModule[] = [
  {
    schemes: ["oci", "oci-archive", "docker-archive"],
    // PATH:NAME names one of several images in a file or directory.
    mayRecognise: (text, options) => /\.tar$|:/.test(text) || has("oci-layout")(text, options),
    load: async () => (await import("./container/files.ts")).imageFileKinds,
  },
  {
    schemes: ["appliance"],
    mayRecognise: () => false,
    load: async () => [(await import("./appliance.ts")).applianceKind],
  },
  {
    schemes: ["deb"],
    mayRecognise: () => false,
    load: async () => [(await import("./debian/debian.ts")).debianKind],
  },
  {
    schemes: [],
    mayRecognise: has("Capstanfile"),
    load: async () => {
      const { capstanfileKind } = await import("./capstanfile/capstanfile.ts");
      return [capstanfileKind((text, options) => resolveText(text, [], options))];
    },
  },
  {
    schemes: [],
    mayRecognise: has("meta"),
    load: async () => [(await import("./package/package-source.ts")).packageDirectoryKind],
  },
  {
    schemes: [],
    mayRecognise: has("."),
    load: async () => [(await import("./directory/directory.ts")).directoryKind],
  },
  {
    schemes: [],
    mayRecognise: isName,
    load: async () => [(await import("./container/named.ts")).storedImageKind],
  },
  {
    schemes: ["package"],
    mayRecognise: isName,
    load: async () => [(await import("./package/package-source.ts")).packageKind],
  },
  { schemes: [], mayRecognise: isProgram, load: async () => [program] },
  {
    schemes: ["docker"],
    mayRecognise: isName,
    load: async () => [(await import("./container/named.ts")).registryImageKind],
  },
];

/** The kind that a text names by its scheme, or that recognises it, with what it is to resolve. */
async function kindOf(
  text: string,
  options: SourceOptions,
): Promise<{ kind: SourceKind; rest: string } | undefined> {
  const [, scheme, rest = ""] = /^([a-z][a-z-]*):(?:\/\/)?(.*)$/s.exec(text) ?? [];
  const named = kindModules.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme));
  for (const kind of (await named?.load()) ?? []) if (kind.scheme === scheme) return { kind, rest };
  for (const module of kindModules) {
    if (!module.mayRecognise(text, options)) continue;
    const kind = (await module.load()).find((each) => each.recognises(text, options));
    if (kind !== undefined) return { kind, rest: text };
  }
  return undefined;
}

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
  const found = await kindOf(text, options);
  if (found !== undefined) return found.kind.resolve(found.rest, args, options);
  throw new UserError({
    code: "SourceNotFound",
    what: `cannot find ${text}`,
    why: "there is no directory, image, package or program of this name",
    fix: "check the name; write -- before a program of this machine: capstan run -- ls",
    exitStatus: 127,
  });
}
