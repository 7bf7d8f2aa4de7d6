/**
 * Brings an image from a registry to this machine: manifest, configuration, layers, each verified by
 * its digest. What is here already is not fetched again. OCI distribution specification, "Pull".
 *
 * Neighbours: `client.ts`, `download.ts`, `store.ts`; `../commands/pull.ts` and
 * `../source/container/registry-image.ts` are the users.
 */
import { UserError } from "../errors.ts";
import {
  choosePlatform,
  type Descriptor,
  digestOf,
  indexSchema,
  isIndexType,
  manifestSchema,
  mediaTypes,
  parseDocument,
} from "../oci/manifest.ts";
import { inParallel } from "../parallel.ts";
import { RegistryClient, type RegistryOptions } from "./client.ts";
import { downloadBlob } from "./download.ts";
import { fullName, type Reference, shortName } from "./reference.ts";
import { ImageStore, type StoredImage } from "./store.ts";

/** Blobs that are fetched at once, as Docker does. */
const PARALLEL = 3;

const MANIFEST_TYPES = [
  mediaTypes.index,
  mediaTypes.dockerIndex,
  mediaTypes.manifest,
  mediaTypes.dockerManifest,
].join(", ");

/**
 * Pulls an image.
 * @throws UserError when the registry cannot be reached, does not have it, or sends damaged data
 */
export async function pullImage(
  reference: Reference,
  options: RegistryOptions,
): Promise<StoredImage> {
  const store = new ImageStore(options.host);
  const client = new RegistryClient(reference.registry, options);
  const manifest = await fetchManifest(client, store, reference);
  const bytes = manifest.bytes;
  const what = `the manifest of ${shortName(reference)}`;
  const { config, layers } = parseDocument(bytes, manifestSchema, what);
  const blobs = uniqueBlobs([config, ...layers]);
  const missing = blobs.filter((blob) => !store.hasBlob(blob));
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  const task = options.progress.start(`pulling ${shortName(reference)}`, total);
  await inParallel(missing, PARALLEL, (blob) =>
    downloadBlob({
      client,
      store,
      repository: reference.path,
      blob,
      task,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }),
  );
  task.end(missing.length === 0 ? "is up to date" : undefined);
  store.setName(reference, manifest.descriptor);
  return store.get(reference);
}

function uniqueBlobs(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** The manifest for this platform, kept in the store. */
async function fetchManifest(
  client: RegistryClient,
  store: ImageStore,
  reference: Reference,
): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  const first = await fetchDocument(client, reference, reference.digest ?? reference.tag);
  if (!isIndexType(first.mediaType)) return keep(store, first);
  const name = shortName(reference);
  const index = parseDocument(first.bytes, indexSchema, `the index of ${name}`);
  const chosen = choosePlatform(index, name);
  return keep(store, await fetchDocument(client, reference, chosen.digest));
}

interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

function keep(
  store: ImageStore,
  { bytes, mediaType }: Document,
): { descriptor: Descriptor; bytes: Buffer } {
  const digest = store.put(bytes);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** Fetches a document by tag or digest, verified against the digest that is known. */
async function fetchDocument(
  client: RegistryClient,
  reference: Reference,
  tagOrDigest: string,
): Promise<Document> {
  const what = `cannot pull ${shortName(reference)}`;
  const response = await client.send({
    method: "GET",
    path: `${reference.path}/manifests/${tagOrDigest}`,
    headers: { accept: MANIFEST_TYPES },
    repository: reference.path,
  });
  if (response.status === 404) {
    throw new UserError({
      code: "ImageNotFound",
      what,
      why: `${client.registry} has no image ${fullName(reference)}`,
      fix: "check the name and the tag",
    });
  }
  if (!response.ok) throw await client.unexpected(response, what);
  const bytes = Buffer.from(await response.arrayBuffer());
  const wanted = tagOrDigest.startsWith("sha256:")
    ? tagOrDigest
    : response.headers.get("docker-content-digest");
  const found = digestOf(bytes);
  if (wanted?.startsWith("sha256:") === true && wanted !== found) {
    throw new UserError({
      code: "DigestMismatch",
      what,
      why: `the registry sent a manifest with the digest ${found} instead of ${wanted}`,
      fix: "try again; if it stays so, the registry or something on the way damages data",
    });
  }
  const header = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  return { bytes, mediaType: typeOf(bytes, header) };
}

/** Some registries say "application/json" only: the document itself tells then. */
function typeOf(bytes: Buffer, header: string): string {
  if (MANIFEST_TYPES.includes(header) && header !== "") return header;
  return /"manifests"\s*:/.test(bytes.toString("utf8")) ? mediaTypes.index : mediaTypes.manifest;
}
