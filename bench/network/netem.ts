/**
 * A path with Linux's own netem(8) on it: a third machine, which bridges the namespace's tap device
 * with the guest's card. Hosts whose kernel lacks netem have the path all the same.
 *
 * Neighbours: `wire.ts` is a path whose losses are the same in each run; `router.sh` runs in the
 * machine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GuestNetwork } from "../guests/guest.ts";
import { linuxGuest } from "../guests/linux.ts";
import type { MachineFlags } from "../guests/machine.ts";
import type { LinuxKernel } from "../linux/debian-kernel.ts";

/** What the path does with frames in each direction, in netem's words: `25ms`, `1%`. */
export interface Netem {
  readonly delay: string;
  readonly loss: string;
}

/** What the machine is made of. */
export interface RouterParts {
  readonly linux: LinuxKernel;
  readonly flags: MachineFlags;
  /** For its initial RAM disk. */
  readonly buildFolder: string;
}

/** A path that is there. */
export interface NetemPath {
  /** The UNIX socket that the guest's card connects to. */
  readonly socketPath: string;
  close(): void;
}

const modules = ["net/llc/llc", "net/802/stp", "net/bridge/bridge", "net/sched/sch_netem"];
const script = fileURLToPath(new URL("router.sh", import.meta.url));
/** In the guests' network; nobody uses it. */
const address = "10.77.0.3";
/** A lost frame is to be one segment: none that the cards would divide later. */
const noOffloads = [
  "csum",
  "gso",
  "guest_csum",
  "guest_tso4",
  "guest_tso6",
  "guest_ecn",
  "guest_ufo",
]
  .map((name) => `,${name}=off`)
  .join("");

/** Options of a card; no two in the bridge may have the same address, the guest's among them. */
function cardOf(lastOctet: string): string {
  return `,mac=52:54:00:12:34:${lastOctet}${noOffloads}`;
}

/** Boots the machine. @throws Error with what it said, when it ends before the path is there */
export async function openNetemPath(
  network: Pick<GuestNetwork, "prefix" | "tap">,
  { delay, loss }: Netem,
  { linux, flags, buildFolder }: RouterParts,
): Promise<NetemPath> {
  const folder = mkdtempSync(join(tmpdir(), "osv-netem-"));
  const socketPath = join(folder, "card");
  const end = new AbortController();
  const kernel = { ...linux, modules: linux.modulesWith(modules) };
  const router = linuxGuest(kernel, flags, join(buildFolder, "router"));
  let isThere = (): void => {};
  const there = new Promise<void>((resolve) => {
    isThere = resolve;
  });
  const running = router.boot({
    program: "/bin/sh",
    args: ["/router.sh", delay, loss],
    add: [`${script}:/router.sh`, ...["ip", "tc"].map((name) => `/usr/sbin/${name}`), "/bin/cat"],
    network: { prefix: network.prefix, tap: network.tap, address, cardOptions: cardOf("58") },
    memoryMiB: 128,
    qemuOptions: [
      ...["-netdev", `stream,id=guest,server=on,addr.type=unix,addr.path=${socketPath}`],
      ...["-device", `virtio-net-device,netdev=guest${cardOf("59")}`],
    ],
    timeoutMs: 10 * 60_000,
    signal: end.signal,
    onLine: (line) => {
      if (line === "sleeping") isThere();
    },
  });
  const failed = running.then(({ diagnostics }): never => {
    throw new Error(`the machine with netem ended: ${diagnostics}`);
  });
  const close = (): void => {
    end.abort();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([there, failed]);
  } catch (error) {
    close();
    throw error;
  }
  return { socketPath, close };
}
