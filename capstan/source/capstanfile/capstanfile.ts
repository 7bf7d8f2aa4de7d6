/**
 * The `Capstanfile` of a directory, in the form that Capstan gave it:
 *
 *     base: deb:openjdk-17-jre-headless     an image or Debian packages; without it, this machine
 *     build: make                           a command for the host, run first
 *     cmdline: /app/server --port 80        what the guest runs
 *     files:                                guest path: path in this directory
 *       /app/server: build/server
 *       /etc/app.conf: "&"                  the same path, below this directory
 *     rootfs: ROOTFS                        a folder that is copied to / (ROOTFS, if there is one)
 *     env: { KEY: value }
 *     ports: [80, 53/udp]
 *
 * Without `base`, programs that the directory does not bring are those of this machine, with all
 * that they need. Neighbours: `../directory/` takes directories without such a file.
 */
import { existsSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import * as z from "zod";
import { UserError } from "../../errors.ts";
import { isDirectory } from "../../package/recipes/recipe.ts";
import { readYamlFile } from "../../text/yaml-file.ts";
import { isPorts, parsePorts } from "../ports.ts";
import { type Placement, placedSource } from "../relocate.ts";
import { runBuild } from "../run-build.ts";
import type { ResolvedSource, SourceKind, SourceOptions } from "../source.ts";
import { splitWords } from "../words.ts";

/** Name of the file. */
const CAPSTANFILE = "Capstanfile";

const DEFAULT_ROOTFS = "ROOTFS";

const schema = z.strictObject({
  base: z.string().optional(),
  cmdline: z.string({ error: "cmdline is missing: it says what the guest runs" }),
  build: z.string().optional(),
  files: z.record(z.string().startsWith("/", "guest paths start with /"), z.string()).default({}),
  rootfs: z.string().optional(),
  env: z.record(z.string(), z.coerce.string()).default({}),
  ports: z.array(z.coerce.string().refine(isPorts, "a port is written 80 or 53/udp")).default([]),
});

type Capstanfile = z.infer<typeof schema>;

/** Resolves any source; `resolve.ts` knows how. */
export type ResolveText = (text: string, options: SourceOptions) => Promise<ResolvedSource>;

/** Directories with a Capstanfile. */
export function capstanfileKind(resolveText: ResolveText): SourceKind {
  return {
    name: "capstanfile",
    recognises: (text, { cwd }) => existsSync(join(resolve(cwd, text), CAPSTANFILE)),
    async resolve(text, args, options) {
      const directory = resolve(options.cwd, text);
      const path = join(directory, CAPSTANFILE);
      const file = readYamlFile(path, "a Capstanfile", schema).value;
      const words = splitWords(file.cmdline);
      if (words === undefined || words.length === 0) {
        throw badFile(path, `cmdline is ${words === undefined ? "a quote not closed" : "empty"}`);
      }
      const { signal, host } = options;
      const stop = signal === undefined ? {} : { signal };
      if (file.build !== undefined) {
        await runBuild(["sh", "-c", file.build], directory, { host, ...stop });
      }
      const command = [...words, ...args];
      const placements = placementsOf(file, directory, path);
      const source = await (file.base === undefined
        ? placedSource(
            {
              command,
              placements,
              env: file.env,
              origin: { kind: "capstanfile", name: directory },
            },
            options,
          )
        : resolveText(file.base, {
            ...options,
            command,
            env: { ...file.env, ...options.env },
            add: [...placements.map(({ host, guest }) => `${host}:${guest}`), ...options.add],
          }));
      const ports = [...source.launch.ports, ...file.ports.flatMap(parsePorts)];
      return { ...source, launch: { ...source.launch, ports } };
    },
  };
}

/** What goes where. Throws a UserError for a file that is not there. */
function placementsOf(file: Capstanfile, directory: string, path: string): Placement[] {
  const rootfs = join(directory, file.rootfs ?? DEFAULT_ROOTFS);
  const hasRootfs = isDirectory(rootfs);
  if (file.rootfs !== undefined && !hasRootfs) {
    throw badFile(path, `its rootfs ${rootfs} is no directory`);
  }
  const files = Object.entries(file.files).map(([guest, host]) => {
    const found = resolve(directory, host === "&" ? `.${guest}` : host);
    if (!existsSync(found)) throw badFile(path, `there is no file ${found} for ${guest}`);
    return { host: found, guest: posix.normalize(guest) };
  });
  return [...(hasRootfs ? [{ host: rootfs, guest: "/" }] : []), ...files];
}

function badFile(path: string, why: string): UserError {
  return new UserError({
    code: "BadCapstanfile",
    what: `cannot use ${path}`,
    why,
    fix: "mend it there; docs/sources.md describes what a Capstanfile holds",
  });
}
