/** Sources other than a program of the host: a project's directory, an image with an entry point. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { writeTar } from "../../capstan/archive/tar-writer.ts";
import { silentProgress } from "../../capstan/console/progress.ts";
import { FsTree, neutralAttributes } from "../../capstan/image/tree.ts";
import { digestOf } from "../../capstan/oci/manifest.ts";
import { resolveSource } from "../../capstan/source/resolve.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-sources-"));
const root = join(scratch, "root");
const env = { ...process.env, CAPSTAN_ROOT: root } as Record<string, string>;

after(() => rmSync(scratch, { recursive: true }));

function capstan(cwd: string, ...argv: string[]) {
  return runOnHost([process.execPath, capstanLauncher, ...argv], { env, cwd });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

/** Runs `capstan run .`, asks its server when it says that it is up, and ends it. */
async function answerOf(directory: string): Promise<string> {
  const port = await freePort();
  const argv = [capstanLauncher, "run", "-m", "1G", "-p", `${port}:8080`, "."];
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, argv, { cwd: directory, env, stdio: [...stdio] });
  const ended = once(child, "close");
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line === "up") break;
    return await (await fetch(`http://127.0.0.1:${port}/path`)).text();
  } finally {
    child.kill();
    await ended;
  }
}

const projects: readonly (readonly [needs: string, file: string, text: string])[] = [
  [
    "node",
    "index.js",
    `require("http").createServer((request, response) => response.end("got " + request.url))
       .listen(8080, () => console.log("up"));`,
  ],
  [
    "ruby",
    "app.rb",
    `require "socket"
     server = TCPServer.new("0.0.0.0", 8080)
     puts "up"
     $stdout.flush
     client = server.accept
     path = client.gets.split[1]
     nil while client.gets != "\\r\\n"
     client.write "HTTP/1.0 200 OK\\r\\n\\r\\ngot #{path}"
     client.close`,
  ],
];

for (const [needs, file, text] of projects) {
  guestTest(`sources: a directory with ${file} serves HTTP`, async () => {
    const directory = join(scratch, needs);
    mkdirSync(directory);
    writeFileSync(join(directory, file), text);
    assert.equal(await answerOf(directory), "got /path");
  }, [needs]);
}

/** The archive of a tree. */
async function archive(tree: FsTree): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of writeTar(tree, async () => {})) pieces.push(piece);
  return Buffer.concat(pieces);
}

function put(tree: FsTree, path: string, bytes: string | Buffer): void {
  const content = { from: "bytes", bytes: Buffer.from(bytes) } as const;
  tree.set(path, { kind: "file", attributes: neutralAttributes(0o755), content });
}

/** Writes what docker save would write of an image with a shell as its entry point. */
async function saveImage(path: string): Promise<void> {
  const { tree, launch } = await resolveSource(
    { kind: "program", program: "sh", args: ["-c", "id; exit"] },
    { cwd: "/", env: {}, add: [], host: process.env, progress: silentProgress },
  );
  put(tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:70:71::/home/app:/bin/sh\n");
  put(
    tree,
    "/entry.sh",
    `#!${launch.executable}\nid -u; id -g; echo $A $HOME $PWD "$@"; exec "$@"\n`,
  );
  const layer = await archive(tree);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {
      Entrypoint: ["/entry.sh"],
      Cmd: ["id", "-ur"],
      Env: ["A=image"],
      User: "app",
      WorkingDir: "/work",
    },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const saved = new FsTree();
  const manifest = [{ Config: "config.json", RepoTags: ["app:1"], Layers: ["l/layer.tar"] }];
  put(saved, "/manifest.json", JSON.stringify(manifest));
  put(saved, "/config.json", config);
  put(saved, "/l/layer.tar", layer);
  writeFileSync(path, await archive(saved));
}

guestTest("sources: an image's entry point, user, variables and directory count", async () => {
  const path = join(scratch, "app.tar");
  await saveImage(path);
  const own = await capstan(scratch, "run", "--quiet", "./app.tar");
  assert.equal(own.stdout.toString(), "70\n71\nimage /home/app /work id -ur\n70\n");
  assert.equal((await capstan(scratch, "import", "--quiet", "app:1", "./app.tar")).status, 0);
  const argv = ["--quiet", "-e", "A=mine", "--user", "0", "--workdir", "/", "app:1", "id", "-u"];
  const changed = await capstan(scratch, "run", ...argv);
  assert.equal(changed.stdout.toString(), "0\n0\nmine /root / id -u\n0\n");
});

test("sources: an import that is stopped by Ctrl-C leaves nothing half-made", async () => {
  const directory = join(scratch, "large");
  mkdirSync(directory);
  writeFileSync(join(directory, "main.py"), "");
  writeFileSync(join(directory, "data"), "");
  // Takes no room, but a while to compress.
  truncateSync(join(directory, "data"), 8 * 1024 ** 3);
  const partial = join(root, "images/partial");
  mkdirSync(partial, { recursive: true });
  const watcher = watch(partial);
  const written = once(watcher, "change");
  const argv = [capstanLauncher, "import", "--quiet", "large", "."];
  const child = spawn(process.execPath, argv, { cwd: directory, env, stdio: "ignore" });
  const ended = once(child, "close");
  await written;
  watcher.close();
  child.kill("SIGINT");
  const [, signal] = await ended;
  assert.equal(signal, "SIGINT");
  assert.deepEqual(readdirSync(partial), []);
  const names = readdirSync(join(root, "images/names"));
  assert.ok(
    names.every((name) => !name.includes("large")),
    `${names}`,
  );
  assert.ok(
    !existsSync(join(root, "cache/images")) ||
      readdirSync(join(root, "cache/images")).every((name) => !name.endsWith(".tmp")),
  );
});
