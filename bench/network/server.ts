/**
 * Runs a server in a guest while clients on the host measure it.
 */
import type { Values } from "../experiment.ts";
import { benchProgram } from "../experiments/programs.ts";
import type { BenchGuest } from "../guests/guest.ts";
import { BenchNetwork } from "./namespace.ts";
import type { Netem, RouterParts } from "./netem.ts";
import type { Weather } from "./wire.ts";

/** A program that serves in the guest. */
export interface Server {
  readonly program: string;
  readonly args: readonly string[];
  /** See `BootRequest`. */
  readonly appliance?: string;
  /** Directories and files of the host, `HOST:GUEST`. */
  readonly add?: readonly string[];
  /** The TCP port on which it accepts when it is ready. */
  readonly port: number;
  /** Further words for our kernel's command line. */
  readonly kernelOptions?: readonly string[];
  /** When the guest is ended in any case; default 150 s. */
  readonly timeoutMs?: number;
  /** See `GuestNetwork`. */
  readonly cardOptions?: string;
  /** A wire between the guest and the host, and the QEMU that connects it with the tap device. */
  readonly wire?: { readonly weather: Weather; readonly qemuPath: string };
  /** Or a machine with netem between them. */
  readonly netem?: { readonly path: Netem; readonly parts: RouterParts };
}

const memoryMiB = 512;
const longestMs = 150_000;
/** How long a guest may take until its server accepts, on a host that is busy otherwise. */
const startLimitMs = 120_000;

/**
 * Boots the guest with the server, lets `measure` use it, and ends it.
 * @throws Error that says what failed and what the guest wrote, if `measure` fails or the guest ends
 */
export async function withServer(
  guest: BenchGuest,
  server: Server,
  measure: (network: BenchNetwork) => Promise<Values>,
): Promise<Values> {
  const network = await BenchNetwork.open();
  const end = new AbortController();
  const { program, args, add = [], port, wire, netem, cardOptions, ...more } = server;
  network.cardOptions = cardOptions;
  if (wire !== undefined) await network.addWire(wire.weather, wire.qemuPath);
  if (netem !== undefined) await network.addNetem(netem.path, netem.parts);
  const { signal } = end;
  const request = {
    program,
    args,
    add,
    network,
    memoryMiB,
    timeoutMs: longestMs,
    signal,
    ...more,
  };
  const running = guest.boot(request);
  const ended = running.then((): never => {
    throw new Error("the guest ended");
  });
  const measured = async (): Promise<Values> => {
    const load = benchProgram("load");
    if (port !== undefined)
      await network.command([load, "wait", network.address, `${port}`], startLimitMs);
    return measure(network);
  };
  try {
    return await Promise.race([measured(), ended]);
  } catch (error) {
    end.abort();
    const { diagnostics } = await running;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nThe guest's console:\n${diagnostics}`, { cause: error });
  } finally {
    end.abort();
    await running;
    network.close();
  }
}

/** What one client of the server sees. */
export interface ClientFigures {
  readonly answersPerSecond: number;
  readonly medianUs: number;
}

/** What a client asks for. */
export interface Request {
  readonly port: number;
  readonly text: string;
  /** Sent once at the start. */
  readonly before?: string;
}

/** Measures one client that asks for the same thing again and again (`bench/programs/load.c`). */
export async function oneClient(
  network: BenchNetwork,
  request: Request & {
    readonly protocol: "tcp" | "udp";
    /** Requests on the way at the same time. */
    readonly depth?: number;
  },
): Promise<ClientFigures> {
  const { protocol, depth = 1 } = request;
  return load(network, protocol, depth, request);
}

/** Measures clients that each ask again when they have an answer, over TCP. */
export async function manyClients(
  network: BenchNetwork,
  connections: number,
  request: Request,
): Promise<ClientFigures> {
  return load(network, "many", connections, request);
}

async function load(
  network: BenchNetwork,
  how: string,
  count: number,
  { port, text, before }: Request,
): Promise<ClientFigures> {
  const words = [how, network.address, `${port}`, text, `${count}`, `${measureSeconds}`];
  const more = before === undefined ? [] : [before];
  const output = await network.command([benchProgram("load"), ...words, ...more], 60_000);
  return {
    answersPerSecond: figure(output, /^result rate (\S+)$/m),
    medianUs: figure(output, /^result median-us (\S+)$/m),
  };
}

/** How long each measurement lasts. */
export const measureSeconds = 3;

/** The number that the first group of the pattern finds. */
export function figure(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern} in: ${text.slice(0, 500)}`);
  return Number(found);
}
