/**
 * Helpers of the image tests: scratch directories, random trees, comparison of a tree with an image,
 * and the standard checker.
 *
 * Neighbours: the `*.test.ts` files of `image/` and `package/`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Attributes, emptyDirectory, type FsNode, type FsTree } from "../tree.ts";
import { ErofsImage, type ImageInode } from "./reader.ts";

/** Runs a test with a directory of its own, removed afterwards. */
export async function withScratch<T>(test: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "osv-image-"));
  try {
    return await test(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Fails unless `fsck.erofs` (package erofs-utils) finds the image free of errors. */
export function assertFsckAccepts(imagePath: string, ...options: string[]): void {
  const result = spawnSync("fsck.erofs", ["-d3", ...options, imagePath], { encoding: "utf8" });
  if (result.error !== undefined) {
    throw new Error("fsck.erofs cannot be run; install the package erofs-utils", {
      cause: result.error,
    });
  }
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.match(result.stdout + result.stderr, /No errors found|Extracted filesystem successfully/);
}

/** Names: short ones of few letters (so that they collide and sort closely), and odd ones. */
const names = fc.oneof(
  fc.stringMatching(/^[ab.!]{1,3}$/),
  fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }),
  fc.stringMatching(/^[a-z]{200,255}$/),
);

/** Whether Linux accepts a file name; lone surrogates have no UTF-8 form. */
function isName(name: string): boolean {
  const isReserved = name === "." || name === ".." || /[/\0]/.test(name);
  return !isReserved && Buffer.from(name).toString() === name && Buffer.byteLength(name) <= 255;
}

const attributes: fc.Arbitrary<Attributes> = fc
  .record({
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)),
    gid: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)),
    mtimeNs: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 60n), max: 2n ** 62n })),
    hasXattrs: fc.integer({ min: 0, max: 5 }),
    xattrs: fc.dictionary(
      fc.constantFrom("user.a", "user.long-name", "security.selinux", "trusted.x"),
      fc.uint8Array({ maxLength: 40 }),
    ),
  })
  .map(({ hasXattrs, xattrs, ...rest }) =>
    hasXattrs === 0 ? { ...rest, xattrs: new Map(Object.entries(xattrs)) } : rest,
  );

/** Sizes around all limits of tails and blocks, made of repeated bytes so that some are equal. */
const fileBytes = fc
  .record({
    sizeBytes: fc.oneof(
      fc.nat(200),
      fc.nat(20_000),
      fc.constantFrom(0, 4031, 4032, 4033, 4064, 4095, 4096, 4097, 8192, 8200),
    ),
    fill: fc.constantFrom(0, 1, 255),
  })
  .map(({ sizeBytes, fill }) => new Uint8Array(sizeBytes).fill(fill));

const leaf: fc.Arbitrary<FsNode> = fc.oneof(
  fc.record({
    kind: fc.constant("file" as const),
    attributes,
    content: fc.record({ from: fc.constant("bytes" as const), bytes: fileBytes }),
  }),
  fc.record({
    kind: fc.constant("symlink" as const),
    attributes,
    target: fc.stringMatching(/^[a-z/.]{1,300}$/),
  }),
  fc.record({
    kind: fc.constantFrom("character" as const, "block" as const),
    attributes,
    major: fc.nat(0xfff),
    minor: fc.nat(0xfffff),
  }),
  fc.record({
    kind: fc.constantFrom("fifo" as const, "socket" as const),
    attributes,
    major: fc.constant(0),
    minor: fc.constant(0),
  }),
);

/** Random directories, up to a few hundred nodes; a sixth of the entries are hard links. */
export const directories: fc.Arbitrary<FsNode> = fc.letrec<{ node: FsNode; directory: FsNode }>(
  (tie) => ({
    node: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("directory")),
    directory: fc
      .record({
        attributes,
        children: fc.uniqueArray(fc.tuple(names, tie("node"), fc.nat(5)), {
          selector: ([name]) => name,
          maxLength: 30,
        }),
      })
      .map(({ attributes: own, children }) => {
        const directory = emptyDirectory(own);
        let previous: FsNode | undefined;
        for (const [name, node, chance] of children) {
          if (!isName(name)) continue;
          const isLink = chance === 0 && previous !== undefined && previous.kind !== "directory";
          const child = isLink && previous !== undefined ? previous : node;
          directory.children.set(name, child);
          previous = child;
        }
        return directory;
      }),
  }),
).directory;

function fileBytesOf(node: FsNode): Uint8Array | undefined {
  if (node.kind !== "file") return undefined;
  const { content } = node;
  if (content.from === "bytes") return content.bytes;
  const start = content.from === "slice" ? content.offsetBytes : 0;
  return readFileSync(content.path).subarray(start, start + content.sizeBytes);
}

function assertSameNode(path: string, node: FsNode, image: ErofsImage, inode: ImageInode): void {
  const wanted = { ...node.attributes, xattrs: node.attributes.xattrs ?? new Map() };
  const { mode, uid, gid, mtimeNs, xattrs } = inode;
  assert.deepEqual({ mode, uid, gid, mtimeNs, xattrs }, wanted, path);
  assert.equal(inode.kind, node.kind, path);
  const bytes = fileBytesOf(node);
  if (bytes !== undefined) {
    assert.equal(inode.sizeBytes, bytes.length, path);
    assert.ok(image.read(inode, 0, inode.sizeBytes).equals(bytes), `contents of ${path}`);
  }
  if (node.kind === "symlink") assert.equal(image.readLink(inode), node.target, path);
  if ("major" in node) {
    const device = inode.startBlockOrDevice;
    assert.equal((device >>> 8) & 0xfff, node.major, path);
    assert.equal((device & 0xff) | ((device >>> 12) & 0xfff00), node.minor, path);
  }
}

/** Fails unless an image contains exactly the tree: names, attributes, contents, links. */
export function assertImageHolds(imagePath: string, tree: FsTree): void {
  const image = new ErofsImage(imagePath);
  try {
    const nids = new Map<FsNode, number>();
    const links = new Map<number, number>();
    const pending: [string, FsNode, number, number][] = [
      ["/", tree.root, image.root().nid, image.root().nid],
    ];
    for (const [path, node, nid, parentNid] of pending) {
      const inode = image.inode(nid);
      assertSameNode(path, node, image, inode);
      assert.equal(nids.get(node) ?? nid, nid, `${path} is not linked to its other name`);
      nids.set(node, nid);
      if (node.kind !== "directory") links.set(nid, (links.get(nid) ?? 0) + 1);
      if (node.kind !== "directory") continue;
      const entries = image.entries(inode);
      const bytes = entries.map((entry) => Buffer.from(entry.name));
      assert.deepEqual([...bytes].sort(Buffer.compare), bytes, `order of ${path}`);
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      assert.equal(byName.get(".")?.nid, nid, path);
      assert.equal(byName.get("..")?.nid, parentNid, path);
      assert.equal(byName.size, node.children.size + 2, path);
      for (const [name, child] of node.children) {
        const entry = byName.get(name);
        assert.ok(entry !== undefined, `${path}${name} is missing`);
        pending.push([`${path}${name}/`, child, entry.nid, nid]);
      }
    }
    assert.equal(image.superblock.inodeCount, nids.size);
    for (const [nid, count] of links) assert.equal(image.inode(nid).linkCount, count);
  } finally {
    image.close();
  }
}
