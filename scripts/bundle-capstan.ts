/**
 * Bundles the `capstan` tool into JavaScript files, so that it starts in a fraction of the time
 * that loading its TypeScript sources takes. What is imported by `import()`, such as each command,
 * becomes a file of its own in `dist/chunks`. Run by `build.ts`.
 */
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const capstan = join(dirname(dirname(fileURLToPath(import.meta.url))), "capstan");
const chunks = join(capstan, "dist/chunks");

const { metafile } = await build({
  entryPoints: [join(capstan, "main.ts")],
  outdir: join(capstan, "dist"),
  entryNames: "capstan",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  metafile: true,
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  // CommonJS packages inside the bundle call require() for Node's own modules.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  logLevel: "warning",
});

// Names of chunks change with their contents: those of earlier builds are in the way.
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(chunks)) {
  if (!written.has(name)) rmSync(join(chunks, name), { force: true });
}
