/**
 * How long work tells how far it is: a bar on a terminal, a line for each finished piece elsewhere,
 * nothing for `--json` and `--quiet`.
 *
 *     pulling sha256:1f3a...  [##########..........]  52%  14.2 MB/s
 *
 * Neighbours: `../source/` and `../registry/` report, `../commands/` choose the sink.
 */

/** One piece of work: a download, an unpacking. */
export interface ProgressTask {
  /** More is done. */
  advance(bytes: number): void;
  /** So much was there from an earlier attempt: it counts, but not for the rate. */
  resume(bytes: number): void;
  /** It is finished; `note` replaces the bar's figures (`already here`). */
  end(note?: string): void;
}

/** Where work is reported. */
export interface ProgressSink {
  /** Begins a task; `totalBytes` is undefined when the size is not known. */
  start(label: string, totalBytes?: number): ProgressTask;
}

/** Reports nothing. */
export const silentProgress: ProgressSink = {
  start: () => ({ advance() {}, resume() {}, end() {} }),
};

/** The part of a stream that is needed; process.stderr has it. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Time between two drawings: often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 100;

const BAR_WIDTH = 20;

/** The sink for a command's options: nothing is shown with `--json` and `--quiet`. */
export function progressFor(options: { readonly [name: string]: unknown }): ProgressSink {
  const isSilent = options.quiet === true || options.json === true;
  return isSilent ? silentProgress : progressOn(process.stderr);
}

/** Progress on a stream: bars if it is a terminal, else one line for each finished task. */
export function progressOn(stream: ProgressStream): ProgressSink {
  return {
    start(label, totalBytes) {
      const startMs = performance.now();
      let doneBytes = 0;
      let resumedBytes = 0;
      let drawnMs = startMs;
      const isTerminal = stream.isTTY === true;
      return {
        advance(bytes) {
          doneBytes += bytes;
          const nowMs = performance.now();
          if (!isTerminal || nowMs - drawnMs < REDRAW_MS) return;
          drawnMs = nowMs;
          const rate = ((doneBytes - resumedBytes) * 1000) / Math.max(nowMs - startMs, 1);
          const line = barLine(label, doneBytes, totalBytes, rate);
          // Carriage return, text, erase to the end of the line (ECMA-48, EL).
          stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\x1b[K`);
        },
        resume(bytes) {
          doneBytes += bytes;
          resumedBytes += bytes;
        },
        end(note) {
          const text = note ?? formatBytes(doneBytes);
          stream.write(`${isTerminal ? "\r" : ""}${label}  ${text}${isTerminal ? "\x1b[K" : ""}\n`);
        },
      };
    },
  };
}

/** The line that shows a task on the way; the rate is in bytes a second. */
export function barLine(
  label: string,
  doneBytes: number,
  totalBytes: number | undefined,
  bytesPerSecond: number,
): string {
  const rate = `${formatBytes(bytesPerSecond)}/s`;
  if (totalBytes === undefined || totalBytes === 0) {
    return `${label}  ${formatBytes(doneBytes)}  ${rate}`;
  }
  const share = Math.min(doneBytes / totalBytes, 1);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "#".repeat(filled) + ".".repeat(BAR_WIDTH - filled);
  return `${label}  [${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${rate}`;
}

/** A number of bytes for people: `512 B`, `14.2 MB`; units are powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
