import assert from "node:assert/strict";
import { test } from "node:test";
import { FsTree, neutralAttributes } from "../image/tree.ts";
import { needsOneThread, replacesLiveCode } from "./live-code.ts";

function treeWith(path: string): FsTree {
  const tree = new FsTree();
  const content = { from: "bytes", bytes: new Uint8Array() } as const;
  tree.set(path, { kind: "file", attributes: neutralAttributes(0o644), content });
  return tree;
}

const java = treeWith("/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so");

test("Java's and .NET's machines are known by their libraries, wherever these lie", () => {
  assert.ok(replacesLiveCode(java));
  assert.ok(replacesLiveCode(treeWith("/app/libcoreclr.so")));
  assert.ok(!replacesLiveCode(treeWith("/usr/share/doc/libjvm.so.txt")));
});

test("one thread where emulation, several processors and such a program meet", () => {
  const two = { accelerator: "tcg", cpus: 2 } as const;
  assert.equal(needsOneThread(two, java), true);
  assert.equal(needsOneThread(two, treeWith("/bin/true")), false);
  assert.equal(needsOneThread({ ...two, cpus: 1 }, java), false);
  assert.equal(needsOneThread({ ...two, accelerator: "kvm" }, java), false);
});
