/**
 * Builds a kernel: AssemblyScript, C, objects, link, symbol table, stripped file.
 *
 * Neighbours: `../frontend.ts`, `../backend/emit.ts`, `objects.ts`, `ksyms.ts`; `../cli.ts` runs it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { type BackendResult, emitC } from "../backend/emit.ts";
import { RUNTIME_FOLDER } from "../backend/imports.ts";
import { NATIVE_DATA_BASE } from "../binaryen-patches.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { compileToWasm, REPOSITORY } from "../frontend.ts";
import { ElfFile } from "./elf.ts";
import { packSymbols } from "./ksyms.ts";
import { collectSymbols } from "./ksyms-collect.ts";
import {
  ASSEMBLY_FLAGS,
  type CompileJob,
  compileObjects,
  KERNEL_FLAGS,
  writeIfChanged,
} from "./objects.ts";
import { runTool } from "./toolchain.ts";

/** What to build. Paths are relative to the repository. */
export interface BuildOptions {
  entry: string;
  /** Module with `heapAllocate` and `heapFree`. */
  heap: string;
  /** Folder with the port's assembly files (`*.S`). */
  assembly: string;
  linkerScript: string;
  /** Folder for everything in between. */
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

const DATA_SECTION = ".asdata";

/** Assembly that includes a binary file as a section. */
function includeBinary(section: string, flags: string, file: string): string {
  return `.section ${section}, "${flags}", @progbits\n.incbin "${file}"\n`;
}

function writeSources(result: BackendResult, folder: string): CompileJob[] {
  const jobs: CompileJob[] = [];
  const absolute = path.join(REPOSITORY, folder);
  for (const [name, text] of result.files) {
    writeIfChanged(path.join(absolute, name), text);
    jobs.push({ source: `${folder}/${name}`, flags: KERNEL_FLAGS });
  }
  for (const name of readdirSync(absolute)) {
    if (/^part\d+\.c$/.test(name) && !result.files.has(name)) rmSync(path.join(absolute, name));
  }
  const { data } = result;
  if (data && data.address !== NATIVE_DATA_BASE) {
    throw new Error(`static data starts at 0x${data.address.toString(16)}, not where it is linked`);
  }
  const binary = `${folder}/asdata.bin`;
  writeIfChanged(path.join(REPOSITORY, binary), data?.bytes ?? new Uint8Array(16));
  const source = `${folder}/asdata.S`;
  writeIfChanged(path.join(REPOSITORY, source), includeBinary(DATA_SECTION, "aw", binary));
  jobs.push({ source, flags: ASSEMBLY_FLAGS, dependencies: [binary] });
  return jobs;
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
  linked: string,
  names: Record<string, string>,
): Promise<{ textBytes: number; ksymsBytes: number }> {
  const { functions, textSize } = await collectSymbols(linked, names);
  const table = packSymbols(functions);
  const binary = `${options.workFolder}/ksyms.bin`;
  const source = `${options.workFolder}/ksyms.S`;
  writeIfChanged(path.join(REPOSITORY, binary), table);
  writeIfChanged(path.join(REPOSITORY, source), includeBinary(".ksyms", "a", binary));
  const [object = ""] = await compileObjects(
    [{ source, flags: ASSEMBLY_FLAGS, dependencies: [binary] }],
    path.join(REPOSITORY, options.workFolder, "objects"),
  );
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
  const started = performance.now();
  const steps: Record<string, number> = {};
  let last = started;
  const step = (name: string): void => {
    const now = performance.now();
    steps[name] = (now - last) / 1000;
    last = now;
  };
  mkdirSync(path.join(REPOSITORY, options.workFolder), { recursive: true });
  const compiled = await compileToWasm({
    entries: [options.entry],
    layout: "native",
    heap: options.heap,
    exportStart: "moduleInit",
  });
  step("assemblyscript");
  const result = emitC(compiled.wasm, compiled.sourceMap, { allowFloats: false, lines: true });
  const jobs = [...writeSources(result, options.workFolder), ...assemblyJobs(options.assembly)];
  step("c");
  const objectFolder = path.join(REPOSITORY, options.workFolder, "objects");
  const objects = await compileObjects(jobs, objectFolder);
  step("gcc");
  const debugOutput = path.join(REPOSITORY, options.output.replace(/\.elf$/, ".debug.elf"));
  await link(objects, options, debugOutput);
  step("link");
  const table = await addSymbols(objects, options, debugOutput, namesByIdentifier(result));
  step("symbols");
  const output = path.join(REPOSITORY, options.output);
  await runTool("objcopy", ["--strip-all", debugOutput, output]);
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
