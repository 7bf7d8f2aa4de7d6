/**
 * Fills a new address space with a program: the program and its interpreter, the vDSO, the break, the
 * stack with arguments, environment and auxiliary vector.
 *
 * Neighbours: `exec.ts` (makes the space), `program-loader.ts`, `initial-stack.ts`, `vdso.ts`.
 */
import { cpuid } from "../arch/cpu";
import { randomBytes, randomU64 } from "../dev/random";
import { E2BIG, ENOMEM, isError } from "../lib/errno";
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
import { ExecutableFile } from "./executable-file";
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
  InitialStack,
  ProgramStrings,
  buildInitialStack,
  initialStackBytes,
} from "./initial-stack";
import { RLIMIT_STACK } from "./limits";
import { LinuxProcess } from "./process";
import { PLACE_OF_BREAK, PLACE_OF_STACK, layoutRandom } from "../vm/random-layout";
import { LoadedImage, PLACE_FIXED, PLACE_MAPPING, PLACE_PROGRAM, mapImage } from "./program-loader";
import { minimumSignalStackBytes } from "./signal-frame";
import { copyOut } from "./user-memory";
import { mapVdso } from "./vdso";

const PAGE_BYTES: usize = 4096;
const CLOCK_TICKS_PER_SECOND: u64 = 100;
/** The stack begins up to 16 GiB below the end of user space, as on Linux. */
const STACK_RANDOM_PAGES: u64 = (1 << 22) - 1;
const BREAK_RANDOM_PAGES: u64 = (1 << 13) - 1;
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
 * Maps program, interpreter, vDSO and stack into `space`, which is new and active on this CPU, and
 * notes in the process where things are.
 * @param loader the program's interpreter, or null
 * @returns 0, -ENOMEM, -E2BIG, -ENOEXEC, -EFAULT; the space is then half filled
 */
export function fillSpace(
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
      const auxiliary = auxiliaryVector(process, image, loaderImage, vdso);
      error = writeStack(process, program, auxiliary, stackTop, out);
      free(auxiliary);
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

/** Types and values of the auxiliary vector, as far as they do not depend on the stack's layout. */
function auxiliaryVector(
  process: LinuxProcess,
  image: LoadedImage,
  loaderImage: LoadedImage,
  vdso: usize,
): StaticArray<u64> {
  const identity = process.credentials;
  // biome-ignore format: an entry a line
  return [
    AT_SYSINFO_EHDR, vdso,
    AT_HWCAP, cpuid(1, 0, 3),
    AT_HWCAP2, 0,
    AT_PAGESZ, PAGE_BYTES,
    AT_MINSIGSTKSZ, minimumSignalStackBytes(),
    AT_CLKTCK, CLOCK_TICKS_PER_SECOND,
    AT_PHDR, image.headers,
    AT_PHENT, PROGRAM_HEADER_BYTES,
    AT_PHNUM, image.headerCount,
    AT_BASE, loaderImage.bias,
    AT_FLAGS, 0,
    AT_ENTRY, image.entry,
    AT_UID, identity.realUser,
    AT_EUID, identity.effectiveUser,
    AT_GID, identity.realGroup,
    AT_EGID, identity.effectiveGroup,
    AT_SECURE, 0,
  ];
}

/** Builds the initial stack in kernel memory and copies it to the top of the application's. */
function writeStack(
  process: LinuxProcess,
  program: ProgramStrings,
  auxiliary: StaticArray<u64>,
  top: usize,
  out: ProgramStart,
): i64 {
  const bytes = (initialStackBytes(program, auxiliary) + 15) & ~15;
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
