import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { writeTar } from "../archive/tar-writer.ts";
import { silentProgress } from "../console/progress.ts";
import { withScratch } from "../image/erofs/testing.ts";
import { FsTree, neutralAttributes } from "../image/tree.ts";
import { digestOf, mediaTypes } from "../oci/manifest.ts";
import { rejectionOf } from "../package/testing.ts";
import { importSource } from "../source/container/import-image.ts";
import { resolveSource, sourceRequest } from "../source/resolve.ts";
import { sourceOptions } from "../source/testing.ts";
import { parseChallenge, RegistryClient } from "./client.ts";
import { findCredentials, keepCredentials } from "./credentials.ts";
import { pullImage } from "./pull.ts";
import { pushImage } from "./push.ts";
import { fullName, parseReference, shortName, tryParseReference } from "./reference.ts";
import { type RegistryDouble, startRegistryDouble } from "./registry-double.ts";
import { ImageStore } from "./store.ts";

test("names are completed as Docker completes them", () => {
  const cases: Record<string, string> = {
    nginx: "docker.io/library/nginx:latest",
    "nginx:1.25": "docker.io/library/nginx:1.25",
    "owner/app": "docker.io/owner/app:latest",
    "localhost/app": "localhost/app:latest",
    "localhost:5000/a/b:c": "localhost:5000/a/b:c",
    "ghcr.io/o/a": "ghcr.io/o/a:latest",
    [`a@sha256:${"0".repeat(64)}`]: `docker.io/library/a@sha256:${"0".repeat(64)}`,
  };
  for (const [text, full] of Object.entries(cases)) {
    assert.equal(fullName(parseReference(text)), full);
    assert.equal(fullName(parseReference(full)), full);
  }
  assert.equal(shortName(parseReference("docker.io/library/nginx:1")), "nginx:1");
  for (const text of ["", "A", "a b", "./a", "a:", "a@sha256:1", "a//b", "-a", "a:b:c", "/a"]) {
    assert.equal(tryParseReference(text), undefined, text);
  }
});

test("challenges of servers", () => {
  const { scheme, parameters } = parseChallenge(
    'Bearer realm="https://a/t",service="s, t",scope=x',
  );
  assert.equal(scheme, "bearer");
  assert.deepEqual([...parameters.values()], ["https://a/t", "s, t", "x"]);
});

const options = (root: string) => ({
  host: { CAPSTAN_ROOT: root, HOME: root },
  progress: silentProgress,
});

/** Puts an image with a file of these bytes into a registry. */
async function serveImage(double: RegistryDouble, bytes: Buffer): Promise<void> {
  const tree = new FsTree();
  const attributes = neutralAttributes(0o755);
  tree.set("/bin/program", { kind: "file", attributes, content: { from: "bytes", bytes } });
  const pieces: Buffer[] = [];
  for await (const piece of writeTar(tree, async () => {})) pieces.push(piece);
  const tar = Buffer.concat(pieces);
  const layer = gzipSync(tar, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: ["/bin/program"] },
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    }),
  );
  const describe = (mediaType: string, blob: Buffer) => {
    return { mediaType, digest: digestOf(blob), size: blob.length };
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: describe(mediaTypes.config, config),
      layers: [describe(mediaTypes.layer, layer)],
    }),
  );
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        {
          ...describe(mediaTypes.manifest, config),
          platform: { os: "linux", architecture: "arm64" },
        },
        {
          ...describe(mediaTypes.manifest, manifest),
          platform: { os: "linux", architecture: "amd64" },
        },
      ],
    }),
  );
  for (const blob of [layer, config]) double.content.set(`blobs/${digestOf(blob)}`, blob);
  double.content.set("manifests/latest", index);
  double.content.set(`manifests/${digestOf(manifest)}`, manifest);
}

function withDouble(body: (double: RegistryDouble, root: string) => Promise<void>): Promise<void> {
  return withScratch(async (root) => {
    const double = await startRegistryDouble();
    try {
      await body(double, root);
    } finally {
      await double.close();
    }
  });
}

const elf = readFileSync("/bin/true");

test("a broken connection is taken up where it was; the index's image for amd64 is pulled", () =>
  withDouble(async (double, root) => {
    await serveImage(double, Buffer.concat([elf, randomBytes(300_000)]));
    double.cutAfterBytes = 100_000;
    const reference = parseReference(`${double.registry}/app`);
    const image = await pullImage(reference, options(root));
    assert.ok(
      double.requests.some((line) => line.endsWith("bytes=100000-")),
      `${double.requests}`,
    );
    assert.deepEqual(readdirSync(join(root, "images/partial")), []);
    const { config } = new ImageStore(options(root).host).describe(image);
    assert.equal(config.architecture, "amd64");
    const again = double.requests.length;
    await pullImage(reference, options(root));
    assert.ok(double.requests.slice(again).every((line) => !line.includes("/blobs/")));
  }));

test("what an earlier pull left is continued, also from a registry without ranges", () =>
  withDouble(async (double, root) => {
    for (const honoursRanges of [true, false]) {
      await serveImage(double, Buffer.concat([elf, randomBytes(300_000)]));
      double.honoursRanges = honoursRanges;
      const layer = [...double.content].find(([, blob]) => blob.length > 300_000);
      assert.ok(layer !== undefined);
      const [name, bytes] = layer;
      const store = new ImageStore(options(root).host);
      writeFileSync(store.partialPath(name.slice(6)), bytes.subarray(0, 70_000));
      await pullImage(parseReference(`${double.registry}/app`), options(root));
      assert.ok(double.requests.some((line) => line.endsWith("bytes=70000-")));
      assert.deepEqual(readFileSync(store.blobPath(name.slice(6))), bytes);
      double.content.clear();
    }
  }));

test("a layer that is not what its digest says: one clear error, nothing kept, no name", () =>
  withDouble(async (double, root) => {
    await serveImage(double, Buffer.concat([elf, randomBytes(100_000)]));
    for (const [name, blob] of double.content) {
      if (name.startsWith("blobs/") && blob.length > 100_000) blob.writeUInt8(7, 50_000);
    }
    const reference = parseReference(`${double.registry}/app`);
    const error = await rejectionOf(pullImage(reference, options(root)), "DigestMismatch");
    assert.match(error.why, /should be sha256:.* and is sha256:/);
    const store = new ImageStore(options(root).host);
    assert.deepEqual(store.list(), []);
    assert.deepEqual(readdirSync(join(root, "images/partial")), []);
  }));

test("a manifest that is not what its digest says is refused", () =>
  withDouble(async (double, root) => {
    await serveImage(double, elf);
    const name = [...double.content.keys()].find((key) => key.startsWith("manifests/sha256"));
    assert.ok(name !== undefined);
    double.content.set(name, Buffer.from("{}"));
    const reference = parseReference(`${double.registry}/app`);
    await rejectionOf(pullImage(reference, options(root)), "DigestMismatch");
  }));

test("a pull that is stopped keeps the beginning and nothing else", () =>
  withDouble(async (double, root) => {
    await serveImage(double, Buffer.concat([elf, randomBytes(300_000)]));
    const controller = new AbortController();
    const progress = {
      start: () => ({
        advance: (bytes: number) => {
          if (bytes > 10_000) controller.abort(new Error("stopped"));
        },
        resume() {},
        end() {},
      }),
    };
    const reference = parseReference(`${double.registry}/app`);
    const stopped = pullImage(reference, { ...options(root), progress, signal: controller.signal });
    await assert.rejects(stopped, /stopped/);
    assert.deepEqual(new ImageStore(options(root).host).list(), []);
    assert.ok(readdirSync(join(root, "images/partial")).length > 0);
    await pullImage(reference, options(root));
    assert.ok(double.requests.some((line) => / bytes=\d+-$/.test(line)));
  }));

test("tokens: with the right password, with a wrong one, with none", () =>
  withDouble(async (double, root) => {
    await serveImage(double, elf);
    double.login = { user: "ann", password: "pa:ss" };
    const reference = parseReference(`${double.registry}/app`);
    const { host } = options(root);
    await rejectionOf(pullImage(reference, options(root)), "AccessDenied");
    keepCredentials(double.registry, { user: "ann", password: "wrong" }, host);
    await rejectionOf(pullImage(reference, options(root)), "AccessDenied");
    const tried = new RegistryClient(double.registry, options(root), {
      kind: "password",
      user: "ann",
      password: "wrong",
    });
    await assert.rejects(tried.send({ method: "GET", path: "" }), { fix: /user and the password/ });
    keepCredentials(double.registry, { user: "ann", password: "pa:ss" }, host);
    await pullImage(reference, options(root));
    assert.equal(statSync(join(root, "auth.json")).mode & 0o777, 0o600);
  }));

test("credentials of Docker are found, those of capstan come first", () =>
  withScratch(async (root) => {
    const { host } = options(root);
    const auth = Buffer.from("d:docker").toString("base64");
    mkdirSync(join(root, ".docker"));
    const auths = { "https://index.docker.io/v1/": { auth }, "r.io": { identitytoken: "t" } };
    writeFileSync(join(root, ".docker/config.json"), JSON.stringify({ auths }));
    const password = (user: string, text: string) => ({ kind: "password", user, password: text });
    assert.deepEqual(findCredentials("docker.io", host), password("d", "docker"));
    assert.deepEqual(findCredentials("r.io", host), { kind: "token", refreshToken: "t" });
    keepCredentials("docker.io", { user: "c", password: "own" }, host);
    assert.deepEqual(findCredentials("docker.io", host), password("c", "own"));
    keepCredentials("docker.io", undefined, host);
    assert.deepEqual(findCredentials("docker.io", host), password("d", "docker"));
    assert.equal(findCredentials("other.io", host), undefined);
    writeFileSync(join(root, ".docker/config.json"), "{");
    assert.throws(() => findCredentials("docker.io", host), /config\.json/);
  }));

test("a registry that is not there is an error with a way out", () =>
  withScratch(async (root) => {
    const port = await freePort();
    const pulled = pullImage(parseReference(`127.0.0.1:${port}/a`), options(root));
    assert.match((await rejectionOf(pulled, "RegistryUnreachable")).why, /ECONNREFUSED/);
  }));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

const hasRegistry = spawnSync("docker-registry", ["--version"]).status === 0;

/** Debian's docker-registry on a free port. @param settings more of its configuration */
async function withRealRegistry(
  body: (registry: string, root: string) => Promise<void>,
  settings: (root: string) => { auth?: object; tls?: object } = () => ({}),
) {
  await withScratch(async (root) => {
    const registry = `127.0.0.1:${await freePort()}`;
    const { auth, tls } = settings(root);
    const configuration = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: join(root, "registry") } },
      http: { addr: registry, ...(tls === undefined ? {} : { tls }) },
      ...(auth === undefined ? {} : { auth }),
    };
    const path = join(root, "registry.json");
    writeFileSync(path, JSON.stringify(configuration));
    const child = spawn("docker-registry", ["serve", path], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      for await (const line of createInterface({ input: child.stderr })) {
        if (line.includes("listening on")) break;
      }
      child.stderr.resume();
      await body(registry, root);
    } finally {
      child.kill();
    }
  });
}

test(
  "an image goes to a registry and comes back, and runs there as here",
  { skip: hasRegistry ? false : "docker-registry is not installed", timeout: 60_000 },
  () =>
    withRealRegistry(async (registry, root) => {
      const settings = sourceOptions({ cwd: root, env: { A: "b" } });
      const source = await resolveSource(sourceRequest(["echo", "hello"], true), settings);
      const image = await importSource(source, parseReference("app"), settings);
      const target = parseReference(`${registry}/team/app:1`);
      const first = await pushImage(image, target, settings);
      assert.ok(first.sentBytes > 0);
      assert.equal((await pushImage(image, target, settings)).sentBytes, 0);

      const other = { ...settings, host: { ...settings.host, CAPSTAN_ROOT: join(root, "other") } };
      const request = sourceRequest([`${registry}/team/app:1`], false);
      const pulled = await resolveSource(request, other);
      assert.equal(pulled.origin.digest, image.manifest.digest);
      const { executable, args, env, cwd } = pulled.launch;
      assert.deepEqual([executable, args, cwd], [source.launch.executable, ["hello"], root]);
      assert.equal(env.A, "b");
      assert.ok(pulled.tree.get(executable)?.kind === "file");

      const store = new ImageStore(other.host);
      const layer = store.describe(store.get(target)).manifest.layers[0];
      assert.ok(layer !== undefined);
      assert.equal(store.remove(target) > layer.size, true);
      assert.equal(existsSync(store.blobPath(layer.digest)), false);
      const missing = new RegistryClient(registry, other).send({
        method: "GET",
        path: "team/app/manifests/none",
        repository: "team/app",
      });
      assert.equal((await missing).status, 404);
    }),
);

/** htpasswd(1) -Bb for the user `me` with the password `secret`. */
const passwordFile = "me:$2y$05$ruVgNC/aJs7s1BLEt7hwO.TKiuYuuIG1w5xV64vLaMNPqDdc9nUjS\n";

test(
  "a registry with passwords lets in who is logged in, also by Docker's file",
  { skip: hasRegistry ? false : "docker-registry is not installed", timeout: 60_000 },
  () =>
    withRealRegistry(
      async (registry, root) => {
        const settings = sourceOptions({ cwd: root });
        const source = await resolveSource(sourceRequest(["echo"], true), settings);
        const image = await importSource(source, parseReference("app"), settings);
        const target = parseReference(`${registry}/team/app:1`);
        await rejectionOf(pushImage(image, target, settings), "AccessDenied");
        keepCredentials(registry, { user: "me", password: "wrong" }, settings.host);
        await rejectionOf(pushImage(image, target, settings), "AccessDenied");
        keepCredentials(registry, { user: "me", password: "secret" }, settings.host);
        assert.ok((await pushImage(image, target, settings)).sentBytes > 0);

        const auth = Buffer.from("me:secret").toString("base64");
        const docker = join(root, "docker");
        mkdirSync(docker);
        writeFileSync(
          join(docker, "config.json"),
          JSON.stringify({ auths: { [registry]: { auth } } }),
        );
        const host = { CAPSTAN_ROOT: join(root, "other"), HOME: root, DOCKER_CONFIG: docker };
        const pulled = await pullImage(target, { ...settings, host });
        assert.equal(pulled.manifest.digest, image.manifest.digest);
      },
      (root) => {
        const path = join(root, "htpasswd");
        writeFileSync(path, passwordFile);
        return { auth: { htpasswd: { realm: "test", path } } };
      },
    ),
);

test(
  "a registry whose certificate nobody vouches for is named as such, and gets no plain text",
  { skip: hasRegistry ? false : "docker-registry is not installed", timeout: 60_000 },
  () =>
    withRealRegistry(
      async (registry, root) => {
        const client = new RegistryClient(registry, options(root));
        const error = await rejectionOf(
          client.send({ method: "GET", path: "" }),
          "UntrustedCertificate",
        );
        assert.match(error.fix, /NODE_EXTRA_CA_CERTS/);
      },
      (root) => {
        const [key, certificate] = [join(root, "key.pem"), join(root, "certificate.pem")];
        const words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split(" ");
        const made = spawnSync("openssl", [...words, "-keyout", key, "-out", certificate]);
        assert.equal(made.status, 0, String(made.stderr));
        return { tls: { certificate, key } };
      },
    ),
);

test("the same source gives the same image", () =>
  withScratch(async (cwd) => {
    const digests: string[] = [];
    for (const name of ["one", "two"]) {
      const settings = sourceOptions({ cwd });
      const source = await resolveSource(sourceRequest(["echo"], true), settings);
      const { manifest } = await importSource(source, parseReference(name), settings);
      digests.push(manifest.digest);
    }
    assert.equal(digests[0], digests[1]);
    const store = new ImageStore(sourceOptions({ cwd }).host);
    const [image] = store.list();
    assert.ok(image !== undefined);
    truncateSync(store.blobPath(image.manifest.digest), 10);
    assert.throws(() => store.describe(image), /damaged/);
  }));
