/**
 * AssemblyScript sources in, WebAssembly module and source map out. Drives the AssemblyScript
 * library the way its own command-line tool does, with our runtime and Wasm64.
 *
 * Neighbours: `binaryen-patches.ts` adjusts the library, `diagnostics.ts` words its messages,
 * `backend/` turns the module into C, `testing.ts` loads it into Node.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { AssemblyScript, Options } from "./assemblyscript-api.ts";
import { loadLibraries, NATIVE_BASE_MARKER, setMemory64 } from "./binaryen-patches.ts";
import { CompileError, type Diagnostic, takeDiagnostics } from "./diagnostics.ts";

/** The repository: paths in diagnostics and debug information are relative to it. */
export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** What to compile, and for whom. */
export interface FrontendOptions {
  /** Entry files, relative to `baseDir` or absolute; their exports become the module's. */
  entries: string[];
  /** Folder that source paths are relative to; the repository if not given. */
  baseDir?: string;
  /** `native`: static data in the upper half. `node`: low addresses, loadable by Node. */
  layout: "native" | "node";
  /** Module (relative to `baseDir`) with `heapAllocate` and `heapFree`. */
  heap?: string;
  /** Modules, paths without extension, whose place others take: doubles for tests. */
  replace?: Record<string, string>;
  /** 32 or 64 bits wide `usize`; the kernel is always 64. */
  pointerBits?: 32 | 64;
  /** Memory of a `node` module in 64 KiB pages. */
  initialPages?: number;
  /** Name of the exported function that initialises globals; none if absent. */
  exportStart?: string | undefined;
}

/** A compiled module. */
export interface FrontendResult {
  wasm: Uint8Array;
  /** Source map (version 3) of positions in the binary. */
  sourceMap: string;
  warnings: Diagnostic[];
  /** Every source file that took part, relative to `baseDir` (library files start with `~lib/`). */
  files: string[];
}

/** Default heap of native builds. */
export const KERNEL_HEAP = "kernel/mm/heap";
/** Default heap of Node builds. */
export const TEST_HEAP = "compiler/runtime/testheap";

const LIBRARY_PREFIX = "~lib/";
const RUNTIME_PATH = "~lib/rt/osv.ts";
const RUNTIME_FILE = path.join(REPOSITORY, "compiler/runtime/index.ts");
const RUNTIME_HEAP_IMPORT = '"../../kernel/mm/heap"';
const STATIC_BASE_NODE = 1024;

/** Features of the WebAssembly we emit; everything else is off. */
const FEATURES = [
  "FEATURE_SIGN_EXTENSION",
  "FEATURE_MUTABLE_GLOBALS",
  "FEATURE_NONTRAPPING_F2I",
  "FEATURE_BULK_MEMORY",
  "FEATURE_THREADS",
] as const;

let standardLibrary: Map<string, string> | null = null;

/** Standard library sources by path without extension (`array`, `util/number`, `rt/common`). */
function loadStandardLibrary(): Map<string, string> {
  if (standardLibrary) return standardLibrary;
  const main = createRequire(import.meta.url).resolve("assemblyscript/package.json");
  const root = path.join(path.dirname(main), "std/assembly");
  const sources = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) walk(name);
      else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) {
        sources.set(name.slice(0, -3), readFileSync(path.join(root, name), "utf8"));
      }
    }
  };
  walk("");
  standardLibrary = sources;
  return sources;
}

function readIfExists(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

interface Source {
  path: string;
  text: string;
}

/** Finds the file behind an internal path such as `kernel/mm/heap` or `~lib/rt/common`. */
function resolveSource(internalPath: string, baseDir: string): Source | null {
  if (internalPath.startsWith(LIBRARY_PREFIX)) {
    const library = loadStandardLibrary();
    const name = internalPath.slice(LIBRARY_PREFIX.length);
    for (const candidate of [name, `${name}/index`]) {
      const text = library.get(candidate);
      if (text !== undefined) return { path: `${LIBRARY_PREFIX}${candidate}.ts`, text };
    }
    return null;
  }
  for (const candidate of [`${internalPath}.ts`, `${internalPath}/index.ts`]) {
    // The test heap and test doubles stay reachable for entries outside the repository.
    const text =
      readIfExists(path.join(baseDir, candidate)) ?? readIfExists(path.join(REPOSITORY, candidate));
    if (text !== null) return { path: candidate, text };
  }
  return null;
}

/** A module at `place` that consists of the exports of another one. */
function forward(place: string, target: string): Source {
  const relative = path.posix.relative(path.posix.dirname(place), target);
  const specifier = relative.startsWith(".") ? relative : `./${relative}`;
  return { path: `${place}.ts`, text: `export * from "${specifier}";` };
}

function runtimeSource(heap: string): string {
  const text = readFileSync(RUNTIME_FILE, "utf8");
  if (!text.includes(RUNTIME_HEAP_IMPORT)) {
    throw new Error(`compiler/runtime/index.ts must import the heap from ${RUNTIME_HEAP_IMPORT}`);
  }
  return text.replace(RUNTIME_HEAP_IMPORT, JSON.stringify(`../../${heap}`));
}

/** Path relative to `baseDir` with forward slashes and extension. */
function entryPath(entry: string, baseDir: string): string {
  const relative = path.relative(baseDir, path.resolve(baseDir, entry)).replaceAll("\\", "/");
  return relative.endsWith(".ts") ? relative : `${relative}.ts`;
}

/** Several entries are compiled as one: a file that re-exports each under a name of its own. */
function entrySource(entries: string[], baseDir: string): Source {
  const paths = entries.map((entry) => entryPath(entry, baseDir));
  for (const file of paths) {
    if (readIfExists(path.join(baseDir, file)) === null) {
      throw new CompileError([
        {
          file,
          line: 1,
          column: 1,
          severity: "error",
          message: "no such file; give an existing .ts file",
        },
      ]);
    }
  }
  const [first] = paths;
  if (paths.length === 1 && first !== undefined) {
    return { path: first, text: readFileSync(path.join(baseDir, first), "utf8") };
  }
  const lines = paths.map(
    (file, i) => `import * as m${i} from "./${file.slice(0, -3)}";\nexport { m${i} };`,
  );
  return { path: "all-entries.ts", text: lines.join("\n") };
}

function makeOptions(library: AssemblyScript, options: FrontendOptions): Options {
  const native = options.layout === "native";
  const is64 = (options.pointerBits ?? 64) === 64;
  const result = library.newOptions();
  library.setTarget(result, is64 ? 2 : 1);
  library.setRuntime(result, 0);
  library.setDebugInfo(result, true);
  library.setSourceMap(result, true);
  library.setStackSize(result, 0);
  library.setExportMemory(result, true);
  library.setExportTable(result, true);
  library.setMemoryBase(result, native ? NATIVE_BASE_MARKER : STATIC_BASE_NODE);
  if (!native) library.setInitialMemory(result, options.initialPages ?? 1024);
  if (options.exportStart) library.setExportStart(result, options.exportStart);
  library.setOptimizeLevelHints(result, 0, 0);
  const wanted = new Set<number>(FEATURES.map((name) => library[name]));
  if (is64) wanted.add(library.FEATURE_MEMORY64);
  for (let bit = 1; bit <= 0x8000; bit <<= 1) library.setFeature(result, bit, wanted.has(bit));
  setMemory64(is64);
  return result;
}

/**
 * Compiles AssemblyScript to WebAssembly.
 * @throws {CompileError} with every error found, as `file:line:column`
 */
export async function compileToWasm(options: FrontendOptions): Promise<FrontendResult> {
  const { assemblyscript: library, binaryen } = await loadLibraries();
  const baseDir = options.baseDir ?? REPOSITORY;
  const heap = options.heap ?? (options.layout === "native" ? KERNEL_HEAP : TEST_HEAP);
  const program = library.newProgram(makeOptions(library, options));
  const warnings: Diagnostic[] = [];
  const files = new Set<string>();
  const add = (source: Source, isEntry: boolean): void => {
    files.add(source.path);
    library.parse(program, source.text, source.path, isEntry);
  };

  for (const [name, text] of loadStandardLibrary()) {
    if (!name.includes("/")) library.parse(program, text, `${LIBRARY_PREFIX}${name}.ts`, false);
  }
  add({ path: RUNTIME_PATH, text: runtimeSource(heap) }, true);
  add(entrySource(options.entries, baseDir), true);
  for (let next = library.nextFile(program); next !== null; next = library.nextFile(program)) {
    const double = options.replace?.[next];
    const source = double ? forward(next, double) : resolveSource(next, baseDir);
    if (source) add(source, false);
    else library.parse(program, null, `${next}.ts`, false); // records "file not found" at the import
  }
  takeDiagnostics(library, program, warnings);
  library.initializeProgram(program);
  takeDiagnostics(library, program, warnings);
  const module = library.compile(program);
  const wrapped = binaryen.wrapModule(library.getBinaryenModuleRef(module));
  try {
    takeDiagnostics(library, program, warnings);
    if (!library.validate(module)) {
      throw new Error(
        "the AssemblyScript compiler produced an invalid module (messages above); " +
          "simplify the code they point at",
      );
    }
    library.optimize(module, 0, 0, true, false);
    const { binary, sourceMap } = wrapped.emitBinary("module.wasm.map") as unknown as {
      binary: Uint8Array;
      sourceMap: string;
    };
    return { wasm: binary, sourceMap, warnings, files: [...files] };
  } finally {
    wrapped.dispose();
  }
}
