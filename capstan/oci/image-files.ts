/**
 * Opens an image that lies in files: an OCI layout (directory or archive) or what `docker save`
 * wrote. Archives are not unpacked: what they hold is read where it lies.
 *
 *     layout/  oci-layout  index.json  blobs/sha256/...       OCI image-layout.md
 *     x.tar    manifest.json  CONFIG.json  LAYER/layer.tar    docker save, before version 25
 *
 * Neighbours: `manifest.ts` has the documents, `../source/container/image.ts` makes a source of the result.
 */
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { type ByteRange, readRange, wholeFile } from "../archive/byte-range.ts";
import { badArchive } from "../archive/decompress.ts";
import { readTar } from "../archive/tar-reader.ts";
import { UserError } from "../errors.ts";
import {
  badImage,
  choosePlatform,
  configSchema,
  type Descriptor,
  digestHex,
  digestOf,
  dockerSaveSchema,
  type ImageConfig,
  indexSchema,
  isIndexType,
  manifestSchema,
  mediaTypes,
  REF_NAME,
  readDocument,
  wrongPlatform,
} from "./manifest.ts";

/** One layer of an image. */
export interface ImageLayer {
  /** Digest of the plain archive, from the image's configuration. */
  readonly diffId: string;
  /** Digest of the blob, where the image names one. */
  readonly digest?: string;
  readonly mediaType: string;
  readonly blob: ByteRange;
}

/** An image whose documents have been read and verified. */
export interface OpenedImage {
  /** Digest of its manifest, or of its configuration where there is no manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** The bytes of the configuration. */
  readonly configBlob: ByteRange;
  /** The bytes of the manifest, where there is one. */
  readonly manifestBytes?: Buffer;
  readonly layers: readonly ImageLayer[];
}

/** Files by name: a directory or an archive. */
export interface FileSet {
  /** For messages. */
  readonly what: string;
  find(name: string): ByteRange | undefined;
}

/** Whether a path of the host looks like an image: a layout, or an archive. */
export function isImagePath(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return existsSync(join(path, "oci-layout"));
  return stats?.isFile() === true && /\.tar$/.test(path);
}

/** The files of a directory. */
export function directoryFiles(path: string): FileSet {
  return {
    what: path,
    find: (name) => {
      const file = join(path, name);
      return existsSync(file) ? wholeFile(file) : undefined;
    },
  };
}

/**
 * The files of an archive.
 * @throws UserError `BadArchive`
 */
export function archiveFiles(path: string): FileSet {
  const files = new Map<string, ByteRange>();
  const links = new Map<string, string>();
  try {
    for (const entry of readTar(wholeFile(path))) {
      const name = posix.normalize(entry.path);
      const { offsetBytes, sizeBytes } = entry;
      if (entry.kind === "file") files.set(name, { path, offsetBytes, sizeBytes });
      // docker save writes a layer that occurs twice as a link to the first one.
      if (entry.kind === "symlink") {
        links.set(name, posix.join(posix.dirname(name), entry.target));
      }
    }
  } catch (error) {
    throw badArchive(path, error);
  }
  return { what: path, find: (name) => files.get(name) ?? files.get(links.get(name) ?? "") };
}

/**
 * Opens the image with this name; without a name the only one, or the one called `latest`.
 * @throws UserError `BadImage`, `ImageNotFound`, `WrongPlatform`, `DigestMismatch`
 */
export function openImageFiles(files: FileSet, name: string | undefined): OpenedImage {
  const index = files.find("index.json");
  if (index !== undefined && files.find("oci-layout") !== undefined) {
    const { manifests } = readDocument(index, indexSchema, `index.json of ${files.what}`);
    const entry = chooseNamed(
      manifests.map((each) => ({ names: [each.annotations?.[REF_NAME] ?? ""], value: each })),
      name,
      files.what,
    );
    return openManifest(files, entry);
  }
  const saved = files.find("manifest.json");
  if (saved !== undefined) return openDockerSave(files, saved, name);
  throw badImage(files.what, "it has neither index.json and oci-layout nor manifest.json");
}

/** Follows a descriptor in a set of blobs to an image. Throws as `openImageFiles` does. */
export function openManifest(files: FileSet, descriptor: Descriptor): OpenedImage {
  const { what } = files;
  const range = blobOf(files, descriptor);
  if (isIndexType(descriptor.mediaType)) {
    const index = readDocument(range, indexSchema, `the index of ${what}`, descriptor);
    return openManifest(files, choosePlatform(index, what));
  }
  const { config, layers } = readDocument(
    range,
    manifestSchema,
    `the manifest of ${what}`,
    descriptor,
  );
  const configBlob = blobOf(files, config);
  const configuration = readDocument(
    configBlob,
    configSchema,
    `the configuration of ${what}`,
    config,
  );
  const blobs = layers.map((layer) => ({
    digest: layer.digest,
    mediaType: layer.mediaType,
    blob: blobOf(files, layer),
  }));
  return {
    digest: descriptor.digest,
    config: configuration,
    configBlob,
    manifestBytes: readRange(range),
    layers: matchLayers(what, configuration, blobs),
  };
}

function blobOf(files: FileSet, { digest, size }: Descriptor): ByteRange {
  const range = files.find(`blobs/sha256/${digestHex(digest)}`);
  if (range === undefined) throw badImage(files.what, `the blob ${digest} is missing`);
  if (range.sizeBytes !== size) {
    const why = `the blob ${digest} should have ${size} bytes and has ${range.sizeBytes}`;
    throw badImage(files.what, why);
  }
  return range;
}

function openDockerSave(files: FileSet, saved: ByteRange, name: string | undefined): OpenedImage {
  const images = readDocument(saved, dockerSaveSchema, `manifest.json of ${files.what}`);
  const image = chooseNamed(
    images.map((value) => ({ names: value.RepoTags ?? [], value })),
    name,
    files.what,
  );
  const config = files.find(image.Config);
  if (config === undefined) throw badImage(files.what, `${image.Config} is missing`);
  const configuration = readDocument(config, configSchema, `the configuration of ${files.what}`);
  const digest = digestOf(readRange(config));
  const blobs = image.Layers.map((path) => {
    const blob = files.find(posix.normalize(path));
    if (blob === undefined) throw badImage(files.what, `the layer ${path} is missing`);
    return { blob, mediaType: mediaTypes.plainLayer };
  });
  return {
    digest,
    config: configuration,
    configBlob: config,
    layers: matchLayers(files.what, configuration, blobs),
  };
}

/** Puts together the layers of the manifest and their plain digests in the configuration. */
function matchLayers(
  what: string,
  config: ImageConfig,
  blobs: readonly Omit<ImageLayer, "diffId">[],
): ImageLayer[] {
  if (config.os !== "linux" || config.architecture !== "amd64") {
    throw wrongPlatform(what, `${config.os}/${config.architecture}`);
  }
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== blobs.length) {
    const why = `it has ${blobs.length} layers, but its configuration names ${diffIds.length}`;
    throw badImage(what, why);
  }
  return blobs.map((blob, at) => ({ ...blob, diffId: diffIds[at] ?? "" }));
}

/** The entry with this name, or the only one. */
function chooseNamed<T>(
  entries: readonly { readonly names: readonly string[]; readonly value: T }[],
  name: string | undefined,
  what: string,
): T {
  const wanted = name ?? "latest";
  const isNamed = (each: string): boolean => each === wanted || each.endsWith(`:${wanted}`);
  const [only] = entries;
  const found =
    name === undefined && entries.length === 1
      ? only
      : entries.find(({ names }) => names.some(isNamed));
  if (found !== undefined) return found.value;
  const known = entries.flatMap(({ names }) => names).filter((each) => each !== "");
  throw new UserError({
    code: "ImageNotFound",
    what: `cannot find the image ${wanted} in ${what}`,
    why: known.length === 0 ? "it has no image with a name" : `it has: ${known.join(", ")}`,
    fix: `name one of them: oci:${what}:NAME`,
  });
}
