/**
 * Changes a kernel configuration that was written before: for disks whose arguments or environment
 * are set later. Neighbours: `command-line.ts` writes configurations.
 */
import { encodeArgument, encodeWord } from "./command-line.ts";

/** What is to be different. */
export interface ConfigurationChanges {
  /** Variables to set; others stay. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The program's arguments, argv[1] and on. */
  readonly args?: readonly string[];
}

/** The changed configuration. */
export function changeConfiguration(configuration: string, changes: ConfigurationChanges): string {
  const words = configuration.split(" ");
  const dashes = words.indexOf("--");
  const set = Object.entries(changes.env).map(([name, value]) => ({
    prefix: `env=${encodeWord(name)}=`,
    word: `env=${encodeWord(`${name}=${value}`)}`,
  }));
  const kept = words.slice(0, dashes).filter((word) => {
    if (changes.cwd !== undefined && word.startsWith("cwd=")) return false;
    return !set.some(({ prefix }) => word.startsWith(prefix));
  });
  const [program = "", ...args] = words.slice(dashes + 1);
  return [
    ...kept,
    ...(changes.cwd === undefined ? [] : [`cwd=${encodeWord(changes.cwd)}`]),
    ...set.map(({ word }) => word),
    "--",
    program,
    ...(changes.args === undefined ? args : changes.args.map(encodeArgument)),
  ].join(" ");
}
