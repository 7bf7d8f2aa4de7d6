/**
 * PostgreSQL 15 of Debian in a guest: initdb, a server, pgbench for 30 seconds over a UNIX socket, a
 * clean stop (`test/scripts/postgresql.sh`). Neighbour: `main.ts`.
 */
import { join } from "node:path";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";
import type { CaseReport } from "./case.ts";

const seconds = 30;
const timeoutMs = 15 * 60_000;

/** What the script says when everything went well. */
const expectations: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["no transaction failed", /number of failed transactions: 0 /],
  ["transactions were processed", /transactions actually processed: [1-9]/],
  ["the sums agree", /^t\|t$/m],
  ["the server stopped", /server stopped/],
];

/** Runs the script in a guest and says what was not as it should be. */
export async function runPostgresql(): Promise<CaseReport> {
  const script = join(repositoryRoot, "test/scripts/postgresql.sh");
  const argv = ["-m", "1G", "-c", "2", "--", "/bin/bash", script, `${seconds}`];
  const { status, stdout, stderr } = await runCapstan(argv, { timeoutMs });
  const output = `${stdout.toString("utf8")}\n${stderr.toString("utf8")}`;
  const missed = expectations.filter(([, pattern]) => !pattern.test(output));
  const complaints = missed.map(([what]) => `not so: ${what}`);
  if (status !== 0) complaints.push(`the script ended with status ${status}`);
  const rate = /tps = [\d.]+/.exec(output)?.[0] ?? "no rate";
  return { summary: `${expectations.length - missed.length} passed, ${rate}`, complaints, output };
}
