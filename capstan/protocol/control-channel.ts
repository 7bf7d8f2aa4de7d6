/**
 * Reads the control channel: lines of JSON that the kernel writes to the debug console port 0xe9,
 * each an event. The kernel's writer is its exit and panic path; the events are described in
 * `docs/guest-protocol.md`. Text from the guest is untrusted: a line that is not a known event, or
 * is malformed, is ignored, never an error.
 */

/** A system call that the program used and the kernel does not have. */
export interface MissingCall {
  readonly number: number;
  readonly name: string;
  readonly count: number;
}

/** What the guest said, one thing at a time. */
export type ControlEvent =
  | { readonly event: "exit"; readonly status: number }
  | { readonly event: "signal"; readonly signal: number }
  | { readonly event: "panic" | "oom" | "error"; readonly message: string }
  | { readonly event: "enosys"; readonly calls: readonly MissingCall[] }
  | { readonly event: "boot"; readonly durationNs: number };

/** Longest line that is kept; a guest that writes more without a line break is not listened to. */
const lineLimitBytes = 64 * 1024;

/** Cuts a stream of bytes into lines and lines into events. */
export class ControlChannelReader {
  #rest = "";

  /** Takes the next bytes and returns the events that they complete. */
  push(chunk: Buffer): ControlEvent[] {
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, lineLimitBytes);
    return lines.flatMap((line) => parseEvent(Buffer.from(line, "latin1").toString("utf8")) ?? []);
  }
}

/** Reads one line; null when it is not an event that capstan knows. */
export function parseEvent(line: string): ControlEvent | null {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(fields)) return null;
  switch (fields.event) {
    case "exit":
      return parseExit(fields);
    case "panic":
    case "oom":
    case "error":
      return { event: fields.event, message: asText(fields.message) };
    case "enosys":
      return { event: "enosys", calls: parseCalls(fields.calls) };
    case "boot":
      return isCount(fields.ns) ? { event: "boot", durationNs: fields.ns } : null;
    default:
      return null;
  }
}

function parseExit(fields: Record<string, unknown>): ControlEvent | null {
  const { status, signal } = fields;
  if (isCount(signal) && signal >= 1 && signal <= 64) return { event: "signal", signal };
  return isCount(status) ? { event: "exit", status: status & 0xff } : null;
}

function parseCalls(calls: unknown): MissingCall[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => {
    if (!isRecord(call) || !isCount(call.nr) || !isCount(call.count)) return [];
    return [{ number: call.nr, name: asText(call.name), count: call.count }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Text for a terminal: control characters other than line break and tab are taken out. */
function asText(value: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
  return typeof value === "string" ? value.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "") : "";
}
