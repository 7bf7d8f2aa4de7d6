/**
 * `capstan attach NAME`: connects the terminal with a program in the background, in both
 * directions. Neighbours: `../instance/client.ts`, `../console/`.
 */
import { DescriptorSink } from "../console/output.ts";
import { escapeByte } from "../console/relay.ts";
import { enterRawMode, followSize, isInteractive, type TerminalSize } from "../console/terminal.ts";
import { UserError } from "../errors.ts";
import { converse, notRunning } from "../instance/client.ts";
import { frameChannel } from "../instance/control.ts";
import { type Instance, isActive } from "../instance/record.ts";
import { findInstance, readInstance } from "../instance/store.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const attachCommand: CommandDefinition = {
  name: "attach",
  summary: "connect with the input and output of a background instance",
  parameters: "<name>",
  options: [],
  notes: `Ctrl-] detaches; the instance goes on. If its program has a terminal (run -d --console virtio),
keys go to it as they are, Ctrl-C too, and it gets the size of this one. Otherwise lines go to its standard input, and Ctrl-C
detaches, as does the end of attach's own input. When the program ends, attach ends with its status.

With --json, one object is printed on stdout at the end; output of the program goes to stderr.`,
  examples: ["capstan attach web", "echo reload | capstan attach server"],
  completes: "instance",
  run: attach,
};

async function attach({ args, options, env }: CommandInput): Promise<number> {
  const [name = ""] = args;
  const instance = findInstance(name, env);
  if (!isActive(instance)) throw notRunning(name, `it is ${instance.status}`);
  const { reply, socket, frames } = await converse(instance, { op: "attach" });
  const isTerminal = isInteractive(process.stdin, process.stdout);
  if (isTerminal) process.stderr.write(`capstan: attached to ${name}; Ctrl-] detaches\r\n`);
  const isGuests = isTerminal && reply.hasTerminal === true;
  const restore = isGuests ? enterRawMode(process.stdin) : () => {};
  // One after the other: each is a connection of its own, and the last size has to be the last.
  let told = Promise.resolve();
  const tell = (size: TerminalSize): void => {
    told = told.then(() => tellSize(instance, size));
  };
  const unfollow = isGuests ? followSize(process.stdout, tell) : () => {};
  let isDetached = false;
  const detach = (): void => {
    isDetached = true;
    socket.destroy();
  };
  process.once("SIGINT", detach);
  process.stdin.on("data", (keys: Buffer) => {
    const escapeAt = keys.indexOf(escapeByte);
    socket.write(escapeAt < 0 ? keys : keys.subarray(0, escapeAt));
    if (escapeAt >= 0) detach();
  });
  process.stdin.on("end", () => {
    isDetached = true;
    socket.end();
  });
  const stderr = new DescriptorSink(2);
  const stdout = options.json === true ? stderr : new DescriptorSink(1);
  let written = Promise.resolve(true);
  await frames((channel, bytes) => {
    const sink = channel === frameChannel.stderr ? stderr : stdout;
    written = written.then(() => sink.write(bytes));
  });
  await written;
  unfollow();
  restore();
  process.stdin.destroy();
  const state = readInstance(name, env)?.state;
  const exitStatus = !isDetached && state?.status === "exited" ? state.exitStatus : null;
  if (isTerminal) {
    const how = isDetached ? "detached; the instance goes on" : `${name} has ended`;
    process.stderr.write(`capstan: ${how}\n`);
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ name, isDetached, exitStatus })}\n`);
  }
  return exitStatus ?? 0;
}

/** The guest's terminal follows this one; if the instance has just ended, attach ends, too. */
async function tellSize(instance: Instance, size: TerminalSize): Promise<void> {
  try {
    (await converse(instance, { op: "resize", ...size })).socket.destroy();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}
