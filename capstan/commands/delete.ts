/**
 * `capstan delete NAME...`: removes background instances with their logs.
 */
import { UserError } from "../errors.ts";
import { isActive } from "../instance/record.ts";
import { stopInstance } from "../instance/stop.ts";
import { findInstance, removeInstance } from "../instance/store.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const deleteCommand: CommandDefinition = {
  name: "delete",
  summary: "delete background instances that have ended, and their logs",
  parameters: "<name...>",
  options: [{ flags: "-f, --force", description: "end machines that run first" }],
  examples: ["capstan delete web", "capstan delete --force web database"],
  completes: "instance",
  run: remove,
};

async function remove({ args, options, env }: CommandInput): Promise<number> {
  const instances = args.map((name) => findInstance(name, env));
  const running = instances.filter(isActive).map(({ definition }) => definition.name);
  if (running.length > 0 && options.force !== true) {
    const names = running.join(" ");
    throw new UserError({
      code: "StillRunning",
      what: `${names} was not deleted`,
      why: "a machine that runs is not deleted",
      fix: `capstan stop ${names} first, or capstan delete --force ${names}`,
    });
  }
  for (const instance of instances) {
    await stopInstance(instance, 0, undefined, env);
    removeInstance(instance);
  }
  const names = instances.map(({ definition }) => definition.name);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ deleted: names })}\n`
      : names.map((name) => `${name}\n`).join(""),
  );
  return 0;
}
