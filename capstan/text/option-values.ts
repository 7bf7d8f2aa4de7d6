/**
 * Turns the text of options into typed values, or says what is wrong with it. Pure functions,
 * shared by the commands.
 */
import { UserError } from "../errors.ts";

const unitBytes: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** QEMU's smallest useful machine: firmware and boot structures need the first megabyte. */
const smallestMemoryBytes = 2 * 1024 ** 2;

/**
 * A memory size: `512M`, `1G`, `1.5G`, `6144K`, also `512MB` and `512MiB`; units are powers of
 * 1024. Rounded up to whole pages of 4 KiB.
 * @throws UserError `BadMemory`
 */
export function parseMemory(text: string): number {
  const bad = (why: string): UserError => badOption("BadMemory", "--memory", text, why, "-m 512M");
  const match = /^(\d+(?:\.\d+)?)([KMGT])(?:i?B)?$/i.exec(text.trim());
  if (!match) throw bad("a memory size is a number with a unit: K, M, G or T");
  const [, number = "0", unit = "M"] = match;
  const exact = Number(number) * (unitBytes[unit.toUpperCase()] ?? 1);
  const bytes = Math.ceil(exact / 4096) * 4096;
  if (bytes < smallestMemoryBytes) throw bad("a machine needs at least 2M");
  if (bytes > 2 ** 46) throw bad("that is more than an x86-64 machine can have");
  return bytes;
}

/**
 * A whole number within limits.
 * @throws UserError `BadNumber`
 */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const why = `it takes a whole number from ${least} to ${most}`;
  throw badOption("BadNumber", option, text, why, `${option} ${least}`);
}

/**
 * A duration in seconds, with a fraction if need be, in milliseconds.
 * @throws UserError `BadDuration`
 */
export function parseSeconds(option: string, text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= 2_000_000) return Math.round(seconds * 1000);
  throw badOption("BadDuration", option, text, "it takes a number of seconds", `${option} 60`);
}

/**
 * One of several words.
 * @throws UserError `BadChoice`
 */
export function parseChoice<T extends string>(
  option: string,
  text: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const why = `it takes one of: ${choices.join(", ")}`;
  throw badOption("BadChoice", option, text, why, `${option} ${choices[0] ?? ""}`);
}

/**
 * Environment variables as `NAME=VALUE`, or `NAME` for the host's value; a name that the host does
 * not have is left out, as docker run -e does.
 * @throws UserError `BadEnvironment`
 */
export function parseEnvironment(
  words: readonly string[],
  host: NodeJS.ProcessEnv,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    if (name === "") {
      throw badOption("BadEnvironment", "--env", word, "the name is missing", "-e NAME=VALUE");
    }
    const value = equals < 0 ? host[name] : word.slice(equals + 1);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function badOption(
  code: string,
  option: string,
  text: string,
  why: string,
  example: string,
): UserError {
  return new UserError({
    code,
    what: `${option} ${text === "" ? "''" : text} was not understood`,
    why,
    fix: `for example: ${example}`,
  });
}
