/**
 * `capstan __supervise NAME`: the process of a background instance; `../instance/start.ts` starts it.
 */
import { findInstance } from "../instance/store.ts";
import { supervise } from "../instance/supervisor.ts";
import type { CommandDefinition } from "./command.ts";

/** The command as data. */
export const superviseCommand: CommandDefinition = {
  name: "__supervise",
  summary: "run a background instance; capstan itself starts this",
  parameters: "<name>",
  options: [],
  examples: ["capstan __supervise web"],
  run: async ({ args, env }) => {
    await supervise(findInstance(args[0] ?? "", env));
    return 0;
  },
};
