/**
 * Which packages are needed for some: all that they depend on, latest versions, the first
 * alternative that there is. Debian Policy, chapter 7; conflicts and priorities of archives
 * (apt_preferences(5)) do not matter here, because nothing is installed yet.
 *
 * No maintainer script runs in an image, so packages that serve only those are left out.
 * Neighbours: `package-lists.ts` knows the packages, `version.ts` compares versions.
 */
import { UserError } from "../../errors.ts";
import type { DebianPackage, PackageIndex } from "./package-lists.ts";
import { satisfies } from "./version.ts";

/** Serve the installation only. */
const FOR_SCRIPTS_ONLY = new Set([
  "adduser",
  "debconf",
  "debconf-2.0",
  "cdebconf",
  "dpkg",
  "init-system-helpers",
  "install-info",
  "lsb-base",
  "sysvinit-utils",
  "ucf",
  "update-inetd",
]);

/**
 * What every system has and nobody depends on, Debian Policy 3.8, as far as a service needs it:
 * users, names, and a shell for system(3).
 */
export const basePackages = ["base-files", "base-passwd", "dash"] as const;

/** One alternative of a dependency: `libc6 (>= 2.34)`. */
interface Relation {
  readonly name: string;
  readonly relation: string | undefined;
  readonly version: string;
}

/** `a (>= 1) | b, c`: groups of alternatives. */
export function parseDepends(text: string): Relation[][] {
  return text
    .split(",")
    .map((group) => group.trim())
    .filter((group) => group !== "")
    .map((group) =>
      group.split("|").map((alternative) => {
        const match = /^([^\s:(]+)(?::\w+)?\s*(?:\(\s*([<>=]+)\s*([^\s)]+)\s*\))?/.exec(
          alternative.trim(),
        );
        return { name: match?.[1] ?? "", relation: match?.[2], version: match?.[3] ?? "" };
      }),
    );
}

/**
 * Packages with all that they depend on, dependencies not in any order.
 * @param names `NAME`, or `NAME=VERSION` for a version of its own
 * @throws UserError `PackageNotFound`, `DependencyMissing`
 */
export function resolveDependencies(
  names: readonly string[],
  index: PackageIndex,
): DebianPackage[] {
  const chosen = new Map<string, DebianPackage>();
  const pending: DebianPackage[] = [];
  const choose = (found: DebianPackage): void => {
    if (chosen.has(found.name)) return;
    chosen.set(found.name, found);
    pending.push(found);
  };
  for (const name of names) choose(namedPackage(name, index));
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    for (const group of next.depends.flatMap(parseDepends)) {
      if (group.some(({ name }) => FOR_SCRIPTS_ONLY.has(name))) continue;
      const isThere = group.some((each) => isSatisfied(each, chosen, index));
      if (!isThere) choose(findAlternative(group, next, index));
    }
  }
  return [...chosen.values()];
}

function namedPackage(text: string, index: PackageIndex): DebianPackage {
  const [name = "", version] = text.split("=", 2);
  const versions = index.versionsOf(name);
  const found =
    version === undefined ? versions[0] : versions.find((each) => each.version === version);
  if (found !== undefined) return found;
  const near = index.providersOf(name).concat(index.namesLike(name)).slice(0, 5);
  const has = versions.map((each) => each.version).join(", ");
  throw new UserError({
    code: "PackageNotFound",
    what: `cannot find the Debian package ${text}`,
    why:
      versions.length > 0 ? `the lists of apt have ${has}` : "the lists of apt have no such name",
    fix:
      near.length > 0 && versions.length === 0
        ? `perhaps one of these is meant: ${near.join(", ")}`
        : "check the name, or run apt-get update for newer lists",
    exitStatus: 127,
  });
}

function isVersionRight({ relation, version }: Relation, found: DebianPackage): boolean {
  return relation === undefined || satisfies(found.version, relation, version);
}

function isSatisfied(
  wanted: Relation,
  chosen: ReadonlyMap<string, DebianPackage>,
  index: PackageIndex,
): boolean {
  const found = chosen.get(wanted.name);
  if (found !== undefined) return isVersionRight(wanted, found);
  return index.providersOf(wanted.name).some((name) => chosen.has(name));
}

function findAlternative(
  group: readonly Relation[],
  neededBy: DebianPackage,
  index: PackageIndex,
): DebianPackage {
  for (const wanted of group) {
    const found = index.versionsOf(wanted.name).find((each) => isVersionRight(wanted, each));
    if (found !== undefined) return found;
  }
  for (const { name } of group) {
    for (const provider of index.providersOf(name)) {
      const found = index.versionsOf(provider)[0];
      if (found !== undefined) return found;
    }
  }
  const texts = group.map(({ name, relation, version }) =>
    relation === undefined ? name : `${name} (${relation} ${version})`,
  );
  throw new UserError({
    code: "DependencyMissing",
    what: `cannot take the Debian package ${neededBy.name}`,
    why: `it needs ${texts.join(" or ")}, which the lists of apt do not have`,
    fix: "run apt-get update, or add the archive that has it to apt's sources",
  });
}
