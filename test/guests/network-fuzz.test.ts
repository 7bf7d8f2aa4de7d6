/**
 * Real conversations with a guest over a network that mutates their frames: HTTP, memcached, redis,
 * echoes, pings of both families, address resolution. The guest stays up and its memory where it was.
 * For longer runs, which also wait until the last connection has timed out, set the time:
 *
 *     OSV_FUZZ_SECONDS=600 npm test -- guests network-fuzz
 *
 * A failure names the seed; OSV_FUZZ_SEED begins with it. OSV_FUZZ_CPUS is the number of processors.
 */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ourGuest } from "../../bench/guests/ours.ts";
import type { BenchNetwork } from "../../bench/network/namespace.ts";
import { figure, withServer } from "../../bench/network/server.ts";
import type { Weather } from "../../bench/network/wire.ts";
import { findHypervisor } from "../../capstan/hypervisor/find-program.ts";
import { findKernel } from "../../capstan/run/kernel-file.ts";
import { guestTest } from "../harness/guest-test.ts";
import { Mutator } from "../harness/mutate.ts";

const seconds = Number(process.env.OSV_FUZZ_SECONDS ?? "20");
const seed = Number(process.env.OSV_FUZZ_SEED ?? "1");
const cpus = Number(process.env.OSV_FUZZ_CPUS ?? "2");
const isLong = seconds > 60;

/** What programs may keep in their heaps: arenas of threads, buffers of connections. */
const programsLimitKiB = 12 * 1024;
/**
 * What the kernel may have more when the traffic ends, beside what it has for connections: how many
 * of those are there, orphans and in TIME-WAIT, depends on how fast the host is.
 */
const kernelLimitKiB = 512;
/** A connection without data, and the data: chunks that are not full, or not wholly sent. */
const connectionKiB = 2;
const dataFactor = 2;
/** And when all of them have timed out: slabs that a few objects keep. */
const restLimitKiB = 1536;
/** TIME-WAIT takes a minute, an orphan less than twice the 102 s of tcp_orphan_retries. */
const timeoutsMs = 210_000;
/**
 * Mutated traffic before memory is measured first, so that everything has been used once; in rounds,
 * because a slow host takes longer for as much.
 */
const warmUpMutants = 800;
const warmUpSeconds = 3;
const warmUpRoundsMax = 20;

const script = (name: string) => fileURLToPath(new URL(`../scripts/${name}`, import.meta.url));

/** What a guest says of its memory, in KiB. */
interface Memory {
  /** Anonymous memory of programs, with their page tables and stacks. */
  readonly programs: number;
  /** The kernel's heap. */
  readonly kernel: number;
  /** What it may have for connections of TCP, those in TIME-WAIT and their data included. */
  readonly connections: number;
  /** The line of /proc/net/sockstat about TCP. */
  readonly sockets: string;
}

async function memoryOf(network: BenchNetwork): Promise<Memory> {
  const words = ["python3", script("conversations.py"), network.address, "check"];
  const said = await network.command(words, 120_000);
  const figureOf = (name: string) => figure(said, new RegExp(`^${name}: +(\\d+) kB$`, "m"));
  const programs = figureOf("AnonPages");
  const kernel = figureOf("MemTotal") - figureOf("MemFree") - figureOf("Cached") - programs;
  const sockets = /^TCP:.*$/m.exec(said)?.[0] ?? "";
  const count = figure(sockets, / alloc (\d+)/) + figure(sockets, / tw (\d+)/);
  const dataKiB = 4 * figure(sockets, / mem (\d+)/);
  return { programs, kernel, connections: connectionKiB * count + dataFactor * dataKiB, sockets };
}

guestTest(`mutated traffic leaves a guest up and its memory where it was`, async () => {
  const qemuPath = findHypervisor("qemu", process.env);
  const flags = { qemuPath, accelerator: "tcg", countsInstructions: false, cpus };
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
    timeoutMs: (seconds + 240) * 1000 + timeoutsMs,
  };
  await withServer(guest, server, async (network) => {
    const talk = (duration: number) => {
      const words = ["python3", script("conversations.py"), network.address, `${duration}`];
      return network.command(words, (duration + 60) * 1000);
    };
    const measure = async (when: string, before?: Memory): Promise<Memory> => {
      const memory = await memoryOf(network);
      process.stdout.write(`# ${when}: kernel ${memory.kernel} KiB, programs `);
      process.stdout.write(`${memory.programs} KiB, ${memory.sockets}\n`);
      const grown = memory.programs - (before ?? memory).programs;
      assert.ok(grown < programsLimitKiB, `seed ${seed}: programs have ${grown} KiB more`);
      return memory;
    };
    weather.alter = (frame) => mutator.alter(frame);
    for (let round = 1; mutator.mutants < warmUpMutants; round += 1) {
      assert.ok(round <= warmUpRoundsMax, `seed ${seed}: only ${mutator.mutants} mutants`);
      await talk(warmUpSeconds);
    }
    weather.alter = undefined;
    const mutantsBefore = mutator.mutants;
    const before = await measure("before");
    weather.alter = (frame) => mutator.alter(frame);
    await talk(seconds);
    weather.alter = undefined;
    process.stdout.write(`# ${mutator.mutants} mutants of ${mutator.frames} frames\n`);
    const mutants = mutator.mutants - mutantsBefore;
    assert.ok(mutants > seconds * 20, `seed ${seed}: ${mutants} mutants`);
    const after = await measure("after", before);
    const grown = after.kernel - before.kernel;
    const rest = grown - (after.connections - before.connections);
    const said = `the kernel has ${grown} KiB more, ${rest} KiB not for connections`;
    process.stdout.write(`# ${said}\n`);
    assert.ok(rest < kernelLimitKiB, `seed ${seed}: ${said}`);
    if (!isLong) return {};
    await setTimeout(timeoutsMs);
    const kept = (await measure("after all time-outs", before)).kernel - before.kernel;
    assert.ok(kept < restLimitKiB, `seed ${seed}: the kernel keeps ${kept} KiB`);
    return {};
  });
}, ["memcached", "redis-server", "ping"]);
