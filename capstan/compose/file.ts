/**
 * A compose file: several machines and what connects them. The names of Compose are kept where the
 * meaning is the same; a setting that capstan does not have is an error, not silence.
 *
 *     services:
 *       web:
 *         source: ./web          any SOURCE of capstan run; or image: REFERENCE; or neither,
 *         command: [server, -v]  and the command is a program of this machine
 *         ports: ["8080:80"]
 *         depends_on: [database]
 *
 * Neighbours: `../text/yaml-file.ts`, `project.ts` (what is done with it).
 */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { splitWords } from "../source/words.ts";
import { readYamlFile } from "../text/yaml-file.ts";

/** File names that are looked for, in this order. */
export const composeFileNames = ["compose.yaml", "compose.yml", "docker-compose.yml"] as const;

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const line = z.string().transform((text, context) => {
  const words = splitWords(text);
  if (words !== undefined) return words;
  context.addIssue("a quotation mark is not closed");
  return z.NEVER;
});
const words = z.union([line, z.array(scalar)]);
const environment = z.union([
  z.array(z.string()),
  z
    .record(z.string(), z.union([scalar, z.null()]))
    .transform((map) =>
      Object.entries(map).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
    ),
]);
const dependencies = z.union([
  z.array(z.string()),
  z
    .record(z.string(), z.strictObject({ condition: z.literal("service_started") }))
    .transform((map) => Object.keys(map)),
]);

const serviceSchema = z
  .strictObject({
    source: z.string().optional(),
    image: z.string().optional(),
    command: words.default([]),
    entrypoint: z.string().optional(),
    environment: environment.default([]),
    ports: z.array(scalar).default([]),
    depends_on: dependencies.default([]),
    memory: z.string().optional(),
    mem_limit: z.string().optional(),
    cpus: scalar.optional(),
    add: z.array(z.string()).default([]),
    user: scalar.optional(),
    working_dir: z.string().optional(),
  })
  .refine((service) => service.source === undefined || service.image === undefined, {
    error: "a service has source or image, not both",
  })
  .refine(
    (service) =>
      service.source !== undefined || service.image !== undefined || service.command.length > 0,
    { error: "a service needs source, image, or a command that is a program of this machine" },
  );

const namePattern = /^[a-z0-9][a-z0-9-]{0,30}$/;
const fileSchema = z.strictObject({
  name: z.string().regex(namePattern, "a name has small letters, digits and dashes").optional(),
  // Obsolete in Compose, and in every old file.
  version: scalar.optional(),
  services: z.record(
    z.string().regex(namePattern, "a name has small letters, digits and dashes"),
    serviceSchema,
  ),
});

/** One machine of a compose file. */
export type Service = z.infer<typeof serviceSchema> & { readonly name: string };

/** A compose file that was understood. */
export interface ComposeFile {
  readonly project: string;
  /** Folder in which its relative paths are understood. */
  readonly folder: string;
  /** In an order in which each comes after those that it depends on. */
  readonly services: readonly Service[];
}

/**
 * The compose file to use.
 * @param chosen path from `--file`
 * @throws UserError `NoComposeFile`
 */
export function findComposeFile(cwd: string, chosen: string | undefined): string {
  if (chosen !== undefined) return resolve(cwd, chosen);
  const found = composeFileNames.map((name) => join(cwd, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError({
    code: "NoComposeFile",
    what: "there is no compose file",
    why: `none of ${composeFileNames.join(", ")} is in ${cwd}`,
    fix: "change to its folder, or name it: capstan compose up --file FILE",
  });
}

/**
 * Reads a compose file.
 * @param project name from `--project`, instead of the file's own or its folder's
 * @throws UserError `BadFile` with line and column
 */
export function readComposeFile(path: string, project?: string): ComposeFile {
  const { value, errorAt } = readYamlFile(path, "a compose file", fileSchema);
  const services = Object.entries(value.services).map(([name, each]) => ({ ...each, name }));
  for (const service of services) {
    for (const [index, name] of service.depends_on.entries()) {
      if (services.some((other) => other.name === name)) continue;
      const place = ["services", service.name, "depends_on", index];
      throw errorAt(place, `${service.name} depends on ${name}, which is no service`);
    }
  }
  const order = sortServices(services);
  if ("cycle" in order) {
    const [first = ""] = order.cycle;
    const place = ["services", first, "depends_on"];
    throw errorAt(place, `services depend on each other in a circle: ${order.cycle.join(" → ")}`);
  }
  const folder = dirname(path);
  return { project: project ?? value.name ?? projectName(folder), folder, services: order.sorted };
}

/** The name that a project has by its folder. */
export function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name.slice(0, 31) || "project";
}

/** Depth-first search; the first service that is met again while it is open closes a circle. */
function sortServices(
  services: readonly Service[],
): { readonly sorted: readonly Service[] } | { readonly cycle: readonly string[] } {
  const sorted: Service[] = [];
  const open: string[] = [];
  let cycle: readonly string[] | null = null;
  const visit = (service: Service): void => {
    if (cycle !== null || sorted.includes(service)) return;
    if (open.includes(service.name)) {
      cycle = [...open.slice(open.indexOf(service.name)), service.name];
      return;
    }
    open.push(service.name);
    for (const name of service.depends_on) {
      const other = services.find((each) => each.name === name);
      if (other !== undefined) visit(other);
    }
    open.pop();
    sorted.push(service);
  };
  for (const service of services) visit(service);
  return cycle === null ? { sorted } : { cycle };
}
