/**
 * From a collected program to an image on disk: out of the cache, or written now.
 *
 * Neighbours: `cache.ts` keeps images, `erofs/writer.ts` writes them, `package/` collects.
 */

import { ImageCache, imageCacheDirectory, imageKey } from "./cache.ts";
import { writeErofs } from "./erofs/writer.ts";
import { contentSizeBytes, type FsTree } from "./tree.ts";

/** What the cache may take on the disk before old images are removed. */
const DEFAULT_CACHE_LIMIT_BYTES = 10 * 1024 ** 3;

export interface BuildOptions {
  /** Environment of capstan itself: `CAPSTAN_ROOT` and `HOME` decide where images are kept. */
  readonly env: NodeJS.ProcessEnv;
  /** See `ErofsOptions.inlineTails`. */
  readonly inlineTails?: boolean;
  /** Refuse to write a larger image. */
  readonly maxSizeBytes?: number;
  /** Told about the bytes written so far, and the bytes there will be. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Stops with the signal's reason; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** An image that is ready to boot. */
export interface BuiltImage {
  readonly path: string;
  readonly sizeBytes: number;
  /** It was in the cache. */
  readonly cached: boolean;
  /** Regular files; hard links count once. */
  readonly files: number;
  /** Sum of their sizes. */
  readonly contentBytes: number;
  /** Time that the build or the look into the cache took. */
  readonly seconds: number;
}

function countFiles(tree: FsTree): { files: number; contentBytes: number } {
  let files = 0;
  let contentBytes = 0;
  tree.forEachNode((node) => {
    if (node.kind !== "file") return;
    files += 1;
    contentBytes += contentSizeBytes(node.content);
  });
  return { files, contentBytes };
}

/**
 * Builds the image of a tree, or finds it in the cache.
 * Throws a UserError if a file cannot be read, the disk is full or a limit is exceeded.
 */
export async function buildImage(
  collected: { readonly tree: FsTree },
  options: BuildOptions,
): Promise<BuiltImage> {
  const startMs = performance.now();
  const { tree } = collected;
  const cache = new ImageCache(imageCacheDirectory(options.env));
  const inlineTails = options.inlineTails ?? true;
  const key = imageKey(tree, { inlineTails });
  const finish = (sizeBytes: number, cached: boolean): BuiltImage => ({
    path: cache.pathOf(key),
    sizeBytes,
    cached,
    ...countFiles(tree),
    seconds: (performance.now() - startMs) / 1000,
  });

  const known = cache.find(key);
  if (known !== undefined) return finish(known, true);
  cache.tidy(DEFAULT_CACHE_LIMIT_BYTES);
  try {
    const { maxSizeBytes, onProgress, signal } = options;
    const summary = await writeErofs(tree, cache.temporaryPathOf(key), {
      inlineTails,
      ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    cache.publish(key);
    return finish(summary.sizeBytes, false);
  } finally {
    cache.discard(key);
  }
}
