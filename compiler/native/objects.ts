/**
 * Compiles C and assembly to object files, in parallel, and keeps them by the hash of everything
 * that went in: what did not change is not compiled again.
 *
 * Neighbours: `toolchain.ts` runs gcc, `build.ts` says what to compile.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { RUNTIME_FOLDER } from "../backend/imports.ts";
import { REPOSITORY } from "../frontend.ts";
import { inParallel, runTool } from "./toolchain.ts";

/** Flags for all generated C of the kernel. */
export const KERNEL_FLAGS: readonly string[] = [
  "-O2",
  "-std=gnu11",
  "-ffreestanding",
  "-mcmodel=kernel",
  "-mno-red-zone", // interrupts use the same stack
  "-mgeneral-regs-only", // vector registers belong to the application
  "-fno-strict-aliasing",
  "-fwrapv",
  "-fno-delete-null-pointer-checks",
  "-fno-omit-frame-pointer", // backtraces
  "-falign-loops=1", // padding is a fortieth of the kernel
  "-falign-jumps=1",
  // Not REP MOVS and REP STOS in place: runtime/memory.S knows where they are fast.
  "-mmemcpy-strategy=unrolled_loop:64:noalign,libcall:-1:noalign",
  "-mmemset-strategy=unrolled_loop:64:noalign,libcall:-1:noalign",
  "-fno-optimize-sibling-calls",
  "-fno-pic",
  "-fno-pie",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-unwind-tables",
  "-fcf-protection=none",
  "-fvisibility=hidden",
  "-ffunction-sections",
  "-fdata-sections",
  "-g",
  "-w", // generated code; its source was checked by AssemblyScript
];

/** Flags for assembly files. */
export const ASSEMBLY_FLAGS: readonly string[] = ["-g", "-mno-red-zone"];

/** One file to be compiled. */
export interface CompileJob {
  /** Path of the C or assembly file, relative to the repository. */
  source: string;
  /** Path that debug information names instead, where the file will be found later. */
  finalSource?: string;
  flags: readonly string[];
  /** Other files whose contents matter: headers, included binaries. */
  dependencies?: readonly string[];
}

const KEPT_OBJECTS = 300;

let gccVersion: Promise<string> | null = null;

function headerTexts(): string {
  const names = readdirSync(RUNTIME_FOLDER).filter((name) => name.endsWith(".h"));
  return names.map((name) => readFileSync(path.join(RUNTIME_FOLDER, name), "utf8")).join("\0");
}

/** Time of last use; 0 for a file that another build has just taken away. */
function lastUsedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function pruneOldest(folder: string): void {
  const objects = readdirSync(folder).map((name) => {
    const file = path.join(folder, name);
    return { file, usedMs: lastUsedMs(file) };
  });
  objects.sort((a, b) => b.usedMs - a.usedMs);
  for (const { file } of objects.slice(KEPT_OBJECTS)) rmSync(file, { force: true });
}

/**
 * Compiles every job.
 * @param folder where objects are kept
 * @returns the object files, in the order of the jobs
 */
export async function compileObjects(
  jobs: readonly CompileJob[],
  folder: string,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  gccVersion ??= runTool("gcc", ["-dumpfullversion", "-dumpmachine"]);
  const common = (await gccVersion) + headerTexts();
  const objects = await inParallel(
    jobs.map((job) => () => compileOne(job, folder, common)),
    availableParallelism(),
  );
  pruneOldest(folder);
  return objects;
}

async function compileOne(job: CompileJob, folder: string, common: string): Promise<string> {
  const { source, finalSource = source } = job;
  const hash = createHash("sha256").update(common).update(job.flags.join("\0")).update(finalSource);
  for (const file of [source, ...(job.dependencies ?? [])]) {
    hash.update(readFileSync(path.join(REPOSITORY, file)));
  }
  const object = path.join(folder, `${hash.digest("hex").slice(0, 32)}.o`);
  if (existsSync(object)) {
    const now = new Date();
    utimesSync(object, now, now);
    return object;
  }
  const temporary = `${object}.${process.pid}.tmp`;
  const include = path.relative(REPOSITORY, RUNTIME_FOLDER);
  const mapping = [
    `-ffile-prefix-map=${REPOSITORY}=.`,
    `-ffile-prefix-map=${path.dirname(source)}=${path.dirname(finalSource)}`,
  ];
  await runTool("gcc", [
    ...job.flags,
    ...mapping,
    "-I",
    include,
    "-I",
    path.dirname(source), // .incbin looks here too
    "-c",
    source,
    "-o",
    temporary,
  ]);
  renameSync(temporary, object);
  return object;
}
