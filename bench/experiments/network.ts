/**
 * Servers in the guest, clients on the host, a tap device between them (`bench/network/`): what
 * one client sees, what many see, and throughput.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../test/harness/paths.ts";
import type { GuestExperiment, RowDefinition, Values } from "../experiment.ts";
import type { BenchNetwork } from "../network/namespace.ts";
import { figure, manyClients, measureSeconds, oneClient, withServer } from "../network/server.ts";
import { benchProgram } from "./programs.ts";

const rate = { unit: "1/s", better: "higher" } as const;
const latency = { unit: "µs", better: "lower" } as const;
const throughput = { unit: "Mbit/s", better: "higher" } as const;

/** Rows of one client: answers a second, and the median time of one. */
function clientRows(id: string, title: string, goal: string): RowDefinition[] {
  return [
    { id, title: `${title}, one client`, ...rate, goal },
    { id: `${id}-latency`, title: `${title}, median time`, ...latency, goal: "> 1×" },
  ];
}

const folder = join(repositoryRoot, "build/bench/www");
const smallBytes = 612;
const largeBytes = 1024 ** 2;
const nginxConfiguration = `daemon off;
user root;
worker_processes 1;
error_log stderr;
pid /tmp/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  keepalive_timeout 600;
  server { listen 80; root /www; }
}
`;

/** The files that nginx serves and reads; returns what to add to the image. */
function nginxFiles(): string[] {
  mkdirSync(join(folder, "files"), { recursive: true });
  mkdirSync(join(folder, "state"), { recursive: true });
  writeFileSync(join(folder, "files/small.html"), "x".repeat(smallBytes));
  writeFileSync(join(folder, "files/large.bin"), Buffer.alloc(largeBytes, "unikernel "));
  writeFileSync(join(folder, "nginx.conf"), nginxConfiguration);
  return [
    `${join(folder, "files")}:/www`,
    `${join(folder, "state")}:/var/lib/nginx`,
    `${join(folder, "state")}:/var/log/nginx`,
    `${join(folder, "nginx.conf")}:/nginx.conf`,
  ];
}

async function wrk(network: BenchNetwork, connections: number, path: string): Promise<string> {
  const url = `http://${network.address}/${path}`;
  const words = ["wrk", "-t1", `-c${connections}`, `-d${measureSeconds}`, url];
  return network.command(words, 60_000);
}

/** nginx: small files, and large ones. */
export const nginx: GuestExperiment = {
  kind: "guest",
  rows: [
    ...clientRows("nginx", "nginx, 612 bytes", "≥ 2×"),
    { id: "nginx-many", title: "nginx, 612 bytes, 32 connections", ...rate, goal: "≥ 2×" },
    { id: "nginx-large", title: "nginx, 1 MiB, one client", ...rate, goal: "≥ 1×" },
  ],
  measure: (guest) => {
    const args = ["-e", "stderr", "-c", "/nginx.conf"];
    const server = { program: "/usr/sbin/nginx", args, add: nginxFiles(), port: 80 };
    return withServer(guest, server, async (network) => {
      const text = "GET /small.html HTTP/1.1\r\nHost: guest\r\n\r\n";
      const one = await oneClient(network, { protocol: "tcp", port: 80, text });
      const many = await wrk(network, 32, "small.html");
      const large = await wrk(network, 1, "large.bin");
      return {
        nginx: one.answersPerSecond,
        "nginx-latency": one.medianUs,
        "nginx-many": figure(many, /Requests\/sec:\s+(\S+)/),
        "nginx-large": figure(large, /Requests\/sec:\s+(\S+)/),
      };
    });
  },
};

const valueBytes = 100;

/** redis, without saving. */
export const redis: GuestExperiment = {
  kind: "guest",
  rows: [
    ...clientRows("redis", "redis GET, 100 bytes", "≥ 2×"),
    { id: "redis-interrupt", title: "the same, net channels off", ...rate },
  ],
  measure: async (guest) => {
    const args = ["--save", "", "--bind", "0.0.0.0", "--protected-mode", "no"];
    const server = { program: "/usr/bin/redis-server", args, port: 6379 };
    const before = `SET key ${"x".repeat(valueBytes)}\r\n`;
    const request = { protocol: "tcp", port: 6379, text: "GET key\r\n", before } as const;
    const withChannels = await withServer(guest, server, async (network) => {
      const one = await oneClient(network, request);
      return { redis: one.answersPerSecond, "redis-latency": one.medianUs };
    });
    if (guest.name === "linux") return withChannels;
    const plain = { ...server, kernelOptions: ["nochannels"] };
    const without = await withServer(guest, plain, async (network) => {
      const one = await oneClient(network, request);
      return { "redis-interrupt": one.answersPerSecond };
    });
    return { ...withChannels, ...without };
  },
};

/** The words of both memcacheds, and the measurement of either. */
const memcachedArgs = ["-u", "root", "-m", "64"];

async function measureMemcached(network: BenchNetwork, id: string): Promise<Values> {
  const before = `set key 0 0 ${valueBytes}\r\n${"x".repeat(valueBytes)}\r\n`;
  const request = { protocol: "tcp", port: 11211, text: "get key\r\n", before } as const;
  const one = await oneClient(network, request);
  const many = await manyClients(network, 32, request);
  const deep = await oneClient(network, { ...request, depth: 100 });
  return {
    [id]: one.answersPerSecond,
    [`${id}-latency`]: one.medianUs,
    [`${id}-many`]: many.answersPerSecond,
    [`${id}-deep`]: deep.answersPerSecond,
  };
}

/** memcached as Debian has it: one request at a time, many clients, and pipelined. */
export const memcached: GuestExperiment = {
  kind: "guest",
  rows: [
    ...clientRows("memcached", "memcached get, 100 bytes", "≥ 2×"),
    { id: "memcached-many", title: "memcached get, 32 connections", ...rate, goal: "≥ 2×" },
    { id: "memcached-deep", title: "memcached get, 100 at a time", ...rate, goal: "≥ 3×" },
  ],
  measure: (guest) => {
    const server = { program: "/usr/bin/memcached", args: memcachedArgs, port: 11211 };
    return withServer(guest, server, (network) => measureMemcached(network, "memcached"));
  },
};

/** The memcached that is linked with our kernel, against Debian's in the Linux guest. */
export const memcachedAppliance: GuestExperiment = {
  kind: "guest",
  rows: [
    ...clientRows("appliance", "memcached appliance get, 100 bytes", "≥ 4×"),
    {
      id: "appliance-many",
      title: "memcached appliance get, 32 connections",
      ...rate,
      goal: "≥ 4×",
    },
    {
      id: "appliance-deep",
      title: "memcached appliance get, 100 at a time",
      ...rate,
      goal: "≥ 4×",
    },
  ],
  measure: (guest) => {
    const server = {
      program: "/usr/bin/memcached",
      appliance: "memcached",
      args: memcachedArgs,
      port: 11211,
    };
    return withServer(guest, server, (network) => measureMemcached(network, "appliance"));
  },
};

const iperfServer = { program: "/usr/bin/iperf3", args: ["-s"], port: 5201 };

/** What the receiver gets, in Mbit/s; `-R` among the words turns the direction. */
async function iperfRate(network: BenchNetwork, seconds: number, ...more: string[]) {
  const words = ["iperf3", "-c", network.address, "-t", `${seconds}`, "-f", "m", ...more];
  // After any connection iperf3 closes its listener for a moment, also after the one that
  // showed that the server is there.
  const script = 'for i in 1 2 3 4 5 6 7 8 9; do "$@" && exit; sleep 0.2; done; exit 1';
  const text = await network.command(["sh", "-c", script, "sh", ...words], 90_000);
  return figure(text, /(\S+) Mbits\/sec\s+receiver/);
}

/** iperf3, both directions. */
export const iperf: GuestExperiment = {
  kind: "guest",
  rows: [
    { id: "iperf-in", title: "iperf3, host to guest", ...throughput, goal: "≥ 1×" },
    { id: "iperf-out", title: "iperf3, guest to host", ...throughput, goal: "≥ 1×" },
  ],
  measure: (guest) =>
    withServer(guest, iperfServer, async (network) => ({
      "iperf-in": await iperfRate(network, measureSeconds),
      "iperf-out": await iperfRate(network, measureSeconds, "-R"),
    })),
};

/** As iperf to the guest, but each segment arrives alone, as from a card without receive offloads. */
export const singleSegments: GuestExperiment = {
  kind: "guest",
  rows: [{ id: "iperf-single", title: "iperf3 to guest, no TSO", ...throughput, goal: "≥ 1×" }],
  measure: (guest) => {
    const server = { ...iperfServer, cardOptions: ",guest_tso4=off,guest_tso6=off" };
    return withServer(guest, server, async (network) => ({
      "iperf-single": await iperfRate(network, measureSeconds),
    }));
  },
};

/** A path of 50 ms (both ways together) that loses one frame in a hundred each way. */
const badPath = { loss: 0.01, delayMs: 25 };
const badPathSeconds = 20;

/** iperf3 over a bad path: how soon losses are mended, not how fast the machine is. */
export const lossyPath: GuestExperiment = {
  kind: "guest",
  rows: [
    { id: "lossy-in", title: "iperf3, 50 ms, 1 % lost, to guest", ...throughput, goal: "≥ 1×" },
    { id: "lossy-out", title: "iperf3, 50 ms, 1 % lost, from guest", ...throughput, goal: "≥ 1×" },
  ],
  measure: (guest, { qemuPath }) => {
    const server = { ...iperfServer, wire: { weather: badPath, qemuPath } };
    return withServer(guest, server, async (network) => ({
      "lossy-in": await iperfRate(network, badPathSeconds, "-C", "cubic"),
      "lossy-out": await iperfRate(network, badPathSeconds, "-C", "cubic", "-R"),
    }));
  },
};

/**
 * The same by netem(8) in a machine between host and guest. Its losses are other ones each time, so
 * that figures differ by a fifth from run to run: `npm run bench -- --only netem --runs 10`.
 */
export const netemPath: GuestExperiment = {
  kind: "guest",
  isOptional: true,
  rows: [
    { id: "netem-in", title: "iperf3, netem 50 ms, 1 %, to guest", ...throughput, goal: "≥ 1×" },
    { id: "netem-out", title: "iperf3, netem 50 ms, 1 %, from guest", ...throughput, goal: "≥ 1×" },
  ],
  measure: (guest, parts) => {
    const server = { ...iperfServer, netem: { path: { delay: "25ms", loss: "1%" }, parts } };
    return withServer(guest, server, async (network) => ({
      "netem-in": await iperfRate(network, badPathSeconds, "-C", "cubic"),
      "netem-out": await iperfRate(network, badPathSeconds, "-C", "cubic", "-R"),
    }));
  },
};

/** A server that sends datagrams back. */
export const udpEcho: GuestExperiment = {
  kind: "guest",
  rows: clientRows("udp", "UDP echo, 64 bytes", "≥ 2×"),
  measure: (guest) => {
    const server = { program: benchProgram("udp-echo"), args: [], port: 7 };
    return withServer(guest, server, async (network) => {
      const one = await oneClient(network, { protocol: "udp", port: 7, text: "x".repeat(64) });
      return { udp: one.answersPerSecond, "udp-latency": one.medianUs };
    });
  },
};
