/**
 * `capstan stop NAME...`: asks programs in the background to end, and ends their machines when they
 * do not. Neighbours: `../instance/stop.ts`.
 */
import { signalNumber } from "../instance/signals.ts";
import { stopInstance } from "../instance/stop.ts";
import { findInstance } from "../instance/store.ts";
import { parseSeconds } from "../text/option-values.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";

/** The command as data. */
export const stopCommand: CommandDefinition = {
  name: "stop",
  summary: "stop background instances: ask the program to end, then end the machine",
  parameters: "<name...>",
  options: [
    {
      flags: "-t, --time <seconds>",
      description: "how long the program may take before the machine is ended",
      initial: "10",
    },
    { flags: "-s, --signal <name>", description: "signal to send (SIGTERM, or the image's own)" },
    { flags: "-f, --force", description: "end the machine at once" },
  ],
  examples: ["capstan stop web", "capstan stop -t 60 database", "capstan stop --force web"],
  completes: "instance",
  run: stop,
};

async function stop({ args, options, env }: CommandInput): Promise<number> {
  const limitMs =
    options.force === true ? 0 : parseSeconds("--time", optionText(options, "time") ?? "10");
  const signal = optionText(options, "signal");
  const number = signal === undefined ? undefined : signalNumber(signal);
  const instances = args.map((name) => findInstance(name, env));
  const results = await Promise.all(
    instances.map(async (instance) => {
      const ended = await stopInstance(instance, limitMs, number, env);
      return { name: instance.definition.name, ...ended };
    }),
  );
  const text = results.map(({ name, how }) => `${name}: ${how}\n`).join("");
  process.stdout.write(options.json === true ? `${JSON.stringify(results)}\n` : text);
  return 0;
}
