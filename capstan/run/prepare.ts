/**
 * From a program of the host to an image on disk: collects what the program needs and builds the
 * image, or takes it from the cache. Neighbours: `package/` and `image/` do the work.
 */
import { type BuiltImage, buildImage } from "../image/build.ts";
import { collectProgram } from "../package/collect.ts";
import type { CollectedProgram, ProgramRequest } from "../package/types.ts";

/** A program that is ready to boot. */
export interface PreparedProgram {
  readonly program: CollectedProgram;
  readonly image: BuiltImage;
  /** Time that collecting and building took. */
  readonly durationMs: number;
}

/**
 * Prepares a program.
 * @throws UserError when the program does not exist, cannot be executed, lacks libraries, or is
 *   too large
 */
export async function prepareProgram(
  request: ProgramRequest,
  env: NodeJS.ProcessEnv,
): Promise<PreparedProgram> {
  const startMs = performance.now();
  const program = await collectProgram(request);
  const image = await buildImage(program, { env });
  return { program, image, durationMs: performance.now() - startMs };
}
