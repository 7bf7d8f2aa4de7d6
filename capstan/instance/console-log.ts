/**
 * The file that keeps what an instance's program writes. When it has reached its limit it becomes
 * `console.log.1` and a new one begins: the last 16 to 32 MiB are there, and no program fills the
 * disk of the host. Neighbours: `supervisor.ts` writes, `commands/logs.ts` reads.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const LIMIT_BYTES = 16 * 1024 ** 2;

/** Writes the log of one run; an instance that is started again goes on in the same file. */
export class ConsoleLog {
  readonly #path: string;
  readonly #limitBytes: number;
  #file: number;
  #sizeBytes: number;

  constructor(folder: string, limitBytes = LIMIT_BYTES) {
    this.#path = logPath(folder);
    this.#limitBytes = limitBytes;
    this.#file = openSync(this.#path, "a", 0o600);
    this.#sizeBytes = statSync(this.#path).size;
  }

  /** Bytes that `readLog` would return now. */
  get sizeBytes(): number {
    return this.#sizeBytes + (statSync(`${this.#path}.1`, { throwIfNoEntry: false })?.size ?? 0);
  }

  write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes < this.#limitBytes) return;
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, "a", 0o600);
    this.#sizeBytes = 0;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Everything that is kept of an instance's output, oldest first. */
export function readLog(folder: string): Buffer {
  const path = logPath(folder);
  return Buffer.concat([`${path}.1`, path].filter(existsSync).map((each) => readFileSync(each)));
}

/** The last lines of a text, with their line breaks. */
export function lastLines(text: Buffer, count: number): Buffer {
  if (count === 0) return Buffer.alloc(0);
  // Position of the line break before the lines taken so far.
  let at = text.length;
  if (text[at - 1] === 0x0a) at -= 1;
  for (let taken = 0; taken < count; taken += 1) {
    // A negative start would count from the end.
    const before = at === 0 ? -1 : text.lastIndexOf(0x0a, at - 1);
    if (before < 0) return text;
    at = before;
  }
  return text.subarray(at + 1);
}

function logPath(folder: string): string {
  return join(folder, "console.log");
}
