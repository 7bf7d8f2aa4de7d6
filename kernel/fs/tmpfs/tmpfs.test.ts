/**
 * Files in memory and the overlay against Linux: random operations are carried out in the kernel and
 * on the host, and have to give the same results, errors and trees.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withScratch } from "../../../capstan/image/erofs/testing.ts";
import { writeErofs } from "../../../capstan/image/erofs/writer.ts";
import { type FsNode, FsTree, neutralAttributes } from "../../../capstan/image/tree.ts";
import { HostFiles } from "../testing/host-files.ts";
import { bufferDisk, Errno, KernelFiles, O } from "../testing/kernel-files.ts";

const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;
const TYPE = 0o170000;
const ENOSPC = 28;
/** Deep enough that ".." does not lead out of what is the same on both sides. */
const BASE = "o/o/o/o/t";

/** Either a value or the number of an error. */
function outcome<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    if (error instanceof Errno) return `errno ${error.code}`;
    throw error;
  }
}

interface Pair {
  kernel: KernelFiles;
  host: HostFiles;
  /** Files open on both sides. */
  open: { kernel: bigint; host: number; readable: boolean; writable: boolean }[];
}

/** Does one thing on both sides and compares. */
function both<T>(what: string, kernel: () => T, host: () => T): T | string {
  const expected = outcome(host);
  const actual = outcome(kernel);
  assert.deepEqual(actual, expected, what);
  return expected;
}

const names = fc.constantFrom("a", "b", "c", "dir", "sub", "l");
const path = fc.oneof(
  names,
  fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  fc.tuple(names, fc.constantFrom("..", "."), names).map((parts) => parts.join("/")),
  names.map((name) => `${name}/`),
  fc.tuple(names, names).map(([a, b]) => `${a}//./${b}/`),
  names.map((name) => `${name}/.`),
  names.map((name) => `${name}/..`),
);
const offset = fc.oneof(
  fc.nat(100),
  fc.nat(20_000),
  fc.constantFrom(4095, 4096, 4097, 8192, 70_000),
);
const data = fc
  .record({ length: fc.oneof(fc.nat(50), fc.nat(9000)), fill: fc.integer({ min: 1, max: 255 }) })
  .map(({ length, fill }) => new Uint8Array(length).fill(fill));

/** One operation on both sides. */
type Step = (pair: Pair) => void;

const steps: fc.Arbitrary<[string, Step]> = fc.oneof(
  path.map((p): [string, Step] => [
    `mkdir ${p}`,
    (s) =>
      both(
        `mkdir ${p}`,
        () => s.kernel.mkdir(p),
        () => s.host.mkdir(p),
      ),
  ]),
  path.map((p): [string, Step] => [
    `rmdir ${p}`,
    (s) =>
      both(
        `rmdir ${p}`,
        () => s.kernel.rmdir(p),
        () => s.host.rmdir(p),
      ),
  ]),
  path.map((p): [string, Step] => [
    `unlink ${p}`,
    (s) =>
      both(
        `unlink ${p}`,
        () => s.kernel.unlink(p),
        () => s.host.unlink(p),
      ),
  ]),
  fc.tuple(path, path).map(([a, b]): [string, Step] => [
    `rename ${a} ${b}`,
    (s) =>
      both(
        `rename ${a} ${b}`,
        () => s.kernel.rename(a, b),
        () => s.host.rename(a, b),
      ),
  ]),
  fc.tuple(path, path).map(([a, b]): [string, Step] => [
    `link ${a} ${b}`,
    (s) =>
      both(
        `link ${a} ${b}`,
        () => s.kernel.link(a, b),
        () => s.host.link(a, b),
      ),
  ]),
  fc
    .tuple(fc.constantFrom("a", "dir/b", "../c", ".", "sub/", "l", "x/y"), path)
    .map(([target, p]): [string, Step] => [
      `symlink ${target} ${p}`,
      (s) =>
        both(
          `symlink ${target} ${p}`,
          () => s.kernel.symlink(target, p),
          () => s.host.symlink(target, p),
        ),
    ]),
  fc
    .tuple(
      path,
      fc.constantFrom<number>(O.RDONLY, O.WRONLY, O.RDWR),
      fc.subarray<number>([O.CREAT, O.EXCL, O.TRUNC, O.APPEND, O.NOFOLLOW, O.DIRECTORY], {
        maxLength: 3,
      }),
    )
    // O_DIRECTORY with O_CREAT changed its meaning in Linux 6.4; O_EXCL alone means nothing.
    .filter(([, , flags]) => !(flags.includes(O.DIRECTORY) && flags.includes(O.CREAT)))
    .map(([p, access, flags]): [string, Step] => {
      const all = flags.reduce((a, b) => a | b, access);
      return [
        `open ${p} ${all.toString(8)}`,
        (s) => {
          const host = outcome(() => s.host.open(p, all));
          const kernel = outcome(() => s.kernel.open(p, all));
          assert.equal(
            typeof kernel === "string" ? kernel : "open",
            typeof host === "string" ? host : "open",
          );
          if (typeof host === "number" && typeof kernel === "bigint") {
            const readable = access !== O.WRONLY;
            s.open.push({ kernel, host, readable, writable: access !== O.RDONLY });
          }
        },
      ];
    }),
  fc.tuple(fc.nat(7), offset, data).map(([which, at, bytes]): [string, Step] => [
    `write #${which} ${bytes.length}@${at}`,
    (s) => {
      const file = s.open[which % Math.max(1, s.open.length)];
      if (!file?.writable) return;
      both(
        "pwrite",
        () => s.kernel.writeAt(file.kernel, bytes, at),
        () => s.host.writeAt(file.host, bytes, at),
      );
    },
  ]),
  fc.tuple(fc.nat(7), data).map(([which, bytes]): [string, Step] => [
    `append #${which} ${bytes.length}`,
    (s) => {
      const file = s.open[which % Math.max(1, s.open.length)];
      if (!file?.writable) return;
      both(
        "write",
        () => s.kernel.write(file.kernel, bytes),
        () => s.host.write(file.host, bytes),
      );
    },
  ]),
  fc.tuple(fc.nat(7), offset).map(([which, size]): [string, Step] => [
    `truncate #${which} ${size}`,
    (s) => {
      const file = s.open[which % Math.max(1, s.open.length)];
      if (!file?.writable) return;
      both(
        "ftruncate",
        () => s.kernel.truncate(file.kernel, size),
        () => s.host.truncate(file.host, size),
      );
    },
  ]),
  // Not 0 bytes: Node answers such a read itself, without asking the host.
  fc
    .tuple(fc.nat(7), offset, fc.integer({ min: 1, max: 9000 }))
    .map(([which, at, length]): [string, Step] => [
      `read #${which} ${length}@${at}`,
      (s) => {
        const file = s.open[which % Math.max(1, s.open.length)];
        if (!file?.readable) return;
        both(
          "pread",
          () => s.kernel.readAt(file.kernel, length, at).toString("hex"),
          () => s.host.readAt(file.host, length, at).toString("hex"),
        );
      },
    ]),
  fc.nat(7).map((which): [string, Step] => [
    `close #${which}`,
    (s) => {
      const [file] = s.open.splice(which % Math.max(1, s.open.length), 1);
      if (!file) return;
      s.kernel.close(file.kernel);
      s.host.close(file.host);
    },
  ]),
  fc.tuple(path, fc.boolean()).map(([p, follow]): [string, Step] => [
    `stat ${p}`,
    (s) =>
      both(
        `stat ${p}`,
        () => statOf(s.kernel, p, follow),
        () => s.host.stat(p, follow),
      ),
  ]),
  path.map((p): [string, Step] => [
    `readdir ${p}`,
    (s) =>
      both(
        `readdir ${p}`,
        () => s.kernel.names(p),
        () => s.host.names(p),
      ),
  ]),
  fc.constant<[string, Step]>([
    "forget",
    (s) => {
      s.kernel.exports.shrinkNames(1000);
      s.kernel.exports.reclaimFrames(1000n);
    },
  ]),
);

function statOf(kernel: KernelFiles, p: string, follow: boolean) {
  const { mode, size, links } = kernel.stat(p, follow);
  const isDirectory = (mode & TYPE) === DIRECTORY;
  return { mode, size: isDirectory ? 0 : size, links: isDirectory ? 0 : links };
}

/** Everything below a directory, on both sides the same. */
function compareTrees(pair: Pair, at: string): void {
  const found = both(
    `names of ${at}`,
    () => pair.kernel.names(at),
    () => pair.host.names(at),
  );
  assert.ok(Array.isArray(found));
  for (const name of found) {
    const p = `${at}/${name}`;
    const stat = both(
      p,
      () => statOf(pair.kernel, p, false),
      () => pair.host.stat(p, false),
    );
    assert.ok(typeof stat === "object");
    const type = stat.mode & TYPE;
    if (type === DIRECTORY) compareTrees(pair, p);
    else if (type === SYMLINK) assert.equal(pair.kernel.readlink(p), pair.host.readlink(p));
    else assert.ok(pair.kernel.readFile(p).equals(readFileSync(pair.host.hostPath(p))), p);
  }
}

function run(pair: Pair, list: [string, Step][]): void {
  const done: string[] = [];
  try {
    for (const [title, step] of list) {
      done.push(title);
      step(pair);
    }
    compareTrees(pair, ".");
  } catch (error) {
    if (error instanceof Error) error.message = `${done.join("\n")}\n${error.message}`;
    throw error;
  } finally {
    for (const file of pair.open) {
      pair.kernel.close(file.kernel);
      pair.host.close(file.host);
    }
  }
}

const runs = fc.array(steps, { minLength: 1, maxLength: 60 });

test("tmpfs behaves as Linux under random operations", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(runs, async (list) => {
      const directory = mkdtempSync(join(tmpdir(), "osv-fs-"));
      try {
        mkdirSync(join(directory, BASE), { recursive: true });
        const kernel = await KernelFiles.start({ ramMib: 8 });
        BASE.split("/").forEach((_, index, parts) => {
          kernel.mkdir(`/${parts.slice(0, index + 1).join("/")}`);
        });
        kernel.chdir(`/${BASE}`);
        const blocks = kernel.kernel.heap.liveBlocks;
        const memory = kernel.exports.memoryFileFrameCount();
        run({ kernel, host: new HostFiles(join(directory, BASE)), open: [] }, list);
        removeAll(kernel, ".");
        kernel.exports.shrinkNames(10_000);
        kernel.exports.shrinkNames(10_000);
        assert.equal(
          kernel.exports.memoryFileFrameCount(),
          memory,
          "pages of removed files are freed",
        );
        assert.ok(
          kernel.kernel.heap.liveBlocks <= blocks + 8,
          "objects of removed files are freed",
        );
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }),
    { numRuns: 100 },
  );
});

function removeAll(kernel: KernelFiles, at: string): void {
  for (const entry of kernel.list(at)) {
    if (entry.name === "." || entry.name === "..") continue;
    const p = `${at}/${entry.name}`;
    if (entry.type === DIRECTORY) {
      removeAll(kernel, p);
      kernel.rmdir(p);
    } else {
      kernel.unlink(p);
    }
  }
}

/** What the image has below the overlay, and the host has as well. */
function seed(directory: string): FsTree {
  const tree = new FsTree();
  const add = (p: string, node: FsNode): void => {
    tree.set(`${BASE}/${p}`, node);
  };
  const file = (bytes: Uint8Array): FsNode => ({
    kind: "file",
    attributes: neutralAttributes(0o644),
    content: { from: "bytes", bytes },
  });
  const big = Buffer.alloc(30_000, "0123456789");
  const shared = file(Buffer.from("linked"));
  mkdirSync(join(directory, BASE, "dir/sub"), { recursive: true });
  writeFileSync(join(directory, BASE, "a"), "small");
  writeFileSync(join(directory, BASE, "dir/b"), big);
  writeFileSync(join(directory, BASE, "dir/sub/c"), big.subarray(0, 8192));
  writeFileSync(join(directory, BASE, "c"), "linked");
  symlinkSync("dir/b", join(directory, BASE, "l"));
  symlinkSync("../c", join(directory, BASE, "dir/l"));
  add("a", file(Buffer.from("small")));
  add("dir/b", file(big));
  add("dir/sub/c", file(big.subarray(0, 8192)));
  add("c", shared);
  add("l", { kind: "symlink", attributes: neutralAttributes(0o777), target: "dir/b" });
  add("dir/l", { kind: "symlink", attributes: neutralAttributes(0o777), target: "../c" });
  return tree;
}

test("the overlay behaves as Linux under random operations", { timeout: 600_000 }, async () => {
  await withScratch(async (scratch) => {
    mkdirSync(join(scratch, "seed"));
    const image = join(scratch, "image");
    await writeErofs(seed(join(scratch, "seed")), image);
    const disk = bufferDisk(readFileSync(image));
    await fc.assert(
      fc.asyncProperty(runs, async (list) => {
        const directory = mkdtempSync(join(tmpdir(), "osv-fs-"));
        try {
          seed(directory);
          const kernel = await KernelFiles.start({ disk, ramMib: 8 });
          kernel.chdir(`/${BASE}`);
          run({ kernel, host: new HostFiles(join(directory, BASE)), open: [] }, list);
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("tmpfs refuses to fill more than half of the memory", async () => {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  const file = kernel.open("/f", O.WRONLY | O.CREAT);
  const piece = new Uint8Array(1 << 20);
  let written = 0;
  const result = outcome(() => {
    for (;;) written += kernel.write(file, piece);
  });
  assert.equal(result, `errno ${ENOSPC}`);
  assert.ok(written >= 3 << 20 && written <= 4 << 20, `${written} bytes fit`);
  kernel.truncate(file, 0);
  assert.equal(kernel.exports.memoryFileFrameCount(), 0n);
  kernel.close(file);
});
