/**
 * Bundles the `capstan` tool into one JavaScript file, so that it starts in a fraction of the time
 * that loading its TypeScript sources takes. Run by `build.ts`.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const capstan = join(dirname(dirname(fileURLToPath(import.meta.url))), "capstan");

await build({
  entryPoints: [join(capstan, "main.ts")],
  outfile: join(capstan, "dist/capstan.js"),
  bundle: true,
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
