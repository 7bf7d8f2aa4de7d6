/**
 * Helpers of the tests of sources. Neighbours: the `*.test.ts` files of this folder.
 */
import { join } from "node:path";
import { silentProgress } from "../console/progress.ts";
import type { SourceOptions } from "./source.ts";

/** Options as `capstan run` has them, with an empty store below the working directory. */
export function sourceOptions(changes: Partial<SourceOptions> & { cwd: string }): SourceOptions {
  const host = { ...process.env, CAPSTAN_ROOT: join(changes.cwd, ".capstan") };
  return { env: {}, add: [], host, progress: silentProgress, ...changes };
}
