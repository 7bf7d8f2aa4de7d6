/**
 * What a command of `capstan` is: data (name, arguments, options, examples) plus a handler. The
 * registry turns the data into a parser and help text (`registry.ts`); each command stands in a
 * file of its own.
 */

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

/** A command. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  /** As commander writes it: `<program> [args...]`. */
  readonly parameters: string;
  readonly options: readonly OptionDefinition[];
  /** Shown below the options. */
  readonly notes: string;
  /** Does the work and returns the exit status. Errors for the user are thrown as `UserError`. */
  readonly run: (input: CommandInput) => Promise<number>;
}
