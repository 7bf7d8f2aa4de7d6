import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { writeErofs } from "../image/erofs/writer.ts";
import { textInTree } from "../source/tree-launch.ts";
import { withOwnName } from "./baseline.ts";
import { makeElf } from "./elf-fixtures.ts";
import { cannotRunImages, collect, guestEnv, rejectionOf, runImage } from "./testing.ts";

const runs = { skip: cannotRunImages };

/** Runs a program on this machine as the guest would: same environment, same directory. */
function onHost(program: string, args: readonly string[], cwd: string) {
  const { stdout, stderr, status } = spawnSync(program, [...args], {
    cwd,
    env: guestEnv,
    encoding: "utf8",
  });
  return { stdout, stderr, status };
}

/** Fails unless a program does the same from its image as on this machine. */
async function assertSame(program: string, args: readonly string[], cwd: string): Promise<void> {
  await withScratch(async (scratch) => {
    const image = await runImage(await collect(program, args, cwd), scratch);
    const { stdout, stderr, status } = image;
    assert.deepEqual({ stdout, stderr, status }, onHost(program, args, cwd));
  });
}

test("programs of this machine run from their images as on the machine", runs, () =>
  withScratch(async (cwd) => {
    writeFileSync(join(cwd, "words"), "b\nc\na\n");
    for (const [program, args] of [
      ["/bin/echo", ["hello", "  world"]],
      ["/bin/false", []],
      ["sort", ["words"]],
      ["sha256sum", ["./words", "/etc/hosts"]],
      ["gzip", ["-c", "words"]],
      ["env", []],
      ["bash", ["-c", "for i in 1 2 3; do echo $((i*i)); done; pwd; exit 7"]],
      ["bash", ["-c", 'while read -r word; do echo "$word"; done < words']],
      ["bash", ["-c", "while read -r word; do echo $word; done < ./words"]],
      ["bash", ["-c", "sort words | wc -l; x=$(tr a-z A-Z < words); echo $x"]],
      ["dd", ["if=words", "bs=2", "status=none"]],
      ["id", ["-un"]],
      ["date", ["-d", "@0"]],
    ] as const) {
      await assertSame(program, args, cwd);
    }
  }),
);

test("a directory as an argument comes with everything in it", runs, () =>
  withScratch(async (cwd) => {
    mkdirSync(join(cwd, "d/e"), { recursive: true });
    writeFileSync(join(cwd, "d/e/file"), "x");
    symlinkSync("e/file", join(cwd, "d/link"));
    chmodSync(join(cwd, "d/e"), 0o700);
    // -g and -o leave out names of users, --time-style keeps the zone out of it.
    const args = ["-lRA", "--time-style=full-iso", "d"];
    await withScratch(async (scratch) => {
      const { stdout } = await runImage(await collect("ls", args, cwd), scratch);
      // The sum of blocks depends on the file system.
      const listing = (text: string): string => text.replace(/^total .*$/gm, "total");
      assert.equal(listing(stdout), listing(onHost("ls", args, cwd).stdout));
    });
  }),
);

const hasMusl = spawnSync("musl-gcc", ["--version"]).status === 0;

test(
  "a program linked with musl",
  { skip: cannotRunImages || (hasMusl ? false : "musl-gcc is not installed") },
  () =>
    withScratch(async (cwd) => {
      writeFileSync(join(cwd, "a.c"), '#include <stdio.h>\nint main(){puts("musl");return 4;}');
      execFileSync("musl-gcc", ["-o", "dynamic", "a.c"], { cwd });
      execFileSync("musl-gcc", ["-static", "-o", "static", "a.c"], { cwd });
      await assertSame("./dynamic", [], cwd);
      await assertSame("./static", [], cwd);
      const { tree } = await collect("./static", [], cwd);
      assert.equal(tree.get("/lib64"), undefined, "a static program needs no loader");
    }),
);

test("every guest has users, hosts, directories and its working directory", () =>
  withScratch(async (cwd) => {
    writeFileSync(join(cwd, "program"), makeElf({ type: 2 }), { mode: 0o755 });
    const { tree, cwd: guestCwd } = await collect("./program", [], cwd);
    for (const path of ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf"]) {
      assert.ok(tree.get(path) !== undefined, path);
    }
    for (const path of ["/tmp", "/dev", "/proc", "/sys", "/run", "/var/tmp", "/root", "/home"]) {
      assert.equal(tree.get(path)?.kind, "directory", path);
    }
    assert.equal(tree.get("/tmp")?.attributes.mode, 0o1777);
    assert.equal(tree.get(guestCwd)?.kind, "directory");
    assert.equal(tree.get("/etc/shadow"), undefined);
    assert.match(textInTree(tree, "/etc/hosts") ?? "", /^127\.0\.1\.1\tosv$/m);
  }));

test("a guest finds its own name in /etc/hosts, whatever else stands there", () => {
  assert.equal(withOwnName(""), "127.0.1.1\tosv\n");
  assert.equal(withOwnName("::1 a b"), "::1 a b\n127.0.1.1\tosv\n");
  assert.equal(withOwnName("::1 a # osv\n"), "::1 a # osv\n127.0.1.1\tosv\n");
  const known = "10.0.0.1\tdb osv # own\n";
  assert.equal(withOwnName(known), known);
});

test("the same request gives the same image, and a small one", () =>
  withScratch(async (cwd) => {
    const images: Buffer[] = [];
    for (let round = 0; round < 2; round++) {
      const { tree } = await collect("ls", ["/etc/ssl"], cwd);
      const summary = await writeErofs(tree, join(cwd, "image"));
      assert.ok(summary.sizeBytes - summary.contentBytes < 1024 ** 2);
      images.push(readFileSync(join(cwd, "image")));
    }
    assert.ok(images[0]?.equals(images[1] ?? Buffer.alloc(0)));
  }));

test("all missing libraries are in one error, before anything is built", () =>
  withScratch(async (cwd) => {
    const program = makeElf({
      interpreter: "/lib64/ld-linux-x86-64.so.2",
      needed: ["libnone.so.1", "libnever.so.2"],
    });
    writeFileSync(join(cwd, "program"), program, { mode: 0o755 });
    const error = await rejectionOf(collect("./program", [], cwd), "LibraryMissing");
    assert.match(error.why, /libnone\.so\.1.*libnever\.so\.2/);
    writeFileSync(join(cwd, "other"), makeElf({ interpreter: "/no/ld.so" }), { mode: 0o755 });
    await rejectionOf(collect("./other", [], cwd), "LoaderMissing");
  }));

test("more content than the limit is an error that names the largest file", () =>
  withScratch(async (cwd) => {
    writeFileSync(join(cwd, "large"), Buffer.alloc(3_000_000));
    writeFileSync(join(cwd, "program"), makeElf({ type: 2 }), { mode: 0o755 });
    const request = collect("./program", ["large"], cwd, { contentLimitBytes: 2_000_000 });
    const error = await rejectionOf(request, "ImageTooLarge");
    assert.match(error.why, /large with 3000000/);
  }));

test("--add brings libraries of added programs and warns about missing ones", () =>
  withScratch(async (cwd) => {
    const interpreter = "/lib64/ld-linux-x86-64.so.2";
    mkdirSync(join(cwd, "lib"));
    writeFileSync(join(cwd, "lib/libx.so"), makeElf({}));
    const plugin = makeElf({ needed: ["libx.so", "libgone.so"], runpath: "$ORIGIN/lib" });
    writeFileSync(join(cwd, "plugin.so"), plugin);
    writeFileSync(join(cwd, "program"), makeElf({ interpreter }), { mode: 0o755 });
    const collected = await collect("./program", [], cwd, { add: ["plugin.so"] });
    assert.equal(collected.tree.get(join(cwd, "lib/libx.so"))?.kind, "file");
    assert.match(collected.warnings.join(), /libgone\.so/);
  }));

test(
  "the loader's cache lists only libraries that are there",
  { skip: !existsSync("/etc/ld.so.cache") },
  () =>
    withScratch(async (scratch) => {
      const { tree } = await collect("ls", [], scratch);
      const cache = tree.get("/etc/ld.so.cache");
      assert.ok(cache?.kind === "file" && cache.content.from === "bytes");
      const text = Buffer.from(cache.content.bytes).toString("latin1");
      assert.match(text, /libc\.so\.6/);
      assert.ok(cache.content.bytes.length < 3000);
    }),
);

test("LD_PRELOAD brings its libraries", () =>
  withScratch(async (cwd) => {
    const interpreter = "/lib64/ld-linux-x86-64.so.2";
    writeFileSync(join(cwd, "libpre.so"), makeElf({}));
    writeFileSync(join(cwd, "program"), makeElf({ interpreter }), { mode: 0o755 });
    const env = { ...guestEnv, LD_PRELOAD: `${cwd}/libpre.so:libnone.so` };
    const { tree } = await collect("./program", [], cwd, { env });
    assert.equal(tree.get(join(cwd, "libpre.so"))?.kind, "file");
  }));
