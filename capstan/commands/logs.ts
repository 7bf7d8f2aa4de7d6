/**
 * `capstan logs NAME`: what a program in the background has written. Neighbours:
 * `../instance/console-log.ts` (the file), `../instance/follow.ts`.
 */
import { lastLines, readLog } from "../instance/console-log.ts";
import { followLog } from "../instance/follow.ts";
import { isActive } from "../instance/record.ts";
import { findInstance } from "../instance/store.ts";
import { parseCount } from "../text/option-values.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";

/** The command as data. */
export const logsCommand: CommandDefinition = {
  name: "logs",
  summary: "show what a background instance has written",
  parameters: "<name>",
  options: [
    { flags: "-f, --follow", description: "go on until the instance has ended" },
    { flags: "-n, --tail <lines>", description: "only the last lines" },
  ],
  notes: "The newest 16 to 32 MiB are kept. Both outputs of the program are in it, as they came.",
  examples: ["capstan logs web", "capstan logs -f -n 20 web"],
  completes: "instance",
  run: logs,
};

async function logs({ args, options, env }: CommandInput): Promise<number> {
  const [name = ""] = args;
  const instance = findInstance(name, env);
  const tail = optionText(options, "tail");
  const lines = tail === undefined ? undefined : parseCount("--tail", tail, 0, 1_000_000_000);
  const cut = (text: Buffer): Buffer => (lines === undefined ? text : lastLines(text, lines));
  const write = (bytes: Buffer): void => {
    process.stdout.write(bytes);
  };
  if (options.json === true) {
    const text = cut(readLog(instance.folder)).toString("utf8");
    process.stdout.write(`${JSON.stringify({ name, status: instance.status, text })}\n`);
  } else if (options.follow === true && isActive(instance)) {
    await followLog(instance, cut, write);
  } else {
    write(cut(readLog(instance.folder)));
  }
  return 0;
}
