/**
 * What `capstan run -- PROGRAM` loads before it starts a machine, and `capstan image build` before it
 * says that nothing has changed. Its time depends on the host; how
 * much it loads does not, and that is what grows unnoticed.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { installationRoot } from "./home.ts";

/** Sources in the files that are loaded without a further `import()`. */
async function loadedSources(entries: readonly string[]) {
  const { metafile } = await build({
    absWorkingDir: installationRoot(),
    entryPoints: ["capstan/main.ts"],
    outdir: join(installationRoot(), "capstan/dist"),
    bundle: true,
    splitting: true,
    metafile: true,
    write: false,
    platform: "node",
    format: "esm",
  });
  const { outputs } = metafile;
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { kind, path: next } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && outputs[next] !== undefined) load(next);
    }
  };
  for (const entry of entries) {
    const found = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === entry);
    assert.ok(found, entry);
    load(found);
  }
  const files = [...loaded].flatMap((path) => outputs[path] ?? []);
  return {
    sources: files.flatMap(({ inputs }) => Object.keys(inputs)),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

test("a run of a program loads little", async () => {
  const { sources, bytes } = await loadedSources(["capstan/main.ts", "capstan/commands/run.ts"]);
  assert.ok(sources.length < 130, `${sources.length} modules`);
  assert.ok(bytes < 500_000, `${bytes} bytes`);
  const heavy = sources.filter((path) =>
    /node_modules\/(zod|yaml|tar|ignore)\/|capstan\/(compose|disk|registry)\//.test(path),
  );
  assert.deepEqual(heavy, []);
});

test("making an image of an unchanged application loads little", async () => {
  const { sources, bytes } = await loadedSources([
    "capstan/main.ts",
    "capstan/commands/image-build.ts",
  ]);
  assert.ok(bytes < 550_000, `${bytes} bytes`);
  const heavy = sources.filter((path) => /node_modules\/(zod|yaml|ignore)\//.test(path));
  assert.deepEqual(heavy, []);
});

test("the parser alone loads no command", async () => {
  const { sources } = await loadedSources(["capstan/main.ts"]);
  assert.deepEqual(
    sources.filter((path) => /commands\/(run|check|image|compose|package)[.-]/.test(path)).sort(),
    [],
  );
});
