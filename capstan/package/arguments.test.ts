import assert from "node:assert/strict";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { addAddition, addArguments, parseAddition, pathsInArgument } from "./arguments.ts";
import { GuestFiles } from "./guest-files.ts";
import { addLiterals, wordsInText } from "./literals.ts";
import { rejectionOf } from "./testing.ts";

test("which parts of an argument may be paths", () => {
  assert.deepEqual(pathsInArgument("file"), ["file"]);
  assert.deepEqual(pathsInArgument("--input=file"), ["file"]);
  assert.deepEqual(pathsInArgument("if=file"), ["if=file", "file"]);
  assert.deepEqual(pathsInArgument("-lR"), []);
  assert.deepEqual(pathsInArgument("-x=file"), []);
  assert.deepEqual(pathsInArgument(""), []);
  assert.deepEqual(pathsInArgument("a\0b"), []);
});

test("arguments that name files are added, others are left alone", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "d/e"), { recursive: true });
    writeFileSync(join(root, "d/e/f"), "x");
    writeFileSync(join(root, "one"), "x");
    writeFileSync(join(root, "-dash"), "x");
    const files = new GuestFiles();
    const args = ["one", "d", "-dash", "none", "", "--", "--x=one", "x".repeat(5000), "/proc/self"];
    const found = await addArguments(files, args, root);
    assert.deepEqual(found, [join(root, "one"), join(root, "one")]);
    assert.equal(files.resolve(join(root, "d/e/f"))?.kind, "file");
    assert.equal(files.resolve(join(root, "-dash")), undefined);
    assert.equal(files.resolve("/proc/self"), undefined);
    assert.deepEqual(files.warnings, []);
  }));

test("the root directory as an argument is the guest's own", async () => {
  const files = new GuestFiles();
  assert.deepEqual(await addArguments(files, ["/"], "/"), []);
  assert.equal(files.tree.root.children.size, 0);
  assert.equal(files.warnings.length, 1);
});

test("--add takes HOST and HOST:GUEST, also with colons in the name", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "dir"));
    writeFileSync(join(root, "dir/file"), "x");
    writeFileSync(join(root, "with:colon"), "x");
    const parse = (text: string) => parseAddition(text, root);
    assert.deepEqual(parse("dir"), { hostPath: join(root, "dir"), guestPath: undefined });
    assert.deepEqual(parse("dir:/g/../h"), { hostPath: join(root, "dir"), guestPath: "/h" });
    assert.equal(parse("with:colon").hostPath, join(root, "with:colon"));
    assert.deepEqual(parse("with:colon:/x"), {
      hostPath: join(root, "with:colon"),
      guestPath: "/x",
    });
    for (const [text, code] of [
      ["none", "AddedFileMissing"],
      ["", "AddedFileMissing"],
      [":/x", "AddedFileMissing"],
      ["dir:x", "AddedPathRelative"],
      ["dir:", "AddedPathRelative"],
    ] as const) {
      await rejectionOf((async () => parse(text))(), code);
    }
    const files = new GuestFiles();
    const told: string[] = [];
    await addAddition(files, parse("dir:/data"), (path) => told.push(path));
    assert.equal(files.tree.get("/data/file")?.kind, "file");
    assert.deepEqual(told, [join(root, "dir/file")]);
  }));

test("words that may be files in code of several languages", () => {
  const text = `open("/etc/a", 'r') ; cat <b.txt >/tmp/c; x=\`d/e\` f(g.h, "i j/k")`;
  const words = [...wordsInText(text)];
  for (const word of ["/etc/a", "b.txt", "/tmp/c", "d/e", "g.h", "j/k"]) {
    assert.ok(words.includes(word), word);
  }
});

test("files that code names are added, directories and large files are not", () =>
  withScratch(async (root) => {
    mkdirSync(join(root, "dir.d"));
    writeFileSync(join(root, "small.txt"), "x");
    writeFileSync(join(root, "large.bin"), "");
    truncateSync(join(root, "large.bin"), 65 * 1024 ** 2);
    const files = new GuestFiles();
    const long = "x/".repeat(400);
    addLiterals(files, `"small.txt" 'large.bin' dir.d none.txt /proc/cmdline ${long}.`, root);
    assert.equal(files.resolve(join(root, "small.txt"))?.kind, "file");
    for (const path of [join(root, "large.bin"), join(root, "dir.d"), "/proc/cmdline"]) {
      assert.equal(files.resolve(path), undefined, path);
    }
  }));
