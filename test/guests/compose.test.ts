/** `capstan compose`: several machines that find each other, from start to end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freePort } from "../harness/free-port.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-compose-"));
const project = join(scratch, "shop");
mkdirSync(project);
const env = { ...process.env, CAPSTAN_ROOT: join(scratch, "root") } as Record<string, string>;

async function compose(...argv: string[]) {
  const words = [process.execPath, capstanLauncher, "compose", ...argv];
  const { status, stdout, stderr } = await runOnHost(words, { env, cwd: project });
  return { status, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}

after(async () => {
  await compose("down", "-t", "0.1");
  rmSync(scratch, { recursive: true });
});

/** The server says when it listens, so nobody has to try again. */
const server = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello " + self.path.encode())
    def log_message(self, *_): print("asked for", self.path, flush=True)
server = http.server.HTTPServer(("", 80), Handler)
print("listening", flush=True)
server.serve_forever()
`;
const client = `
import socket, time, urllib.request
while True:
    try: print(urllib.request.urlopen("http://web/from-client").read().decode(), flush=True); break
    except ConnectionRefusedError: time.sleep(0.1)
print(socket.gethostbyname("client"), flush=True)
`;

function writeProject(port: number): void {
  writeFileSync(join(project, "server.py"), server);
  writeFileSync(join(project, "client.py"), client);
  writeFileSync(
    join(project, "compose.yaml"),
    `services:
  client: {command: [python3, client.py], depends_on: [web], memory: 256M}
  web: {command: [python3, server.py], ports: ["${port}:80"], memory: 256M}
`,
  );
}

guestTest("compose: machines find each other by name, and the host a published port", async () => {
  const port = await freePort();
  writeProject(port);
  const up = await compose("up", "-d");
  assert.equal(up.status, 0, up.stderr);
  assert.match(up.stderr, /web: started[\s\S]+client: starting/);
  const followed = await compose("logs", "--follow", "client");
  assert.equal(followed.stdout, "client | hello /from-client\nclient | 10.0.2.16\n");
  const answer = await fetch(`http://127.0.0.1:${port}/from-host`);
  assert.equal(await answer.text(), "hello /from-host");
  const ps = await compose("ps");
  assert.match(ps.stdout, new RegExp(`^shop-web .* running +127.0.0.1:${port}->80/tcp `, "m"));
  assert.match(ps.stdout, /^shop-client .* exited \(0\) /m);
  const again = await compose("up", "-d");
  assert.match(again.stderr, /web: runs already/);
  const down = await compose("down", "--json");
  assert.deepEqual(JSON.parse(down.stdout).deleted, ["shop-client", "shop-web"]);
  assert.equal(JSON.parse((await compose("ps", "--json")).stdout).length, 0);
  assert.deepEqual(readdirSync(join(scratch, "root/networks")), []);
});

guestTest("compose: Ctrl-C in the foreground ends all machines and the network", async () => {
  writeProject(await freePort());
  const up = spawn(process.execPath, [capstanLauncher, "compose", "up"], {
    env,
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for await (const bytes of up.stdout.iterator({ destroyOnReturn: false })) {
    output += bytes.toString("utf8");
    if (output.includes("client | hello /from-client")) break;
  }
  up.stdout.resume();
  up.kill("SIGINT");
  const [status] = await once(up, "close");
  assert.equal(status, 130);
  assert.match(output, /^web {4}\| listening$/m);
  const ps = await compose("ps");
  assert.ok(!ps.stdout.includes("running"), ps.stdout);
  assert.deepEqual(readdirSync(join(scratch, "root/networks")), []);
});

test("compose: what cannot be started leaves nothing behind", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  assert.ok(typeof address === "object" && address !== null);
  writeProject(address.port);
  const busy = await compose("up", "-d");
  listener.close();
  assert.equal(busy.status, 125);
  assert.match(busy.stderr, /is in use[\s\S]+fix: /);
  writeFileSync(join(project, "compose.yaml"), "services:\n  a: {command: [no-such-program]}\n");
  const missing = await compose("up", "-d");
  assert.equal(missing.status, 127);
  assert.deepEqual(readdirSync(join(scratch, "root/networks")), []);
  writeFileSync(join(project, "compose.yaml"), "services:\n  a:\n    comand: [ls]\n");
  const wrong = await compose("up");
  assert.match(wrong.stderr, /compose\.yaml:3:5: .*[\s\S]*no setting comand/);
});
