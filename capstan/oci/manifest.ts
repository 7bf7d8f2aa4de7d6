/**
 * The documents of a container image: index, manifest, configuration. OCI image specification 1.1
 * (image-index.md, manifest.md, config.md); Docker's own media types have the same shape.
 *
 * Neighbours: `../source/container/image.ts` follows the documents to layers; `../registry/` moves them about.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { type ByteRange, readRange } from "../archive/byte-range.ts";
import { verifyDigest } from "../archive/decompress.ts";
import { UserError } from "../errors.ts";

/** Media types, OCI's and Docker's. */
export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  plainLayer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** Annotation with the name of an image within a layout. */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** Documents are small; a larger one is not what it claims to be. */
const MAX_DOCUMENT_BYTES = 8 * 1024 ** 2;

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, "only sha256 digests are supported");

export const descriptorSchema = z.object({
  mediaType: z.string().default(""),
  digest: digestSchema,
  size: z.number().int().nonnegative(),
  platform: z
    .object({ architecture: z.string(), os: z.string(), variant: z.string().optional() })
    .optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/** Names a blob: its digest, size and what it is. */
export type Descriptor = z.infer<typeof descriptorSchema>;

/** A list of images, one for each platform, or of the images of a layout. */
export const indexSchema = z.object({ manifests: z.array(descriptorSchema) });
export type ImageIndex = z.infer<typeof indexSchema>;

/** One image: its configuration and its layers, the lowest first. */
export const manifestSchema = z.object({
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
});
export type ImageManifest = z.infer<typeof manifestSchema>;

const settingsSchema = z.object({
  User: z.string().nullish(),
  ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
  Env: z.array(z.string()).nullish(),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Volumes: z.record(z.string(), z.unknown()).nullish(),
  WorkingDir: z.string().nullish(),
  StopSignal: z.string().nullish(),
});

/** How the program of an image is started. */
export type ImageSettings = z.infer<typeof settingsSchema>;

/** The configuration of an image. */
export const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  created: z.string().nullish(),
  config: settingsSchema.nullish(),
  rootfs: z.object({ diff_ids: z.array(digestSchema) }),
});
export type ImageConfig = z.infer<typeof configSchema>;

/** Docker's `manifest.json` in an archive made by `docker save`. */
export const dockerSaveSchema = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()),
  }),
);

/** The hexadecimal part of a digest. */
export function digestHex(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** `sha256:...` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether a document of this media type is a list of images. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
}

/**
 * Reads a document, verified against its descriptor.
 * @param what names the document for messages
 * @throws UserError `DigestMismatch`, `BadImage`
 */
export function readDocument<T>(
  range: ByteRange,
  schema: z.ZodType<T>,
  what: string,
  descriptor?: Descriptor,
): T {
  if (range.sizeBytes > MAX_DOCUMENT_BYTES) throw badImage(what, "the document is too large");
  const bytes = readRange(range);
  if (descriptor !== undefined) {
    verifyDigest(what, digestHex(digestOf(bytes)), digestHex(descriptor.digest));
  }
  return parseDocument(bytes, schema, what);
}

/**
 * Understands a document.
 * @throws UserError `BadImage`
 */
export function parseDocument<T>(bytes: Buffer, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badImage(what, error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badImage(what, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`);
}

/**
 * The image for this platform in a list.
 * @throws UserError `WrongPlatform`
 */
export function choosePlatform(index: ImageIndex, what: string): Descriptor {
  const { manifests } = index;
  const fits = manifests.filter(
    ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
  );
  const chosen = fits[0] ?? (manifests.length === 1 ? manifests[0] : undefined);
  if (chosen !== undefined && (fits.length > 0 || chosen.platform === undefined)) return chosen;
  const offered = manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`);
  throw wrongPlatform(what, offered.join(", "));
}

/** The error for an image that has nothing for this machine. */
export function wrongPlatform(what: string, offered: string): UserError {
  return new UserError({
    code: "WrongPlatform",
    what: `cannot use ${what}`,
    why: `it is for ${offered === "" ? "no platform" : offered}, not for linux/amd64`,
    fix: "choose an image for linux/amd64, perhaps another tag of the same one",
  });
}

/** The error for documents that make no sense. */
export function badImage(what: string, why: string): UserError {
  return new UserError({
    code: "BadImage",
    what: `cannot understand ${what}`,
    why,
    fix: "make the image again; OCI layouts, OCI archives and docker save archives are understood",
  });
}
