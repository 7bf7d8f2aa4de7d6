/**
 * Keeps long synchronous work from starving the event loop, and lets it be stopped.
 *
 * Neighbours: `writer.ts`, `layout.ts` and `../../package/` call `pause` often; it is cheap.
 */
import { setImmediate } from "node:timers/promises";

/** Longest stretch of work without a turn of the event loop: a tenth of what a human notices. */
const STRETCH_MS = 10;

export class Pacer {
  readonly #signal: AbortSignal | undefined;
  #lastTurnMs = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Lets other work run if it has been kept waiting; throws the signal's reason if aborted. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#lastTurnMs < STRETCH_MS) return;
    await setImmediate();
    this.#lastTurnMs = performance.now();
    this.#signal?.throwIfAborted();
  }
}
