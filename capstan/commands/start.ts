/**
 * `capstan start NAME...`: starts background instances again that have ended or were lost.
 */
import { UserError } from "../errors.ts";
import { isActive } from "../instance/record.ts";
import { startSupervisor } from "../instance/start.ts";
import { findInstance } from "../instance/store.ts";
import { assertPortsFree } from "../run/free-ports.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { instanceJson } from "./inspect.ts";

/** The command as data. */
export const startCommand: CommandDefinition = {
  name: "start",
  summary: "start background instances again that have ended",
  parameters: "<name...>",
  options: [],
  examples: ["capstan start web"],
  completes: "instance",
  run: start,
};

async function start({ args, options, env }: CommandInput): Promise<number> {
  for (const name of args) {
    const instance = findInstance(name, env);
    if (isActive(instance)) {
      throw new UserError({
        code: "AlreadyRunning",
        what: `${name} was not started`,
        why: "it runs already",
        fix: `capstan attach ${name} connects with it; capstan stop ${name} ends it`,
      });
    }
    await assertPortsFree(instance.definition.plan.machine.network);
    const started = await startSupervisor(name, env);
    process.stdout.write(
      options.json === true ? `${JSON.stringify(instanceJson(started))}\n` : `${name}\n`,
    );
  }
  return 0;
}
