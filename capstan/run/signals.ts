/**
 * Ends the machine, or the work before it, when capstan is told to end, and remembers by which
 * signal, so that capstan can then end by the same one.
 */
import { setMaxListeners } from "node:events";
import type { Stop } from "./outcome.ts";

const watched = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A watch over signals to capstan. */
export interface SignalWatch {
  /** Connects the watch with a machine; a signal that came before ends it at once. */
  readonly connect: (stop: (reason: Stop) => void) => void;
  /** Gives the signals their usual meaning again. */
  readonly disconnect: () => void;
}

/** Starts to watch. The machine is killed at once: it has no state that could be saved. */
export function stopOnSignals(): SignalWatch {
  let received: Stop | null = null;
  let stop: ((reason: Stop) => void) | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= { by: "signal", signal };
    stop?.(received);
  };
  for (const signal of watched) process.on(signal, onSignal);
  return {
    connect: (action) => {
      stop = action;
      if (received !== null) action(received);
    },
    disconnect: () => {
      for (const signal of watched) process.removeListener(signal, onSignal);
    },
  };
}

/** Capstan was told to end while it prepared something. */
export class Interruption extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.name = "Interruption";
    this.signal = signal;
  }
}

/**
 * Does work that is stopped by signals to capstan, so that it can clear away what is half-made.
 * @throws Interruption when it was stopped, and whatever the work throws
 */
export async function abortOnSignals<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Several things at once listen; more than ten is no leak.
  setMaxListeners(0, controller.signal);
  const onSignal = (signal: NodeJS.Signals): void => {
    controller.abort(new Interruption(signal));
  };
  for (const signal of watched) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of watched) process.removeListener(signal, onSignal);
  }
}

/**
 * Ends capstan by a signal, as its parent expects of a process that was told to end by it. Unlike
 * process.exit() this does not wait for a write that nobody reads.
 */
export function endBySignal(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
