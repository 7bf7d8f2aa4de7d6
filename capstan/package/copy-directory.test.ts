import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { FsTree, neutralAttributes } from "../image/tree.ts";
import { copyDirectory } from "./copy-directory.ts";
import { GuestFiles } from "./guest-files.ts";
import { hostNode } from "./host.ts";

const root = () => ({
  kind: "directory" as const,
  attributes: neutralAttributes(0o755),
  children: new Map(),
});
const hooks = {
  isWanted: () => true,
  directoryBehindLink: () => undefined,
  onDirectory: () => true,
  pause: async () => {},
};

test("what vanishes while a directory is walked is left out", () =>
  withScratch(async (path) => {
    mkdirSync(join(path, "gone"));
    symlinkSync("target", join(path, "link"));
    writeFileSync(join(path, "stays"), "");
    const directory = root();
    const result = await copyDirectory(
      path,
      directory,
      {},
      {
        ...hooks,
        nodeFor(child, stats) {
          // Another program removes it after it was looked at.
          if (child.endsWith("/link")) rmSync(child);
          const node = hostNode(child, stats);
          if (child.endsWith("/gone")) rmSync(child, { recursive: true });
          return node;
        },
      },
    );
    assert.deepEqual(result.vanished, [join(path, "link"), join(path, "gone")]);
    assert.deepEqual([...directory.children.keys()].sort(), ["gone", "stays"]);
    assert.deepEqual(result.unreadable, []);
  }));

test("what the host refuses is named as unreadable, and other errors are passed on", () =>
  withScratch(async (path) => {
    writeFileSync(join(path, "refused"), "");
    const fails = (error: Error) =>
      copyDirectory(
        path,
        root(),
        {},
        {
          ...hooks,
          nodeFor() {
            throw error;
          },
        },
      );
    const result = await fails(Object.assign(new Error("EACCES"), { code: "EACCES" }));
    assert.deepEqual(result.unreadable, [join(path, "refused")]);
    await assert.rejects(fails(new TypeError("a mistake")), TypeError);
  }));

test("a loop of links that an added directory points to is a warning", () =>
  withScratch(async (path) => {
    mkdirSync(join(path, "added"));
    symlinkSync(join(path, "b"), join(path, "a"));
    symlinkSync(join(path, "a"), join(path, "b"));
    symlinkSync(join(path, "a"), join(path, "added/link"));
    const files = new GuestFiles();
    await files.addTree(join(path, "added"), { followLinks: true });
    assert.equal(files.warnings.length, 1);
    assert.match(files.warnings[0] ?? "", /symbolic links/);
  }));

test("a real directory is merged into the one that a link of the guest leads to", () =>
  withScratch(async (path) => {
    mkdirSync(join(path, "rootfs/bin/sub"), { recursive: true });
    writeFileSync(join(path, "rootfs/bin/new"), "");
    writeFileSync(join(path, "rootfs/lib"), "a file replaces the link");
    const files = new GuestFiles(undefined, undefined, new FsTree());
    files.addText("/usr/bin/old", "");
    files.addText("/usr/lib/old", "");
    const link = { kind: "symlink", attributes: neutralAttributes(0o777) } as const;
    files.addMissing("/bin", { ...link, target: "usr/bin" });
    files.addMissing("/lib", { ...link, target: "/usr/lib" });
    files.addMissing("/lost", { ...link, target: "nowhere" });
    await files.copyTo(join(path, "rootfs"), "/");
    await files.copyTo(join(path, "rootfs/bin"), "/bin");
    await files.copyTo(join(path, "rootfs/bin"), "/lost");
    assert.equal(files.tree.get("/bin")?.kind, "symlink");
    for (const name of ["old", "new", "sub"]) {
      assert.ok(files.tree.get(`/usr/bin/${name}`) !== undefined, name);
    }
    assert.equal(files.tree.get("/lib")?.kind, "file");
    assert.equal(files.tree.get("/lost/new")?.kind, "file");
  }));
