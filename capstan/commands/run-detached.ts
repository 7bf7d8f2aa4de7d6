/**
 * `capstan run -d`: the same as `run`, in the background. Neighbours: `run.ts` (the foreground),
 * `run-plan.ts` (what both share), `../instance/` (keeps and supervises instances).
 */
import { basename } from "node:path";
import { terminalSize } from "../console/terminal.ts";
import type { InstanceDefinition } from "../instance/record.ts";
import { RECORD_VERSION } from "../instance/record.ts";
import { signalNumber } from "../instance/signals.ts";
import { startSupervisor } from "../instance/start.ts";
import {
  createInstance,
  findInstance,
  freeName,
  nameInUse,
  readInstance,
  removeInstance,
} from "../instance/store.ts";
import type { CommandInput } from "./command.ts";
import { instanceJson } from "./inspect.ts";
import type { DetachOptions, RunOptions } from "./run-options.ts";
import { announce, planRun } from "./run-plan.ts";
import { type GivenSource, parseSource } from "./source-options.ts";

/** Starts an instance; returns when its program runs. */
export async function runDetached(
  input: CommandInput,
  options: RunOptions,
  detach: DetachOptions,
): Promise<number> {
  const { env } = input;
  const hasTerminal = (options.console ?? "ports") !== "ports";
  const source = parseSource(input, hasTerminal ? { terminalType: env.TERM ?? "xterm" } : {});
  const { name } = await startDetached({ source, options, detach, env });
  const started = readInstance(name, env);
  if (options.json) {
    // One that deletes itself may be gone already.
    const report = started === undefined ? { name } : instanceJson(started);
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    process.stdout.write(`${name}\n`);
  }
  return 0;
}

/** A background instance to make. */
export interface DetachedRun {
  readonly source: GivenSource;
  readonly options: RunOptions;
  readonly detach: DetachOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly service?: InstanceDefinition["service"];
}

/**
 * Makes an instance and starts it. An instance that could not be started is not kept.
 * @throws UserError why it could not be started
 */
export async function startDetached(run: DetachedRun): Promise<InstanceDefinition> {
  const { options, detach, env } = run;
  // Said before the image is built; the folder decides in the end.
  if (detach.name !== undefined && readInstance(detach.name, env) !== undefined) {
    throw nameInUse(detach.name, env);
  }
  const planned = await planRun({
    source: run.source,
    options,
    env,
    console: options.console ?? "ports",
    takesSignals: true,
    // It may be attached to from this terminal; without one, the size is what terminals start with.
    terminal: terminalSize(process.stdout),
  });
  announce(options, planned);
  const { plan, prepared } = planned;
  const { origin, launch } = prepared.source;
  const definition: InstanceDefinition = {
    version: RECORD_VERSION,
    name: detach.name ?? freeName(basename(origin.name).replace(/[:@].*/, ""), env),
    source: origin.name,
    createdAt: new Date().toISOString(),
    plan,
    stopSignal: signalNumber(launch.stopSignal),
    removesItself: detach.removesItself,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(run.service === undefined ? {} : { service: run.service }),
  };
  createInstance(definition, env);
  try {
    await startSupervisor(definition.name, env);
  } catch (error) {
    removeInstance(findInstance(definition.name, env));
    throw error;
  }
  return definition;
}
