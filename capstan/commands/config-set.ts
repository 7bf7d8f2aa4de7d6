/**
 * `capstan config set NAME [VALUE]`: keeps the value of a setting in the file.
 */
import { writeSetting } from "../config/file.ts";
import { type Setting, settings, settingsPath } from "../config/settings.ts";
import { UserError } from "../errors.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const configSetCommand: CommandDefinition = {
  name: "config set",
  summary: "keep the value of a setting; without a value, forget it",
  parameters: "<setting> [value]",
  options: [],
  examples: ["capstan config set memory 1G", "capstan config set memory"],
  run: async ({ args, options, env }: CommandInput) => {
    const setting = settingNamed(args[0] ?? "");
    const file = settingsPath(env);
    const [, value] = args;
    writeSetting(file, setting, value);
    const facts = { name: setting.name, value: value ?? null, file };
    if (options.json === true) process.stdout.write(`${JSON.stringify(facts)}\n`);
    return 0;
  },
};

/**
 * The setting with a name.
 * @throws UserError `NoSuchSetting`
 */
export function settingNamed(name: string): Setting {
  const found = settings.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new UserError({
    code: "NoSuchSetting",
    what: `there is no setting ${name}`,
    why: `there are: ${settings.map((each) => each.name).join(", ")}`,
    fix: "capstan config print shows them all",
  });
}
