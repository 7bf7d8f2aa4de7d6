/**
 * Asks the user for a line of text on the terminal. Neighbours: `terminal.ts`.
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UserError } from "../errors.ts";

/**
 * Asks for a line.
 * @param shows whether what is typed is shown; false for passwords
 * @throws UserError `NoTerminal` when nobody can answer
 */
export async function askLine(question: string, shows: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UserError({
      code: "NoTerminal",
      what: `cannot ask for ${question.replace(/:\s*$/, "").toLowerCase()}`,
      why: "standard input is no terminal",
      fix: "give it with options; see --help",
    });
  }
  process.stderr.write(question);
  // readline echoes into its output, so passwords get one that swallows everything.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = shows ? process.stderr : nowhere;
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    if (!shows) process.stderr.write("\n");
  }
}
