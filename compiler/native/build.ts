/**
 * Builds a kernel: AssemblyScript, C, objects, link, symbol table, stripped file.
 *
 * Neighbours: `../frontend.ts`, `../backend/emit.ts`, `objects.ts`, `ksyms.ts`; `../cli.ts` runs it.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type BackendResult, emitC } from "../backend/emit.ts";
import { RUNTIME_FOLDER } from "../backend/imports.ts";
import { NATIVE_DATA_BASE } from "../binaryen-patches.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { evaluateInitialisers } from "../evaluate/evaluate.ts";
import { compileToWasm, REPOSITORY } from "../frontend.ts";
import { readModule } from "../wasm/module.ts";
import { ElfFile } from "./elf.ts";
import { packSymbols } from "./ksyms.ts";
import { collectSymbols } from "./ksyms-collect.ts";
import { ASSEMBLY_FLAGS, type CompileJob, compileObjects, KERNEL_FLAGS } from "./objects.ts";
import { runTool } from "./toolchain.ts";

/** What to build. Paths are relative to the repository. */
export interface BuildOptions {
  entry: string;
  /** Module with `heapAllocate` and `heapFree`. */
  heap: string;
  /** Folder with the port's assembly files (`*.S`). */
  assembly: string;
  linkerScript: string;
  /** Folder for everything in between: `objects/`, and `source/` with the C of the last build. */
  workFolder: string;
  /** Without debug information; `.elf` is replaced by `.debug.elf` for the other. */
  output: string;
}

/** The kernel itself. */
export const KERNEL_BUILD: BuildOptions = {
  entry: "kernel/main.ts",
  heap: "kernel/mm/heap",
  assembly: "kernel/arch/x86_64",
  linkerScript: "compiler/link/x86_64.ld",
  workFolder: "build/kernel",
  output: "build/kernel.elf",
};

/** How a build went. */
export interface BuildReport {
  output: string;
  debugOutput: string;
  sizeBytes: number;
  textBytes: number;
  /** Size of the table for backtraces. */
  ksymsBytes: number;
  seconds: number;
  /** Time of each step in seconds. */
  steps: Record<string, number>;
  warnings: Diagnostic[];
}

/** Export that runs all initialisers; it is gone after they ran. */
const INITIALISERS = "moduleInit";
const DATA_SECTION = ".asdata";

/** Gives each data segment its symbol: the name that the C files use, at the address it has now. */
function defineSegments({ segments }: BackendResult): string {
  const lines = segments.map(
    ({ symbol, address }) => `.globl ${symbol}\n${symbol} = 0x${address.toString(16)}\n`,
  );
  return lines.join("");
}

/** Assembly that includes a binary file (beside it) as a section. */
function includeBinary(section: string, flags: string, file: string): string {
  return `.section ${section}, "${flags}", @progbits\n.incbin "${file}"\n`;
}

/**
 * Where one build writes. Builds may run at the same time (an editor's, a test's), so each has a
 * folder of its own and its results are moved into place when they are whole.
 */
interface Run {
  folder: string;
  /** Name of the folder in debug information, where the sources are after the build. */
  finalFolder: string;
  objects: string;
}

/** A run folder this old belongs to a build that was killed. */
const STALE_RUN_MS = 3_600_000;

function startRun(workFolder: string): Run {
  const parent = path.join(REPOSITORY, workFolder);
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith("run-"))) {
    const file = path.join(parent, name);
    const startedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - startedMs > STALE_RUN_MS) rmSync(file, { recursive: true, force: true });
  }
  const folder = path.relative(REPOSITORY, mkdtempSync(path.join(parent, "run-")));
  return { folder, finalFolder: `${workFolder}/source`, objects: path.join(parent, "objects") };
}

function finishRun({ folder, finalFolder }: Run): void {
  const final = path.join(REPOSITORY, finalFolder);
  rmSync(final, { recursive: true, force: true });
  try {
    renameSync(path.join(REPOSITORY, folder), final);
  } catch (error) {
    // Another build put its sources there just now: they are as good.
    if (!existsSync(final)) throw error;
  }
}

/** Writes a file of the run and says how to compile it. */
function addSource(
  run: Run,
  name: string,
  text: string,
  binary?: [string, Uint8Array],
): CompileJob {
  const source = `${run.folder}/${name}`;
  writeFileSync(path.join(REPOSITORY, source), text);
  const job: CompileJob = {
    source,
    finalSource: `${run.finalFolder}/${name}`,
    flags: name.endsWith(".S") ? ASSEMBLY_FLAGS : KERNEL_FLAGS,
  };
  if (!binary) return job;
  const [file, bytes] = binary;
  writeFileSync(path.join(REPOSITORY, run.folder, file), bytes);
  return { ...job, dependencies: [`${run.folder}/${file}`] };
}

function writeSources(result: BackendResult, run: Run): CompileJob[] {
  const { data, files } = result;
  if (data && data.address !== NATIVE_DATA_BASE) {
    throw new Error(`static data starts at 0x${data.address.toString(16)}, not where it is linked`);
  }
  const image = data?.bytes ?? new Uint8Array(16);
  return [
    ...[...files].map(([name, text]) => addSource(run, name, text)),
    addSource(
      run,
      "asdata.S",
      includeBinary(DATA_SECTION, "aw", "asdata.bin") + defineSegments(result),
      ["asdata.bin", image],
    ),
  ];
}

function assemblyJobs(folder: string): CompileJob[] {
  const runtime = path.relative(REPOSITORY, RUNTIME_FOLDER);
  const own = readdirSync(path.join(REPOSITORY, folder));
  const headers = own.filter((name) => name.endsWith(".h")).map((name) => `${folder}/${name}`);
  const sources = own.filter((name) => name.endsWith(".S")).map((name) => `${folder}/${name}`);
  return [...sources, `${runtime}/memory.S`].map((source) => ({
    source,
    flags: ASSEMBLY_FLAGS,
    dependencies: headers,
  }));
}

async function link(objects: readonly string[], options: BuildOptions, out: string): Promise<void> {
  await runTool("ld", [
    "-m",
    "elf_x86_64",
    "-T",
    options.linkerScript,
    "--gc-sections",
    "--build-id=none",
    "-z",
    "noexecstack",
    "-z",
    "max-page-size=4096",
    "--no-warn-rwx-segments", // .boot is entered before paging is on
    "-o",
    out,
    ...objects,
  ]);
}

/**
 * Links again with the table of symbols made from the first link. The table lies behind all code,
 * so code must not move; it would make the table wrong, hence the check.
 */
async function addSymbols(
  objects: readonly string[],
  options: BuildOptions,
  run: Run,
  linked: string,
  names: Record<string, string>,
): Promise<{ textBytes: number; ksymsBytes: number }> {
  const { functions, textSize } = await collectSymbols(linked, names);
  const table = packSymbols(functions);
  const text = includeBinary(".ksyms", "a", "ksyms.bin");
  const job = addSource(run, "ksyms.S", text, ["ksyms.bin", table]);
  const [object = ""] = await compileObjects([job], run.objects);
  const before = codeLayout(linked);
  await link([...objects, object], options, linked);
  if (codeLayout(linked) !== before) {
    throw new Error(
      "the second link moved code, so the table for backtraces is wrong: in the linker script " +
        ".ksyms must come after .text and everything that .text depends on",
    );
  }
  return { textBytes: textSize, ksymsBytes: table.length };
}

/** Addresses of all code symbols, to be compared. */
function codeLayout(file: string): string {
  const elf = new ElfFile(readFileSync(file));
  const text = elf.sections.findIndex((section) => section.name === ".text");
  const symbols = elf.symbols().filter((symbol) => symbol.section === text);
  return symbols.map(({ name, address }) => `${name}@${address.toString(16)}`).join();
}

/**
 * Builds a kernel.
 * @throws {CompileError} for errors in the sources, {BackendError} for what cannot be native,
 *   {ToolError} if gcc or ld fails
 */
export async function buildKernel(options: BuildOptions = KERNEL_BUILD): Promise<BuildReport> {
  const run = startRun(options.workFolder);
  try {
    return await buildInRun(options, run);
  } finally {
    rmSync(path.join(REPOSITORY, run.folder), { recursive: true, force: true }); // if it failed
  }
}

async function buildInRun(options: BuildOptions, run: Run): Promise<BuildReport> {
  const started = performance.now();
  const steps: Record<string, number> = {};
  let last = started;
  const step = (name: string): void => {
    const now = performance.now();
    steps[name] = (now - last) / 1000;
    last = now;
  };
  const compiled = await compileToWasm({
    entries: [options.entry],
    layout: "native",
    heap: options.heap,
    exportStart: INITIALISERS,
  });
  step("assemblyscript");
  const module = evaluateInitialisers(readModule(compiled.wasm), {
    start: INITIALISERS,
    heap: options.heap,
  });
  step("initialisers");
  const result = emitC(module, compiled.sourceMap, {
    allowFloats: false,
    lines: true,
    symbolicData: true,
  });
  const jobs = [...writeSources(result, run), ...assemblyJobs(options.assembly)];
  step("c");
  const objects = await compileObjects(jobs, run.objects);
  step("gcc");
  const linked = path.join(REPOSITORY, run.folder, "kernel.debug.elf");
  await link(objects, options, linked);
  step("link");
  const table = await addSymbols(objects, options, run, linked, namesByIdentifier(result));
  step("symbols");
  const output = path.join(REPOSITORY, options.output);
  const debugOutput = output.replace(/\.elf$/, ".debug.elf");
  const stripped = path.join(REPOSITORY, run.folder, "kernel.elf");
  await runTool("objcopy", ["--strip-all", linked, stripped]);
  renameSync(linked, debugOutput);
  renameSync(stripped, output);
  finishRun(run);
  step("strip");
  return {
    output,
    debugOutput,
    sizeBytes: statSync(output).size,
    ...table,
    seconds: (performance.now() - started) / 1000,
    steps,
    warnings: compiled.warnings,
  };
}

/** Source names of the functions by C identifier and by exported symbol. */
function namesByIdentifier(result: BackendResult): Record<string, string> {
  const names: Record<string, string> = {};
  for (const entry of result.program.functions.values()) {
    for (const key of [entry.identifier, ...entry.exportNames]) names[key] = entry.name;
  }
  return names;
}
