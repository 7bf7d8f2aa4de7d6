/**
 * Follows the output of an instance without a gap: the supervisor says how much of it is in the
 * file and sends what comes after. Neighbours: `client.ts`, `../commands/logs.ts`, `../compose/`.
 */
import { type Conversation, converse } from "./client.ts";
import { readLog } from "./console-log.ts";
import { type Instance, isActive } from "./record.ts";
import { refreshed } from "./store.ts";

/**
 * Writes the log and then what comes, until the instance has ended, which it may have already.
 * @param cut takes what is wanted of the log so far
 * @throws UserError `NotRunning` when its supervisor does not answer
 */
export async function followLog(
  instance: Instance,
  cut: (text: Buffer) => Buffer,
  write: (bytes: Buffer) => void,
): Promise<void> {
  let conversation: Conversation;
  try {
    conversation = await converse(instance, { op: "follow" });
  } catch (error) {
    // A supervisor notes the end before it stops to answer, and then the log is whole.
    if (isActive(refreshed(instance))) throw error;
    write(cut(readLog(instance.folder)));
    return;
  }
  const { reply, frames } = conversation;
  write(cut(readLog(instance.folder).subarray(0, reply.logBytes)));
  await frames((_channel, bytes) => write(bytes));
}
