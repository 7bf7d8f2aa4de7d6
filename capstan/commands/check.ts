/**
 * `capstan check [options] SOURCE`, or `-- PROGRAM [ARGS...]`: says before anything is built whether
 * an application would run, and what is missing. Neighbours: `../check/` does the work.
 */
import { examine } from "../check/examine.ts";
import { judge } from "../check/judge.ts";
import { toJson, toText, verdictStatus } from "../check/report.ts";
import { abortOnSignals } from "../run/signals.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { parseSource, sourceNotes, sourceOptionDefinitions } from "./source-options.ts";

const notes = `${sourceNotes}

Nothing is run and no image is written. Files are found as capstan run finds them. System calls are
searched in the code of the program and of everything that is collected for it; of an image or
packages, in the program, what its arguments or its shell script name, and their libraries.

Exit status:
  0      ready: nothing stands in the way
  1      limits: it starts, but makes system calls itself that are absent
  125    wrong usage
  126    the program cannot be executed
  127    the program, its loader, or libraries were not found`;

/** The command as data. */
export const checkCommand: CommandDefinition = {
  name: "check",
  summary: "say whether an application would run, and what is missing",
  parameters: "[source] [args...]",
  options: [
    ...sourceOptionDefinitions,
    { flags: "--json", description: "print one JSON object on stdout" },
  ],
  notes,
  examples: [
    "capstan check -- python3 script.py",
    "capstan check .",
    "capstan check --json deb:redis-server",
  ],
  completes: "program",
  run: check,
};

async function check(input: CommandInput): Promise<number> {
  const { options } = input;
  const examination = await abortOnSignals((signal) => {
    const given = parseSource(input, { signal });
    return examine(given.request, given.options);
  });
  const judgement = judge({ ...examination, isDynamic: examination.interpreter !== undefined });
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(toJson(examination, judgement))}\n`
      : toText(examination, judgement),
  );
  return verdictStatus[judgement.verdict];
}
