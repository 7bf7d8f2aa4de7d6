/**
 * All commands, and the parser made from them. Neighbours: `command.ts` (the type), `run.ts` and
 * the other commands, `../main.ts` (the user).
 */
import { Command, CommanderError, Option } from "commander";
import { UserError } from "../errors.ts";
import { checkCommand } from "./check.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import { runCommand } from "./run.ts";

/** Every command, in the order of the help text. */
export const commands: readonly CommandDefinition[] = [runCommand, checkCommand];

/** Where help and version texts go. */
export interface ParserOutput {
  readonly write: (text: string) => void;
}

/**
 * Parses a command line and runs the command that it names.
 * @param argv the words after `capstan`
 * @returns the exit status
 * @throws UserError for wrong usage, and whatever the command throws
 */
export async function runCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
  output: ParserOutput,
  available: readonly CommandDefinition[] = commands,
): Promise<number> {
  let status = 0;
  const program = new Command("capstan")
    .description("Runs an unmodified Linux program in a virtual machine of its own.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .enablePositionalOptions();
  for (const definition of available) {
    const command = program.command(`${definition.name} ${definition.parameters}`);
    command.description(definition.summary).passThroughOptions();
    for (const option of definition.options) command.addOption(toOption(option));
    command.addHelpText("after", `\n${definition.notes}`);
    command.action(async () => {
      const { args } = command;
      // The parser drops a `--` before the first word; what it meant is still in the line.
      const afterDashes = argv[argv.length - args.length - 1] === "--";
      const input = { args, afterDashes, options: command.opts(), env };
      status = await definition.run(input);
    });
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.helpOption("-h, --help", "show this help");
    command.configureOutput({ writeOut: output.write, writeErr: () => {} });
  }
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(closeOptions(argv, available), { from: "user" });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw usageError(error);
  }
}

/**
 * Writes `--trace` as `--trace=all`, so that the parser does not take the program for its value.
 * Only words before the program are looked at.
 */
function closeOptions(argv: readonly string[], available: readonly CommandDefinition[]): string[] {
  const options = available.find(({ name }) => name === argv[0])?.options ?? [];
  const words = [...argv];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "--" || !word.startsWith("-")) break;
    const option = options.find(({ flags }) => flags.split(/[ ,]+/).includes(word));
    if (option?.needsEquals === true) words[at] = `${word}=all`;
    else if (option?.flags.includes("<") === true) at += 1;
  }
  return words;
}

function toOption(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.initial !== undefined) option.default(definition.initial);
  if (definition.repeats === true) {
    option.default([], "none");
    option.argParser((value, earlier: readonly string[]) => [...earlier, value]);
  }
  return option;
}

/** Commander's sentence as a message of capstan's form. */
function usageError(error: CommanderError): UserError {
  const sentence = error.message.replace(/^error: /, "").replace(/\s+/g, " ");
  return new UserError({
    code: "WrongUsage",
    what: "the command line was not understood",
    why: sentence,
    fix: "see capstan --help, or capstan run --help for a command's options",
    cause: error,
  });
}
