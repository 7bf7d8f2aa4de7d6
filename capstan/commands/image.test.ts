/**
 * The commands `capstan image ...`, run as a user runs them.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  watch,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { imageTargets } from "../export/targets.ts";
import { withScratch } from "../image/erofs/testing.ts";

const launcher = join(dirname(dirname(fileURLToPath(import.meta.url))), "bin/capstan.js");

/** Runs `capstan image WORDS` in a folder, which also is capstan's home. */
function image(folder: string, ...words: string[]) {
  return spawnSync(process.execPath, [launcher, "image", ...words], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, CAPSTAN_ROOT: join(folder, ".capstan") },
    maxBuffer: 2 ** 28,
  });
}

/** The same, expected to succeed; returns standard output. */
function ok(folder: string, ...words: string[]): string {
  const { status, stdout, stderr } = image(folder, ...words);
  assert.equal(status, 0, `capstan image ${words.join(" ")}\n${stderr}`);
  return stdout;
}

/** A folder with data to put into images. */
function prepare(scratch: string): string {
  const data = join(scratch, "data");
  mkdirSync(join(data, "sub"), { recursive: true });
  writeFileSync(join(data, "sub/text"), "some text\n");
  writeFileSync(join(data, "big"), Buffer.alloc(3_000_000, "0123456789"));
  symlinkSync("sub/text", join(data, "link"));
  utimesSync(join(data, "sub/text"), 1_000_000_000, 1_000_000_000);
  return data;
}

const addData = ["--add", "data:/data", "--", "/bin/true"];

test("images of all formats hold the same files", () =>
  withScratch(async (scratch) => {
    const data = prepare(scratch);
    ok(scratch, "build", "-o", "a.qcow2", ...addData);
    const names = ["a.qcow2"];
    for (const format of ["vmdk", "vmdk-stream", "vdi", "vhdx", "vhd", "vhd-fixed", "raw"]) {
      names.push(`${format}.image`);
      ok(scratch, "convert", "--format", format, "a.qcow2", `${format}.image`);
    }
    const listing = ok(scratch, "ls", "-R", "a.qcow2");
    for (const name of names) {
      assert.equal(ok(scratch, "cat", name, "/data/link"), "some text\n", name);
    }
    assert.equal(ok(scratch, "ls", "-R", "vmdk-stream.image"), listing);
    assert.match(listing, /^-rw-r--r-- +0:0 +10 +2001-09-09 01:46 +\/data\/sub\/text$/m);
    assert.match(listing, /^l\S+ .* \/data\/link -> sub\/text$/m);
    ok(scratch, "cp", "vdi.image", "/data", "copy");
    assert.ok(readFileSync(join(scratch, "copy/big")).equals(readFileSync(join(data, "big"))));
    assert.equal(statSync(join(scratch, "copy/sub/text")).mtimeMs, 1_000_000_000_000);
    const found = JSON.parse(ok(scratch, "inspect", "--json", "vhdx.image"));
    assert.equal(found.format, "vhdx");
    assert.deepEqual(found.boot.program.slice(-1), ["/bin/true"]);
    assert.equal(found.fileSystem.type, "erofs");
  }));

test("the same application gives the same bytes, in another place and later", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    for (const format of ["raw", "vhdx"]) {
      ok(scratch, "build", "--format", format, "-o", "one", ...addData);
      // Another cache, so that nothing of the first build is used again.
      const home = { CAPSTAN_ROOT: join(scratch, "elsewhere") };
      const words = ["image", "build", "--format", format, "-o", "two", ...addData];
      const { status } = spawnSync(process.execPath, [launcher, ...words], {
        cwd: scratch,
        env: { ...process.env, ...home },
      });
      assert.equal(status, 0);
      const [one, two] = ["one", "two"].map((name) => readFileSync(join(scratch, name)));
      assert.ok(one?.equals(two ?? Buffer.alloc(0)), format);
    }
  }));

test("an image whose manifest cannot be written is not left behind", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    mkdirSync(join(scratch, "a.ova.manifest.json"));
    const { status, stderr } = image(scratch, "build", "-o", "a.ova", ...addData);
    assert.notEqual(status, 0);
    assert.match(stderr, /a\.ova\.manifest\.json/);
    assert.ok(!existsSync(join(scratch, "a.ova")));
  }));

test("an image of an unchanged application is not written again", () =>
  withScratch(async (scratch) => {
    const data = prepare(scratch);
    const build = (name: string) =>
      JSON.parse(ok(scratch, "build", "--json", "-o", name, ...addData)).isUnchanged;
    assert.equal(build("a.vdi"), false);
    const first = readFileSync(join(scratch, "a.vdi"));
    assert.equal(build("a.vdi"), true);
    assert.equal(build("b.vdi"), true, "it is copied");
    assert.ok(readFileSync(join(scratch, "b.vdi")).equals(first));
    ok(scratch, "verify", "b.vdi");
    truncateSync(join(scratch, "b.vdi"), 1000);
    truncateSync(join(scratch, "a.vdi"), 1000);
    assert.equal(build("b.vdi"), false, "a damaged one is not copied");
    assert.ok(readFileSync(join(scratch, "b.vdi")).equals(first));
    writeFileSync(join(data, "more"), "x");
    assert.equal(build("b.vdi"), false, "another file");
  }));

test("a manifest tells whether an image is what was signed, in any format", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    ok(scratch, "build", "-o", "a.img", ...addData);
    ok(scratch, "convert", "a.img", "a.vmdk");
    assert.match(ok(scratch, "verify", "a.vmdk"), /\d+ files, kernel and signature are right/);
    const refused = (why: RegExp, home: string, ...words: string[]): void => {
      const { status, stderr } = spawnSync(
        process.execPath,
        [launcher, "image", "verify", ...words],
        {
          cwd: scratch,
          encoding: "utf8",
          env: { ...process.env, CAPSTAN_ROOT: join(scratch, home) },
        },
      );
      assert.equal(status, 1, stderr);
      assert.match(stderr, why);
    };
    refused(/a key that is not trusted here/, "stranger", "a.img");
    const key = join(scratch, ".capstan/keys/signing.pub");
    const { status } = image(scratch, "verify", "--key", key, "a.img");
    assert.equal(status, 0);
    const bytes = readFileSync(join(scratch, "a.img"));
    for (const [text, why] of [
      ["some text", /\/data\/sub\/text has other contents/],
      ["PARTUUID=", /another program, arguments or options/],
    ] as const) {
      const changed = Buffer.from(bytes);
      changed.write(text.toUpperCase().replace("=", "-"), changed.indexOf(text));
      writeFileSync(join(scratch, "changed.img"), changed);
      refused(why, ".capstan", "--manifest", "a.img.manifest.json", "changed.img");
    }
    const manifest = readFileSync(join(scratch, "a.img.manifest.json"), "utf8");
    writeFileSync(join(scratch, "forged.json"), manifest.replace('"uid": 0', '"uid": 1'));
    refused(/changed after it was signed/, ".capstan", "--manifest", "forged.json", "a.img");
    writeFileSync(join(scratch, "cut.json"), manifest.slice(0, 500));
    refused(/not a signed manifest/, ".capstan", "--manifest", "cut.json", "a.img");
  }));

test("wrong input gets a message with a way out, and writes nothing", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    ok(scratch, "build", "-o", "good.qcow2", ...addData);
    writeFileSync(join(scratch, "noise"), "no disk");
    const cut = join(scratch, "cut.qcow2");
    writeFileSync(cut, readFileSync(join(scratch, "good.qcow2")));
    truncateSync(cut, 1_500_000);
    const before = readdirSync(scratch).sort();
    const cases: [code: string, ...words: string[]][] = [
      ["UnknownFormat", "build", "-o", "x.unknown", "--", "/bin/true"],
      ["UnknownFormat", "build", "--format", "floppy", "-o", "x", "--", "/bin/true"],
      ["NoOutput", "build", "--format", "raw", "--", "/bin/true"],
      ["ImageUnwritable", "build", "-o", "absent/x.qcow2", "--", "/bin/true"],
      ["ImageUnwritable", "build", "--format", "raw", "-o", "data", "--", "/bin/true"],
      ["ImageNotFound", "inspect", "absent.qcow2"],
      ["UnknownImage", "convert", "noise", "x.vdi"],
      ["ImageDamaged", "convert", "cut.qcow2", "x.vdi"],
      ["NotInImage", "cat", "good.qcow2", "/absent"],
      ["NotAFile", "cat", "good.qcow2", "/data"],
      ["UnknownFormat", "convert", "good.qcow2", "x.unknown"],
      ["NoBacking", "convert", "--backing", "good.qcow2", "good.qcow2", "x.vdi"],
      ["NoManifest", "verify", "cut.qcow2"],
      ["TargetUnwritable", "cp", "good.qcow2", "/data", "absent/target"],
    ];
    for (const [code, ...words] of cases) {
      const { status, stdout } = image(scratch, words[0] ?? "", "--json", ...words.slice(1));
      assert.equal(status, 125, words.join(" "));
      const { error } = JSON.parse(stdout);
      assert.equal(error.code, code, words.join(" "));
      assert.ok(error.fix.length > 10);
    }
    assert.deepEqual(readdirSync(scratch).sort(), before);
  }));

test("a full disk is named, and the half-made image removed", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    ok(scratch, "build", "-o", "good.qcow2", ...addData);
    const before = readdirSync(scratch).sort();
    // A limit on the size of files is reported by the system as a full disk would be.
    const script = `trap "" XFSZ; ulimit -f 2000; exec "$0" "$@"`;
    const words = [launcher, "image", "convert", "good.qcow2", "full.img"];
    const { status, stderr } = spawnSync("/bin/sh", ["-c", script, process.execPath, ...words], {
      cwd: scratch,
      encoding: "utf8",
    });
    assert.equal(status, 125, stderr);
    assert.match(stderr, /cannot write the image .*full\.img\n +why: EFBIG/);
    assert.deepEqual(readdirSync(scratch).sort(), before);
  }));

test("a full disk is named whatever the format, and nothing half-made is left", () =>
  withScratch(async (scratch) => {
    mkdirSync(join(scratch, "data"));
    // What compression cannot make small: blocks of a cipher.
    const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
    writeFileSync(join(scratch, "data/noise"), noise.update(Buffer.alloc(3_000_000)));
    ok(scratch, "build", "--quiet", "-o", "good.qcow2", ...addData);
    const before = readdirSync(scratch).sort();
    for (const { name } of imageTargets) {
      const script = `trap "" XFSZ; ulimit -f 4000; exec "$0" "$@"`;
      const words = [launcher, "image", "build", "-f", name, "-o", "full", ...addData];
      const { status, stderr } = spawnSync("/bin/sh", ["-c", script, process.execPath, ...words], {
        cwd: scratch,
        encoding: "utf8",
        env: { ...process.env, CAPSTAN_ROOT: join(scratch, ".capstan") },
      });
      assert.equal(status, 125, `${name}: ${stderr}`);
      assert.match(stderr, /^capstan: cannot write the image .*full.*\n +why: EFBIG/, name);
      assert.deepEqual(readdirSync(scratch).sort(), before, name);
    }
  }));

test("Ctrl-C in the middle leaves no half-made image", () =>
  withScratch(async (scratch) => {
    writeFileSync(join(scratch, "huge"), "");
    truncateSync(join(scratch, "huge"), 60 * 2 ** 30);
    const head = Buffer.alloc(512);
    head.writeUInt16LE(0xaa55, 510);
    writeFileSync(join(scratch, "huge"), head, { flag: "r+" });
    // Reading all the zeros takes far longer than the signal needs to arrive.
    const watcher = watch(scratch);
    const child = spawn(
      process.execPath,
      [launcher, "image", "convert", "--format", "qcow2", "huge", "out.qcow2"],
      { cwd: scratch, stdio: "ignore" },
    );
    const ended = once(child, "close");
    for await (const [, name] of on(watcher)) {
      if (String(name).endsWith(".tmp")) break;
    }
    watcher.close();
    child.kill("SIGINT");
    const [status, signal] = await ended;
    assert.deepEqual([status, signal], [null, "SIGINT"]);
    assert.deepEqual(readdirSync(scratch), ["huge"]);
    assert.ok(!existsSync(join(scratch, "out.qcow2")));
  }));

/** Changes in a folder, as they happen. */
async function* on(watcher: ReturnType<typeof watch>): AsyncGenerator<[string, unknown]> {
  for (;;) yield (await once(watcher, "change")) as [string, unknown];
}

test("archives and folders are verified, too, and another clock gives the same bytes", () =>
  withScratch(async (scratch) => {
    prepare(scratch);
    const formats = imageTargets.map(({ name }) => name);
    for (const format of formats) {
      ok(scratch, "build", "--quiet", "-f", format, "-o", "one", ...addData);
      assert.match(ok(scratch, "verify", "one"), /signature are right/, format);
      const first = JSON.stringify(contentsBelow(scratch, "one"));
      for (const name of ["one", "one.manifest.json", ".capstan/cache"]) {
        rmSync(join(scratch, name), { recursive: true });
      }
      const words = ["build", "--quiet", "-f", format, "-o", "one", ...addData];
      const { status, stderr } = spawnSync(
        process.execPath,
        [...otherClock, launcher, "image", ...words],
        {
          cwd: scratch,
          encoding: "utf8",
          env: { ...process.env, CAPSTAN_ROOT: join(scratch, ".capstan"), TZ: "Asia/Kathmandu" },
        },
      );
      assert.equal(status, 0, stderr);
      assert.equal(JSON.stringify(contentsBelow(scratch, "one")), first, format);
      const [changed = ""] = contentsBelow(scratch, "one").map(([name]) => name);
      appendFileSync(join(scratch, changed), "x");
      const { status: refused, stderr: why } = image(scratch, "verify", "one");
      if (isPacked(format)) assert.match(why, /has other contents/);
      if (isPacked(format)) assert.equal(refused, 1, format);
      rmSync(join(scratch, "one"), { recursive: true });
    }
  }));

/** Options of Node for a process in which it is forty years later, and the time zone another one. */
const otherClock = [
  "--import",
  `data:text/javascript,${encodeURIComponent(`
    const real = Date, offset = 40 * 365 * 86400e3;
    globalThis.Date = class extends real {
      constructor(...words) { words.length === 0 ? super(real.now() + offset) : super(...words); }
      static now() { return real.now() + offset; }
    };`)}`,
];

const isPacked = (format: string) =>
  imageTargets.some((target) => target.name === format && target.isDisk !== true);

/** Names and hashes of a file, or of the files of a folder. */
function contentsBelow(folder: string, name: string): [string, string][] {
  const path = join(folder, name);
  const names = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: "utf8" }).sort()
    : [""];
  return names
    .map((each) => join(path, each))
    .filter((each) => statSync(each).isFile())
    .map((each) => [
      relative(folder, each),
      createHash("sha256").update(readFileSync(each)).digest("hex"),
    ]);
}
