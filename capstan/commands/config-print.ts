/**
 * `capstan config print`: every setting with its value and where that comes from.
 */
import { findSetting, settings, settingsPath } from "../config/settings.ts";
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const configPrintCommand: CommandDefinition = {
  name: "config print",
  summary: "show all settings, and where their values come from",
  parameters: "",
  options: [],
  notes: `A value comes from the option on the command line, else the environment variable, else the file,
else capstan's default.`,
  examples: ["capstan config print", "capstan config print --json"],
  run: print,
};

async function print({ options, env }: CommandInput): Promise<number> {
  const file = settingsPath(env);
  const rows = await Promise.all(
    settings.map(async (setting) => {
      const { value, origin } = await findSetting(setting, env);
      const { name, variable, description } = setting;
      return { name, value: value ?? null, origin, variable, description };
    }),
  );
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ file, settings: rows })}\n`);
    return 0;
  }
  const heading = ["SETTING", "VALUE", "FROM", "VARIABLE", "MEANING"];
  const lines = rows.map((row) => {
    return [row.name, row.value ?? "-", row.origin, row.variable, row.description];
  });
  process.stdout.write(`file: ${file}\n\n${formatTable([heading, ...lines])}`);
  return 0;
}
