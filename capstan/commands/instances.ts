/**
 * `capstan instances`: lists background instances. Neighbours: `../instance/store.ts`.
 */
import { type Instance, isActive, portText, publishedPorts } from "../instance/record.ts";
import { listInstances } from "../instance/store.ts";
import { formatBytes, formatDuration, formatTable } from "../text/table.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { instanceJson } from "./inspect.ts";

/** The command as data. */
export const instancesCommand: CommandDefinition = {
  name: "instances",
  summary: "list background instances with ports, memory and uptime",
  parameters: "",
  options: [
    { flags: "-a, --all", description: "also those that have ended" },
    { flags: "-q, --quiet", description: "print names only" },
  ],
  notes: `STATUS is running, starting or stopping; exited, with the status that the program ended with; or
lost: its supervisor was killed or the host restarted. PID is the process of the hypervisor.`,
  examples: ["capstan instances", "capstan instances -a --json"],
  run: instances,
};

async function instances({ options, env }: CommandInput): Promise<number> {
  const shown = listInstances(env).filter((each) => options.all === true || isActive(each));
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(shown.map(instanceJson))}\n`
      : options.quiet === true
        ? shown.map(({ definition }) => `${definition.name}\n`).join("")
        : instanceTable(shown),
  );
  return 0;
}

/** The instances as a table with a heading. */
export function instanceTable(instances: readonly Instance[]): string {
  const heading = ["NAME", "SOURCE", "STATUS", "PORTS", "MEMORY", "UPTIME", "PID"];
  return formatTable([heading, ...instances.map(row)]);
}

function row(instance: Instance): string[] {
  const { definition, state } = instance;
  const isRunning = state !== null && state.status !== "exited" && isActive(instance);
  return [
    definition.name,
    definition.source,
    state?.status === "exited" ? `exited (${state.exitStatus})` : instance.status,
    publishedPorts(instance).map(portText).join(", ") || "-",
    formatBytes(definition.plan.machine.memoryBytes),
    isRunning ? formatDuration(Date.now() - Date.parse(state.startedAt)) : "-",
    isRunning ? String(state.machinePid) : "-",
  ];
}
