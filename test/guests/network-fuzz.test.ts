/**
 * Real conversations with a guest over a network that mutates their frames: HTTP, memcached, redis,
 * echoes, pings of both families, address resolution. The guest stays up and its memory where it was.
 * For longer runs set the time:
 *
 *     OSV_FUZZ_SECONDS=600 npm test -- guests network-fuzz
 *
 * A failure names the seed; OSV_FUZZ_SEED begins with it.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ourGuest } from "../../bench/guests/ours.ts";
import type { BenchNetwork } from "../../bench/network/namespace.ts";
import { withServer } from "../../bench/network/server.ts";
import type { Weather } from "../../bench/network/wire.ts";
import { findHypervisor } from "../../capstan/hypervisor/find-program.ts";
import { findKernel } from "../../capstan/run/kernel-file.ts";
import { guestTest } from "../harness/guest-test.ts";
import { Mutator } from "../harness/mutate.ts";

const seconds = Number(process.env.OSV_FUZZ_SECONDS ?? "20");
const seed = Number(process.env.OSV_FUZZ_SEED ?? "1");
/** What programs and the heap may keep: threads' stacks, arenas, slabs. */
const growthLimitKiB = 12 * 1024;

const script = (name: string) => fileURLToPath(new URL(`../scripts/${name}`, import.meta.url));

async function availableKiB(network: BenchNetwork): Promise<number> {
  const words = ["python3", script("conversations.py"), network.address, "check"];
  const said = await network.command(words, 120_000);
  return Number(/MemAvailable: +(\d+) kB/.exec(said)?.[1]);
}

guestTest(`mutated traffic leaves a guest up and its memory where it was`, async () => {
  const qemuPath = findHypervisor("qemu", process.env);
  const flags = { qemuPath, accelerator: "tcg", countsInstructions: false };
  const guest = ourGuest(findKernel(undefined, process.env), flags);
  const weather: Weather = { loss: 0, delayMs: 0 };
  const mutator = new Mutator(seed);
  const server = {
    program: "/usr/bin/python3",
    args: ["/server.py"],
    add: [
      `${script("conversation-server.py")}:/server.py`,
      "/usr/bin/memcached",
      "/usr/bin/redis-server",
    ],
    port: 80,
    wire: { weather, qemuPath },
    timeoutMs: (seconds + 240) * 1000,
  };
  await withServer(guest, server, async (network) => {
    const talk = (duration: number) => {
      const words = ["python3", script("conversations.py"), network.address, `${duration}`];
      return network.command(words, (duration + 60) * 1000);
    };
    // So that everything has been used once.
    await talk(3);
    const before = await availableKiB(network);
    weather.alter = (frame) => mutator.alter(frame);
    await talk(seconds);
    weather.alter = undefined;
    const after = await availableKiB(network);
    process.stdout.write(`# ${mutator.mutants} mutants of ${mutator.frames} frames, `);
    process.stdout.write(`${before - after} KiB less in the end\n`);
    assert.ok(mutator.mutants > seconds * 20, `seed ${seed}: ${mutator.mutants} mutants`);
    assert.ok(before - after < growthLimitKiB, `seed ${seed}: ${before} KiB, then ${after} KiB`);
    return {};
  });
}, ["memcached", "redis-server", "ping"]);
