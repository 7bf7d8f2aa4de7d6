/**
 * `capstan __network PROJECT`: the process of a compose project's network;
 * `../compose/network-store.ts` starts it.
 */
import { serveNetwork } from "../compose/network-process.ts";
import type { CommandDefinition } from "./command.ts";

/** The command as data. */
export const networkCommand: CommandDefinition = {
  name: "__network",
  summary: "run the network of a compose project; capstan itself starts this",
  parameters: "<project>",
  options: [],
  examples: ["capstan __network shop"],
  run: async ({ args, env }) => {
    await serveNetwork(args[0] ?? "", env);
    return 0;
  },
};
