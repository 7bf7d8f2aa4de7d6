/**
 * What long work gets from whoever asks for it: where things are kept, where to say how far it is,
 * and when to stop. Neighbours: sources, registries and archives take these options.
 */
import type { ProgressSink } from "./console/progress.ts";

/** Options of long work. */
export interface WorkOptions {
  /** Environment of capstan itself: PATH, HOME, CAPSTAN_ROOT. */
  readonly host: NodeJS.ProcessEnv;
  /** Where long work reports how far it is. */
  readonly progress: ProgressSink;
  /** Stops the work with the signal's reason; nothing half-made stays behind. */
  readonly signal?: AbortSignal;
}
