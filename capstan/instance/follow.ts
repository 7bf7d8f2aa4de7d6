/**
 * Follows the output of an instance without a gap: the supervisor says how much of it is in the
 * file and sends what comes after. Neighbours: `client.ts`, `../commands/logs.ts`, `../compose/`.
 */
import { converse } from "./client.ts";
import { readLog } from "./console-log.ts";
import type { Instance } from "./record.ts";

/**
 * Writes the log and then what comes, until the instance has ended.
 * @param cut takes what is wanted of the log so far
 */
export async function followLog(
  instance: Instance,
  cut: (text: Buffer) => Buffer,
  write: (bytes: Buffer) => void,
): Promise<void> {
  const { reply, frames } = await converse(instance, { op: "follow" });
  write(cut(readLog(instance.folder).subarray(0, reply.logBytes)));
  await frames((_channel, bytes) => write(bytes));
}
