/**
 * The images of this machine: blobs by their digests, and names that refer to manifests among them.
 *
 *     $CAPSTAN_ROOT/images/
 *         blobs/sha256/<digest>        complete and verified; OCI image-layout.md
 *         partial/<digest>             the beginning of a download, to be continued
 *         names/<name, encoded>.json   { name, manifest: descriptor }
 *
 * A blob is there for good or not at all: it is renamed into place when its digest is right. Names
 * are files of their own, so that commands at the same time do not disturb each other.
 * Neighbours: `pull.ts`, `push.ts`, `import-image.ts` fill and read it.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { wholeFile } from "../archive/byte-range.ts";
import { writeError } from "../archive/decompress.ts";
import { systemErrorCode, UserError } from "../errors.ts";
import { capstanHome } from "../home.ts";
import type { FileSet } from "../oci/image-files.ts";
import {
  configSchema,
  type Descriptor,
  descriptorSchema,
  digestHex,
  digestOf,
  type ImageConfig,
  type ImageManifest,
  manifestSchema,
  readDocument,
} from "../oci/manifest.ts";
import { fullName, parseReference, type Reference, shortName } from "./reference.ts";

const nameSchema = z.object({ name: z.string(), manifest: descriptorSchema });

/** An image that has a name here. */
export interface StoredImage {
  readonly reference: Reference;
  readonly manifest: Descriptor;
  /** When the name was given. */
  readonly storedMs: number;
}

/** The images of this machine. */
export class ImageStore {
  readonly #root: string;

  /** Throws a UserError if the directory cannot be made. */
  constructor(host: NodeJS.ProcessEnv) {
    this.#root = join(capstanHome(host), "images");
    try {
      for (const name of ["blobs/sha256", "partial", "names"]) {
        mkdirSync(join(this.#root, name), { recursive: true });
      }
    } catch (error) {
      throw writeError(this.#root, error);
    }
  }

  /** Where the blob is, or will be. */
  blobPath(digest: string): string {
    return join(this.#root, "blobs", "sha256", digestHex(digest));
  }

  /** Where the beginning of a blob is kept until all of it has come. */
  partialPath(digest: string): string {
    return join(this.#root, "partial", digestHex(digest));
  }

  /** Whether the blob is here, with this size. */
  hasBlob({ digest, size }: Pick<Descriptor, "digest" | "size">): boolean {
    return statSync(this.blobPath(digest), { throwIfNoEntry: false })?.size === size;
  }

  /** Keeps a file as a blob, whose digest has been verified; the file is moved. */
  adopt(path: string, digest: string): void {
    renameSync(path, this.blobPath(digest));
  }

  /** Keeps bytes as a blob; returns their digest. Throws a UserError on a full disk. */
  put(bytes: Uint8Array): string {
    const digest = digestOf(bytes);
    writeWhole(this.blobPath(digest), bytes);
    return digest;
  }

  /** The blobs, as a layout that can be opened. */
  get files(): FileSet {
    return {
      what: "the images of this machine",
      find: (name) => {
        const path = join(this.#root, name);
        return existsSync(path) ? wholeFile(path) : undefined;
      },
    };
  }

  /** All images, by name. */
  list(): StoredImage[] {
    const folder = join(this.#root, "names");
    const images = readdirSync(folder).flatMap((file) => {
      const found = file.endsWith(".json") ? this.#read(join(folder, file)) : undefined;
      return found === undefined ? [] : [found];
    });
    return images.sort((a, b) => (fullName(a.reference) < fullName(b.reference) ? -1 : 1));
  }

  /** The image with this name, or undefined. */
  find(reference: Reference): StoredImage | undefined {
    return this.#read(this.#namePath(reference));
  }

  /**
   * The image with this name.
   * @throws UserError `ImageNotFound`
   */
  get(reference: Reference): StoredImage {
    const found = this.find(reference);
    if (found !== undefined) return found;
    const name = shortName(reference);
    throw new UserError({
      code: "ImageNotFound",
      what: `there is no image ${name} on this machine`,
      why: "capstan images does not have it",
      fix: `get it with capstan pull ${name}, or make it with capstan import ${name} SOURCE`,
    });
  }

  /**
   * Gives an image a name, when all its blobs are here.
   * @throws UserError when one is missing: another command has removed it meanwhile
   */
  setName(reference: Reference, manifest: Descriptor): void {
    const missing = [manifest, ...this.#blobsOf(manifest)].find((each) => !this.hasBlob(each));
    if (missing !== undefined) {
      throw new UserError({
        code: "BlobMissing",
        what: `cannot keep the image ${shortName(reference)}`,
        why: `its blob ${missing.digest} was removed by another command meanwhile`,
        fix: "run the command again",
      });
    }
    const record = { name: fullName(reference), manifest };
    writeWhole(this.#namePath(reference), Buffer.from(JSON.stringify(record)));
  }

  /**
   * Takes a name away, and the blobs that no other image has.
   * @returns bytes that became free
   * @throws UserError `ImageNotFound`
   */
  remove(reference: Reference): number {
    const { manifest } = this.get(reference);
    rmSync(this.#namePath(reference), { force: true });
    const kept = new Set(
      this.list().flatMap((each) => [each.manifest, ...this.#blobsOf(each.manifest)].map(digest)),
    );
    let freed = 0;
    for (const blob of [...this.#blobsOf(manifest), manifest]) {
      if (kept.has(blob.digest) || !this.hasBlob(blob)) continue;
      freed += blob.size;
      rmSync(this.blobPath(blob.digest), { force: true });
    }
    return freed;
  }

  /** Manifest and configuration of an image. Throws a UserError if they are damaged. */
  describe({ manifest, reference }: StoredImage): { manifest: ImageManifest; config: ImageConfig } {
    const what = `the image ${shortName(reference)}`;
    const document = readDocument(
      wholeFile(this.blobPath(manifest.digest)),
      manifestSchema,
      what,
      manifest,
    );
    const path = this.blobPath(document.config.digest);
    return {
      manifest: document,
      config: readDocument(wholeFile(path), configSchema, what, document.config),
    };
  }

  #blobsOf(manifest: Descriptor): Descriptor[] {
    try {
      const path = this.blobPath(manifest.digest);
      const { config, layers } = readDocument(wholeFile(path), manifestSchema, path);
      return [config, ...layers];
    } catch {
      // Without its manifest the image has no blobs that could be found.
      return [];
    }
  }

  #namePath(reference: Reference): string {
    return join(this.#root, "names", `${encodeURIComponent(fullName(reference))}.json`);
  }

  #read(path: string): StoredImage | undefined {
    try {
      const { name, manifest } = nameSchema.parse(JSON.parse(readFileSync(path, "utf8")));
      return { reference: parseReference(name), manifest, storedMs: statSync(path).mtimeMs };
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }
}

function digest(descriptor: Descriptor): string {
  return descriptor.digest;
}

/** Writes a file as a whole or not at all. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const suffix = createHash("sha256").update(`${process.pid} ${path}`).digest("hex").slice(0, 8);
  const temporary = `${path}.${suffix}.tmp`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeError(path, error);
  }
}
