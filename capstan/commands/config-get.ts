/**
 * `capstan config get NAME`: the value of one setting.
 */
import { findSetting } from "../config/settings.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { settingNamed } from "./config-set.ts";

/** The command as data. */
export const configGetCommand: CommandDefinition = {
  name: "config get",
  summary: "print the value of a setting",
  parameters: "<setting>",
  options: [],
  examples: ["capstan config get memory"],
  run: async ({ args, options, env }: CommandInput) => {
    const setting = settingNamed(args[0] ?? "");
    const { value, origin } = await findSetting(setting, env);
    const facts = { name: setting.name, value: value ?? null, origin };
    process.stdout.write(options.json === true ? `${JSON.stringify(facts)}\n` : `${value ?? ""}\n`);
    return 0;
  },
};
