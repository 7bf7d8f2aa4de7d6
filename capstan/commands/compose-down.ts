/**
 * `capstan compose down`: ends the machines of a project and removes them and their network.
 */
import { removeProject } from "../compose/project.ts";
import { parseSeconds } from "../text/option-values.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { composeOptions, composeProject, teller } from "./compose-options.ts";

/** The command as data. */
export const composeDownCommand: CommandDefinition = {
  name: "compose down",
  summary: "stop and delete the machines of a compose project, and its network",
  parameters: "",
  options: [
    ...composeOptions,
    {
      flags: "-t, --time <seconds>",
      description: "how long programs may take before their machines are ended",
      initial: "10",
    },
  ],
  examples: ["capstan compose down", "capstan compose down --project shop"],
  run: down,
};

async function down(input: CommandInput): Promise<number> {
  const { options, env } = input;
  const limitMs = parseSeconds("--time", optionText(options, "time") ?? "10");
  const project = composeProject(input);
  const deleted = await removeProject(project, env, limitMs, teller(input));
  if (options.json === true) process.stdout.write(`${JSON.stringify({ project, deleted })}\n`);
  return 0;
}
