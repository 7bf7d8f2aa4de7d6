/**
 * The network of a compose project: one Ethernet segment, a switch, the machines, and a gateway
 * that is QEMU's user network (NAT), so nothing needs root.
 *
 *     web 10.0.2.16 ──┐
 *     db  10.0.2.17 ──┤ switch ── gateway 10.0.2.2 ── the host's network, published ports
 *     …             ──┘           name server 10.0.2.3
 *
 * The gateway is a QEMU without a machine (`-M none`), since NAT must not sit beside the machines:
 * it takes every packet for its own that it sees. Neighbours: `switch.ts`, `network-process.ts`.
 */

import type { NetworkSpec, PortForward } from "../hypervisor/network.ts";
import { forwardArguments } from "../hypervisor/qemu-arguments.ts";

const GATEWAY = "10.0.2.2";
const NAME_SERVER = "10.0.2.3";
/** The gateway's DHCP begins below; addresses here are given by capstan. */
const FIRST_HOST = 16;

/** Machines that one project can have. */
export const MAX_SERVICES = 200;

/** A machine's place in the network. */
export interface Member {
  readonly name: string;
  readonly address: string;
  readonly mac: string;
}

/** Gives each service an address, in the order of their names, so that they keep it. */
export function membersOf(names: readonly string[]): Member[] {
  return names.toSorted().map((name, index) => {
    const mac = `52:54:00:ca:00:${(FIRST_HOST + index).toString(16).padStart(2, "0")}`;
    return { name, address: `10.0.2.${FIRST_HOST + index}`, mac };
  });
}

/** The card of a member. @param published its ports on the host, which the gateway forwards */
export function memberCard(
  member: Member,
  socketPath: string,
  published: readonly PortForward[],
): NetworkSpec {
  return {
    backend: { kind: "switch", socketPath, published },
    ip: `${member.address}/24::${GATEWAY}::${member.name}`,
    mac: member.mac,
    pcap: undefined,
  };
}

/** The file by which members find each other. */
export function hostsFile(members: readonly Member[], own: string): string {
  const lines = members.map(({ name, address }) => `${address}\t${name}`);
  const self = members.find(({ name }) => name === own);
  return ["127.0.0.1\tlocalhost", ...lines, ...(self ? [`${self.address}\tself`] : [])]
    .map((line) => `${line}\n`)
    .join("");
}

/** The file that leads to the gateway's name server. */
export const resolverFile = `nameserver ${NAME_SERVER}\n`;

/** Ports of one member. */
export interface MemberPorts {
  readonly address: string;
  readonly forwards: readonly PortForward[];
}

/** QEMU's arguments for the gateway. */
export function gatewayArguments(socketPath: string, ports: readonly MemberPorts[]): string[] {
  const forwards = ports.map((each) => forwardArguments(each.forwards, each.address)).join("");
  const path = socketPath.replaceAll(",", ",,");
  return [
    ...["-M", "none", "-nodefaults", "-no-user-config", "-display", "none"],
    ...["-netdev", `user,id=nat${forwards}`],
    ...["-netdev", `stream,id=switch,server=off,addr.type=unix,addr.path=${path}`],
    ...["-netdev", "hubport,id=a,hubid=0,netdev=nat"],
    ...["-netdev", "hubport,id=b,hubid=0,netdev=switch"],
  ];
}
