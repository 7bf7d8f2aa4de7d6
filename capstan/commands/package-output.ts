/**
 * What the `package` commands print. Neighbours: the files `package-*.ts`.
 */

import type { PackageMetadata } from "../source/package/metadata.ts";
import { formatTable } from "../text/table.ts";
import type { OptionDefinition, OptionValues } from "./command.ts";

/** Of commands that look elsewhere for packages. */
export const urlOption: OptionDefinition = {
  flags: "-u, --url <repository>",
  description: "web address or directory with packages (or CAPSTAN_REPO_URL)",
};

/** Of commands that put packages together. */
export const requireOption: OptionDefinition = {
  flags: "--require <name>",
  description: "take this package along, too",
  repeats: true,
};

/** Prints a list of packages. */
export function printPackages(packages: readonly PackageMetadata[], options: OptionValues): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(packages)}\n`);
    return;
  }
  if (packages.length === 0) {
    process.stderr.write("capstan: no packages\n");
    return;
  }
  const rows = packages.map(({ name, version, title }) => [name, version, title]);
  process.stdout.write(formatTable([["NAME", "VERSION", "TITLE"], ...rows]));
}

/** Prints one result: as text, or as an object with `--json`. */
export function printResult(text: string, value: object, options: OptionValues): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : `${text}\n`);
}
