/**
 * The network of a machine, from the options of `capstan run`: `-p`, `--net`, `--ip`, `--mac` and
 * `--pcap`. A machine gets a network card only if one of them asks for it.
 *
 * Neighbours: `qemu-arguments.ts` makes QEMU's options of it; the kernel reads `ip=`.
 */
import { isIPv4, isIPv6 } from "node:net";
import { UserError } from "../errors.ts";

/** A port of the host that leads to one of the guest. */
export interface PortForward {
  readonly protocol: "tcp" | "udp";
  /** Address of the host to listen on. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/**
 * What the card is connected with: QEMU's own NAT, a tap device, a bridge, or a switch of capstan's
 * (`../compose/switch.ts`) that also leads to a gateway, which publishes the ports.
 */
export type NetworkBackend =
  | { readonly kind: "user"; readonly forwards: readonly PortForward[] }
  | {
      readonly kind: "switch";
      readonly socketPath: string;
      readonly published: readonly PortForward[];
    }
  | {
      readonly kind: "tap";
      readonly name: string;
      /** Pairs of queues; more than one needs a tap device made with `multi_queue`. */
      readonly queues: number;
    }
  | { readonly kind: "bridge"; readonly name: string };

/** A network card. */
export interface NetworkSpec {
  readonly backend: NetworkBackend;
  /** Value of the kernel's `ip=` option; undefined: the guest asks by DHCP. */
  readonly ip: string | undefined;
  readonly mac: string | undefined;
  /** File of the host for a capture of all packets. */
  readonly pcap: string | undefined;
}

/** The texts of the options. */
export interface NetworkTexts {
  readonly publish: readonly string[];
  readonly net: string | undefined;
  readonly ip: string | undefined;
  readonly mac: string | undefined;
  readonly pcap: string | undefined;
}

/** Addresses in QEMU's user network, which are always the same: no DHCP is needed. */
const userNetworkAddress = "10.0.2.15/24";
const userNetworkGateway = "10.0.2.2";
const userNetworkNameServer = "10.0.2.3";

/**
 * Reads the options.
 * @returns undefined if the machine needs no network card
 * @throws UserError `BadNetwork`
 */
export function parseNetwork(texts: NetworkTexts): NetworkSpec | undefined {
  const { publish, net, ip, mac, pcap } = texts;
  const isWanted = publish.length > 0 || [net, ip, mac, pcap].some((text) => text !== undefined);
  if (!isWanted || net === "none") return undefined;
  const backend = parseBackend(net ?? "user", publish.map(parseForward));
  if (pcap !== undefined && backend.kind === "tap" && backend.queues > 1) {
    const why = "only cards with one pair of queues are captured";
    throw bad("--pcap", pcap, why, `--net tap=${backend.name}`);
  }
  return {
    backend,
    ip: addressOption(ip ?? (backend.kind === "user" ? userNetworkAddress : undefined), backend),
    mac: mac === undefined ? undefined : parseMac(mac),
    pcap,
  };
}

/**
 * A network in which ports of the guest have the same number on this machine's loopback address.
 * Ports that are forwarded already, and networks without forwarding, stay as they are.
 */
export function publishPorts(
  network: NetworkSpec | undefined,
  ports: readonly { readonly port: number; readonly protocol: "tcp" | "udp" }[],
): NetworkSpec | undefined {
  const backend = network?.backend ?? { kind: "user", forwards: [] };
  if (ports.length === 0 || backend.kind !== "user") return network;
  const isKnown = (port: number, protocol: string): boolean =>
    backend.forwards.some((each) => each.guestPort === port && each.protocol === protocol);
  const added = ports
    .filter(({ port, protocol }) => !isKnown(port, protocol))
    .map(({ port, protocol }) => parseForward(`${port}:${port}/${protocol}`));
  const forwards = [...backend.forwards, ...added];
  const ip = network === undefined ? addressOption(userNetworkAddress, backend) : network.ip;
  return { mac: undefined, pcap: undefined, ...network, ip, backend: { kind: "user", forwards } };
}

function parseBackend(text: string, forwards: readonly PortForward[]): NetworkBackend {
  if (text === "user") return { kind: "user", forwards };
  const match = /^(tap|bridge)=([\w.-]{1,15})(?:,queues=([1-9]|1[0-6]))?$/.exec(text);
  const [, kind, name, queues] = match ?? [];
  if (name === undefined || (kind === "bridge" && queues !== undefined)) {
    const why = "it takes user, none, tap=NAME, tap=NAME,queues=COUNT (1 to 16) or bridge=NAME";
    throw bad("--net", text, why, "--net tap=tap0");
  }
  if (forwards.length > 0) {
    throw bad("--net", text, "ports are forwarded (-p) by the user network only", "--net user");
  }
  return kind === "tap" ? { kind, name, queues: Number(queues ?? 1) } : { kind: "bridge", name };
}

/** `HOST:GUEST`, `ADDRESS:HOST:GUEST`, each with `/udp` or `/tcp` at the end if need be. */
export function parseForward(text: string): PortForward {
  const match = /^(?:([\d.]+|\[[\da-f:.]+\]):)?(\d+):(\d+)(?:\/(tcp|udp))?$/i.exec(text);
  const [, address = "127.0.0.1", host = "", guest = "", protocol = "tcp"] = match ?? [];
  if (match && address.startsWith("[") && isIPv6(address.slice(1, -1))) {
    const why = "the user network forwards from IPv4 addresses of this machine only";
    throw bad("-p", text, why, "-p 0.0.0.0:8080:80, or --net tap=NAME for IPv6");
  }
  const ports = [Number(host), Number(guest)];
  const isValid = match && isIPv4(address) && ports.every((port) => port > 0 && port < 65536);
  if (!isValid) {
    const why = "it takes a port of this machine and one of the guest, from 1 to 65535";
    throw bad("-p", text, why, "-p 8080:80, -p 5353:53/udp, -p 0.0.0.0:8080:80");
  }
  return {
    protocol: protocol === "udp" ? "udp" : "tcp",
    hostAddress: address,
    hostPort: Number(host),
    guestPort: Number(guest),
  };
}

/**
 * An address for the kernel's `ip=`, for a machine whose network is not known here; undefined for
 * `dhcp`. @throws UserError `BadNetwork`
 */
export function parseAddress(text: string): string | undefined {
  return addressOption(text, { kind: "tap", name: "", queues: 1 });
}

/**
 * `ADDRESS/BITS[,GATEWAY]` of either family as the kernel takes it: `ADDRESS/BITS::GATEWAY`, IPv6
 * addresses in brackets. The user network adds its gateway and name server.
 */
function addressOption(text: string | undefined, backend: NetworkBackend): string | undefined {
  if (text === undefined || text === "dhcp") return undefined;
  const match = /^([\da-f:.]+)\/(\d{1,3})(?:,([\da-f:.]+))?$/i.exec(text);
  const [, address = "", bits = "", given] = match ?? [];
  const isV6 = isIPv6(address);
  const isFamily = isV6 ? isIPv6 : isIPv4;
  const isUser = backend.kind === "user" && !isV6;
  const gateway = given ?? (isUser ? userNetworkGateway : "");
  const isValid = isFamily(address) && Number(bits) >= 1 && Number(bits) <= (isV6 ? 128 : 32);
  if (!isValid || (gateway !== "" && !isFamily(gateway))) {
    const why = "it takes dhcp, or an address with its prefix length and perhaps a gateway";
    throw bad("--ip", text, why, "--ip 192.168.1.5/24,192.168.1.1 or --ip 2001:db8::5/64");
  }
  if (isV6) return `[${address}]/${bits}::${gateway === "" ? "" : `[${gateway}]`}`;
  return `${address}/${bits}::${gateway}${isUser ? `:::::${userNetworkNameServer}` : ""}`;
}

function parseMac(text: string): string {
  const isMac = /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text);
  if (isMac && (Number.parseInt(text.slice(0, 2), 16) & 1) === 0) return text.toLowerCase();
  const why = "it takes six pairs of hexadecimal digits, the first one even";
  throw bad("--mac", text, why, "--mac 52:54:00:12:34:56");
}

function bad(option: string, text: string, why: string, example: string): UserError {
  return new UserError({
    code: "BadNetwork",
    what: `${option} ${text === "" ? "''" : text} was not understood`,
    why,
    fix: `for example: ${example}`,
  });
}
