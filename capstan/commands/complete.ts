/**
 * `capstan __complete -- WORDS...`: what may stand in the place of the last word, one candidate a
 * line, each with a tab and a description if it has one. The scripts of `completion.ts` call it.
 * A line `:file`, `:directory` or `:program` asks the shell for its own candidates.
 */
import type { CommandDefinition, CommandEntry, CommandInput, OptionDefinition } from "./command.ts";
import { allOptions } from "./parse.ts";
import { commands } from "./registry.ts";

/** The command as data. */
export const completeCommand: CommandDefinition = {
  name: "__complete",
  summary: "print candidates for the completion of shells",
  parameters: "[words...]",
  options: [],
  examples: ["capstan __complete -- run --acc"],
  run: async ({ args }: CommandInput): Promise<number> => {
    const lines = await candidates(args, commands);
    process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    return 0;
  },
};

/**
 * The candidates.
 * @param words those after `capstan`; the last one is being typed and may be empty
 */
export async function candidates(
  words: readonly string[],
  available: readonly CommandEntry[],
): Promise<string[]> {
  const before = words.slice(0, -1);
  const typed = words.at(-1) ?? "";
  const matching = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith(typed) || line.startsWith(":"));
  for (const count of [2, 1]) {
    const name = before.slice(0, count).join(" ");
    if (before.length < count) continue;
    const entry = available.find((each) => each.name === name || each.aliases?.includes(name));
    if (entry !== undefined) {
      return matching(await insideCommand(await entry.load(), before.slice(count), typed));
    }
  }
  return matching(await commandWords(before, available));
}

/** The next word of the names that begin with the words so far. */
async function commandWords(
  before: readonly string[],
  available: readonly CommandEntry[],
): Promise<string[]> {
  const shown = available.filter(({ isHidden }) => isHidden !== true);
  const prefix = before.map((word) => `${word} `).join("");
  const lines = new Map<string, string>();
  for (const { name, load } of shown) {
    if (!name.startsWith(prefix)) continue;
    const rest = name.slice(prefix.length).split(" ");
    const [next = ""] = rest;
    const summary = rest.length === 1 ? (await load()).summary : `commands of ${next}`;
    lines.set(next, `${next}\t${summary}`);
  }
  return [...lines.values()];
}

async function insideCommand(
  definition: CommandDefinition,
  before: readonly string[],
  typed: string,
): Promise<string[]> {
  const options = allOptions(definition);
  const [previous] = before.slice(-1);
  const awaited = options.find(
    (each) => takesValue(each) && namesOf(each).includes(previous ?? ""),
  );
  if (awaited !== undefined) return [...(awaited.choices ?? [`:file`])];
  const hasProgram = definition.completes === "program" && countArguments(before, options) > 0;
  // What follows the program belongs to it.
  if (hasProgram) return [":file"];
  if (typed.startsWith("-") && !before.includes("--")) {
    return options.flatMap((each) => namesOf(each).map((name) => `${name}\t${each.description}`));
  }
  switch (definition.completes ?? "none") {
    case "instance": {
      const { instanceNames } = await import("../instance/store.ts");
      return instanceNames(process.env);
    }
    case "none":
      return [];
    default:
      return [`:${definition.completes}`];
  }
}

/** How many words are neither options nor their values. */
function countArguments(words: readonly string[], options: readonly OptionDefinition[]): number {
  let count = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "--") return count + words.length - at - 1;
    const option = options.find((each) => namesOf(each).includes(word));
    if (option !== undefined && takesValue(option)) at += 1;
    else if (!word.startsWith("-")) count += 1;
  }
  return count;
}

function namesOf({ flags }: OptionDefinition): string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith("-"));
}

function takesValue({ flags }: OptionDefinition): boolean {
  return flags.includes("<");
}
