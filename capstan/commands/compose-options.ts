/**
 * Options that all `capstan compose` commands have, and the project that they name.
 */
import { findComposeFile, projectName, readComposeFile } from "../compose/file.ts";
import { type CommandInput, type OptionDefinition, optionText } from "./command.ts";

/** As data for the parser. */
export const composeOptions: readonly OptionDefinition[] = [
  { flags: "-f, --file <file>", description: "the compose file (compose.yaml)" },
  {
    flags: "-p, --project <name>",
    description: "name of the project (the file's, else its folder's)",
  },
];

/** The compose file of a command. @throws UserError when there is none, or it is wrong */
export function composeFile({ options }: CommandInput) {
  const path = findComposeFile(process.cwd(), optionText(options, "file"));
  return readComposeFile(path, optionText(options, "project"));
}

/** The name of a command's project; the file is not needed when the name is given. */
export function composeProject(input: CommandInput): string {
  const { project, file } = input.options;
  if (typeof project === "string" && file === undefined) return projectName(project);
  return composeFile(input).project;
}

/** Tells people what happens, on stderr; nothing with --json. */
export function teller({ options }: CommandInput): (service: string, what: string) => void {
  if (options.json === true) return () => {};
  return (service, what) => {
    process.stderr.write(`capstan: ${service}: ${what}\n`);
  };
}
