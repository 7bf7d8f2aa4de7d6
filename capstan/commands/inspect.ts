/**
 * `capstan inspect NAME...`: everything that is known of background instances.
 */
import { type Instance, isActive, publishedPorts } from "../instance/record.ts";
import { findInstance } from "../instance/store.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const inspectCommand: CommandDefinition = {
  name: "inspect",
  summary: "show everything about background instances, as JSON",
  parameters: "<name...>",
  options: [{ flags: "--json", description: "print JSON without line breaks" }],
  examples: ["capstan inspect web", "capstan inspect --json web"],
  completes: "instance",
  run: async ({ args, options, env }: CommandInput) => {
    const facts = args.map((name) => instanceJson(findInstance(name, env)));
    process.stdout.write(`${JSON.stringify(facts, null, options.json === true ? 0 : 2)}\n`);
    return 0;
  },
};

/** An instance as programs read it; docs/instances.md describes the fields. */
export function instanceJson(instance: Instance): object {
  const { definition, state, folder, status } = instance;
  const { machine, guest } = definition.plan;
  const isRunning = state !== null && state.status !== "exited" && isActive(instance);
  return {
    name: definition.name,
    status,
    source: definition.source,
    service: definition.service ?? null,
    pid: isRunning ? state.machinePid : null,
    supervisorPid: isRunning ? state.supervisorPid : null,
    ports: publishedPorts(instance),
    memoryBytes: machine.memoryBytes,
    cpus: machine.cpus,
    machine: machine.machine,
    accelerator: machine.accelerator,
    console: machine.console,
    image: machine.rootImagePath ?? null,
    program: [guest.executable, ...guest.args],
    env: guest.env,
    cwd: guest.cwd,
    createdAt: definition.createdAt,
    startedAt: state?.startedAt ?? null,
    uptimeMs: isRunning ? Date.now() - Date.parse(state.startedAt) : null,
    endedAt: state?.status === "exited" ? state.endedAt : null,
    exitStatus: state?.status === "exited" ? state.exitStatus : null,
    reason: state?.status === "exited" ? state.reason : null,
    message: state?.status === "exited" ? state.message : null,
    folder,
  };
}
