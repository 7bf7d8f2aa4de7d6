/**
 * Finds the command that a command line names, and makes a parser of its data. Commander does the
 * parsing; only the one command that is called is loaded.
 * Neighbours: `registry.ts` (the list), `help.ts` (texts), `../main.ts` (the user).
 */
import { Command, CommanderError, Option } from "commander";
import { findSetting, settings } from "../config/settings.ts";
import { UserError } from "../errors.ts";
import type { CommandDefinition, CommandEntry, OptionDefinition, OptionValues } from "./command.ts";
import { commandList, groupHelp, isGroup, notesOf } from "./help.ts";
import { commands } from "./registry.ts";

/** A command line that was understood. */
export interface Invocation {
  /** Whether output, also of an error, is to be JSON. */
  readonly wantsJson: boolean;
  /** Runs the command; returns its exit status, or throws what the command throws. */
  readonly run: () => Promise<number>;
}

/** What parsing depends on. */
export interface ParserContext {
  readonly env: NodeJS.ProcessEnv;
  /** Where help and version texts go. */
  readonly write: (text: string) => void;
  /** capstan's version. */
  readonly version: () => string;
  /** The commands; tests have their own. */
  readonly commands?: readonly CommandEntry[];
}

const jsonOption: OptionDefinition = {
  flags: "--json",
  description: "print the result as JSON on stdout",
};

/** The options of a command, with the one that all have. */
export function allOptions(definition: CommandDefinition): readonly OptionDefinition[] {
  const isThere = definition.options.some(({ flags }) => flags.startsWith("--json"));
  return isThere ? definition.options : [...definition.options, jsonOption];
}

/**
 * Understands a command line.
 * @param argv the words after `capstan`
 * @throws UserError `WrongUsage`
 */
export async function parseCommandLine(
  argv: readonly string[],
  context: ParserContext,
): Promise<Invocation> {
  const available = context.commands ?? commands;
  const print = (text: string): Invocation => ({
    wantsJson: false,
    run: async () => {
      context.write(text);
      return 0;
    },
  });
  const [first, second] = argv;
  if (first === undefined || ["-h", "--help", "help"].includes(first)) {
    return print(await commandList(available));
  }
  if (first === "-V" || first === "--version") return print(`${context.version()}\n`);
  const [entry, words] = findEntry(argv, available);
  if (entry !== undefined) return parseCommand(await entry.load(), argv.slice(words), context);
  if (!isGroup(first, available)) throw unknownCommand(first, available);
  if (second === undefined || ["-h", "--help"].includes(second)) {
    return print(await groupHelp(first, available));
  }
  throw unknownCommand(`${first} ${second}`, available);
}

/** The command with the most words that the line begins with. */
function findEntry(
  argv: readonly string[],
  available: readonly CommandEntry[],
): [CommandEntry | undefined, number] {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(" ");
    const found = available.find((each) => each.name === name || each.aliases?.includes(name));
    if (found !== undefined) return [found, words];
  }
  return [undefined, 0];
}

async function parseCommand(
  definition: CommandDefinition,
  argv: readonly string[],
  context: ParserContext,
): Promise<Invocation> {
  const options = allOptions(definition);
  const [last = ""] = definition.name.split(" ").slice(-1);
  const group = definition.name.slice(0, -last.length).trim();
  // Commander writes the usage line from the names of the parents.
  const parent = new Command(["capstan", group].join(" ").trim());
  const command = parent.command(`${last} ${definition.parameters}`);
  parent.enablePositionalOptions();
  command
    .description(definition.summary)
    // Options after a program's name are the program's.
    .passThroughOptions(definition.parameters.endsWith("[args...]"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", `\n${notesOf(definition)}\n`)
    .exitOverride()
    .configureOutput({ writeOut: context.write, writeErr: () => {} });
  for (const option of options) command.addOption(toOption(option));
  let values: OptionValues | undefined;
  command.action(async () => {
    await fillIn(command, options, context.env);
    values = command.opts();
  });
  try {
    await parent.parseAsync([last, ...closeOptions(argv, options)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { wantsJson: false, run: async () => 0 };
    throw usageError(error, definition.name);
  }
  const given = values ?? {};
  const { args } = command;
  // The parser drops a `--` before the first word; what it meant is still in the line.
  const afterDashes = argv[argv.length - args.length - 1] === "--";
  return {
    wantsJson: given.json === true,
    run: () => definition.run({ args, afterDashes, options: given, env: context.env }),
  };
}

/** Gives options that are absent the values that the user has set elsewhere. */
async function fillIn(
  command: Command,
  options: readonly OptionDefinition[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  for (const { setting, flags } of options) {
    if (setting === undefined) continue;
    const name = new Option(flags).attributeName();
    if (command.getOptionValueSource(name) === "cli") continue;
    const known = settings.find((each) => each.name === setting);
    const found = known === undefined ? undefined : await findSetting(known, env);
    if (found?.value !== undefined) command.setOptionValueWithSource(name, found.value, "config");
  }
}

/**
 * Writes `--trace` as `--trace=all`, so that the parser does not take the program for its value.
 * Only words before the program are looked at.
 */
function closeOptions(argv: readonly string[], options: readonly OptionDefinition[]): string[] {
  const words = [...argv];
  for (let at = 0; at < words.length; at += 1) {
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
function usageError(error: CommanderError, name: string): UserError {
  const sentence = error.message.replace(/^error: /, "").replace(/\s+/g, " ");
  return new UserError({
    code: "WrongUsage",
    what: `the command line of capstan ${name} was not understood`,
    why: sentence,
    fix: `see capstan ${name} --help`,
    cause: error,
  });
}

/** Names no command; says which one may have been meant. */
function unknownCommand(name: string, available: readonly CommandEntry[]): UserError {
  const names = available.filter((each) => each.isHidden !== true).map((each) => each.name);
  const near = names
    .map((each) => ({ name: each, distance: editDistance(name, each) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance)[0];
  return new UserError({
    code: "WrongUsage",
    what: `there is no command ${name}`,
    why: "capstan has no command of this name",
    fix: near === undefined ? "capstan --help lists the commands" : `try: capstan ${near.name}`,
  });
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
