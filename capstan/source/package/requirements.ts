/**
 * Follows `require`: all packages that one needs, those that are needed first. Neighbours:
 * `repository.ts` has the packages.
 */
import { UserError } from "../../errors.ts";
import type { PackageDirectory } from "./metadata.ts";
import { type PackageRepository, packageMissing } from "./repository.ts";

/**
 * A package and all that it requires, by name; what is required comes before who requires it.
 * @param extra names of further packages, after those of the package
 * @throws UserError `PackageMissing`, `PackageCycle`
 */
export async function collectRequirements(
  main: PackageDirectory,
  repository: PackageRepository,
  extra: readonly string[] = [],
): Promise<ReadonlyMap<string, PackageDirectory>> {
  const done = new Map<string, PackageDirectory>();
  const visit = async (found: PackageDirectory, way: readonly string[]): Promise<void> => {
    const { name, require: required } = found.metadata;
    const path = [...way, name];
    for (const each of way.length === 0 ? [...required, ...extra] : required) {
      if (path.includes(each)) throw cycle([...path, each]);
      if (done.has(each)) continue;
      if (!repository.has(each)) throw packageMissing(each, path.join(" -> "));
      await visit(await repository.open(each), path);
    }
    done.set(name, found);
  };
  await visit(main, []);
  return done;
}

function cycle(path: readonly string[]): UserError {
  return new UserError({
    code: "PackageCycle",
    what: `cannot put the package ${path[0]} together`,
    why: `its packages require each other in a circle: ${path.join(" -> ")}`,
    fix: "take one of the requirements out of a meta/package.yaml",
  });
}
