/**
 * Starts one machine of a compose project: its settings become the options of `capstan run -d`, which
 * are checked and carried out as if they had been typed. Neighbours: `compose-up.ts` is the user,
 * `../compose/project.ts` says which machine is next.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Service } from "../compose/file.ts";
import { hostsFile, resolverFile } from "../compose/network.ts";
import { instanceName, type ServiceStart } from "../compose/service.ts";
import type { CommandInput } from "./command.ts";
import { startDetached } from "./run-detached.ts";
import { parseRunOptions } from "./run-options.ts";
import { parseSource } from "./source-options.ts";

/** Starts a service; returns when its program runs. @throws UserError why it could not */
export async function startService(start: ServiceStart): Promise<void> {
  const { file, service, members, card, env } = start;
  const folder = mkdtempSync(join(tmpdir(), "capstan-"));
  try {
    const hosts = join(folder, "hosts");
    const resolver = join(folder, "resolv.conf");
    writeFileSync(hosts, hostsFile(members, service.name));
    writeFileSync(resolver, resolverFile);
    const network = [`${hosts}:/etc/hosts`, `${resolver}:/etc/resolv.conf`];
    const input = inputOf(service, [...service.add, ...network], env);
    const source = parseSource(input);
    const options = parseRunOptions(input);
    await startDetached({
      source: { ...source, options: { ...source.options, cwd: file.folder } },
      options: { ...options, network: card },
      detach: { name: instanceName(file.project, service.name), removesItself: false },
      env,
      service: { project: file.project, name: service.name },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command line of `capstan run` that a service stands for. */
function inputOf(service: Service, add: readonly string[], env: NodeJS.ProcessEnv): CommandInput {
  const source = service.source ?? service.image;
  const memory = service.memory ?? service.mem_limit;
  return {
    args: source === undefined ? service.command : [source, ...service.command],
    afterDashes: source === undefined,
    env,
    options: {
      env: service.environment,
      add,
      ...(memory === undefined ? {} : { memory }),
      ...(service.cpus === undefined ? {} : { cpus: service.cpus }),
      ...(service.entrypoint === undefined ? {} : { entrypoint: service.entrypoint }),
      ...(service.user === undefined ? {} : { user: service.user }),
      ...(service.working_dir === undefined ? {} : { workdir: service.working_dir }),
    },
  };
}
