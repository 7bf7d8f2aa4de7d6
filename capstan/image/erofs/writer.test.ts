import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { hostNode, lookAt } from "../../package/host.ts";
import { type FsNode, FsTree, neutralAttributes } from "../tree.ts";
import { ErofsImage } from "./reader.ts";
import { assertFsckAccepts, assertImageHolds, directories, withScratch } from "./testing.ts";
import { writeErofs } from "./writer.ts";

function fileOf(bytes: Uint8Array, mode = 0o644): FsNode {
  return {
    kind: "file",
    attributes: neutralAttributes(mode),
    content: { from: "bytes", bytes },
  };
}

function hostFile(path: string): FsNode {
  const stats = lookAt(path);
  assert.ok(stats !== undefined);
  return hostNode(path, stats);
}

function text(value: string): FsNode {
  return fileOf(Buffer.from(value));
}

function symlink(target: string): FsNode {
  return { kind: "symlink", attributes: neutralAttributes(0o777), target };
}

test("random trees are read back as written and pass fsck.erofs", () =>
  withScratch(async (scratch) => {
    const image = join(scratch, "image.erofs");
    await fc.assert(
      fc.asyncProperty(directories, fc.boolean(), async (root, inlineTails) => {
        assert.ok(root.kind === "directory");
        const tree = new FsTree(root);
        await writeErofs(tree, image, { inlineTails });
        assertImageHolds(image, tree);
        assertFsckAccepts(image);
      }),
      { numRuns: 60 },
    );
  }));

test("a tree with every kind of entry passes fsck.erofs and is extracted by it", () =>
  withScratch(async (scratch) => {
    const tree = new FsTree();
    tree.set("/empty", fileOf(new Uint8Array(0)));
    tree.set("/small", text("hello\n"));
    tree.set("/block", fileOf(new Uint8Array(4096).fill(7)));
    tree.set("/tail", fileOf(new Uint8Array(10_000).fill(8), 0o4755));
    tree.set("/link", symlink("small"));
    tree.set("/long-link", symlink("x/".repeat(2047)));
    const linked = text("two names");
    tree.set("/a/b/c/first", linked);
    tree.set("/second", linked);
    const special = { attributes: neutralAttributes(0o666), major: 0, minor: 0 } as const;
    tree.set("/dev/null", { ...special, kind: "character", major: 1, minor: 3 });
    tree.set("/dev/loop300", { ...special, kind: "block", major: 7, minor: 300 });
    tree.set("/fifo", { ...special, kind: "fifo" });
    tree.set("/socket", { ...special, kind: "socket" });
    const image = join(scratch, "image.erofs");
    await writeErofs(tree, image);
    assertImageHolds(image, tree);
    assertFsckAccepts(image);

    // A second tree for extraction: making devices needs privileges, and 4094 bytes of link target
    // are more than the extractor's path buffer takes.
    for (const name of ["dev", "fifo", "socket", "long-link"]) tree.root.children.delete(name);
    await writeErofs(tree, image);
    const extracted = join(scratch, "extracted");
    assertFsckAccepts(image, `--extract=${extracted}`);
    assert.equal(readFileSync(join(extracted, "small"), "utf8"), "hello\n");
    assert.equal(readFileSync(join(extracted, "link"), "utf8"), "hello\n");
    assert.equal(readFileSync(join(extracted, "a/b/c/first"), "utf8"), "two names");
    assert.deepEqual(
      readFileSync(join(extracted, "tail")),
      Buffer.from(new Uint8Array(10_000).fill(8)),
    );
  }));

test("a directory with 10,000 entries keeps its order and passes fsck.erofs", () =>
  withScratch(async (scratch) => {
    const tree = new FsTree();
    for (let index = 0; index < 10_000; index++) tree.set(`/many/file-${index}`, text(`${index}`));
    const image = join(scratch, "image.erofs");
    await writeErofs(tree, image);
    assertImageHolds(image, tree);
    assertFsckAccepts(image);
  }));

test("a sparse file of 5 GiB keeps its size, its data and its holes", () =>
  withScratch(async (scratch) => {
    const sizeBytes = 5 * 1024 ** 3 + 5;
    const path = join(scratch, "sparse");
    const fd = openSync(path, "w");
    ftruncateSync(fd, sizeBytes);
    writeSync(fd, "start", 0);
    writeSync(fd, "beyond 4 GiB", 4.5 * 1024 ** 3);
    writeSync(fd, "tail", sizeBytes - 4);
    closeSync(fd);
    const tree = new FsTree();
    tree.set("/sparse", hostFile(path));
    const imagePath = join(scratch, "image.erofs");
    await writeErofs(tree, imagePath);
    const image = new ErofsImage(imagePath);
    const inode = image.lookup("/sparse");
    assert.ok(inode !== undefined);
    assert.equal(inode.sizeBytes, sizeBytes);
    assert.equal(image.read(inode, 0, 5).toString(), "start");
    assert.equal(image.read(inode, 4.5 * 1024 ** 3, 12).toString(), "beyond 4 GiB");
    assert.equal(image.read(inode, sizeBytes - 5, 100).toString(), "\0tail");
    image.close();
    assert.ok(statSync(imagePath).blocks * 512 < 1024 ** 2, "the image is not sparse");
    assertFsckAccepts(imagePath);
  }));

test("equal contents are stored once", () =>
  withScratch(async (scratch) => {
    const bytes = Buffer.alloc(1_000_000);
    for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 31) >> 3;
    await writeFile(join(scratch, "host"), bytes);
    const other = Buffer.from(bytes);
    other[500_000] = 1;
    const tree = new FsTree();
    tree.set("/one", fileOf(bytes));
    tree.set("/two", hostFile(join(scratch, "host")));
    tree.set("/three", fileOf(other));
    const image = join(scratch, "image.erofs");
    const summary = await writeErofs(tree, image);
    assertImageHolds(image, tree);
    assertFsckAccepts(image);
    assert.equal(summary.contentBytes, 3_000_000);
    assert.equal(summary.sharedBytes, 999_424);
    assert.ok(summary.sizeBytes < 2_020_000);
  }));

test("the same tree gives the same bytes, whatever the order of insertion", () =>
  withScratch(async (scratch) => {
    const paths = Array.from({ length: 300 }, (_, index) => `/d${index % 7}/f${index}`);
    const images: Buffer[] = [];
    for (const order of [paths, [...paths].reverse()]) {
      const tree = new FsTree();
      for (const path of order) tree.set(path, text(path.repeat(path.length * 20)));
      await writeErofs(tree, join(scratch, "image"));
      images.push(readFileSync(join(scratch, "image")));
    }
    const [first, second] = images;
    assert.ok(first !== undefined && second !== undefined && first.equals(second));
  }));

test("small files cost little more than their contents", () =>
  withScratch(async (scratch) => {
    const tree = new FsTree();
    for (let index = 0; index < 2000; index++) {
      tree.set(`/f${index}`, fileOf(new Uint8Array((index * 7919) % 9000).fill(index)));
    }
    const summary = await writeErofs(tree, join(scratch, "image"));
    const overheadPerFile = (summary.sizeBytes - summary.contentBytes + summary.sharedBytes) / 2000;
    assert.ok(overheadPerFile < 200, `${overheadPerFile} bytes for each file`);
  }));

test("a limit on the size is kept before anything is written", () =>
  withScratch(async (scratch) => {
    const tree = new FsTree();
    tree.set("/f", fileOf(new Uint8Array(100_000).fill(1)));
    const image = join(scratch, "image");
    await assert.rejects(
      writeErofs(tree, image, { maxSizeBytes: 50_000 }),
      (error) => error instanceof UserError && error.code === "ImageTooLarge",
    );
    assert.equal(lookAt(image), undefined);
  }));

test("a file that changes or disappears meanwhile is an error that says so", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "file");
    for (const [now, reason] of [
      ["longer than before", /size changed from 5 to 18/],
      ["SHORT", /was written to/],
      [undefined, /disappeared/],
    ] as const) {
      await writeFile(path, "short");
      await utimes(path, 1, 1);
      const tree = new FsTree();
      tree.set("/f", hostFile(path));
      if (now !== undefined) await writeFile(path, now);
      else tree.set("/f", { ...hostFile(path), content: missing(join(scratch, "gone")) } as FsNode);
      await assert.rejects(
        writeErofs(tree, join(scratch, "image")),
        (error) => error instanceof UserError && reason.test(error.why),
      );
    }
  }));

function missing(path: string): {
  from: "host";
  path: string;
  sizeBytes: number;
  identity: string;
} {
  return { from: "host", path, sizeBytes: 5, identity: "" };
}

test("a full disk is an error that says so", async () => {
  const tree = new FsTree();
  tree.set("/f", fileOf(new Uint8Array(100_000).fill(1)));
  await assert.rejects(
    writeErofs(tree, "/dev/full"),
    (error) => error instanceof UserError && error.code === "DiskFull",
  );
});

test("an aborted writer stops and leaves no valid image", () =>
  withScratch(async (scratch) => {
    const tree = new FsTree();
    tree.set("/f", fileOf(new Uint8Array(10_000_000).fill(1)));
    const controller = new AbortController();
    const image = join(scratch, "image");
    const onProgress = (): void => controller.abort(new Error("enough"));
    await assert.rejects(
      writeErofs(tree, image, { signal: controller.signal, onProgress }),
      /enough/,
    );
    assert.throws(() => new ErofsImage(image));
  }));

test("names and links that an image cannot hold are refused", () =>
  withScratch(async (scratch) => {
    for (const [name, node] of [
      ["x".repeat(256), text("")],
      ["a\0b", text("")],
      ["ok", symlink("")],
      ["ok", symlink("y".repeat(4096))],
    ] as const) {
      const tree = new FsTree();
      tree.root.children.set(name, node);
      await assert.rejects(writeErofs(tree, join(scratch, "image")), RangeError);
    }
  }));
