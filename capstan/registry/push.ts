/**
 * Brings an image of this machine to a registry: first the blobs that it lacks, then the manifest.
 * OCI distribution specification, "Push": POST, then PUT of the whole blob.
 */
import { openAsBlob, readFileSync } from "node:fs";
import { type Descriptor, digestOf } from "../oci/manifest.ts";
import { inParallel } from "../parallel.ts";
import { RegistryClient, type RegistryOptions } from "./client.ts";
import { type Reference, shortName } from "./reference.ts";
import { ImageStore, type StoredImage } from "./store.ts";

/** Blobs that are sent at once. */
const PARALLEL = 2;

/** What was pushed. */
export interface PushResult {
  /** Digest of the manifest. */
  readonly digest: string;
  /** Bytes that the registry did not have. */
  readonly sentBytes: number;
}

/**
 * Pushes an image under a name.
 * @throws UserError when the registry cannot be reached or refuses
 */
export async function pushImage(
  image: StoredImage,
  target: Reference,
  options: RegistryOptions,
): Promise<PushResult> {
  const store = new ImageStore(options.host);
  const client = new RegistryClient(target.registry, options);
  const { manifest } = store.describe(image);
  const blobs = [manifest.config, ...manifest.layers];
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const task = options.progress.start(`pushing ${shortName(target)}`, total);
  let sentBytes = 0;
  await inParallel(blobs, PARALLEL, async (blob) => {
    if (await pushBlob(client, store, target.path, blob)) sentBytes += blob.size;
    task.advance(blob.size);
  });
  const bytes = readFileSync(store.blobPath(image.manifest.digest));
  const response = await client.send({
    method: "PUT",
    path: `${target.path}/manifests/${target.tag}`,
    headers: { "content-type": image.manifest.mediaType },
    body: new Uint8Array(bytes),
    repository: target.path,
    writes: true,
  });
  if (!response.ok) throw await client.unexpected(response, `cannot push ${shortName(target)}`);
  await response.body?.cancel();
  task.end(sentBytes === 0 ? "was there already" : undefined);
  return { digest: digestOf(bytes), sentBytes };
}

/** Sends a blob unless the registry has it; whether it was sent. */
async function pushBlob(
  client: RegistryClient,
  store: ImageStore,
  repository: string,
  { digest }: Descriptor,
): Promise<boolean> {
  const common = { repository, writes: true };
  const path = `${repository}/blobs/${digest}`;
  const known = await client.send({ ...common, method: "HEAD", path });
  if (known.ok) return false;
  const uploads = `${repository}/blobs/uploads/`;
  const begun = await client.send({ ...common, method: "POST", path: uploads });
  const location = begun.headers.get("location");
  await begun.body?.cancel();
  if (begun.status !== 202 || location === null) {
    throw await client.unexpected(begun, `cannot push the blob ${digest}`);
  }
  const target = new URL(location, begun.url);
  target.searchParams.set("digest", digest);
  const sent = await client.send({
    ...common,
    method: "PUT",
    path: target.href,
    headers: { "content-type": "application/octet-stream" },
    body: await openAsBlob(store.blobPath(digest)),
  });
  if (sent.status !== 201) throw await client.unexpected(sent, `cannot push the blob ${digest}`);
  await sent.body?.cancel();
  return true;
}
