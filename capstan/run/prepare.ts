/**
 * From a source to an image on disk: resolves the source and builds the image, or takes it from the
 * cache. Neighbours: `../source/` and `../image/` do the work.
 */
import { type BuiltImage, buildImage } from "../image/build.ts";
import { resolveSource } from "../source/resolve.ts";
import type { ResolvedSource, SourceOptions, SourceRequest } from "../source/source.ts";

/** A source that is ready to boot. */
export interface PreparedSource {
  readonly source: ResolvedSource;
  readonly image: BuiltImage;
  /** Time that resolving and building took. */
  readonly durationMs: number;
}

/**
 * Prepares a source.
 * @throws UserError when the source cannot be resolved or the image cannot be written
 */
export async function prepareSource(
  request: SourceRequest,
  options: SourceOptions,
): Promise<PreparedSource> {
  const startMs = performance.now();
  const source = await resolveSource(request, options);
  const { host, signal } = options;
  const image = await buildImage(source, {
    env: host,
    ...(signal === undefined ? {} : { signal }),
  });
  return { source, image, durationMs: performance.now() - startMs };
}
