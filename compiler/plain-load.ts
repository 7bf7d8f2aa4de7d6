/**
 * Spares large JavaScript libraries the TypeScript loader.
 *
 * `tsx` rewrites every module it sees, JavaScript included, which takes seven seconds for the 13 MB
 * of binaryen. A hook registered later is asked first, so this one hands out those files untouched.
 *
 * Neighbour: `binaryen-patches.ts`, which calls it before it imports them.
 */
import { register } from "node:module";

const HOOK = `
import { readFile } from "node:fs/promises";
const PLAIN = /\\/node_modules\\/(binaryen|assemblyscript|long)\\/.*\\.js(\\?|$)/;
export async function load(url, context, nextLoad) {
  if (!PLAIN.test(url)) return nextLoad(url, context);
  return { format: "module", source: await readFile(new URL(url)), shortCircuit: true };
}
`;

let registered = false;

/** From now on the compiler's libraries load without being rewritten. */
export function registerPlainLoad(): void {
  if (registered) return;
  registered = true;
  register(`data:text/javascript,${encodeURIComponent(HOOK)}`);
}
