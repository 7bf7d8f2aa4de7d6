/**
 * Downloads a blob into the store. What has come of it is kept when the connection breaks or the
 * user stops, and the next attempt continues there (RFC 9110, 14.2: Range). A blob gets its name
 * only when its digest is right.
 *
 * Neighbours: `pull.ts` is the user, `store.ts` keeps, `client.ts` asks.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, openSync, rmSync, statSync, writeSync } from "node:fs";
import { verifyDigest, writeError } from "../archive/decompress.ts";
import type { ProgressTask } from "../console/progress.ts";
import { UserError } from "../errors.ts";
import { type Descriptor, digestHex } from "../oci/manifest.ts";
import type { RegistryClient } from "./client.ts";
import type { ImageStore } from "./store.ts";

/** What a download works with. */
export interface Download {
  readonly client: RegistryClient;
  readonly store: ImageStore;
  readonly repository: string;
  readonly blob: Descriptor;
  readonly task: ProgressTask;
  readonly signal?: AbortSignal;
}

/**
 * Fetches a blob that is not in the store.
 * @throws UserError `DigestMismatch`, `DownloadFailed`, `DiskFull`
 */
export async function downloadBlob(download: Download): Promise<void> {
  const { store, blob, task, signal } = download;
  const path = store.partialPath(blob.digest);
  let { hash, size } = await hashPartial(path, blob.size);
  task.resume(size);
  while (size < blob.size) {
    const before = size;
    let failure: unknown = new Error("the connection was closed too early");
    const response = await request(download, size);
    if (response.status === 200 && size > 0) {
      // This registry cannot continue: from the start again.
      task.resume(-size);
      ({ hash, size } = { hash: createHash("sha256"), size: 0 });
      rmSync(path, { force: true });
    }
    try {
      for await (const chunk of piecesOf(response)) {
        append(path, size, chunk);
        hash.update(chunk);
        size += chunk.length;
        task.advance(chunk.length);
        if (size > blob.size) break;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      failure = error;
    }
    // A connection that broke is taken up again as long as each attempt brings something.
    if (size < blob.size && size <= before) throw broken(blob, failure);
  }
  try {
    verifyDigest(`the blob ${blob.digest}`, hash.digest("hex"), digestHex(blob.digest));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  store.adopt(path, blob.digest);
}

async function request(download: Download, offsetBytes: number): Promise<Response> {
  const { client, repository, blob, store } = download;
  const response = await client.send({
    method: "GET",
    path: `${repository}/blobs/${blob.digest}`,
    repository,
    ...(offsetBytes === 0 ? {} : { headers: { range: `bytes=${offsetBytes}-` } }),
  });
  if (response.status === 200 || (response.status === 206 && offsetBytes > 0)) return response;
  if (response.status === 416) rmSync(store.partialPath(blob.digest), { force: true });
  throw await client.unexpected(response, `cannot fetch the blob ${blob.digest}`);
}

async function* piecesOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  for await (const chunk of response.body) yield chunk;
}

/** What is there already of a blob, with the hash so far. */
async function hashPartial(
  path: string,
  limitBytes: number,
): Promise<{ hash: Hash; size: number }> {
  const hash = createHash("sha256");
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size >= limitBytes) {
    rmSync(path, { force: true });
    return { hash, size: 0 };
  }
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return { hash, size };
}

function append(path: string, offsetBytes: number, bytes: Uint8Array): void {
  try {
    const fd = openSync(path, offsetBytes === 0 ? "w" : "r+");
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, bytes.length - done, offsetBytes + done);
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

function broken({ digest, size }: Descriptor, failure: unknown): UserError {
  return new UserError({
    code: "DownloadFailed",
    what: `cannot fetch the blob ${digest} of ${size} bytes`,
    why: failure instanceof Error ? failure.message : String(failure),
    fix: "run the command again; it continues where it was",
    cause: failure,
  });
}
