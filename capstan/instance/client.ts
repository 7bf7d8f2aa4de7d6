/**
 * The side of the commands in the conversation with a supervisor. Neighbours: `control.ts` (the
 * protocol), `control-server.ts` (the other side).
 */
import { connect, type Socket } from "node:net";
import { systemErrorCode, UserError } from "../errors.ts";
import {
  type ControlReply,
  type ControlRequest,
  inFolder,
  ReplyReader,
  socketName,
} from "./control.ts";
import type { Instance } from "./record.ts";

/** A conversation after the reply. */
export interface Conversation {
  readonly reply: Extract<ControlReply, { ok: true }>;
  /** To the program's input, after `attach`. */
  readonly socket: Socket;
  /** Calls with every frame; resolves when the supervisor has closed the connection. */
  readonly frames: (onFrame: (channel: number, bytes: Buffer) => void) => Promise<void>;
}

/**
 * Asks the supervisor of an instance.
 * @throws UserError `NotRunning` when it is not there
 */
export async function converse(instance: Instance, request: ControlRequest): Promise<Conversation> {
  const { name } = instance.definition;
  const socket = await open(instance.folder, name);
  const reader = new ReplyReader();
  const early: { readonly channel: number; readonly bytes: Buffer }[] = [];
  socket.write(`${JSON.stringify(request)}\n`);
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    early.push(...reader.push(bytes));
    if (reader.line !== null) break;
  }
  if (reader.line === null) throw notRunning(name, "its supervisor went away");
  const reply: ControlReply = JSON.parse(reader.line);
  if (!reply.ok) throw notRunning(name, reply.why);
  const frames: Conversation["frames"] = async (onFrame) => {
    for (const { channel, bytes } of early) onFrame(channel, bytes);
    try {
      for await (const bytes of socket) {
        for (const frame of reader.push(bytes)) onFrame(frame.channel, frame.bytes);
      }
    } catch {
      // A supervisor that was killed ends the output, too.
    }
  };
  return { reply, socket, frames };
}

function open(folder: string, name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = inFolder(folder, () => connect(socketName));
    socket.once("connect", () => {
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", (error) => {
      reject(notRunning(name, `its supervisor does not answer (${systemErrorCode(error)})`));
    });
  });
}

/** The error of a command that needs a running instance. */
export function notRunning(name: string, why: string): UserError {
  return new UserError({
    code: "NotRunning",
    what: `the instance ${name} does not run`,
    why,
    fix: `capstan start ${name} starts it again; capstan instances -a shows how it ended`,
  });
}
