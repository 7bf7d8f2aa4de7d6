/**
 * Debian packages as a source: `deb:nginx`, `deb:redis-server,procps`. Packages and all that they
 * depend on are fetched, verified and laid over each other without root and without touching what
 * dpkg knows of this machine. No maintainer script runs; `configure.ts` does what matters of them.
 *
 * Neighbours: `dependencies.ts` chooses, `fetch.ts` fetches, `../../archive/` unpacks.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { badArchive } from "../../archive/decompress.ts";
import { PlainCache } from "../../archive/plain-cache.ts";
import { TarError } from "../../archive/tar-reader.ts";
import { overlayTar } from "../../archive/tar-tree.ts";
import { silentProgress } from "../../console/progress.ts";
import { UserError } from "../../errors.ts";
import { capstanHome } from "../../home.ts";
import { FsTree, neutralAttributes } from "../../image/tree.ts";
import { inParallel } from "../../parallel.ts";
import type { WorkOptions } from "../../work.ts";
import { guestEnvironment } from "../guest-environment.ts";
import { launchDefaults, type SourceKind } from "../source.ts";
import { finishTree } from "../tree-finish.ts";
import { launchInTree, textInTree } from "../tree-launch.ts";
import { configurePackages } from "./configure.ts";
import { type DebFile, openDeb } from "./deb-file.ts";
import { basePackages, resolveDependencies } from "./dependencies.ts";
import { fetchPackages } from "./fetch.ts";
import {
  type DebianPackage,
  findPackageLists,
  identityOfLists,
  readPackageLists,
} from "./package-lists.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Packages that are decompressed at once: as many as small machines have processors. */
const UNPACKERS = 4;

/** Documentation and what only other tools of packages read. */
const UNNEEDED = /^usr\/share\/(doc|man|info|lintian|bug|doc-base|locale)\//;

const chosenSchema = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    uri: z.string(),
    sizeBytes: z.number(),
    sha256: z.string(),
    depends: z.array(z.string()),
  }),
);

/** Debian packages by name. */
export const debianKind: SourceKind = {
  name: "debian",
  scheme: "deb",
  recognises: () => false,
  async resolve(text, args, options) {
    const names = text.split(",").filter((name) => name !== "");
    const [first] = names;
    if (first === undefined) throw nothingNamed();
    const packages = await choosePackages([...names, ...basePackages], options);
    const { tree, owned } = await unpackPackages(packages, options);
    const warnings = await finishTree(tree, options);
    const env = guestEnvironment(options.env, options.terminalType);
    const cwd = options.workdir ?? "/";
    const own = owned.get(first.replace(/=.*/, "")) ?? [];
    const named = options.command ?? args;
    const launch = launchInTree(tree, named.length > 0 ? named : [mainProgram(first, own)], {
      searchPath: env.PATH ?? PATH,
      cwd,
      what: `the Debian packages ${text}`,
    });
    const digest = createHash("sha256").update(packages.map(({ sha256 }) => sha256).join("\n"));
    return {
      tree,
      launch: { ...launchDefaults, ...launch, cwd, env },
      origin: { kind: "debian", name: `deb:${text}`, digest: `sha256:${digest.digest("hex")}` },
      warnings,
    };
  },
};

/** The packages for these names; remembered for as long as apt's lists stay as they are. */
export async function choosePackages(
  names: readonly string[],
  options: Pick<WorkOptions, "host" | "signal">,
): Promise<DebianPackage[]> {
  const identity = identityOfLists(options.host);
  const key = createHash("sha256")
    .update(`${identity}\n${names.join(",")}`)
    .digest("hex");
  const folder = join(capstanHome(options.host), "cache", "debs");
  const path = join(folder, `${key}.json`);
  if (identity !== undefined && existsSync(path)) {
    return chosenSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  }
  const index = await readPackageLists(await findPackageLists(options), options);
  const chosen = resolveDependencies(names, index);
  // The order in which packages are laid over each other must not depend on the search.
  chosen.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (identity === undefined) return chosen;
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(chosen));
  renameSync(temporary, path);
  return chosen;
}

/** Debian's /bin and its like are links into /usr (UsrMerge). */
function mergedUsr(): FsTree {
  const tree = new FsTree();
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    tree.makeDirectory(`/usr/${name}`);
    const attributes = neutralAttributes(0o777);
    tree.set(`/${name}`, { kind: "symlink", attributes, target: `usr/${name}` });
  }
  return tree;
}

/** Fetches packages and decompresses what is in them, several at once; by their SHA-256. */
async function plainArchives(
  packages: readonly DebianPackage[],
  options: WorkOptions,
): Promise<ReadonlyMap<string, DebFile>> {
  const paths = await fetchPackages(packages, options);
  // One line for all of them: each takes a moment only.
  const cache = new PlainCache({ ...options, progress: silentProgress });
  const archives = new Map<string, DebFile>();
  const work = packages.map((each, index) => ({ ...each, path: paths[index] ?? "" }));
  const isNew = work.some(({ sha256 }) => cache.find(`${sha256}-data`) === undefined);
  const task = isNew
    ? options.progress.start("unpacking Debian packages", packages.length)
    : undefined;
  await inParallel(work, UNPACKERS, async ({ name, sha256, path }) => {
    const what = `the Debian package ${name}`;
    const control = await cache.get(`${sha256}-control`, () => openDeb(path).control, { what });
    const data = await cache.get(`${sha256}-data`, () => openDeb(path).data, { what });
    archives.set(sha256, { control, data });
    task?.advance(1);
  });
  task?.end(`${packages.length} unpacked`);
  return archives;
}

/** Fetches packages and lays them over each other. */
export async function unpackPackages(
  packages: readonly DebianPackage[],
  options: WorkOptions,
): Promise<{ tree: FsTree; owned: ReadonlyMap<string, readonly string[]> }> {
  const { signal } = options;
  const archives = await plainArchives(packages, options);
  const tree = mergedUsr();
  const scripts: string[] = [];
  const owned = new Map<string, readonly string[]>();
  for (const { name, sha256 } of packages) {
    const archive = archives.get(sha256);
    if (archive === undefined) continue;
    const stop = signal === undefined ? {} : { signal };
    const overlay = { hasWhiteouts: false, keepsDirectoryLinks: true, ...stop };
    const files: string[] = [];
    try {
      const control = new FsTree();
      await overlayTar(control, archive.control, { ...overlay, identity: sha256 });
      for (const script of ["preinst", "postinst"]) {
        scripts.push(textInTree(control, `/${script}`) ?? "");
      }
      await overlayTar(tree, archive.data, {
        ...overlay,
        identity: sha256,
        skips: (file) => {
          files.push(file);
          return UNNEEDED.test(file);
        },
      });
    } catch (error) {
      throw error instanceof TarError ? badArchive(`the Debian package ${name}`, error) : error;
    }
    owned.set(name, files);
  }
  configurePackages(tree, scripts);
  return { tree, owned };
}

/** The program of a package: the one that bears its name, or the only one. */
function mainProgram(name: string, files: readonly string[]): string {
  const programs = files.filter((file) => /^(usr\/)?(local\/)?(s?bin|games)\/[^/]+$/.test(file));
  const plain = name.replace(/=.*/, "");
  const found =
    programs.find((file) => file.endsWith(`/${plain}`)) ??
    (programs.length === 1 ? programs[0] : undefined);
  if (found !== undefined) return `/${found}`;
  const all = programs.map((file) => file.slice(file.lastIndexOf("/") + 1)).join(", ");
  throw new UserError({
    code: "NoProgram",
    what: `cannot tell which program of ${plain} to run`,
    why: all === "" ? "the package has no program itself" : `it has ${all}`,
    fix: `name the program: capstan run deb:${name} PROGRAM`,
    exitStatus: 127,
  });
}

function nothingNamed(): UserError {
  return new UserError({
    code: "PackageNotFound",
    what: "cannot run deb:",
    why: "no package is named",
    fix: "for example: capstan run deb:nginx nginx -g 'daemon off;'",
    exitStatus: 127,
  });
}
