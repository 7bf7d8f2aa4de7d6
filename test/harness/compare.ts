/**
 * The heart of the end-to-end tests: the same program on the host and in a guest must write the
 * same bytes and end with the same status.
 */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { type Finished, plainEnvironment, runCapstan, runOnHost } from "./process.ts";

/** A program to compare. */
export interface Comparison {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** Options of `capstan run`, e.g. `["-m", "1G"]`. */
  readonly options?: readonly string[];
  readonly cwd?: string;
  /** Environment variables beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Buffer;
  /** Applied to both outputs before they are compared, for what legitimately differs. */
  readonly normalise?: (text: string) => string;
  /** Whether standard error is compared too. */
  readonly comparesStderr?: boolean;
  readonly timeoutMs?: number;
}

/** Runs the program on both sides and asserts that they agree. */
export async function assertSameAsHost(comparison: Comparison): Promise<void> {
  const { argv, options = [], env = {}, normalise, timeoutMs } = comparison;
  const common = {
    ...(comparison.cwd === undefined ? {} : { cwd: comparison.cwd }),
    ...(comparison.stdin === undefined ? {} : { stdin: comparison.stdin }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const host = await runOnHost(argv, { ...common, env: { ...plainEnvironment, ...env } });
  const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const guest = await runCapstan([...options, ...variables, "--", ...argv], common);
  const said = `${endOf(guest.stdout)}\nits stderr:\n${guest.stderr.toString("utf8")}`;
  assert.equal(
    statusOf(guest),
    statusOf(host),
    `exit status; the end of the guest's stdout:\n${said}`,
  );
  assertSameBytes(guest.stdout, host.stdout, normalise);
  if (comparison.comparesStderr === true) assertSameBytes(guest.stderr, host.stderr, normalise);
}

/** The last lines of an output, for a message. */
function endOf(output: Buffer): string {
  return output.subarray(-2000).toString("utf8");
}

/** The status as a shell shows it. */
export function statusOf(finished: Finished): number | null {
  const { status, signal } = finished;
  return signal === null ? status : 128 + constants.signals[signal];
}

function assertSameBytes(
  guest: Buffer,
  host: Buffer,
  normalise: ((text: string) => string) | undefined,
): void {
  if (normalise !== undefined) {
    assert.equal(normalise(guest.toString("utf8")), normalise(host.toString("utf8")));
  } else if (host.length < 20_000) {
    assert.equal(guest.toString("latin1"), host.toString("latin1"));
  } else if (!guest.equals(host)) {
    let at = 0;
    while (guest[at] === host[at]) at += 1;
    assert.fail(`output differs at byte ${at} of ${host.length} (the guest wrote ${guest.length})`);
  }
}
