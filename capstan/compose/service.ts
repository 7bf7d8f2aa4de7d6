/**
 * One machine of a compose project: what is needed to start it, its name and its ports.
 * Neighbours: `project.ts` starts services by a function that `../commands/compose-service.ts` is.
 */
import { type NetworkSpec, type PortForward, parseForward } from "../hypervisor/network.ts";
import type { ComposeFile, Service } from "./file.ts";
import type { Member } from "./network.ts";

/** A service to start. */
export interface ServiceStart {
  readonly file: ComposeFile;
  readonly service: Service;
  readonly members: readonly Member[];
  readonly card: NetworkSpec;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a service; returns when its program runs. @throws UserError why it could not */
export type ServiceStarter = (start: ServiceStart) => Promise<void>;

/** The name of the instance that a service is. */
export function instanceName(project: string, service: string): string {
  return `${project}-${service}`;
}

/** The ports that a service publishes. @throws UserError `BadNetwork` */
export function servicePorts({ ports }: Service): PortForward[] {
  return ports.map(parseForward);
}
