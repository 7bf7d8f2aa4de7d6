#!/usr/bin/env node
// @ts-check
/**
 * Starts capstan: the bundle when it is newer than the sources (or when there are no sources, as
 * in an installed package), else the sources themselves through tsx, which takes longer.
 */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const capstan = dirname(dirname(fileURLToPath(import.meta.url)));
const bundle = join(capstan, "dist/capstan.js");
/** What `capstan check` knows of the kernel; it is bundled too. */
const syscallTable = join(dirname(capstan), "kernel/linux/syscall-table.ts");

/** @param {string} path */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * When the newest TypeScript source below a folder was modified.
 * @param {string} folder
 * @returns {number}
 */
function newestSourceMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const { name } = entry;
    if (name === "dist" || name === "node_modules" || name.endsWith(".test.ts")) continue;
    const path = join(folder, name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSourceMs(path));
    else if (name.endsWith(".ts")) newest = Math.max(newest, modifiedMs(path));
  }
  return newest;
}

if (modifiedMs(bundle) > Math.max(newestSourceMs(capstan), modifiedMs(syscallTable))) {
  await import(pathToFileURL(bundle).href);
} else {
  const { register } = await import("tsx/esm/api");
  register();
  await import(pathToFileURL(join(capstan, "main.ts")).href);
}
