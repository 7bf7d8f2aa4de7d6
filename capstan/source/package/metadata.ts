/**
 * The files of a package, as Capstan has them:
 *
 *     meta/package.yaml    name, title, author, version, require: [other packages]
 *     meta/run.yaml        runtime, config_set: { NAME: { settings } }, config_set_default
 *
 * A project may have meta/run.yaml alone: what `capstan runtime init` writes. Neighbours:
 * `config-set.ts` makes a command of the settings, `requirements.ts` follows `require`.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod";
import { readYamlFile, type YamlFile } from "../../text/yaml-file.ts";

/** Names are file names, too. */
export const packageNameSchema = z
  .string()
  .regex(/^[\w][\w.+-]*$/, "a package's name has letters, digits, dots, dashes and underscores");

const text = z.union([z.string(), z.number()]).transform(String);

export const packageSchema = z.object({
  name: packageNameSchema,
  title: text.default(""),
  author: text.default(""),
  version: text.default(""),
  require: z
    .array(packageNameSchema)
    .nullish()
    .transform((list) => list ?? []),
  binary: z.record(z.string(), z.string()).nullish(),
  created: text.nullish(),
  platform: text.nullish(),
});

/** `meta/package.yaml`. */
export type PackageMetadata = z.infer<typeof packageSchema>;

const words = z
  .array(text)
  .nullish()
  .transform((list) => list ?? []);

const setSchema = z.object({
  bootcmd: z.string().optional(),
  main: z.string().optional(),
  args: words,
  shell: z.boolean().nullish(),
  node_args: words,
  python_args: words,
  jvm_args: words,
  classpath: words,
  xms: text.nullish(),
  xmx: text.nullish(),
  env: z
    .record(z.string(), text)
    .nullish()
    .transform((map) => map ?? {}),
  /** `package:config_set` whose settings these complete. */
  base: z.string().optional(),
});

/** One configuration to run. */
export type ConfigSet = z.infer<typeof setSchema>;

export const runtimes = [
  "native",
  "node",
  "java",
  "python",
  "ruby",
  "erlang",
  "go",
  "php",
] as const;

const runSchema = z.object({
  runtime: z.enum(runtimes),
  config_set: z
    .record(z.string(), setSchema)
    .nullish()
    .transform((sets) => sets ?? {}),
  config_set_default: z.string().nullish(),
});

/** `meta/run.yaml`. */
export type RunMetadata = z.infer<typeof runSchema>;

/** A package in a directory of the host. */
export interface PackageDirectory {
  readonly path: string;
  readonly metadata: PackageMetadata;
  /** Undefined for a package that only serves others. */
  readonly run: YamlFile<RunMetadata> | undefined;
}

const packageFile = (path: string): string => join(path, "meta/package.yaml");
const runFile = (path: string): string => join(path, "meta/run.yaml");

/** Whether a directory is a package. */
export function isPackageDirectory(path: string): boolean {
  return existsSync(packageFile(path)) || existsSync(runFile(path));
}

/**
 * Reads the files of a package.
 * @throws UserError with line and column for a file that is not understood
 */
export function openPackage(path: string): PackageDirectory {
  const metadata = existsSync(packageFile(path))
    ? readYamlFile(packageFile(path), "the description of a package", packageSchema).value
    : packageSchema.parse({ name: basename(path).replace(/^\W+|[^\w.+-]/g, "") || "project" });
  const run = existsSync(runFile(path))
    ? readYamlFile(runFile(path), "the configuration of a runtime", runSchema)
    : undefined;
  return { path, metadata, run };
}
