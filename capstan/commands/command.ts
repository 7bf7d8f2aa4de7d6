/**
 * What a command of `capstan` is: data (name, arguments, options, examples) plus a handler, each in
 * a file of its own. `registry.ts` lists the commands, `parse.ts` makes parser and help of the data.
 */

import type { SettingName } from "../config/run-defaults.ts";

/** An option of a command. */
export interface OptionDefinition {
  /** As commander writes it: `-m, --memory <size>`. */
  readonly flags: string;
  readonly description: string;
  /** Value when the option is absent. */
  readonly initial?: string;
  /** Whether the option may be given several times; its value is then a list. */
  readonly repeats?: boolean;
  /** Whether an optional value must follow `=`, so that the next word is never taken for it. */
  readonly needsEquals?: boolean;
  /** The setting (`../config/settings.ts`) that is the value when the option is absent. */
  readonly setting?: SettingName;
  /** Words that the value may be, for the completion of shells. */
  readonly choices?: readonly string[];
}

/** The options as typed: text, lists of text for repeated ones, true for flags. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly string[] | undefined>
>;

/** What a handler gets. */
export interface CommandInput {
  readonly args: readonly string[];
  /** Whether `--` stands before `args`: they are a program of this machine, not a source. */
  readonly afterDashes: boolean;
  readonly options: OptionValues;
  readonly env: NodeJS.ProcessEnv;
}

/** What completes a command's arguments in a shell. */
export type ArgumentKind = "program" | "file" | "directory" | "instance" | "none";

/** A command. */
export interface CommandDefinition {
  /** One word, or two for a command of a group: `runtime list`. */
  readonly name: string;
  readonly summary: string;
  /** As commander writes it: `<program> [args...]`. */
  readonly parameters: string;
  /** Every command has `--json` besides these; one that stands here replaces its description. */
  readonly options: readonly OptionDefinition[];
  /** Shown below the options. */
  readonly notes?: string;
  /** Whole command lines, shown last in the help. */
  readonly examples: readonly string[];
  /** What the arguments are; default `none`. */
  readonly completes?: ArgumentKind;
  /** Does the work and returns the exit status. Errors for the user are thrown as `UserError`. */
  readonly run: (input: CommandInput) => Promise<number>;
}

/** Where the registry keeps a command: the definition is loaded only when it is needed. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Not in the list of commands: capstan starts it itself. */
  readonly isHidden?: boolean;
  readonly load: () => Promise<CommandDefinition>;
}

/** The text of an option, or undefined. */
export function optionText(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that repeats; empty when it is absent. */
export function optionList(options: OptionValues, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
