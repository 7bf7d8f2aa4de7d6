/**
 * The EROFS reader on images of our own writer and of mkfs.erofs: everything in them is found as it
 * was put in, damaged images are refused with an error and never break the kernel.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { directories, withScratch } from "../../../capstan/image/erofs/testing.ts";
import { writeErofs } from "../../../capstan/image/erofs/writer.ts";
import { type FsNode, FsTree, neutralAttributes } from "../../../capstan/image/tree.ts";
import { bufferDisk, type Disk, Errno, KernelFiles, O } from "../testing/kernel-files.ts";

const PAGE = 4096;
const EIO = 5;
const ENOENT = 2;
const EOPNOTSUPP = 95;
const TYPES = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  socket: 0o140000,
} as const;

/** Bytes that differ from page to page. */
function pattern(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let i = 0; i + 4 <= sizeBytes; i += 4) bytes.writeUInt32LE((i * 2654435761 + seed) >>> 0, i);
  return bytes;
}

/** Writes a tree with our own writer and mounts it. */
async function mountTree(tree: FsTree, directory: string): Promise<KernelFiles> {
  const path = join(directory, "image");
  await writeErofs(tree, path);
  return KernelFiles.start({ disk: bufferDisk(readFileSync(path)) });
}

function assertNode(kernel: KernelFiles, path: string, node: FsNode): void {
  const stat = kernel.stat(path, false);
  assert.equal(stat.mode, TYPES[node.kind] | node.attributes.mode, path);
  assert.equal(stat.uid, node.attributes.uid, path);
  assert.equal(stat.gid, node.attributes.gid, path);
  assert.equal(
    stat.modifySeconds,
    Number(floorDivide(node.attributes.mtimeNs, 1_000_000_000n)),
    path,
  );
  switch (node.kind) {
    case "file": {
      assert.equal(node.content.from, "bytes");
      const bytes =
        node.content.from === "bytes" ? Buffer.from(node.content.bytes) : Buffer.alloc(0);
      assert.equal(stat.size, bytes.length, path);
      assert.deepEqual(kernel.readFile(path), bytes, path);
      break;
    }
    case "symlink":
      assert.equal(kernel.readlink(path), node.target);
      break;
    case "character":
    case "block": {
      const { major, minor } = node;
      const expected =
        (BigInt(major) << 8n) | (BigInt(minor) & 0xffn) | (BigInt(minor >> 8) << 20n);
      assert.equal(stat.device, expected);
      break;
    }
    case "directory": {
      const names = [...node.children.keys()];
      assert.deepEqual(kernel.names(path), names.sort(), path);
      for (const [name, child] of node.children) {
        const listed = kernel.list(path).find((entry) => entry.name === name);
        assert.equal(listed?.type, TYPES[child.kind]);
        assert.equal(listed?.inode, kernel.stat(`${path}/${name}`, false).inode);
      }
      break;
    }
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

test("random trees written by our writer are read back", { timeout: 300_000 }, async () => {
  await withScratch(async (directory) => {
    await fc.assert(
      fc.asyncProperty(directories, async (random) => {
        const tree = new FsTree();
        // Below a directory: /dev, /proc and /sys of the root are covered by mounts.
        tree.root.children.set("t", random);
        const kernel = await mountTree(tree, directory);
        for (const [path, node] of tree.walk()) {
          if (path !== "/") assertNode(kernel, path, node);
        }
        assert.throws(() => kernel.stat("/t/absent name"), new Errno(ENOENT));
      }),
      { numRuns: 25 },
    );
  });
});

test("mkfs.erofs: large directory, long names, files of all tail sizes", async () => {
  await withScratch(async (directory) => {
    const source = join(directory, "source");
    mkdirSync(join(source, "many"), { recursive: true });
    const sizes = [0, 1, 100, 2000, 4000, 4064, 4095, 4096, 4097, 8191, 8192, 70_000, 1_000_003];
    for (const size of sizes) writeFileSync(join(source, `f${size}`), pattern(size, size));
    const names = Array.from({ length: 3000 }, (_, i) => `entry-${"x".repeat(i % 200)}-${i}`);
    for (const name of names) writeFileSync(join(source, "many", name), name);
    symlinkSync("many/../f100", join(source, "link"));
    const image = join(directory, "image");
    execFileSync("mkfs.erofs", [image, source], { stdio: "pipe" });
    const kernel = await KernelFiles.start({ disk: bufferDisk(readFileSync(image)), ramMib: 32 });
    for (const size of sizes) {
      assert.deepEqual(kernel.readFile(`/f${size}`, 777 + size), pattern(size, size));
    }
    assert.deepEqual(kernel.names("/many"), [...names].sort());
    for (const name of names) {
      if (name.length % 7 === 0) assert.equal(kernel.readFile(`/many/${name}`).toString(), name);
    }
    assert.throws(() => kernel.stat("/many/entry-"), new Errno(ENOENT));
    assert.throws(() => kernel.stat("/many/zzz"), new Errno(ENOENT));
    assert.throws(() => kernel.stat("/many/a"), new Errno(ENOENT));
    assert.deepEqual(kernel.readFile("/link"), pattern(100, 100));
  });
});

test("mkfs.erofs: files in chunks are read, compressed ones refused", async () => {
  await withScratch(async (directory) => {
    const source = join(directory, "source");
    mkdirSync(source);
    const sparse = Buffer.concat([pattern(9000, 1), Buffer.alloc(60_000), pattern(5000, 2)]);
    writeFileSync(join(source, "sparse"), sparse);
    writeFileSync(join(source, "small"), "small");
    const image = join(directory, "image");
    execFileSync("mkfs.erofs", ["--chunksize=4096", image, source], { stdio: "pipe" });
    const kernel = await KernelFiles.start({ disk: bufferDisk(readFileSync(image)) });
    assert.deepEqual(kernel.readFile("/sparse"), sparse);
    assert.equal(kernel.readFile("/small").toString(), "small");

    writeFileSync(join(source, "zeros"), Buffer.alloc(100_000));
    execFileSync("mkfs.erofs", ["-zlz4", image, source], { stdio: "pipe" });
    const compressed = await KernelFiles.start({ disk: bufferDisk(readFileSync(image)) });
    assert.throws(() => compressed.readFile("/zeros"), new Errno(EOPNOTSUPP));
    assert.equal(compressed.readFile("/small").toString(), "small");
  });
});

test("mapped pages are the file's pages, zero behind its end", async () => {
  await withScratch(async (directory) => {
    const tree = new FsTree();
    const bytes = pattern(2 * PAGE + 100, 3);
    tree.set("/f", file(bytes));
    const kernel = await mountTree(tree, directory);
    const opened = kernel.open("/f");
    assert.deepEqual(kernel.mappedPage(opened, 1, false), bytes.subarray(PAGE, 2 * PAGE));
    const last = kernel.mappedPage(opened, 2, false);
    assert.deepEqual(last.subarray(0, 100), bytes.subarray(2 * PAGE));
    assert.deepEqual(last.subarray(100), Buffer.alloc(PAGE - 100));
    kernel.close(opened);
  });
});

test("a file of more than 4 GiB", async () => {
  await withScratch(async (directory) => {
    const sizeBytes = 5 * 2 ** 30 + 1234;
    const tree = new FsTree();
    tree.set("/big", {
      kind: "file",
      // Times of their own make the writer use extended inodes, which have 64-bit sizes.
      attributes: { mode: 0o644, uid: 70_000, gid: 0, mtimeNs: 1_700_000_000_000_000_000n },
      content: { from: "bytes", bytes: pattern(2 * PAGE, 0) },
    });
    const path = join(directory, "image");
    await writeErofs(tree, path, { inlineTails: false });
    const image = readFileSync(path);
    const inode = findExtendedInode(image, 70_000);
    image.writeBigUInt64LE(BigInt(sizeBytes), inode + 8);
    const firstBlock = image.readUInt32LE(inode + 16);
    const blocks = firstBlock + Math.ceil(sizeBytes / PAGE);
    image.writeUInt32LE(blocks, 1024 + 36);
    const disk: Disk = {
      sizeBytes: blocks * PAGE,
      read(offset, target) {
        const view = Buffer.from(target.buffer, target.byteOffset, target.length);
        for (let at = 0; at < target.length; at += PAGE) {
          const part = image.subarray(offset + at, offset + at + PAGE);
          view.fill(0, at, Math.min(at + PAGE, view.length));
          if (part.length > 0) part.copy(view, at);
          else view.writeDoubleLE(offset + at, at);
        }
        return true;
      },
    };
    const kernel = await KernelFiles.start({ disk });
    assert.equal(kernel.stat("/big").size, sizeBytes);
    const opened = kernel.open("/big");
    for (const index of [100, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 5, Math.floor(sizeBytes / PAGE)]) {
      const page = kernel.readAt(opened, PAGE, index * PAGE);
      assert.equal(page.readDoubleLE(0), (firstBlock + index) * PAGE);
    }
    assert.equal(kernel.readAt(opened, PAGE, sizeBytes - 10).length, 10);
    assert.equal(kernel.readAt(opened, PAGE, sizeBytes).length, 0);
    kernel.close(opened);
  });
});

/** Offset of the extended inode with this owner. */
function findExtendedInode(image: Buffer, uid: number): number {
  for (let at = 0; at + 64 <= image.length; at += 32) {
    if ((image.readUInt16LE(at) & 1) === 1 && image.readUInt32LE(at + 24) === uid) return at;
  }
  throw new Error("the image has no such inode");
}

function file(bytes: Uint8Array): FsNode {
  return { kind: "file", attributes: neutralAttributes(0o644), content: { from: "bytes", bytes } };
}

test("a file larger than memory: the cache gives way, the data stays right", async () => {
  await withScratch(async (directory) => {
    const tree = new FsTree();
    const bytes = pattern(12 << 20, 9);
    tree.set("/f", file(bytes));
    const path = join(directory, "image");
    await writeErofs(tree, path);
    const kernel = await KernelFiles.start({ disk: bufferDisk(readFileSync(path)), ramMib: 4 });
    assert.ok(kernel.readFile("/f").equals(bytes));
    const opened = kernel.open("/f");
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 70_000 }),
        (offset, length) => {
          const part = kernel.readAt(opened, length, offset);
          assert.ok(part.equals(bytes.subarray(offset, offset + length)));
        },
      ),
      { numRuns: 300 },
    );
    kernel.close(opened);
    assert.ok(kernel.exports.cachedFrameCount() <= 1024n);
    const cached = kernel.exports.cachedFrameCount();
    assert.equal(kernel.exports.reclaimFrames(10_000n), cached, "unused pages can all go");
    assert.equal(kernel.exports.cachedFrameCount(), 0n);
  });
});

test("sequential reading takes few requests, random reading no needless ones", async () => {
  await withScratch(async (directory) => {
    const tree = new FsTree();
    const bytes = pattern(1 << 20, 4);
    tree.set("/f", file(bytes));
    const path = join(directory, "image");
    await writeErofs(tree, path);
    const image = readFileSync(path);
    let readBytes = 0;
    const disk = bufferDisk(image);
    const counting: Disk = {
      sizeBytes: disk.sizeBytes,
      read(offset, target) {
        readBytes += target.length;
        return disk.read(offset, target);
      },
    };
    const kernel = await KernelFiles.start({ disk: counting });
    const opened = kernel.open("/f");
    readBytes = 0;
    kernel.readAt(opened, 100, 500_000);
    kernel.readAt(opened, 100, 900_000);
    assert.equal(readBytes, 2 * PAGE);
    kernel.close(opened);
    readBytes = 0;
    assert.ok(kernel.readFile("/f", PAGE).equals(bytes));
    assert.ok(readBytes <= bytes.length + PAGE, `${readBytes} bytes read`);
    const again = readBytes;
    assert.ok(kernel.readFile("/f").equals(bytes));
    assert.equal(readBytes, again, "the second reading comes from the cache");
  });
});

test("disk errors reach the reader, and are forgotten when the disk works again", async () => {
  await withScratch(async (directory) => {
    const tree = new FsTree();
    const bytes = pattern(300_000, 5);
    tree.set("/d/f", file(bytes));
    const path = join(directory, "image");
    await writeErofs(tree, path);
    const disk = bufferDisk(readFileSync(path));
    let works = true;
    const failing: Disk = {
      sizeBytes: disk.sizeBytes,
      read: (offset, target) => works && disk.read(offset, target),
    };
    const kernel = await KernelFiles.start({ disk: failing });
    const opened = kernel.open("/d/f");
    works = false;
    const frames = kernel.exports.freeFrameCount();
    assert.throws(() => kernel.read(opened, PAGE), new Errno(EIO));
    assert.throws(() => kernel.mappedPage(opened, 40, false), new Errno(EIO));
    assert.equal(kernel.exports.freeFrameCount(), frames, "frames of failed reads are freed");
    works = true;
    assert.ok(kernel.readAt(opened, bytes.length, 0).equals(bytes));
    kernel.close(opened);
  });
});

test("damaged images are refused or read with errors, never worse", {
  timeout: 300_000,
}, async () => {
  await withScratch(async (directory) => {
    const tree = new FsTree();
    for (let i = 0; i < 60; i++) tree.set(`/dir${i % 3}/sub/name-${i}`, file(pattern(i * 17, i)));
    tree.set("/plain", file(pattern(20_000, 1)));
    tree.set("/link", {
      kind: "symlink",
      attributes: neutralAttributes(0o777),
      target: "dir1/sub",
    });
    const path = join(directory, "image");
    await writeErofs(tree, path);
    const image = readFileSync(path);
    const change = fc.record({
      at: fc.nat(image.length - 1025).map((at) => at + 1024),
      value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const damaged = Buffer.from(image);
        for (const { at, value } of changes) damaged[at] = value;
        await walkDamaged(damaged);
      }),
      { numRuns: 250 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(image.length), async (length) => {
        await walkDamaged(image.subarray(0, length));
      }),
      { numRuns: 40 },
    );
  });
});

/** Looks at everything reachable; only errors may come of it. */
async function walkDamaged(image: Uint8Array): Promise<void> {
  let kernel: KernelFiles;
  try {
    kernel = await KernelFiles.start({ disk: bufferDisk(image), ramMib: 8 });
  } catch (error) {
    assert.ok(error instanceof Errno, String(error));
    return;
  }
  let left = 300;
  const visit = (path: string): void => {
    if (left-- <= 0) return;
    try {
      const stat = kernel.stat(path, false);
      switch (stat.mode & 0o170000) {
        case TYPES.directory:
          for (const name of kernel.list(path, 8192).slice(0, 80)) {
            if (name.name !== "." && name.name !== "..") visit(`${path}/${name.name}`);
          }
          break;
        case TYPES.symlink:
          kernel.readlink(path);
          kernel.stat(path);
          break;
        case TYPES.file: {
          const opened = kernel.open(path, O.RDONLY);
          try {
            kernel.readAt(opened, 50_000, 0);
            kernel.readAt(opened, 5000, Math.max(0, stat.size - 5000));
          } finally {
            kernel.close(opened);
          }
          break;
        }
      }
    } catch (error) {
      assert.ok(error instanceof Errno, `${path}: ${String(error)}`);
    }
  };
  for (const name of ["dir0", "dir1", "dir2", "plain", "link"]) visit(`/${name}`);
}
