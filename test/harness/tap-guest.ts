/**
 * A guest on a tap device in a network namespace of the test's own, for what QEMU's user network hides:
 * frames, many queues, many connections. Programs of the host reach it from inside the namespace.
 */
import { BenchNetwork } from "../../bench/network/namespace.ts";
import { type ServingGuest, withServingGuest } from "./serving.ts";

/** A guest to run. */
export interface TapGuest {
  readonly argv: readonly string[];
  /** Options of `capstan run` beside the network's. */
  readonly options?: readonly string[];
  /** Pairs of queues of the card. */
  readonly queues?: number;
  /** What the program writes when it serves. */
  readonly ready: RegExp;
}

/** Runs the guest while `use` uses it. */
export async function withTapGuest(
  { argv, options = [], queues = 1, ready }: TapGuest,
  use: (network: BenchNetwork, guest: ServingGuest) => Promise<void>,
): Promise<void> {
  const network = await BenchNetwork.open(...(queues > 1 ? ["multi_queue"] : []));
  const card = queues > 1 ? `tap=${network.tap},queues=${queues}` : `tap=${network.tap}`;
  const words = ["--net", card, "--ip", `${network.address}/24`, ...options, "--", ...argv];
  try {
    await withServingGuest(words, ready, (guest) => use(network, guest), network.prefix);
  } finally {
    network.close();
  }
}
