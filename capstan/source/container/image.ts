/**
 * From an opened image to a resolved source: layers on top of each other, and the program that the
 * image's configuration names. OCI image specification, config.md and layer.md.
 *
 * Neighbours: `image-files.ts` opens images; `local.ts` and `files.ts` are the kinds of source.
 */
import { posix } from "node:path";
import { badArchive } from "../../archive/decompress.ts";
import { PlainCache } from "../../archive/plain-cache.ts";
import { TarError } from "../../archive/tar-reader.ts";
import { overlayTar } from "../../archive/tar-tree.ts";
import { UserError } from "../../errors.ts";
import { emptyDirectory, FsTree, neutralAttributes } from "../../image/tree.ts";
import type { OpenedImage } from "../../oci/image-files.ts";
import { digestHex, type ImageSettings } from "../../oci/manifest.ts";
import { resolveInTree } from "../../package/tree-path.ts";
import { guestEnvironment } from "../guest-environment.ts";
import { parsePorts } from "../ports.ts";
import type { Launch, ResolvedSource, SourceOptions } from "../source.ts";
import { finishTree } from "../tree-finish.ts";
import { launchInTree, textInTree } from "../tree-launch.ts";
import { imageUser } from "./users.ts";

/**
 * Resolves an image.
 * @param name what the user would type to name it again
 * @param args arguments of the entry point; they take the place of the image's own
 * @throws UserError when layers are damaged or the program is not there
 */
export async function imageSource(
  image: OpenedImage,
  name: string,
  args: readonly string[],
  options: SourceOptions,
): Promise<ResolvedSource> {
  const tree = await layerTree(image, name, options);
  const warnings = await finishTree(tree, options);
  const launch = launchOf(tree, image.config.config ?? {}, name, args, options);
  return { tree, launch, origin: { kind: "image", name, digest: image.digest }, warnings };
}

/** The files of an image. Throws a UserError for a damaged layer. */
export async function layerTree(
  image: OpenedImage,
  name: string,
  options: Pick<SourceOptions, "host" | "progress" | "signal">,
): Promise<FsTree> {
  const { signal } = options;
  const tree = new FsTree();
  const cache = new PlainCache(options);
  for (const [index, { diffId, digest, blob }] of image.layers.entries()) {
    const what = `layer ${index + 1} of ${image.layers.length} of ${name}`;
    const plain = await cache.get(digestHex(diffId), () => blob, {
      what,
      ...(digest === undefined ? {} : { compressedSha256: digestHex(digest) }),
      plainSha256: digestHex(diffId),
    });
    try {
      await overlayTar(tree, plain, {
        identity: diffId,
        hasWhiteouts: true,
        keepsDirectoryLinks: false,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw error instanceof TarError ? badArchive(what, error) : error;
    }
  }
  return tree;
}

/** How the image's program is started, with what the user changed. */
function launchOf(
  tree: FsTree,
  settings: ImageSettings,
  name: string,
  args: readonly string[],
  options: SourceOptions,
): Launch {
  const user = imageUser(
    options.user ?? settings.User ?? "",
    textInTree(tree, "/etc/passwd"),
    textInTree(tree, "/etc/group"),
  );
  const env = guestEnvironment(
    { HOME: user.home, ...parseVariables(settings.Env ?? []), ...options.env },
    options.terminalType,
  );
  const cwd = posix.resolve("/", options.workdir ?? settings.WorkingDir ?? "/");
  if (resolveInTree(tree, cwd)?.kind !== "directory") {
    // Docker makes it, owned by the user.
    const attributes = { ...neutralAttributes(0o755), uid: user.uid, gid: user.gid };
    tree.set(cwd, emptyDirectory(attributes));
  }
  const entrypoint =
    options.entrypoint === undefined ? (settings.Entrypoint ?? []) : [options.entrypoint];
  // An entry point of the user's does not get the image's own arguments, as in docker run.
  const own = options.entrypoint === undefined ? (settings.Cmd ?? []) : [];
  const argv = options.command ?? [...entrypoint, ...(args.length > 0 ? args : own)];
  if (argv.length === 0) throw noProgram(name);
  const found = launchInTree(tree, argv, {
    searchPath: env.PATH ?? "",
    cwd,
    what: `the image ${name}`,
  });
  return {
    ...found,
    cwd,
    env,
    user: { uid: user.uid, gid: user.gid },
    ports: Object.keys(settings.ExposedPorts ?? {}).flatMap(parsePorts),
    stopSignal: settings.StopSignal ?? "SIGTERM",
    volumes: Object.keys(settings.Volumes ?? {}),
  };
}

function parseVariables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return equals === -1 ? [line, ""] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function noProgram(name: string): UserError {
  return new UserError({
    code: "NoProgram",
    what: `cannot run ${name}`,
    why: "the image names no program to run",
    fix: `name one: capstan run ${name} PROGRAM`,
    exitStatus: 127,
  });
}
