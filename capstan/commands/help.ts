/**
 * The texts of `--help`: the list of commands, the list of a group's commands, and what follows the
 * options of one command. Neighbours: `parse.ts` (the user), `../text/table.ts` (columns).
 */
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandEntry } from "./command.ts";

/** Whether a word is the first of some command's two. */
export function isGroup(word: string, available: readonly CommandEntry[]): boolean {
  return available.some(({ name }) => name.startsWith(`${word} `));
}

/** `capstan --help`. */
export async function commandList(available: readonly CommandEntry[]): Promise<string> {
  return `Usage: capstan COMMAND [options] [arguments]

Runs an unmodified Linux program in a virtual machine of its own.

Commands:
${await summaries(available)}
Options:
  -V, --version  print the version
  -h, --help     show this help; also: capstan COMMAND --help

Examples:
  capstan run -- /bin/echo hello
  capstan run -d --name web -p 8080:80 -- python3 -m http.server 80
  capstan instances
`;
}

/** `capstan runtime --help`. */
export async function groupHelp(
  group: string,
  available: readonly CommandEntry[],
): Promise<string> {
  const members = available.filter(({ name }) => name.startsWith(`${group} `));
  return `Usage: capstan ${group} COMMAND [options] [arguments]

Commands:
${await summaries(members)}
capstan ${group} COMMAND --help shows the options of a command.
`;
}

async function summaries(entries: readonly CommandEntry[]): Promise<string> {
  const shown = entries.filter(({ isHidden }) => isHidden !== true);
  const definitions = await Promise.all(shown.map(({ load }) => load()));
  return formatTable(
    definitions.map(({ name, summary }, at) => {
      const aliases = shown[at]?.aliases ?? [];
      return [`  ${[name, ...aliases].join(", ")}`, summary];
    }),
  );
}

/** What stands below the options of a command. */
export function notesOf(definition: CommandDefinition): string {
  const examples = definition.examples.map((line) => `  ${line}`).join("\n");
  const notes = definition.notes === undefined ? "" : `${definition.notes}\n\n`;
  return `${notes}Examples:\n${examples}`;
}
