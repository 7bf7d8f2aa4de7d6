/** Path resolution: path_resolution(7), openat2(2), mounts, names of files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Errno, KernelFiles, O } from "./testing/kernel-files.ts";

const FOLLOW = 1;
const DIRECTORY = 2;
const EMPTY = 4;
const NO_SYMLINKS = 8;
const NO_MAGICLINKS = 16;
const NO_XDEV = 32;
const BENEATH = 64;
const IN_ROOT = 128;
const ENOENT = 2;
const EBUSY = 16;
const EEXIST = 17;
const EXDEV = 18;
const ENOTDIR = 20;
const EISDIR = 21;
const EINVAL = 22;
const ENAMETOOLONG = 36;
const ENOTEMPTY = 39;
const ELOOP = 40;

async function start(): Promise<KernelFiles> {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  kernel.mkdir("/a");
  kernel.mkdir("/a/b");
  kernel.writeFile("/a/f", "file");
  kernel.writeFile("/a/b/g", "deep");
  kernel.symlink("b/g", "/a/toG");
  kernel.symlink("/a/b", "/a/toB");
  kernel.symlink("toB/", "/a/toBSlash");
  kernel.symlink("loop2", "/loop1");
  kernel.symlink("loop1", "/loop2");
  kernel.symlink("nowhere", "/dangling");
  kernel.symlink("/", "/a/toRoot");
  kernel.symlink(".", "/a/here");
  kernel.symlink("../..", "/a/b/up");
  return kernel;
}

const walks: [path: string, flags: number, expected: string | number][] = [
  ["/", FOLLOW, "/"],
  ["//", FOLLOW, "/"],
  ["/..", FOLLOW, "/"],
  ["/../../a", FOLLOW, "/a"],
  [".", FOLLOW, "/a"],
  ["..", FOLLOW, "/"],
  ["b", FOLLOW, "/a/b"],
  ["./b/../b/./g", FOLLOW, "/a/b/g"],
  ["b//g", FOLLOW, "/a/b/g"],
  ["b/", FOLLOW, "/a/b"],
  ["f", FOLLOW, "/a/f"],
  ["f/", FOLLOW, ENOTDIR],
  ["f/.", FOLLOW, ENOTDIR],
  ["f/..", FOLLOW, ENOTDIR],
  ["f/x", FOLLOW, ENOTDIR],
  ["f", FOLLOW | DIRECTORY, ENOTDIR],
  ["missing", FOLLOW, ENOENT],
  ["missing/x", FOLLOW, ENOENT],
  ["missing/", FOLLOW, ENOENT],
  ["", FOLLOW, ENOENT],
  ["", FOLLOW | EMPTY, "/a"],
  ["toG", FOLLOW, "/a/b/g"],
  ["toG", 0, "/a/toG"],
  ["toB", 0, "/a/toB"],
  ["toB/", 0, "/a/b"],
  ["toB/g", 0, "/a/b/g"],
  ["toBSlash", FOLLOW, "/a/b"],
  ["toBSlash/g", FOLLOW, "/a/b/g"],
  ["toG/", FOLLOW, ENOTDIR],
  ["toRoot", FOLLOW, "/"],
  ["toRoot/a/b/up/a/here/here/f", FOLLOW, "/a/f"],
  ["/loop1", FOLLOW, ELOOP],
  ["/loop1", 0, "/loop1"],
  ["/loop1/x", 0, ELOOP],
  ["/dangling", FOLLOW, ENOENT],
  ["/dangling", 0, "/dangling"],
  [`${"here/".repeat(40)}f`, FOLLOW, "/a/f"],
  [`${"here/".repeat(41)}f`, FOLLOW, ELOOP],
  ["x".repeat(255), FOLLOW, ENOENT],
  ["x".repeat(256), FOLLOW, ENAMETOOLONG],
  [`${"x".repeat(256)}/f`, FOLLOW, ENAMETOOLONG],
  ["./".repeat(2047), FOLLOW, "/a"],
  ["./".repeat(2048), FOLLOW, ENAMETOOLONG],
  ["/dev/../a", FOLLOW, "/a"],
  ["/dev/shm/../../a", FOLLOW, "/a"],
  ["/dev/shm", FOLLOW, "/dev/shm"],
  ["toB", FOLLOW | NO_SYMLINKS, ELOOP],
  ["toB/g", FOLLOW | NO_SYMLINKS, ELOOP],
  ["toB", NO_SYMLINKS, "/a/toB"],
  ["/proc/self", FOLLOW | NO_MAGICLINKS, ENOENT],
  ["/dev/shm", FOLLOW | NO_XDEV, EXDEV],
  ["b/g", FOLLOW | NO_XDEV, "/a/b/g"],
  ["b/../f", FOLLOW | BENEATH, "/a/f"],
  ["..", FOLLOW | BENEATH, EXDEV],
  ["b/../..", FOLLOW | BENEATH, EXDEV],
  ["/a", FOLLOW | BENEATH, EXDEV],
  ["toB", FOLLOW | BENEATH, EXDEV],
  ["toG", FOLLOW | BENEATH, "/a/b/g"],
  ["b/up", FOLLOW | BENEATH, EXDEV],
  ["/b", FOLLOW | IN_ROOT, "/a/b"],
  ["../../b", FOLLOW | IN_ROOT, "/a/b"],
  ["toRoot/b", FOLLOW | IN_ROOT, "/a/b"],
];

test("paths lead where path_resolution(7) says", async () => {
  const kernel = await start();
  kernel.chdir("/a");
  for (const pass of ["cold", "warm"]) {
    if (pass === "cold") kernel.exports.shrinkNames(1000);
    for (const [path, flags, expected] of walks) {
      const what = `${pass} ${path.slice(0, 60)} ${flags}`;
      if (typeof expected === "string") assert.equal(kernel.canonical(path, flags), expected, what);
      else assert.throws(() => kernel.canonical(path, flags), new Errno(expected), what);
    }
  }
});

test("open follows, creates and refuses as open(2) says", async () => {
  const kernel = await start();
  kernel.chdir("/a");
  const cases: [path: string, flags: number, expected: number][] = [
    ["f", O.RDONLY | O.CREAT | O.EXCL, EEXIST],
    ["toG", O.WRONLY | O.CREAT | O.EXCL, EEXIST],
    ["/dangling", O.WRONLY | O.CREAT | O.EXCL, EEXIST],
    ["toG", O.RDONLY | O.NOFOLLOW, ELOOP],
    ["toG", O.RDWR | O.CREAT | O.NOFOLLOW, ELOOP],
    ["toB", O.RDONLY | O.NOFOLLOW | O.DIRECTORY, ENOTDIR],
    ["b", O.WRONLY, EISDIR],
    ["b", O.RDONLY | O.TRUNC, EISDIR],
    ["b", O.RDONLY | O.CREAT, EISDIR],
    ["new/", O.WRONLY | O.CREAT, EISDIR],
    ["f", O.RDONLY | O.DIRECTORY, ENOTDIR],
    ["x/y", O.WRONLY | O.CREAT, ENOENT],
    ["f", O.RDONLY | O.TMPFILE, EINVAL],
    ["f", O.RDWR | O.TMPFILE, ENOTDIR],
  ];
  for (const [path, flags, expected] of cases) {
    assert.throws(() => kernel.open(path, flags), new Errno(expected), `${path} ${flags}`);
  }
  kernel.writeFile("/dangling", "made through the link");
  assert.equal(kernel.readFile("/nowhere").toString(), "made through the link");
  const place = kernel.open("toG", O.PATH | O.NOFOLLOW);
  kernel.close(place);
  const unnamed = kernel.open("b", O.RDWR | O.TMPFILE);
  kernel.write(unnamed, "nameless");
  assert.equal(kernel.readAt(unnamed, 100, 0).toString(), "nameless");
  assert.deepEqual(kernel.names("b"), ["g", "up"]);
  kernel.close(unnamed);
  assert.throws(() => kernel.openWith("b/../..", O.RDONLY, BENEATH), new Errno(EXDEV));
});

test("mount points and the root cannot be removed or moved", async () => {
  const kernel = await start();
  assert.throws(() => kernel.rmdir("/dev"), new Errno(EBUSY));
  assert.throws(() => kernel.rename("/dev", "/a/dev"), new Errno(EBUSY));
  assert.throws(() => kernel.rmdir("/"), new Errno(EBUSY));
  assert.throws(() => kernel.rename("/a/f", "/dev/shm/f"), new Errno(EXDEV));
  assert.throws(() => kernel.link("/a/f", "/dev/shm/f"), new Errno(EXDEV));
  assert.throws(() => kernel.rmdir("/a/b/."), new Errno(EINVAL));
  assert.throws(() => kernel.rmdir("/a/b/.."), new Errno(ENOTEMPTY));
  assert.throws(() => kernel.rename("/a", "/a/b/c"), new Errno(EINVAL));
  assert.throws(() => kernel.mkdir("/a/."), new Errno(EEXIST));
});

test("names follow renames, and tell what was removed", async () => {
  const kernel = await start();
  kernel.chdir("/a/b");
  kernel.rename("/a", "/moved");
  assert.equal(kernel.canonical("."), "/moved/b");
  assert.equal(kernel.canonical("../f"), "/moved/f");
  kernel.mkdir("/gone");
  kernel.chdir("/gone");
  kernel.rmdir("/gone");
  assert.equal(kernel.canonical("", EMPTY), "/gone (deleted)");
  assert.throws(() => kernel.mkdir("x"), new Errno(ENOENT));
  assert.throws(() => kernel.list("."), new Errno(ENOENT));
  assert.equal(kernel.canonical(".."), "/");
});

test("renameat2 exchanges and does not replace", async () => {
  const kernel = await start();
  const NOREPLACE = 1;
  const EXCHANGE = 2;
  assert.throws(() => kernel.rename("/a/f", "/a/b/g", NOREPLACE), new Errno(EEXIST));
  assert.throws(() => kernel.rename("/a/f", "/a/none", EXCHANGE), new Errno(ENOENT));
  assert.throws(() => kernel.rename("/a/f", "/a/b/g", 3), new Errno(EINVAL));
  kernel.rename("/a/f", "/a/b", EXCHANGE);
  assert.equal(kernel.readFile("/a/b").toString(), "file");
  assert.deepEqual(kernel.names("/a/f"), ["g", "up"]);
  assert.equal(kernel.canonical("/a/f/g"), "/a/f/g");
  kernel.rename("/a/b", "/free", NOREPLACE);
  assert.equal(kernel.readFile("/free").toString(), "file");
});
