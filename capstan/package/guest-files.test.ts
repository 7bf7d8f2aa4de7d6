import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { NEUTRAL_MTIME_NS } from "../image/tree.ts";
import { GuestFiles } from "./guest-files.ts";
import { rejectionOf } from "./testing.ts";
import { TreeLimit } from "./tree-limits.ts";

function kinds(files: GuestFiles, root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, node] of files.tree.walk()) {
    if (path.startsWith(`${root}/`)) found[path.slice(root.length + 1)] = node.kind;
  }
  return found;
}

test("all symbolic links on the way come along", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "usr/bin"), { recursive: true });
    writeFileSync(join(root, "usr/bin/tool-1"), "x");
    symlinkSync("usr/bin", join(root, "bin"));
    symlinkSync("tool-1", join(root, "usr/bin/tool"));
    symlinkSync(`${root}/bin/tool`, join(root, "absolute"));
    symlinkSync("usr/../bin/./tool", join(root, "winding"));
    const files = new GuestFiles();
    assert.equal(files.add(join(root, "absolute"))?.realPath, join(root, "usr/bin/tool-1"));
    const expected = {
      absolute: "symlink",
      bin: "symlink",
      usr: "directory",
      "usr/bin": "directory",
      "usr/bin/tool": "symlink",
      "usr/bin/tool-1": "file",
    };
    assert.deepEqual(kinds(files, root), expected);
    assert.equal(files.add(join(root, "winding"))?.realPath, join(root, "usr/bin/tool-1"));
    assert.equal(files.resolve(join(root, "winding")), files.resolve(join(root, "usr/bin/tool-1")));
  }));

test("what does not exist is not added, a dangling link is kept", () =>
  withScratch(async (root) => {
    symlinkSync("nowhere", join(root, "dangling"));
    writeFileSync(join(root, "file"), "");
    const files = new GuestFiles();
    for (const name of ["missing", "dangling", "file/below", "missing/below"]) {
      assert.equal(files.add(join(root, name)), undefined, name);
    }
    assert.deepEqual(kinds(files, root), { dangling: "symlink", file: "file" });
  }));

test("a symbolic link to itself is an error", () =>
  withScratch(async (root) => {
    symlinkSync("b", join(root, "a"));
    symlinkSync("a", join(root, "b"));
    const add = async (): Promise<unknown> => new GuestFiles().add(join(root, "a"));
    await rejectionOf(add(), "SymlinkLoop");
  }));

test("a tree keeps times, modes and hard links; partial directories have neutral times", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "d/sub"), { recursive: true });
    writeFileSync(join(root, "d/one"), "x", { mode: 0o640 });
    linkSync(join(root, "d/one"), join(root, "d/sub/two"));
    chmodSync(join(root, "d/sub"), 0o2750);
    utimesSync(join(root, "d/sub"), 1000, 2000);
    const files = new GuestFiles();
    await files.addTree(join(root, "d"));
    const sub = files.resolve(join(root, "d/sub"));
    assert.equal(sub?.attributes.mode, 0o2750);
    assert.equal(sub?.attributes.mtimeNs, 2_000_000_000_000n);
    assert.equal(files.resolve(join(root, "d/one")), files.resolve(join(root, "d/sub/two")));
    assert.equal(files.resolve(root)?.attributes.mtimeNs, NEUTRAL_MTIME_NS);
  }));

test("links that lead out of a tree are followed only on request", () =>
  withScratch(async (root) => {
    for (const name of ["d/inner", "out/deep", "other"]) {
      mkdirSync(join(root, name), { recursive: true });
    }
    writeFileSync(join(root, "out/deep/file"), "x");
    writeFileSync(join(root, "other/file"), "x");
    symlinkSync("../out", join(root, "d/link"));
    symlinkSync("../other", join(root, "out/next"));
    symlinkSync("..", join(root, "d/up"));
    symlinkSync("inner", join(root, "d/inside"));
    const plain = new GuestFiles();
    await plain.addTree(join(root, "d"));
    assert.equal(plain.resolve(join(root, "d/link")), undefined);
    const following = new GuestFiles();
    await following.addTree(join(root, "d"), { followLinks: true });
    assert.equal(following.resolve(join(root, "d/link/deep/file"))?.kind, "file");
    assert.equal(following.resolve(join(root, "d/link/next/file"))?.kind, "file");
  }));

test("a tree beyond a limit is an error that names the limit", () =>
  withScratch(async (root) => {
    for (let index = 0; index < 12; index++) writeFileSync(join(root, `${index}`), "x".repeat(100));
    for (const [bytes, entries, why] of [
      [1000, 100, /GiB/],
      [10_000, 10, /more than 10 files/],
    ] as const) {
      const limit = new TreeLimit("the directory", bytes, entries, "less");
      const error = await rejectionOf(new GuestFiles().addTree(root, { limit }), "TooMuchToAdd");
      assert.match(error.why, why);
    }
  }));

test("copies go to their place through the guest's symbolic links", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "usr/lib"), { recursive: true });
    mkdirSync(join(root, "data/sub"), { recursive: true });
    writeFileSync(join(root, "data/sub/file"), "x");
    symlinkSync("usr/lib", join(root, "lib"));
    const files = new GuestFiles();
    files.add(join(root, "lib"));
    await files.copyTo(join(root, "data"), join(root, "lib/new/place"));
    assert.equal(files.resolve(join(root, "usr/lib/new/place/sub/file"))?.kind, "file");
    await files.copyTo(join(root, "data/sub/file"), "/top");
    assert.equal(files.tree.get("/top")?.kind, "file");
    await files.copyTo(join(root, "data"), "/");
    assert.equal(files.tree.get("/sub/file")?.kind, "file");
    const blocked = files.copyTo(join(root, "data"), "/top/below");
    await rejectionOf(blocked, "GuestPathBlocked");
  }));

test("the kernel's directories are never copied", async () => {
  const files = new GuestFiles();
  await files.addTree("/proc");
  await files.addTree("/sys");
  assert.deepEqual(kinds(files, "/proc"), {});
  assert.deepEqual(kinds(files, "/sys"), {});
});

test("names that are not UTF-8 and the image cache are left out", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "images"));
    writeFileSync(join(root, "images/one.erofs"), "x");
    writeFileSync(join(root, "good-\u00fc"), "x");
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff])]), "x");
    const files = new GuestFiles(undefined, join(root, "images"));
    await files.addTree(root);
    assert.deepEqual(kinds(files, root), { images: "directory", "good-\u00fc": "file" });
    assert.match(files.warnings.join(), /1 names in .* not valid UTF-8/);
  }));
