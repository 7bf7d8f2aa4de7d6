/**
 * Puts an image into the store: one that lies in files, as it is, or one that is made of any other
 * source: its files as one layer, its launch as the image's configuration.
 */
import { createHash } from "node:crypto";
import { createWriteStream, rmSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readRange } from "../../archive/byte-range.ts";
import { copyVerified, writeError } from "../../archive/decompress.ts";
import { gzipMembers } from "../../archive/gzip.ts";
import { writeTar } from "../../archive/tar-writer.ts";
import { Pacer } from "../../image/erofs/pacer.ts";
import { type FsTree, NEUTRAL_MTIME_NS } from "../../image/tree.ts";
import type { OpenedImage } from "../../oci/image-files.ts";
import { type Descriptor, digestHex, mediaTypes } from "../../oci/manifest.ts";
import type { Reference } from "../../registry/reference.ts";
import { ImageStore, type StoredImage } from "../../registry/store.ts";
import type { Launch, ResolvedSource, SourceOptions } from "../source.ts";

type ImportOptions = Pick<SourceOptions, "host" | "progress" | "signal">;

/** Copies an image that was opened from files. Throws a UserError for damaged blobs. */
export async function importOpened(
  image: OpenedImage,
  reference: Reference,
  options: ImportOptions,
): Promise<StoredImage> {
  const store = new ImageStore(options.host);
  const layers: Descriptor[] = [];
  for (const { blob, digest, diffId, mediaType } of image.layers) {
    const expected = digest ?? diffId;
    const descriptor = { mediaType, digest: expected, size: blob.sizeBytes };
    if (!store.hasBlob(descriptor)) {
      const path = temporaryPath(store, expected);
      await copyVerified(blob, path, `the layer ${expected}`, digestHex(expected), options.signal);
      store.adopt(path, expected);
    }
    layers.push(descriptor);
  }
  const config = readRange(image.configBlob);
  return keepImage(store, reference, config, layers, image.manifestBytes);
}

/** Makes an image of a resolved source. */
export async function importSource(
  source: ResolvedSource,
  reference: Reference,
  options: ImportOptions,
): Promise<StoredImage> {
  const store = new ImageStore(options.host);
  const { layer, diffId } = await writeLayer(source.tree, store, options);
  const config = {
    architecture: "amd64",
    os: "linux",
    // Reproducible: the time of everything that has none.
    created: new Date(Number(NEUTRAL_MTIME_NS / 1_000_000n)).toISOString(),
    config: settingsOf(source.launch),
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
  return keepImage(store, reference, Buffer.from(JSON.stringify(config)), [layer]);
}

function settingsOf(launch: Launch): object {
  const { user, ports, volumes } = launch;
  const set = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {}]));
  return {
    ...(user.uid === 0 && user.gid === 0 ? {} : { User: `${user.uid}:${user.gid}` }),
    ...(ports.length === 0
      ? {}
      : { ExposedPorts: set(ports.map(({ port, protocol }) => `${port}/${protocol}`)) }),
    Env: Object.entries(launch.env)
      .filter(([name]) => name !== "TERM")
      .map(([name, value]) => `${name}=${value}`),
    Entrypoint: [launch.executable],
    Cmd: launch.args,
    ...(volumes.length === 0 ? {} : { Volumes: set(volumes) }),
    WorkingDir: launch.cwd,
    StopSignal: launch.stopSignal,
  };
}

/** Writes a tree as a compressed layer. */
async function writeLayer(
  tree: FsTree,
  store: ImageStore,
  { progress, signal }: ImportOptions,
): Promise<{ layer: Descriptor; diffId: string }> {
  const pacer = new Pacer(signal);
  const path = temporaryPath(store, `sha256:${"0".repeat(64)}`);
  const task = progress.start("writing the layer");
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  let size = 0;
  const watch = (see: (chunk: Buffer) => void): Transform =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        see(chunk);
        done(null, chunk);
      },
    });
  try {
    await pipeline(
      Readable.from(writeTar(tree, () => pacer.pause())),
      watch((chunk) => {
        plain.update(chunk);
        task.advance(chunk.length);
      }),
      gzipMembers,
      watch((chunk) => {
        packed.update(chunk);
        size += chunk.length;
      }),
      createWriteStream(path),
      ...(signal === undefined ? [] : [{ signal }]),
    );
  } catch (error) {
    rmSync(path, { force: true });
    signal?.throwIfAborted();
    throw error instanceof Error && "code" in error ? writeError(path, error) : error;
  }
  const digest = `sha256:${packed.digest("hex")}`;
  store.adopt(path, digest);
  task.end();
  return {
    layer: { mediaType: mediaTypes.layer, digest, size },
    diffId: `sha256:${plain.digest("hex")}`,
  };
}

function temporaryPath(store: ImageStore, digest: string): string {
  return `${store.partialPath(digest)}.${process.pid}.tmp`;
}

/** Keeps configuration and manifest, and gives the image its name. */
function keepImage(
  store: ImageStore,
  reference: Reference,
  config: Buffer,
  layers: readonly Descriptor[],
  manifestBytes?: Buffer,
): StoredImage {
  const digest = store.put(config);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest, size: config.length },
    layers,
  };
  const bytes = manifestBytes ?? Buffer.from(JSON.stringify(document));
  const manifest = {
    mediaType: mediaTypes.manifest,
    digest: store.put(bytes),
    size: bytes.length,
  };
  store.setName(reference, manifest);
  return store.get(reference);
}
