/** Networks that depend on rights: a bridge, whose port QEMU makes, and ports without root. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchNetwork } from "../../bench/network/namespace.ts";
import { freePort } from "../harness/free-port.ts";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { withServingGuest } from "../harness/serving.ts";

/** Greets whoever connects to port 80. */
const greeter = [
  "import socket",
  "server = socket.create_server(('', 80))",
  "print('listening', flush=True)",
  "while True:",
  "    stream, peer = server.accept()",
  "    stream.sendall(peer[0].encode())",
  "    stream.close()",
].join("\n");
const caller = [
  "import socket, sys",
  "print(socket.create_connection((sys.argv[1], 80), timeout=20).recv(100).decode())",
].join("\n");
const bridge = "br0";
const hostOnBridge = "10.78.0.1";

/** The guest's options: an address in the bridge's network. */
const onBridge = (address: string) => ["--net", `bridge=${bridge}`, "--ip", `${address}/24`];

guestTest("guests on a bridge reach one another and the host", async () => {
  const network = await BenchNetwork.open();
  const host = (...words: string[]) => network.command(words, 10_000);
  try {
    await host("ip", "link", "add", bridge, "type", "bridge");
    await host("ip", "address", "add", `${hostOnBridge}/24`, "dev", bridge);
    await host("ip", "link", "set", bridge, "up");
    const server = [...onBridge("10.78.0.2"), "--", "python3", "-c", greeter];
    const talk = async () => {
      const called = await network.command(["python3", "-c", caller, "10.78.0.2"], 30_000);
      assert.equal(called.trim(), hostOnBridge);
      const client = [...onBridge("10.78.0.3"), "--mac", "52:54:00:12:34:57"];
      const words = [...client, "--", "python3", "-c", caller, "10.78.0.2"];
      await withServingGuest(words, /^10\.78\.0\.3\s/m, async () => {}, network.prefix);
    };
    await withServingGuest(server, /listening/, talk, network.prefix);
  } finally {
    network.close();
  }
});

/** Words that make the command after them one of a user without rights; none if we are such a one. */
function asNobody(home: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const words = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
  return ["setpriv", ...words, "env", `HOME=${home}`, `CAPSTAN_ROOT=${join(home, "capstan")}`];
}

function isReadableFor(prefix: readonly string[]): boolean {
  const kernel = join(repositoryRoot, "build/kernel.elf");
  const [program = "", ...args] = [...prefix, "test", "-r", kernel];
  try {
    execFileSync(program, args);
    return true;
  } catch {
    return false;
  }
}

guestTest("ports are published without root", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "osv-nobody-"));
  const prefix = asNobody(home);
  try {
    if (prefix.length > 0) {
      execFileSync("chown", ["65534:65534", home]);
      if (!isReadableFor(prefix)) {
        t.skip("only root may read this folder");
        return;
      }
    }
    const port = await freePort();
    const words = ["-p", `${port}:80`, "--", "python3", "-c", greeter];
    const talk = async () => {
      const stream = connect(port, "127.0.0.1");
      const [greeting] = await once(stream, "data");
      assert.equal(String(greeting), "10.0.2.2");
      stream.destroy();
    };
    await withServingGuest(words, /listening/, talk, prefix);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
