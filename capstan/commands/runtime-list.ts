/**
 * `capstan runtime list`: the runtimes, and whether this machine has what they need.
 */
import { findOnPath } from "../hypervisor/find-program.ts";
import { runtimes } from "../runtime/runtimes.ts";
import { formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const runtimeListCommand: CommandDefinition = {
  name: "runtime list",
  summary: "list the runtimes, and whether this machine has them",
  parameters: "",
  options: [],
  examples: ["capstan runtime list", "capstan runtime list --json"],
  run: async ({ options, env }: CommandInput) => {
    const rows = runtimes.map(({ name, description, program }) => ({
      name,
      description,
      program,
      path: findOnPath(program, env) ?? null,
    }));
    const heading = ["NAME", "NEEDS", "FOUND", "DESCRIPTION"];
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(rows)}\n`
        : formatTable([
            heading,
            ...rows.map((row) => [row.name, row.program, row.path ?? "no", row.description]),
          ]),
    );
    return 0;
  },
};
