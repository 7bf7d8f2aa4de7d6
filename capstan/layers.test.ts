/** The folders of the tool are layers: an import goes down the list or stays in its folder. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const capstan = dirname(fileURLToPath(import.meta.url));

/** From the top down; files without a folder are of the lowest layer, but for main.ts and work.ts. */
const layers = [
  "main.ts",
  "commands",
  "compose",
  "check",
  "instance",
  "run",
  "export",
  "manifest",
  "source",
  "registry",
  "oci",
  "archive",
  "work.ts",
  "disk",
  "config",
  "hypervisor",
  "package",
  "image",
  "runtime",
  "protocol",
  "console",
  "text",
  "errors.ts",
];
const lowestFiles = ["errors.ts", "exit-status.ts", "home.ts", "parallel.ts"];

function layerOf(path: string): number {
  const [first = ""] = path.split("/");
  const layer = layers.indexOf(lowestFiles.includes(first) ? "errors.ts" : first);
  assert.notEqual(layer, -1, `${first} is not in the list of layers`);
  return layer;
}

test("imports go down", () => {
  const upward: string[] = [];
  const paths = readdirSync(capstan, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.startsWith("dist/"),
  );
  assert.ok(paths.length > 200, `${paths.length} files`);
  for (const path of paths) {
    const text = readFileSync(join(capstan, path), "utf8");
    for (const [, to = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)) {
      const target = relative(capstan, normalize(join(capstan, dirname(path), to)));
      if (target.startsWith("..")) continue;
      if (layerOf(target) < layerOf(path)) upward.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(upward, []);
});
