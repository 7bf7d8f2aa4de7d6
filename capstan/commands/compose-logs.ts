/**
 * `capstan compose logs`: what the machines of a project have written, service by service, each
 * line behind the name of its service.
 */
import { followProject, linePrefixer, projectInstances, serviceOf } from "../compose/project.ts";
import { lastLines, readLog } from "../instance/console-log.ts";
import { isActive } from "../instance/record.ts";
import { parseCount } from "../text/option-values.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { composeOptions, composeProject } from "./compose-options.ts";

/** The command as data. */
export const composeLogsCommand: CommandDefinition = {
  name: "compose logs",
  summary: "show what the machines of a compose project have written",
  parameters: "[services...]",
  options: [
    ...composeOptions,
    { flags: "--follow", description: "go on until all have ended" },
    { flags: "-n, --tail <lines>", description: "only the last lines of each" },
  ],
  examples: ["capstan compose logs", "capstan compose logs --follow -n 20 web"],
  run: logs,
};

async function logs(input: CommandInput): Promise<number> {
  const { args, options, env } = input;
  const tail = optionText(options, "tail");
  const count = tail === undefined ? undefined : parseCount("--tail", tail, 0, 1_000_000_000);
  const cut = (text: Buffer): Buffer => (count === undefined ? text : lastLines(text, count));
  const instances = projectInstances(composeProject(input), env).filter(
    (each) => args.length === 0 || args.includes(serviceOf(each)),
  );
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  if (options.json === true) {
    const texts = instances.map((each) => ({
      service: serviceOf(each),
      text: cut(readLog(each.folder)).toString("utf8"),
    }));
    write(`${JSON.stringify(texts)}\n`);
    return 0;
  }
  const follows = (each: (typeof instances)[number]) => options.follow === true && isActive(each);
  const width = Math.max(0, ...instances.map((each) => serviceOf(each).length));
  for (const instance of instances.filter((each) => !follows(each))) {
    const lines = linePrefixer(serviceOf(instance).padEnd(width), write);
    lines.push(cut(readLog(instance.folder)));
    lines.end();
  }
  await followProject(instances.filter(follows), cut, write);
  return 0;
}
