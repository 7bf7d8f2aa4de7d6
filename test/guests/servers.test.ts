/**
 * Unmodified servers in guests, through `capstan run -p`, for real clients on the host: curl, wrk,
 * redis-benchmark, iperf3; each with one and with two processors.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { buildProgram } from "../harness/build-program.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";
import { withServingGuest } from "../harness/serving.ts";

const sources = join(repositoryRoot, "test/servers");
const built = join(repositoryRoot, "build/test/servers");

/** A server in a guest. */
interface Server {
  readonly argv: readonly string[];
  /** Options of `capstan run`. */
  readonly options?: readonly string[];
  readonly port: number;
  readonly udp?: boolean;
  /** What it writes when it is ready, on either output. */
  readonly ready: RegExp;
}

/** A server that runs. */
interface Running {
  /** The port of the host. */
  readonly port: number;
  /** Waits until the server has written this, since the start. */
  writes(pattern: RegExp): Promise<void>;
}

/** A TCP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

/** Runs a server in a guest while `use` uses it. */
async function withServer(
  cpus: number,
  server: Server,
  use: (running: Running) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const udp = server.udp === true ? ["-p", `${port}:${server.port}/udp`] : [];
  const published = ["-p", `${port}:${server.port}`, ...udp];
  const options = ["-c", String(cpus), ...published, ...(server.options ?? [])];
  const words = [...options, "--", ...server.argv];
  await withServingGuest(words, server.ready, ({ writes }) => use({ port, writes }));
}

/** Output of a client that must succeed. */
async function client(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runOnHost(argv, { timeoutMs: 60_000 });
  const text = stdout.toString("latin1") + stderr.toString("latin1");
  assert.equal(status, 0, `${argv.join(" ")}:\n${text}`);
  return text;
}

/** Eight connections for a second, without an error. How many answers depends on the host. */
async function load(url: string): Promise<void> {
  const said = await client("wrk", "-t1", "-c8", "-d1s", url);
  assert.doesNotMatch(said, /Socket errors|Non-2xx/, said);
  assert.match(said, /[1-9]\d* requests in/);
}

/** An HTTP server that says hello. */
function httpTest(name: string, needs: readonly string[], server: () => Server): void {
  for (const cpus of [1, 2]) {
    guestTest(
      `${name} serves curl and wrk with ${cpus} CPU${cpus === 1 ? "" : "s"}`,
      () =>
        withServer(cpus, server(), async ({ port }) => {
          const url = `http://127.0.0.1:${port}/`;
          assert.equal(await client("curl", "-sS", url), `hello from ${name}\n`);
          await load(url);
        }),
      ["curl", "wrk", ...needs],
    );
  }
}

const listens = { port: 8080, ready: /^listening/m } as const;

httpTest("nginx", ["/usr/sbin/nginx"], () => {
  mkdirSync(join(built, "www"), { recursive: true });
  mkdirSync(join(built, "state"), { recursive: true });
  writeFileSync(join(built, "www/index.html"), "hello from nginx\n");
  const state = join(built, "state");
  const files = [
    `${join(built, "www")}:/www`,
    `${state}:/var/lib/nginx`,
    `${state}:/var/log/nginx`,
    `${join(sources, "nginx.conf")}:/nginx.conf`,
  ];
  return {
    argv: ["/usr/sbin/nginx", "-e", "stderr", "-c", "/nginx.conf"],
    options: files.flatMap((file) => ["--add", file]),
    port: 8080,
    ready: /(start worker process \d+[\s\S]*){2}/,
  };
});

httpTest("node", [], () => ({ argv: ["node", join(sources, "server.mjs")], ...listens }));
httpTest("python", ["python3"], () => ({
  argv: ["python3", join(sources, "server.py")],
  ...listens,
}));
httpTest("java", ["java", "javac"], () => {
  const classes = join(built, "classes");
  execFileSync("javac", ["-d", classes, join(sources, "Server.java")]);
  const options = ["-m", "1G", "--add", `${classes}:/classes`];
  return { argv: ["java", "-cp", "/classes", "Server"], options, ...listens };
});
httpTest("go", ["go"], () => {
  const output = join(built, "server-go");
  buildProgram({ source: join(sources, "server.go"), output, command: ["go", "build"] });
  return { argv: [output], ...listens };
});

for (const cpus of [1, 2]) {
  guestTest(`redis-server saves in the background under load with ${cpus} CPU${cpus === 1 ? "" : "s"}`, () => {
    const words = ["--save", "", "--bind", "0.0.0.0", "--protected-mode", "no"];
    const argv = ["/usr/bin/redis-server", ...words];
    const redis = { argv, port: 6379, ready: /Ready to accept connections/ };
    return withServer(cpus, redis, async ({ port, writes }) => {
      const at = ["-h", "127.0.0.1", "-p", String(port)];
      const some = ["-t", "set", "-n", "5000", "-r", "500", "-d", "1000", "-c", "10", "-q"];
      await client("redis-benchmark", ...at, ...some);
      assert.match(await client("redis-cli", ...at, "bgsave"), /Background saving started/);
      const said = await client("redis-benchmark", ...at, ...some);
      assert.match(said, /SET: [\d.]+ requests per second/);
      await writes(/Background saving terminated with success/);
      assert.equal(await client("redis-cli", ...at, "dbsize"), "500\n");
    });
  }, ["/usr/bin/redis-server", "redis-benchmark", "redis-cli"]);

  guestTest(`iperf3 receives and sends TCP and UDP with ${cpus} CPU${cpus === 1 ? "" : "s"}`, () => {
    const argv = ["iperf3", "-s", "--forceflush"];
    const iperf = { argv, port: 5201, udp: true, ready: /Server listening/ };
    return withServer(cpus, iperf, async ({ port, writes }) => {
      let number = 0;
      for (const direction of [[], ["-R"]]) {
        for (const protocol of [[], ["-u", "-b", "5M", "-l", "1400"]]) {
          // Between two tests iperf3 has no listener for a moment.
          number += 1;
          await writes(new RegExp(`Server listening .*\\(test #${number}\\)`));
          const words = ["-c", "127.0.0.1", "-p", String(port), "-t", "1", "-J"];
          const said = await client("iperf3", ...words, ...direction, ...protocol);
          const { end } = JSON.parse(said);
          const { bytes } = end.sum_received ?? end.sum;
          assert.ok(bytes > 100_000, said);
        }
      }
    });
  }, ["iperf3"]);
}
