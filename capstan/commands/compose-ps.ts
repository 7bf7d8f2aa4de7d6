/**
 * `capstan compose ps`: lists the machines of a project.
 */
import { projectInstances } from "../compose/project.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { composeOptions, composeProject } from "./compose-options.ts";
import { instanceJson } from "./inspect.ts";
import { instanceTable } from "./instances.ts";

/** The command as data. */
export const composePsCommand: CommandDefinition = {
  name: "compose ps",
  summary: "list the machines of a compose project",
  parameters: "",
  options: composeOptions,
  examples: ["capstan compose ps", "capstan compose ps --project shop --json"],
  run: async (input: CommandInput) => {
    const instances = projectInstances(composeProject(input), input.env);
    process.stdout.write(
      input.options.json === true
        ? `${JSON.stringify(instances.map(instanceJson))}\n`
        : instanceTable(instances),
    );
    return 0;
  },
};
