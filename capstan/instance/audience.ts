/**
 * Who listens to an instance: clients of `attach` and of `logs -f`. Each gets the program's output
 * as frames; what a client with input sends goes to the program. Used by `supervisor.ts`.
 */
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { encodeFrame, type FrameChannel } from "./control.ts";

/** A client that has this much to read is cut off: the program must not wait for it. */
const BACKLOG_LIMIT_BYTES = 4 * 1024 ** 2;

/** The clients of one instance. */
export class Audience {
  readonly #clients = new Set<Socket>();
  readonly #input: Writable;
  #isOver = false;

  /** @param input the program's input */
  constructor(input: Writable) {
    this.#input = input;
  }

  /**
   * Adds a client; if nothing more will come, it is told so.
   * @param hasInput whether what it sends is the program's input
   */
  join(client: Socket, hasInput: boolean): void {
    if (this.#isOver) client.end();
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    if (hasInput) {
      client.on("data", (bytes: Buffer) => {
        if (this.#input.write(bytes)) return;
        client.pause();
        this.#input.once("drain", () => client.resume());
      });
    }
    client.resume();
  }

  /** Sends output to all. */
  send(channel: FrameChannel, bytes: Buffer): void {
    if (this.#clients.size === 0) return;
    const frame = encodeFrame(channel, bytes);
    for (const client of this.#clients) {
      client.write(frame);
      if (client.writableLength > BACKLOG_LIMIT_BYTES) client.destroy();
    }
  }

  /** Tells all that nothing more will come. */
  close(): void {
    this.#isOver = true;
    for (const client of this.#clients) client.end();
  }
}
