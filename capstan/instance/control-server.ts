/**
 * The control socket of an instance. Only the instance's owner can connect: its folder is closed to
 * others. Neighbours: `control.ts` (the protocol), `supervisor.ts` (does what is asked).
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TerminalSize } from "../console/terminal.ts";
import { type ControlReply, type ControlRequest, inFolder, socketName } from "./control.ts";

/** What the server can have done. */
export interface ControlActions {
  /** Resolves when the machine has ended. */
  readonly stop: (timeoutMs: number, signal: number | undefined) => Promise<void>;
  readonly setTerminalSize: (size: TerminalSize) => void;
  readonly join: (client: Socket, hasInput: boolean) => void;
  /** Size of the log now; what comes later is sent to those who join. */
  readonly logBytes: () => number;
  readonly hasTerminal: boolean;
}

const REQUEST_LIMIT_BYTES = 4096;

/** Listens for requests. */
export class ControlServer {
  readonly #folder: string;
  readonly #actions: ControlActions;
  readonly #server: Server;

  constructor(folder: string, actions: ControlActions) {
    this.#folder = folder;
    this.#actions = actions;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Begins to listen; a socket that a dead supervisor left is replaced. */
  listen(): Promise<void> {
    rmSync(join(this.#folder, socketName), { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      inFolder(this.#folder, () => this.#server.listen(socketName, resolve));
    });
  }

  close(): void {
    this.#server.close();
  }

  #accept(client: Socket): void {
    client.on("error", () => client.destroy());
    let text = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      text = Buffer.concat([text, bytes]);
      const end = text.indexOf(0x0a);
      if (end < 0 && text.length < REQUEST_LIMIT_BYTES) return;
      client.removeListener("data", onData);
      client.pause();
      void this.#serve(client, text.subarray(0, Math.max(end, 0)).toString("utf8"));
    };
    client.on("data", onData);
  }

  async #serve(client: Socket, line: string): Promise<void> {
    const reply = (text: ControlReply): void => {
      client.write(`${JSON.stringify(text)}\n`);
    };
    const request = parseRequest(line);
    const { hasTerminal } = this.#actions;
    switch (request?.op) {
      case "stop":
        await this.#actions.stop(request.timeoutMs, request.signal);
        reply({ ok: true });
        client.end();
        break;
      case "resize":
        this.#actions.setTerminalSize(request);
        reply({ ok: true });
        client.end();
        break;
      case "attach":
      case "follow":
        reply({ ok: true, logBytes: this.#actions.logBytes(), hasTerminal });
        this.#actions.join(client, request.op === "attach");
        break;
      default:
        reply({ ok: false, why: "the request was not understood" });
        client.end();
    }
  }
}

function parseRequest(line: string): ControlRequest | null {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== "object" || fields === null || !("op" in fields)) return null;
    if (fields.op === "attach" || fields.op === "follow") return { op: fields.op };
    if (fields.op === "resize") return parseSize(fields);
    if (fields.op !== "stop" || !("timeoutMs" in fields)) return null;
    const { timeoutMs } = fields;
    if (typeof timeoutMs !== "number" || timeoutMs < 0) return null;
    const signal = "signal" in fields && typeof fields.signal === "number" ? fields.signal : null;
    return { op: "stop", timeoutMs, ...(signal === null ? {} : { signal }) };
  } catch {
    return null;
  }
}

function parseSize(fields: object): ControlRequest | null {
  const rows = "rows" in fields ? Number(fields.rows) : 0;
  const columns = "columns" in fields ? Number(fields.columns) : 0;
  const isSize = [rows, columns].every((count) => Number.isInteger(count) && count > 0);
  return isSize ? { op: "resize", rows, columns } : null;
}
