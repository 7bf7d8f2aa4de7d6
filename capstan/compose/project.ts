/**
 * What is done with a compose project as a whole: its machines are background instances with the
 * project's name in their record, its network a process of its own.
 *
 * Neighbours: `file.ts` (what the user wrote), `service.ts` (one machine), `../instance/`.
 */
import { findHypervisor } from "../hypervisor/find-program.ts";
import { followLog } from "../instance/follow.ts";
import { type Instance, isActive } from "../instance/record.ts";
import { stopInstance } from "../instance/stop.ts";
import { listInstances, readInstance, removeInstance } from "../instance/store.ts";
import { assertPortsFree } from "../run/free-ports.ts";
import type { ComposeFile } from "./file.ts";
import { memberCard, membersOf } from "./network.ts";
import { findNetwork, type NetworkState, startNetwork, stopNetwork } from "./network-store.ts";
import { instanceName, type ServiceStarter, servicePorts } from "./service.ts";

/** Told what happens, for people. */
export type Teller = (service: string, what: string) => void;

/** The instances of a project. */
export function projectInstances(project: string, env: NodeJS.ProcessEnv): Instance[] {
  return listInstances(env).filter(({ definition }) => definition.service?.project === project);
}

/**
 * Starts what does not run yet: the network, then each service after those that it depends on.
 * When one cannot be started, those started before are ended again.
 * @throws UserError why a service could not be started
 */
export async function startProject(
  file: ComposeFile,
  env: NodeJS.ProcessEnv,
  startService: ServiceStarter,
  tell: Teller,
): Promise<void> {
  const { project, services } = file;
  const members = membersOf(services.map(({ name }) => name));
  const wasRunning = projectInstances(project, env).some(isActive);
  try {
    const network = await networkOf(file, env);
    for (const service of services) {
      const name = instanceName(project, service.name);
      const earlier = readInstance(name, env);
      if (earlier !== undefined && isActive(earlier)) {
        tell(service.name, "runs already");
        continue;
      }
      if (earlier !== undefined) removeInstance(earlier);
      tell(service.name, "starting");
      const member = members.find((each) => each.name === service.name);
      if (member === undefined) continue;
      const card = memberCard(member, network.socketPath, servicePorts(service));
      await startService({ file, service, members, card, env });
      tell(service.name, "started");
    }
  } catch (error) {
    if (!wasRunning) await stopProject(project, env, 0, tell);
    throw error;
  }
}

/** The project's network, started if it does not run. */
async function networkOf(
  { project, services }: ComposeFile,
  env: NodeJS.ProcessEnv,
): Promise<NetworkState> {
  const running = findNetwork(project, env);
  if (running !== undefined) return running;
  const members = membersOf(services.map(({ name }) => name));
  const ports = services.map((service) => ({
    address: members.find(({ name }) => name === service.name)?.address ?? "",
    forwards: servicePorts(service),
  }));
  for (const { forwards } of ports) {
    await assertPortsFree({
      backend: { kind: "user", forwards },
      ip: undefined,
      mac: undefined,
      pcap: undefined,
    });
  }
  const qemuPath = findHypervisor("qemu", env);
  const started = await startNetwork(project, { qemuPath, ports }, env);
  if (started === undefined) throw new Error(`the network of ${project} ended at once`);
  return started;
}

/** Ends all machines of a project, and its network. Their records stay. */
export async function stopProject(
  project: string,
  env: NodeJS.ProcessEnv,
  limitMs: number,
  tell: Teller,
): Promise<void> {
  const instances = projectInstances(project, env);
  await Promise.all(
    instances.filter(isActive).map(async (instance) => {
      const { how } = await stopInstance(instance, limitMs, undefined, env);
      tell(instance.definition.service?.name ?? "", how);
    }),
  );
  stopNetwork(project, env);
}

/** Ends a project and removes its records and logs. @returns names of its instances */
export async function removeProject(
  project: string,
  env: NodeJS.ProcessEnv,
  limitMs: number,
  tell: Teller,
): Promise<string[]> {
  await stopProject(project, env, limitMs, tell);
  const instances = projectInstances(project, env);
  for (const instance of instances) removeInstance(instance);
  return instances.map(({ definition }) => definition.name);
}

/**
 * Writes what the services of a project have written and go on to write, each line behind the name
 * of its service, until all have ended.
 * @param cut takes what is wanted of each log so far
 */
export async function followProject(
  instances: readonly Instance[],
  cut: (text: Buffer) => Buffer,
  write: (text: string) => void,
): Promise<void> {
  const width = Math.max(0, ...instances.map((each) => serviceOf(each).length));
  await Promise.all(
    instances.map(async (instance) => {
      const lines = linePrefixer(serviceOf(instance).padEnd(width), write);
      await followLog(instance, cut, lines.push);
      lines.end();
    }),
  );
}

/** The name of an instance's service. */
export function serviceOf({ definition }: Instance): string {
  return definition.service?.name ?? definition.name;
}

/** Puts a name before each line, whatever pieces it comes in. */
export function linePrefixer(name: string, write: (text: string) => void) {
  let rest = "";
  return {
    push: (bytes: Buffer): void => {
      const lines = (rest + bytes.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      write(lines.map((line) => `${name} | ${line}\n`).join(""));
    },
    end: (): void => {
      if (rest !== "") write(`${name} | ${rest}\n`);
    },
  };
}
