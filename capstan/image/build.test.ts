import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { UserError } from "../errors.ts";
import { GuestFiles } from "../package/guest-files.ts";
import { buildImage } from "./build.ts";
import { ImageCache, imageCacheDirectory, imageKey } from "./cache.ts";
import { ErofsImage } from "./erofs/reader.ts";
import { assertFsckAccepts, withScratch } from "./erofs/testing.ts";
import { type FsNode, FsTree, neutralAttributes } from "./tree.ts";

function treeOf(text: string): FsTree {
  const tree = new FsTree();
  const content = { from: "bytes", bytes: Buffer.from(text) } as const;
  tree.set("/f", { kind: "file", attributes: neutralAttributes(0o644), content });
  return tree;
}

function optionsFor(scratch: string) {
  return { env: { CAPSTAN_ROOT: scratch } };
}

function namesIn(scratch: string): string[] {
  return readdirSync(imageCacheDirectory({ CAPSTAN_ROOT: scratch }));
}

test("an image is built once and found again", () =>
  withScratch(async (scratch) => {
    const first = await buildImage({ tree: treeOf("a") }, optionsFor(scratch));
    const second = await buildImage({ tree: treeOf("a") }, optionsFor(scratch));
    const other = await buildImage({ tree: treeOf("b") }, optionsFor(scratch));
    assert.deepEqual([first.cached, second.cached, other.cached], [false, true, false]);
    assert.equal(first.path, second.path);
    assert.deepEqual([first.files, first.contentBytes], [1, 1]);
    assert.equal(statSync(first.path).size, first.sizeBytes);
    assert.notEqual(other.path, first.path);
    assertFsckAccepts(first.path);
    assert.equal(namesIn(scratch).length, 2);
  }));

test("a change of any input gives another key", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "file");
    writeFileSync(path, "text");
    const keyNow = (): string => {
      const files = new GuestFiles();
      files.add(path);
      return imageKey(files.tree, {});
    };
    const keys = [keyNow()];
    assert.equal(keyNow(), keys[0], "nothing has changed");
    appendFileSync(path, "more");
    keys.push(keyNow());
    utimesSync(path, 1, 1);
    keys.push(keyNow());
    const variants: ((tree: FsTree) => void)[] = [
      (tree) => tree.makeDirectory("/g"),
      (tree) => tree.set("/g", tree.get("/f") as FsNode),
      (tree) => tree.set("/f", { ...(tree.get("/f") as FsNode), attributes: neutralAttributes(1) }),
    ];
    for (const change of variants) {
      const tree = treeOf("x");
      change(tree);
      keys.push(imageKey(tree, {}));
    }
    keys.push(imageKey(treeOf("x"), {}), imageKey(treeOf("x"), { inlineTails: false }));
    assert.equal(new Set(keys).size, keys.length);
  }));

test("a damaged or shortened image is not used but built again", () =>
  withScratch(async (scratch) => {
    const tree = treeOf("y".repeat(20_000));
    const { path, sizeBytes } = await buildImage({ tree }, optionsFor(scratch));
    const good = readFileSync(path);
    const damages = [
      () => truncateSync(path, sizeBytes - 4096),
      () => truncateSync(path, 0),
      () => writeFileSync(path, Buffer.concat([Buffer.alloc(2048), good.subarray(2048)])),
    ];
    for (const damage of damages) {
      damage();
      const again = await buildImage({ tree }, optionsFor(scratch));
      assert.equal(again.cached, false);
      assert.ok(readFileSync(path).equals(good));
    }
  }));

test("an aborted build leaves nothing behind", () =>
  withScratch(async (scratch) => {
    const tree = treeOf("z".repeat(20_000_000));
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error("stopped"));
    const options = { ...optionsFor(scratch), signal: controller.signal, onProgress };
    await assert.rejects(buildImage({ tree }, options), /stopped/);
    assert.deepEqual(namesIn(scratch), []);
  }));

test("a build that is too large leaves nothing behind", () =>
  withScratch(async (scratch) => {
    const options = { ...optionsFor(scratch), maxSizeBytes: 10_000 };
    await assert.rejects(
      buildImage({ tree: treeOf("z".repeat(20_000)) }, options),
      (error) => error instanceof UserError && error.code === "ImageTooLarge",
    );
    assert.deepEqual(namesIn(scratch), []);
  }));

test("temporary images of processes that are gone are removed, others are kept", () =>
  withScratch(async (scratch) => {
    const gone = spawnSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" });
    const living = spawn("sleep", ["60"]);
    try {
      const directory = imageCacheDirectory({ CAPSTAN_ROOT: scratch });
      const cache = new ImageCache(directory);
      const stale = `0a.${hostname()}.${gone.stdout.trim()}.tmp`;
      const kept = [`0b.${hostname()}.${living.pid}.tmp`, `0c.elsewhere.${gone.stdout.trim()}.tmp`];
      for (const name of [stale, ...kept]) writeFileSync(join(directory, name), "x");
      cache.tidy(1);
      assert.deepEqual(namesIn(scratch).sort(), kept.sort());
    } finally {
      living.kill();
    }
  }));

test("images that were not used for long are removed when the cache is full", () =>
  withScratch(async (scratch) => {
    const built: string[] = [];
    for (const text of ["a", "b", "c"]) {
      const tree = treeOf(text.repeat(100_000));
      built.push((await buildImage({ tree }, optionsFor(scratch))).path);
    }
    const [oldest = "", older = "", newest = ""] = built;
    utimesSync(oldest, 1000, 1000);
    utimesSync(older, 2000, 2000);
    const cache = new ImageCache(imageCacheDirectory({ CAPSTAN_ROOT: scratch }));
    cache.tidy(250_000);
    assert.deepEqual(namesIn(scratch).length, 2);
    assert.equal(statSync(oldest, { throwIfNoEntry: false }), undefined);
    cache.tidy(0);
    assert.deepEqual(namesIn(scratch), [newest.split("/").at(-1)], "a fresh image is protected");
  }));

/** A build in a process of its own, of a tree with one file made of `letter`. */
function buildElsewhere(scratch: string, letter: string) {
  const build = JSON.stringify(new URL("./build.ts", import.meta.url).href);
  const tree = JSON.stringify(new URL("./tree.ts", import.meta.url).href);
  const code = `
    import { buildImage } from ${build};
    import { FsTree, neutralAttributes } from ${tree};
    const tree = new FsTree();
    const content = { from: "bytes", bytes: Buffer.alloc(50_000_000, "${letter}") };
    tree.set("/f", { kind: "file", attributes: neutralAttributes(0o644), content });
    process.stdout.write("start\\n");
    console.log((await buildImage({ tree }, { env: process.env })).path);`;
  const args = ["--import", "tsx", "--input-type=module", "-e", code];
  const env = { ...process.env, CAPSTAN_ROOT: scratch };
  return spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
}

test("two processes that build the same image at once both get it", () =>
  withScratch(async (scratch) => {
    const builds = [buildElsewhere(scratch, "q"), buildElsewhere(scratch, "q")];
    const paths = await Promise.all(
      builds.map(async (build) => {
        let text = "";
        build.stdout.on("data", (data) => {
          text += data;
        });
        const [status] = await once(build, "close");
        assert.equal(status, 0);
        return text.trim().split("\n").at(-1);
      }),
    );
    assert.equal(paths[0], paths[1]);
    assertFsckAccepts(paths[0] ?? "");
    assert.equal(namesIn(scratch).length, 1);
  }));

test("a process that is killed while building leaves no image, and the next one tidies up", () =>
  withScratch(async (scratch) => {
    const victim = buildElsewhere(scratch, "r");
    await once(victim.stdout, "data");
    victim.kill("SIGKILL");
    await once(victim, "close");
    await buildImage({ tree: treeOf("next") }, optionsFor(scratch));
    for (const name of namesIn(scratch)) {
      assert.match(name, /\.erofs$/);
      new ErofsImage(join(imageCacheDirectory({ CAPSTAN_ROOT: scratch }), name)).close();
    }
  }));
