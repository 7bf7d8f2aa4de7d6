/** A guest on a tap device: what the host sees of its frames, queues and connections. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guestTest } from "../harness/guest-test.ts";
import { testProgram } from "../harness/programs.ts";
import { withTapGuest } from "../harness/tap-guest.ts";

const ports = ["5201", "5202"];
/**
 * Serves `iperf3` once on each processor, then tells what each has received. A tap device gives
 * frames to the queue that the flow's answers came from (tun_automq_select_queue of Linux), so
 * servers that may move are not enough.
 */
const iperfServers = [
  ...ports.map((port, cpu) => `taskset -c ${cpu} iperf3 -s -1 -p ${port} --forceflush &`),
  "wait; cat /proc/net/softnet_stat; echo told; cat",
].join(" ");

for (const machine of ["microvm", "q35"]) {
  guestTest(
    `each processor has its queues of a network card: ${machine}`,
    () =>
      withTapGuest(
        {
          argv: ["bash", "-c", iperfServers],
          options: ["--machine", machine, "-c", "2", "--add", "/usr/bin/iperf3"],
          queues: 2,
          ready: /Server listening[\s\S]*Server listening/,
        },
        async (network, guest) => {
          const link = await network.command(["ip", "-d", "link", "show", network.tap], 5_000);
          assert.match(link, /multi_queue numqueues 2 numdisabled 0/);
          for (const port of ports) {
            const client = ["iperf3", "-c", network.address, "-p", port, "-t", "1"];
            await network.command(client, 60_000);
          }
          await guest.writes(/told/);
          const rows = [...guest.output.matchAll(/^([\da-f]{8}) .* ([\da-f]{8})\r?$/gm)];
          assert.equal(rows.length, 2, guest.output);
          for (const [, received = ""] of rows) assert.ok(Number.parseInt(received, 16) > 100);
        },
      ),
    ["iperf3"],
  );
}

/** Idle connections, and what they may cost all together. */
const idleCount = 10_000;
const idleLimitKiB = 100_000;

guestTest("ten thousand idle connections cost less than 100 MB", () => {
  const program = testProgram("idle-connections");
  const server = { argv: [program, "serve", "80", `${idleCount}`], ready: /listening/ };
  return withTapGuest(server, async (network, guest) => {
    const words = [...network.prefix, program, "connect", network.address, "80", `${idleCount}`];
    const [command = "", ...args] = words;
    const clients = spawn(command, args, { stdio: ["pipe", "inherit", "inherit"] });
    const closed = once(clients, "close");
    await guest.writes(/connections cost/);
    clients.stdin.end();
    const [status] = await closed;
    assert.equal(status, 0);
    await guest.writes(/are missing/);
    const [, cost = ""] = /connections cost (-?\d+) KiB/.exec(guest.output) ?? [];
    assert.ok(Number(cost) > 0 && Number(cost) < idleLimitKiB, guest.output);
    const [, missing = ""] = /afterwards (-?\d+) KiB/.exec(guest.output) ?? [];
    // Some memory stays with the allocator for the next ones.
    assert.ok(Number(missing) < Number(cost) / 2, guest.output);
    process.stdout.write(
      `# ${idleCount} connections cost ${cost} KiB, ${missing} KiB afterwards\n`,
    );
  });
});

/** Prints whether a connection uses ECN: a bit of the options in struct tcp_info. */
const tellsEcn = (stream: string) =>
  `print('ecn', ${stream}.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & 8, flush=True)`;
const ecnServer = [
  "import socket",
  "server = socket.create_server(('', 80))",
  "print('listening', flush=True)",
  "stream = server.accept()[0]",
  "stream.sendall(stream.recv(100000, socket.MSG_WAITALL))",
  tellsEcn("stream"),
  "stream.recv(1)",
];
const ecnClient = [
  "import socket, sys",
  "stream = socket.create_connection((sys.argv[1], 80), timeout=20)",
  "stream.sendall(b'x' * 100000)",
  "stream.recv(100000, socket.MSG_WAITALL)",
  tellsEcn("stream"),
];

guestTest("a client that asks for ECN gets it", () => {
  const argv = ["python3", "-c", ecnServer.join("\n")];
  return withTapGuest({ argv, ready: /listening/ }, async (network, guest) => {
    await network.command(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_ecn"], 5_000);
    const client = ["python3", "-c", ecnClient.join("\n"), network.address];
    assert.equal(await network.command(client, 30_000), "ecn 8\n");
    await guest.writes(/^ecn 8\s/m);
  });
});

guestTest("a capture on a tap device holds frames as they are on a wire", async () => {
  const folder = mkdtempSync(join(tmpdir(), "osv-pcap-"));
  const file = join(folder, "capture.pcap");
  const server = {
    argv: ["bash", "-c", "echo waiting; cat"],
    options: ["--pcap", file, "--mac", "52:54:00:aa:bb:cc"],
    ready: /waiting/,
  };
  try {
    await withTapGuest(server, async (network) => {
      await network.command(["ping", "-c", "2", "-i", "0.2", network.address], 20_000);
      const words = ["tcpdump", "-n", "-e", "-vv", "-r", file, "icmp"];
      const said = await network.command(words, 20_000);
      assert.match(said, /52:54:00:aa:bb:cc > [\s\S]*10\.77\.0\.2 > 10\.77\.0\.1: ICMP echo reply/);
      assert.doesNotMatch(said, /wrong/);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, ["tcpdump", "ping"]);
