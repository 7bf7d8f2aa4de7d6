/**
 * Images that are made here come back as they were, and one that was changed is never used: for
 * random trees and random changes. `../../registry/registry.test.ts` has registries.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { described } from "../../archive/testing.ts";
import { UserError } from "../../errors.ts";
import { directories, withScratch } from "../../image/erofs/testing.ts";
import { FsTree } from "../../image/tree.ts";
import { openManifest } from "../../oci/image-files.ts";
import { parseReference } from "../../registry/reference.ts";
import { ImageStore, type StoredImage } from "../../registry/store.ts";
import { launchDefaults, type ResolvedSource, type SourceOptions } from "../source.ts";
import { sourceOptions } from "../testing.ts";
import { layerTree } from "./image.ts";
import { importSource } from "./import-image.ts";

function sourceOf(tree: FsTree): ResolvedSource {
  const launch = { executable: "/x", argv0: "x", args: [], cwd: "/", env: {}, ...launchDefaults };
  return { tree, launch, origin: { kind: "test", name: "x" }, warnings: [] };
}

async function treeOf({ manifest }: StoredImage, options: SourceOptions): Promise<FsTree> {
  const image = openManifest(new ImageStore(options.host).files, manifest);
  return await layerTree(image, "x", options);
}

test("every tree comes back from the image that is made of it", () =>
  fc.assert(
    fc.asyncProperty(directories, (root) =>
      withScratch(async (cwd) => {
        assert.ok(root.kind === "directory");
        const options = sourceOptions({ cwd });
        const image = await importSource(sourceOf(new FsTree(root)), parseReference("x"), options);
        const found = await treeOf(image, options);
        assert.deepEqual(described(found), described(new FsTree(root)));
      }),
    ),
    { numRuns: 25 },
  ));

test("an image with a changed byte is refused, wherever that is", () =>
  withScratch(async (cwd) => {
    const options = sourceOptions({ cwd });
    const tree = new FsTree();
    tree.makeDirectory("/a/b");
    const image = await importSource(sourceOf(tree), parseReference("x"), options);
    const blobs = join(cwd, ".capstan/images/blobs/sha256");
    const names = readdirSync(blobs);
    assert.equal(names.length, 3);
    const changes = fc.tuple(fc.constantFrom(...names), fc.nat(), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(changes, async ([name = "", place, bits]) => {
        const path = join(blobs, name);
        const good = readFileSync(path);
        const bad = Buffer.from(good);
        const at = place % bad.length;
        bad.writeUInt8((bad[at] ?? 0) ^ bits, at);
        writeFileSync(path, bad);
        try {
          await assert.rejects(treeOf(image, options), UserError);
        } finally {
          writeFileSync(path, good);
        }
      }),
      { numRuns: 100 },
    );
    assert.deepEqual(described(await treeOf(image, options)), described(tree));
  }));
