/**
 * Replaces what a process runs: finds the file, understands `#!` and ELF, maps the program and its
 * interpreter into a new address space, builds the initial stack, sets the registers.
 *
 * Until the new address space is complete the old one is kept: a failing execve(2) leaves the caller
 * as it was.
 *
 * Neighbours: `executable-file.ts`, `program-loader.ts`, `initial-stack.ts`, `exec-call.ts` (the
 * system calls), `init.ts` (the first program).
 */
import { cpuid } from "../arch/cpu";
import { USER_CODE, USER_DATA } from "../arch/x86_64/descriptors";
import { TrapFrame, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { randomBytes, randomU64 } from "../dev/random";
import { Dentry } from "../fs/dentry";
import { FsContext } from "../fs/path";
import { ELOOP, ENOEXEC, ENOMEM, E2BIG, isError } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { USER_END } from "../mm/layout";
import { AddressSpace } from "../vm/address-space";
import {
  MAP_ANONYMOUS,
  MAP_FIXED_NOREPLACE,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_STACK,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../vm/flags";
import { ET_EXEC, ElfHeader, PROGRAM_HEADER_BYTES } from "./elf";
import { becomeOnlyThread, exitBySignal } from "./exit";
import { ExecutableFile, looksLikeElf, looksLikeScript } from "./executable-file";
import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_HWCAP2,
  AT_MINSIGSTKSZ,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
  AuxiliaryVector,
  InitialStack,
  ProgramStrings,
  buildInitialStack,
  initialStackBytes,
} from "./initial-stack";
import { RLIMIT_STACK } from "./limits";
import { LinuxProcess } from "./process";
import { PLACE_OF_BREAK, PLACE_OF_STACK, layoutRandom } from "../vm/random-layout";
import { LoadedImage, PLACE_FIXED, PLACE_MAPPING, PLACE_PROGRAM, mapImage } from "./program-loader";
import { ScriptLine, parseScriptLine, prependInterpreter } from "./script";
import { minimumSignalStackBytes } from "./signal-frame";
import { SIGKILL } from "./signal-numbers";
import { copyOut } from "./user-memory";
import { mapVdso } from "./vdso";

const PAGE_BYTES: usize = 4096;
/** Scripts whose interpreters are scripts: Linux follows five. */
const MAX_SCRIPT_DEPTH: u32 = 5;
const CLOCK_TICKS_PER_SECOND: u64 = 100;
/** The stack begins up to 16 GiB below the end of user space, as on Linux. */
const STACK_RANDOM_PAGES: u64 = (1 << 22) - 1;
const BREAK_RANDOM_PAGES: u64 = (1 << 13) - 1;
/** Interrupts on, and the bit that is always set. */
const INITIAL_FLAGS: u64 = 0x202;
const DEFAULT_STACK_BYTES: u64 = 8 << 20;
const MAX_STACK_BYTES: u64 = 1 << 30;
const MIN_STACK_BYTES: u64 = 1 << 17;
/** Where the heap of a static position-independent program begins. */
const STATIC_PIE_BREAK: u64 = 0x5555_5555_4000;

/** A program on its way into a process. */
export class ProgramStart {
  /** First instruction and stack pointer. */
  rip: usize = 0;
  rsp: usize = 0;
}

/**
 * Loads the program at `program.path` into `process`: a new address space takes the place of the old
 * one, which is destroyed. Runs on a thread of that process, its only one.
 * @param program strings in kernel memory; `strings` is a heap block and may be replaced
 * @returns 0, or -ENOENT, -EACCES, -ENOEXEC, -ELIBBAD, -ENOMEM, -E2BIG, -ELOOP, -EIO; the process is
 *   unchanged then
 */
export function loadProgram(
  process: LinuxProcess,
  base: Dentry | null,
  program: ProgramStrings,
  resolveFlags: u32,
  out: ProgramStart,
): i64 {
  const file = openProgram(process.fsContext, base, program, resolveFlags);
  if (isError(file)) return <i64>file;
  const executable = changetype<ExecutableFile>(file);
  const result = loadOpened(process, executable, program, out);
  if (result == 0) setExecutable(process, executable.dentry());
  executable.destroy();
  return result;
}

/** Opens the program, going from scripts to their interpreters; an ExecutableFile or an error. */
function openProgram(
  context: FsContext,
  base: Dentry | null,
  program: ProgramStrings,
  resolveFlags: u32,
): usize {
  let path = program.path;
  let pathBytes = program.pathBytes;
  /** The interpreter's path of the last script, which must outlive the file it was read from. */
  let copiedPath: usize = 0;
  let start = base;
  let error: i64 = -ELOOP;
  for (let depth: u32 = 0; depth < MAX_SCRIPT_DEPTH; depth++) {
    const file = new ExecutableFile();
    error = file.open(context, start, path, pathBytes - 1, resolveFlags);
    if (error == 0 && !looksLikeScript(file)) {
      if (copiedPath != 0) heapFree(copiedPath);
      return changetype<usize>(file);
    }
    if (error == 0) {
      const line = new ScriptLine();
      error = parseScriptLine(file.header, file.headerBytes, line);
      if (error == 0) error = prependInterpreter(program, line, path, pathBytes);
      const next = error == 0 ? copyPath(line.interpreter, line.interpreterLength) : 0;
      if (error == 0 && next == 0) error = -ENOMEM;
      if (copiedPath != 0) heapFree(copiedPath);
      copiedPath = next;
      path = next;
      pathBytes = line.interpreterLength + 1;
      start = null;
      free(line);
    }
    file.destroy();
    if (error != 0) break;
    error = -ELOOP;
  }
  if (copiedPath != 0) heapFree(copiedPath);
  return <usize>error;
}

function copyPath(text: usize, length: usize): usize {
  const copy = heapAllocate(length + 1);
  if (copy == 0) return 0;
  memory.copy(copy, text, length);
  store<u8>(copy + length, 0);
  return copy;
}

function setExecutable(process: LinuxProcess, dentry: Dentry | null): void {
  const previous = process.executable;
  if (dentry) dentry.retain();
  process.executable = dentry;
  if (previous) previous.release();
}

function loadOpened(
  process: LinuxProcess,
  file: ExecutableFile,
  program: ProgramStrings,
  out: ProgramStart,
): i64 {
  if (!looksLikeElf(file)) return -ENOEXEC;
  let error = file.readElf(false);
  if (error != 0) return error;
  const interpreter = openInterpreter(process.fsContext, file);
  if (isError(interpreter)) return <i64>interpreter;
  const loader = changetype<ExecutableFile | null>(interpreter);
  // What can be known beforehand is in order: from here on the other threads are gone.
  const wasAlone = process.threadCount == 1;
  becomeOnlyThread(process);
  const space = AddressSpace.create();
  error = -ENOMEM;
  if (space) {
    const previous = process.switchAddressSpace(space);
    error = fillSpace(process, space, file, loader, program, out);
    if (error == 0) previous.release();
    else process.switchAddressSpace(previous).release();
  }
  if (loader) loader.destroy();
  // Without its other threads the old program cannot go on.
  if (error != 0 && !wasAlone) exitBySignal(SIGKILL);
  return error;
}

/** The program's interpreter, opened and checked: 0 if it needs none, or a negative error. */
function openInterpreter(context: FsContext, program: ExecutableFile): usize {
  const path = program.interpreterPath();
  if (path == 0 || isError(path)) return path;
  const file = new ExecutableFile();
  let error = file.open(context, null, path, program.layout.interpreterBytes - 1);
  if (error == 0) error = file.readElf(true);
  heapFree(path);
  if (error == 0) return changetype<usize>(file);
  file.destroy();
  return <usize>error;
}

/** Maps program, interpreter, vDSO and stack into the new, active address space. */
function fillSpace(
  process: LinuxProcess,
  space: AddressSpace,
  file: ExecutableFile,
  loader: ExecutableFile | null,
  program: ProgramStrings,
  out: ProgramStart,
): i64 {
  const isFixed = changetype<ElfHeader>(file.header).type == ET_EXEC;
  const isStaticPie = !isFixed && loader == null;
  const image = new LoadedImage();
  const loaderImage = new LoadedImage();
  let placement = PLACE_PROGRAM;
  if (isFixed) placement = PLACE_FIXED;
  else if (isStaticPie) placement = PLACE_MAPPING;
  const stackTop = mapStack(process, space, file.layout.executableStack);
  let error = isError(stackTop) ? <i64>stackTop : mapImage(space, file, placement, image);
  if (error == 0 && loader) error = mapImage(space, loader, PLACE_MAPPING, loaderImage);
  if (error == 0) {
    space.setBreakStart(breakStart(isStaticPie ? STATIC_PIE_BREAK : image.high));
    const vdso = mapVdso(space);
    error = isError(vdso) ? <i64>vdso : 0;
    if (error == 0) {
      const auxiliary = new AuxiliaryVector();
      fillAuxiliary(auxiliary, process, image, loaderImage, vdso);
      error = writeStack(process, program, auxiliary, stackTop, out);
      auxiliary.destroy();
    }
  }
  if (error == 0) {
    out.rip = loader ? loaderImage.entry : image.entry;
    process.memory.codeStart = image.codeStart;
    process.memory.codeEnd = image.codeEnd;
  }
  free(image);
  free(loaderImage);
  return error;
}

function breakStart(imageEnd: u64): usize {
  const offset = (layoutRandom(PLACE_OF_BREAK, randomU64()) & BREAK_RANDOM_PAGES) * PAGE_BYTES;
  return ((imageEnd + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1)) + offset;
}

/** Maps the main thread's stack; returns the address above it, or a negative error. */
function mapStack(process: LinuxProcess, space: AddressSpace, isExecutable: bool): usize {
  let bytes = process.limits.softLimit(RLIMIT_STACK);
  if (bytes > MAX_STACK_BYTES) bytes = DEFAULT_STACK_BYTES;
  bytes = (max(bytes, MIN_STACK_BYTES) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  const top =
    USER_END -
    PAGE_BYTES -
    (layoutRandom(PLACE_OF_STACK, randomU64()) & STACK_RANDOM_PAGES) * PAGE_BYTES;
  const protection = PROT_READ | PROT_WRITE | (isExecutable ? PROT_EXEC : 0);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  const mapped = space.map(top - bytes, bytes, protection, flags, null, 0);
  return mapped < 0 ? <usize>mapped : top;
}

function fillAuxiliary(
  auxiliary: AuxiliaryVector,
  process: LinuxProcess,
  image: LoadedImage,
  loaderImage: LoadedImage,
  vdso: usize,
): void {
  const identity = process.credentials;
  if (vdso != 0) auxiliary.add(AT_SYSINFO_EHDR, vdso);
  auxiliary.add(AT_HWCAP, cpuid(1, 0, 3));
  auxiliary.add(AT_HWCAP2, 0);
  auxiliary.add(AT_PAGESZ, PAGE_BYTES);
  auxiliary.add(AT_MINSIGSTKSZ, minimumSignalStackBytes());
  auxiliary.add(AT_CLKTCK, CLOCK_TICKS_PER_SECOND);
  auxiliary.add(AT_PHDR, image.headers);
  auxiliary.add(AT_PHENT, PROGRAM_HEADER_BYTES);
  auxiliary.add(AT_PHNUM, image.headerCount);
  auxiliary.add(AT_BASE, loaderImage.bias);
  auxiliary.add(AT_FLAGS, 0);
  auxiliary.add(AT_ENTRY, image.entry);
  auxiliary.add(AT_UID, identity.realUser);
  auxiliary.add(AT_EUID, identity.effectiveUser);
  auxiliary.add(AT_GID, identity.realGroup);
  auxiliary.add(AT_EGID, identity.effectiveGroup);
  auxiliary.add(AT_SECURE, 0);
}

/** Builds the initial stack in kernel memory and copies it to the top of the application's. */
function writeStack(
  process: LinuxProcess,
  program: ProgramStrings,
  auxiliary: AuxiliaryVector,
  top: usize,
  out: ProgramStart,
): i64 {
  const bytes = (initialStackBytes(program) + 15) & ~15;
  const stackBytes = min(process.limits.softLimit(RLIMIT_STACK), DEFAULT_STACK_BYTES);
  if (bytes > max(stackBytes / 4, MIN_STACK_BYTES)) return -E2BIG;
  const buffer = heapAllocate(bytes + 16);
  if (buffer == 0) return -ENOMEM;
  memory.fill(buffer, 0, bytes + 16);
  randomBytes(buffer + bytes, 16);
  const stack = new InitialStack();
  buildInitialStack(buffer, bytes, top, program, buffer + bytes, auxiliary, stack);
  const error = copyOut(stack.rsp, buffer + (stack.rsp - (top - bytes)), top - stack.rsp);
  out.rsp = stack.rsp;
  const layout = process.memory;
  layout.argumentsStart = stack.argumentsStart;
  layout.argumentsEnd = stack.argumentsEnd;
  layout.environmentStart = stack.argumentsEnd;
  layout.environmentEnd = stack.environmentEnd;
  layout.stackStart = stack.rsp;
  layout.auxiliary = stack.auxiliary;
  layout.auxiliaryBytes = stack.auxiliaryBytes;
  free(stack);
  heapFree(buffer);
  return error;
}

/** Sets the registers of a program at its first instruction (System V ABI, AMD64 §3.4.1). */
export function startRegisters(frame: TrapFrame, start: ProgramStart): void {
  memory.fill(changetype<usize>(frame), 0, offsetof<TrapFrame>());
  frame.rip = start.rip;
  frame.rsp = start.rsp;
  frame.cs = USER_CODE;
  frame.ss = USER_DATA;
  frame.rflags = INITIAL_FLAGS;
  frame.vector = VECTOR_MODIFIED;
}
