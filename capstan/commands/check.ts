/**
 * `capstan check [options] -- PROGRAM [ARGS...]`: says before anything is built whether a program
 * would run, and what is missing. Neighbours: `../check/` does the work.
 */
import { examine } from "../check/examine.ts";
import { judge } from "../check/judge.ts";
import { toJson, toText, verdictStatus } from "../check/report.ts";
import { guestEnvironment } from "../source/guest-environment.ts";
import { type CommandDefinition, type CommandInput, optionList } from "./command.ts";
import { parseEnvironment } from "./options.ts";

const notes = `Nothing is run and nothing is written. Files are found as capstan run finds them. System calls
are searched in the code of the program and of everything that goes into the image; programs that
it starts while it runs are not, unless --add names them.

Exit status:
  0      ready: nothing stands in the way
  1      limits: it starts, but may make system calls that are absent
  125    wrong usage
  126    the program cannot be executed
  127    the program, its loader, or libraries were not found`;

/** The command as data. */
export const checkCommand: CommandDefinition = {
  name: "check",
  summary: "say whether a program would run, and what is missing",
  parameters: "<program> [args...]",
  options: [
    {
      flags: "-e, --env <name[=value]>",
      description: "set an environment variable, or pass on the host's",
      repeats: true,
    },
    {
      flags: "--add <host[:guest]>",
      description: "add a file or directory to the image",
      repeats: true,
    },
    { flags: "--json", description: "print one JSON object on stdout" },
  ],
  notes,
  examples: ["capstan check -- python3 script.py", "capstan check --json -- ./server --port 80"],
  completes: "program",
  run: check,
};

async function check({ args: words, options, env }: CommandInput): Promise<number> {
  const [program = "", ...args] = words;
  const examination = await examine({
    program,
    args,
    cwd: process.cwd(),
    env: guestEnvironment(parseEnvironment(optionList(options, "env"), env), undefined),
    add: optionList(options, "add"),
    searchPath: env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
  });
  const judgement = judge({ ...examination, isDynamic: examination.interpreter !== undefined });
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(toJson(examination, judgement))}\n`
      : toText(examination, judgement),
  );
  return verdictStatus[judgement.verdict];
}
