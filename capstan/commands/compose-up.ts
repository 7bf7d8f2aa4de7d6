/**
 * `capstan compose up`: starts the machines of a compose file. In the foreground it shows what they
 * write and ends them when it is told to end. Neighbours: `../compose/`.
 */
import { followProject, projectInstances, startProject, stopProject } from "../compose/project.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { composeFile, composeOptions, teller } from "./compose-options.ts";
import { startService } from "./compose-service.ts";
import { instanceJson } from "./inspect.ts";

/** How long programs may take to end after Ctrl-C. */
const STOP_LIMIT_MS = 10_000;

const notes = `The file names services; each is a machine:

  services:
    web:
      source: ./web              any SOURCE of capstan run, or image: REFERENCE, or neither:
      command: [server, -v]      then the command is a program of this machine
      ports: ["8080:80"]
      environment: {MODE: test}
      depends_on: [database]     started before
      memory: 256M
      cpus: 2
    database:
      image: redis:7

Machines find each other by the names of their services. Ctrl-C ends all; a second one at once.
Exit status in the foreground: 0, or that of the first service that failed; 130 after Ctrl-C.`;

/** The command as data. */
export const composeUpCommand: CommandDefinition = {
  name: "compose up",
  summary: "start the machines of a compose file, with a network between them",
  parameters: "",
  options: [
    ...composeOptions,
    { flags: "-d, --detach", description: "leave them in the background" },
  ],
  notes,
  examples: ["capstan compose up", "capstan compose up -d -f shop.yaml"],
  run: up,
};

async function up(input: CommandInput): Promise<number> {
  const { options, env } = input;
  const file = composeFile(input);
  const { project } = file;
  const tell = teller(input);
  await startProject(file, env, startService, tell);
  const isDetached = options.detach === true;
  if (isDetached || options.json === true) {
    if (options.json === true) {
      const instances = projectInstances(project, env).map(instanceJson);
      process.stdout.write(`${JSON.stringify({ project, instances })}\n`);
    }
    if (isDetached) return 0;
  }
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => resolve("interrupted"));
    }
  });
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  // Also those that have ended already: what they wrote is to be seen.
  const all = projectInstances(project, env);
  const output = options.json === true ? () => {} : write;
  const how = await Promise.race([followProject(all, (text) => text, output), interrupted]);
  if (how === "interrupted") {
    tell(project, "stopping; Ctrl-C again ends the machines at once");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => void stopProject(project, env, 0, () => {}));
    }
  }
  await stopProject(project, env, STOP_LIMIT_MS, tell);
  if (how === "interrupted") return 130;
  const statuses = projectInstances(project, env).map(({ state }) =>
    state?.status === "exited" ? state.exitStatus : 0,
  );
  return statuses.find((status) => status !== 0) ?? 0;
}
