import assert from "node:assert/strict";
import { test } from "node:test";
import { cpioArchive, initramfs } from "./initramfs.ts";

/** Reads an archive back: path, mode and content of each entry. */
function entries(archive: Buffer): [string, number, string][] {
  const found: [string, number, string][] = [];
  for (let at = 0; ; ) {
    assert.equal(archive.toString("latin1", at, at + 6), "070701");
    const field = (index: number): number => {
      const start = at + 6 + index * 8;
      return Number.parseInt(archive.toString("latin1", start, start + 8), 16);
    };
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString("utf8", at + 110, at + 110 + nameSize - 1);
    const data = (at + 110 + nameSize + 3) & ~3;
    if (name === "TRAILER!!!") return found;
    found.push([name, mode, archive.toString("latin1", data, data + size)]);
    at = (data + size + 3) & ~3;
  }
}

test("entries of odd sizes stay aligned", () => {
  const archive = cpioArchive([
    { path: "a", mode: 0o100644, content: Buffer.from("12345") },
    { path: "bc", mode: 0o100755, content: Buffer.from("") },
    { path: "folder/def", mode: 0o100600, content: Buffer.from("x") },
  ]);
  assert.deepEqual(entries(archive), [
    ["a", 0o100644, "12345"],
    ["bc", 0o100755, ""],
    ["folder/def", 0o100600, "x"],
  ]);
});

test("a guest's archive has a console, the program as /init, and the files", () => {
  const archive = initramfs(Buffer.from("program"), { "/data": Buffer.from("content") });
  const found = entries(archive);
  assert.deepEqual(
    found.map(([name]) => name),
    ["dev", "dev/console", "tmp", "init", "data"],
  );
  assert.deepEqual(found[3], ["init", 0o100755, "program"]);
  assert.deepEqual(found[4], ["data", 0o100644, "content"]);
});
