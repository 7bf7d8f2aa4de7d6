/**
 * All commands, by name. A definition is imported when its command is called, so that `capstan run`
 * does not pay for the others. Neighbours: `command.ts` (the types), `parse.ts` (the user).
 */
import type { CommandEntry } from "./command.ts";

/** Every command, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  { name: "run", load: async () => (await import("./run.ts")).runCommand },
  { name: "check", load: async () => (await import("./check.ts")).checkCommand },
  { name: "version", load: async () => (await import("./version.ts")).versionCommand },
  { name: "completion", load: async () => (await import("./completion.ts")).completionCommand },
  {
    name: "__complete",
    isHidden: true,
    load: async () => (await import("./complete.ts")).completeCommand,
  },
];
