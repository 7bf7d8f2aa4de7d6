import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { directories, withScratch } from "../image/erofs/testing.ts";
import { FsTree } from "../image/tree.ts";
import { readNode } from "../source/tree-launch.ts";
import { wholeFile } from "./byte-range.ts";
import { decodePax, encodePax, parsePaxTime } from "./pax.ts";
import { readTar, TarError } from "./tar-reader.ts";
import { overlayTar } from "./tar-tree.ts";
import { writeTar } from "./tar-writer.ts";
import { described } from "./testing.ts";

const plain = { identity: "test", hasWhiteouts: false, keepsDirectoryLinks: false };
const pause = async (): Promise<void> => {};

async function writeArchive(tree: FsTree, path: string): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of writeTar(tree, pause)) pieces.push(piece);
  writeFileSync(path, Buffer.concat(pieces));
}

async function readArchive(path: string, options = plain): Promise<FsTree> {
  const tree = new FsTree();
  await overlayTar(tree, wholeFile(path), options);
  return tree;
}

test("every tree comes back from the archive that is written of it", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "x.tar");
    await fc.assert(
      fc.asyncProperty(directories, async (root) => {
        assert.ok(root.kind === "directory");
        const tree = new FsTree(root);
        await writeArchive(tree, path);
        assert.deepEqual(described(await readArchive(path)), described(tree));
      }),
      { numRuns: 40 },
    );
  }));

test("GNU tar reads what is written", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "x.tar");
    const tree = new FsTree();
    const attributes = { mode: 0o640, uid: 3_000_000, gid: 5, mtimeNs: 1_700_000_000_123_456_789n };
    const long = `/${"a/".repeat(80)}${"ü".repeat(60)}`;
    const bytes = Buffer.from("contents");
    tree.set(long, { kind: "file", attributes, content: { from: "bytes", bytes } });
    await writeArchive(tree, path);
    const args = ["--numeric-owner", "--full-time", "--utc", "-tvf", path];
    const listed = spawnSync("tar", args, { encoding: "utf8", env: { LC_ALL: "C.UTF-8" } });
    assert.equal(listed.stderr, "");
    assert.match(listed.stdout, /-rw-r----- 3000000\/5 +8 2023-11-14 22:13:20\.123456789 .*ü/);
  }));

for (const format of ["gnu", "pax", "ustar", "v7"]) {
  test(`archives by GNU tar in the ${format} format are read`, () =>
    withScratch(async (scratch) => {
      const source = join(scratch, "source");
      const deep = format === "gnu" || format === "pax" ? "d/".repeat(100) : "d/e/";
      mkdirSync(join(source, deep), { recursive: true });
      writeFileSync(join(source, deep, "file"), "1234567", { mode: 0o640 });
      writeFileSync(join(source, "empty"), "");
      symlinkSync(`${"t".repeat(90)}`, join(source, "link"));
      linkSync(join(source, deep, "file"), join(source, "other"));
      utimesSync(join(source, "empty"), 1, 1_000_000_000);
      const path = join(scratch, "x.tar");
      execFileSync("tar", [`--format=${format}`, "--sort=name", "-C", source, "-cf", path, "."]);
      const tree = await readArchive(path);
      const file = tree.get(`/${deep}file`);
      assert.ok(file?.kind === "file");
      assert.equal(readNode(file).toString(), "1234567");
      assert.equal(file.attributes.mode, 0o640);
      assert.equal(tree.get("/other"), file);
      const link = tree.get("/link");
      assert.ok(link?.kind === "symlink" && link.target.length === 90);
      assert.equal(tree.get("/empty")?.attributes.mtimeNs, 1_000_000_000_000_000_000n);
    }));
}

test("damage is found: cut off, checksum, names that lead out", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "x.tar");
    const tree = new FsTree();
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
    const content = { from: "bytes", bytes: Buffer.alloc(5000, 1) } as const;
    tree.set("/file", { kind: "file", attributes, content });
    await writeArchive(tree, path);
    const whole = readFileSync(path);
    for (const sizeBytes of [700, 1100, 3000, 5500]) {
      truncateSync(path, sizeBytes);
      assert.throws(() => [...readTar(wholeFile(path))], TarError, `${sizeBytes}`);
      writeFileSync(path, whole);
    }
    const broken = Buffer.from(whole);
    broken[512 + 110] = 0x37;
    writeFileSync(path, broken);
    assert.throws(() => [...readTar(wholeFile(path))], /checksum/);
    execFileSync("tar", ["-P", "-cf", path, "--transform=s#.*#../../x#", "/etc/hostname"]);
    await assert.rejects(readArchive(path), /leads out/);
  }));

test("arbitrary bytes are an archive or an error, never anything else", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "x.tar");
    const block = fc.uint8Array({ minLength: 0, maxLength: 2048 });
    await fc.assert(
      fc.asyncProperty(block, async (bytes) => {
        writeFileSync(path, bytes);
        try {
          await readArchive(path);
        } catch (error) {
          assert.ok(error instanceof TarError, String(error));
        }
      }),
      { numRuns: 100 },
    );
  }));

test("extended headers: bytes survive, damage is an error", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[A-Za-z.]{1,20}$/), fc.uint8Array({ maxLength: 200 })),
      (object) => {
        const records = new Map(Object.entries(object).map(([k, v]) => [k, Buffer.from(v)]));
        assert.deepEqual(decodePax(encodePax(records)), records);
      },
    ),
  );
  for (const text of ["5 a=b", "9 a=b\n", "x a=b\n", "6 abc\n", "0 a=b\n"]) {
    assert.throws(() => decodePax(Buffer.from(text)), RangeError, text);
  }
  assert.equal(parsePaxTime("1.5"), 1_500_000_000n);
  assert.equal(parsePaxTime("-2"), -2_000_000_000n);
  assert.throws(() => parsePaxTime("soon"), RangeError);
});

/** An archive with these entries: empty files, and directories where the name ends with a slash. */
async function layer(scratch: string, name: string, entries: readonly string[]): Promise<string> {
  const tree = new FsTree();
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
  for (const entry of entries) {
    if (entry.endsWith("/")) tree.makeDirectory(entry);
    else {
      const content = { from: "bytes", bytes: Buffer.from(name) } as const;
      tree.set(entry, { kind: "file", attributes, content });
    }
  }
  const path = join(scratch, `${name}.tar`);
  await writeArchive(tree, path);
  return path;
}

test("whiteouts remove what lies below, and nothing of their own layer", () =>
  withScratch(async (scratch) => {
    const layers = [
      await layer(scratch, "one", ["a/x", "a/y", "b/x", "b/sub/deep", "c", "d/old"]),
      await layer(scratch, "two", ["a/.wh.x", "b/.wh..wh..opq", "b/new", ".wh.c", "c", ".wh.d"]),
    ];
    const tree = new FsTree();
    for (const path of layers) {
      await overlayTar(tree, wholeFile(path), { ...plain, hasWhiteouts: true });
    }
    const paths = [...tree.walk()].map(([path]) => path).sort();
    assert.deepEqual(paths, ["/", "/a", "/a/y", "/b", "/b/new", "/c"]);
    const file = tree.get("/c");
    assert.ok(file?.kind === "file");
    assert.equal(readNode(file).toString(), "two");
  }));

test("a directory takes the place of a link in a layer, and goes through it in a package", () =>
  withScratch(async (scratch) => {
    const path = await layer(scratch, "package", ["lib/", "lib/file"]);
    const attributes = { mode: 0o777, uid: 0, gid: 0, mtimeNs: 0n };
    for (const keepsDirectoryLinks of [true, false]) {
      const tree = new FsTree();
      tree.makeDirectory("/usr/lib");
      tree.set("/lib", { kind: "symlink", attributes, target: "usr/lib" });
      await overlayTar(tree, wholeFile(path), { ...plain, keepsDirectoryLinks });
      assert.equal(tree.get("/lib")?.kind, keepsDirectoryLinks ? "symlink" : "directory");
      assert.equal(tree.get("/usr/lib/file") !== undefined, keepsDirectoryLinks);
    }
  }));
