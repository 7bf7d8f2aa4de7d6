/**
 * How commands speak with the supervisor of an instance, over the UNIX socket in its folder: one
 * line of JSON as the request, one as the reply. After the reply to `attach` and `follow` frames
 * come from the supervisor until the instance has ended; whatever the client of `attach` sends goes
 * to the program's input.
 *
 *     frame:  channel (1 byte)  length (4 bytes, big endian)  bytes
 *
 * Neighbours: `supervisor.ts` (the server), `client.ts`.
 */

/** What a client may ask. */
export type ControlRequest =
  | { readonly op: "stop"; readonly timeoutMs: number; readonly signal?: number }
  | { readonly op: "resize"; readonly rows: number; readonly columns: number }
  | { readonly op: "follow" }
  | { readonly op: "attach" };

/** What the supervisor says first. */
export type ControlReply =
  | { readonly ok: true; readonly logBytes?: number; readonly hasTerminal?: boolean }
  | { readonly ok: false; readonly why: string };

/** What a frame carries. */
export const frameChannel = { stdout: 1, stderr: 2 } as const;
export type FrameChannel = (typeof frameChannel)[keyof typeof frameChannel];

const HEADER_BYTES = 5;

/** A frame as bytes. */
export function encodeFrame(channel: FrameChannel, bytes: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(channel, 0);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

/** Cuts a stream into its first line and the frames after it. */
export class ReplyReader {
  #rest = Buffer.alloc(0);
  #line: string | null = null;

  /** The first line, once it is complete. */
  get line(): string | null {
    return this.#line;
  }

  /** Takes the next bytes and returns the frames that they complete. */
  push(bytes: Buffer): { readonly channel: number; readonly bytes: Buffer }[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#line === null) {
      const end = this.#rest.indexOf(0x0a);
      if (end < 0) return [];
      this.#line = this.#rest.subarray(0, end).toString("utf8");
      this.#rest = this.#rest.subarray(end + 1);
    }
    const frames = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) break;
      const channel = this.#rest.readUInt8(0);
      frames.push({ channel, bytes: this.#rest.subarray(HEADER_BYTES, end) });
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** The socket's name in an instance's folder. */
export const socketName = "control.sock";

/**
 * Does something with a folder as the current one. A path of a socket has at most 107 bytes
 * (unix(7)); a name in the current folder is always short enough. The address is used within the
 * call, so nothing else sees the change.
 */
export function inFolder<T>(folder: string, use: () => T): T {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return use();
  } finally {
    process.chdir(before);
  }
}
