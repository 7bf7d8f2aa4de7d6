/**
 * Keeps compiled test modules in `build/test-wasm/`, so that a test run compiles only what changed.
 * A module is reused while every source file that took part, and the compiler, are the same.
 *
 * Neighbour: `../testing.ts`.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { compileToWasm, type FrontendOptions, REPOSITORY } from "../frontend.ts";

const FOLDER = path.join(REPOSITORY, "build/test-wasm");

interface Manifest {
  /** Hash of each source file by path relative to the repository. */
  files: Record<string, string>;
  wasm: string;
}

const hash = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex").slice(0, 32);

let compilerHash: string | null = null;

/** Changes whenever the front end does. */
function hashCompiler(): string {
  if (compilerHash !== null) return compilerHash;
  const folder = path.join(REPOSITORY, "compiler");
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const texts = [...names.sort(), "runtime/index.ts"].map((name) =>
    readFileSync(path.join(folder, name), "utf8"),
  );
  compilerHash = hash(texts.join("\0"));
  return compilerHash;
}

function hashFile(file: string): string | null {
  try {
    return hash(readFileSync(path.resolve(REPOSITORY, file)));
  } catch {
    return null;
  }
}

function readManifest(file: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return null;
  }
}

/** Another process may be writing the same file: the rename makes each version whole. */
function writeWhole(file: string, data: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, data);
  renameSync(temporary, file);
}

/** `compileToWasm` with a memory; returns the binary. */
export async function compileCached(
  options: Omit<FrontendOptions, "baseDir">,
): Promise<Uint8Array<ArrayBuffer>> {
  mkdirSync(FOLDER, { recursive: true });
  const key = hash(JSON.stringify(options) + hashCompiler());
  const manifestFile = path.join(FOLDER, `${key}.json`);
  const manifest = readManifest(manifestFile);
  if (manifest && Object.entries(manifest.files).every(([file, was]) => hashFile(file) === was)) {
    return new Uint8Array(readFileSync(path.join(FOLDER, manifest.wasm)));
  }
  const result = await compileToWasm(options);
  const files: Record<string, string> = {};
  for (const file of result.files) {
    const now = file.startsWith("~lib/") ? null : hashFile(file);
    if (now !== null) files[file] = now;
  }
  const wasm = `${hash(result.wasm)}.wasm`;
  writeWhole(path.join(FOLDER, wasm), result.wasm);
  writeWhole(manifestFile, JSON.stringify({ files, wasm } satisfies Manifest));
  return new Uint8Array(result.wasm);
}
