import assert from "node:assert/strict";
import { lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { type FileContent, FsTree, neutralAttributes } from "../image/tree.ts";
import { type ElfFixture, makeElf } from "../package/elf-fixtures.ts";
import { hostNode } from "../package/host.ts";
import { launchDefaults } from "../source/source.ts";
import { searchedFiles } from "./searched-files.ts";

const loader = "/lib64/ld-linux-x86-64.so.2";
const libraries = "/usr/lib/x86_64-linux-gnu";

/** A tree whose files are parts of one file of the host, as those of an unpacked layer are. */
function layerTree(scratch: string, files: Readonly<Record<string, ElfFixture | string>>): FsTree {
  const tree = new FsTree();
  const path = join(scratch, "layer");
  let layer = Buffer.from("something before");
  for (const [name, fixture] of Object.entries(files)) {
    const bytes = typeof fixture === "string" ? Buffer.from(fixture) : makeElf(fixture);
    const sizeBytes = bytes.length;
    const content = { from: "slice", path, offsetBytes: layer.length, sizeBytes, identity: name };
    put(tree, name, content as FileContent);
    layer = Buffer.concat([layer, bytes]);
  }
  writeFileSync(path, layer);
  return tree;
}

function put(tree: FsTree, name: string, content: FileContent): void {
  tree.set(name, { kind: "file", attributes: neutralAttributes(0o755), content });
}

function search(tree: FsTree, executable: string, args: readonly string[] = []) {
  const env = { PATH: "/usr/bin" };
  return searchedFiles(tree, {
    ...launchDefaults,
    ...{ executable, argv0: executable, args, cwd: "/", env },
  });
}

test("of an image, what runs is searched: program, libraries, loader, modules", () =>
  withScratch(async (scratch) => {
    const tree = layerTree(scratch, {
      "/usr/bin/server2.4": { interpreter: loader, needed: ["libx.so.1"] },
      "/usr/bin/other": { interpreter: loader, needed: ["liby.so.1"] },
      [`${libraries}/libx.so.1.0`]: { needed: ["libz.so"] },
      [`${libraries}/libz.so`]: {},
      [`${libraries}/liby.so.1`]: {},
      [`${libraries}/libm.so`]: {},
      "/usr/lib/server/modules/mod.so": { needed: ["libm.so"] },
      "/usr/lib/others/mod.so": {},
      [loader]: {},
    });
    const attributes = neutralAttributes(0o777);
    tree.set(`${libraries}/libx.so.1`, { kind: "symlink", attributes, target: "libx.so.1.0" });
    const { places, ...found } = search(tree, "/usr/bin/server2.4");
    assert.deepEqual(
      [...places.keys()].sort(),
      [
        "/usr/bin/server2.4",
        `${libraries}/libx.so.1.0`,
        `${libraries}/libz.so`,
        loader,
        "/usr/lib/server/modules/mod.so",
        `${libraries}/libm.so`,
      ].sort(),
    );
    assert.equal([...places.keys()][0], "/usr/bin/server2.4");
    assert.deepEqual(found.libraries, [`${libraries}/libx.so.1`, `${libraries}/libz.so`]);
    assert.deepEqual([found.missingLibraries, found.warnings], [[], []]);
  }));

test("programs that a shell script names are searched, those in comments are not", () =>
  withScratch(async (scratch) => {
    const tree = layerTree(scratch, {
      "/usr/bin/dash": { interpreter: loader },
      "/usr/bin/database": { interpreter: loader, needed: ["libgone.so"] },
      "/usr/bin/helper": {},
      "/usr/bin/mount": {},
      "/entry.sh": '#!/bin/sh\n# never mount\n[ -n "$X" ] && /more.sh\nexec database "$@"\n',
      "/more.sh": "#!/bin/sh\nhelper\n",
    });
    const { places, warnings } = search(tree, "/usr/bin/dash", ["/entry.sh"]);
    assert.deepEqual([...places.keys()].sort(), [
      "/usr/bin/dash",
      "/usr/bin/database",
      "/usr/bin/helper",
    ]);
    assert.deepEqual(warnings, [
      "/usr/bin/database needs the library libgone.so, which is not in the image",
    ]);
  }));

test("what was collected on this machine is searched as a whole; lacking libraries are told", () =>
  withScratch(async (scratch) => {
    const tree = layerTree(scratch, {
      "/usr/bin/app": { interpreter: loader, needed: ["libq.so"] },
    });
    const path = join(scratch, "tool");
    writeFileSync(path, makeElf({ interpreter: loader }));
    tree.set("/opt/tool", hostNode(path, lstatSync(path, { bigint: true })));
    put(tree, "/opt/text", { from: "bytes", bytes: Buffer.from("text") });
    const { places, missingLibraries } = search(tree, "/usr/bin/app");
    assert.deepEqual([...places.keys()], ["/usr/bin/app", "/opt/tool"]);
    assert.deepEqual(missingLibraries, [{ name: "libq.so", neededBy: "/usr/bin/app" }]);
  }));
