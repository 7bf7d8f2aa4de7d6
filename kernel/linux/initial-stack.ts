/**
 * The stack a program finds at its first instruction (System V ABI, AMD64 supplement §3.4.1):
 *
 *     top    8 zero bytes
 *            path of the program (AT_EXECFN)
 *            environment strings
 *            argument strings
 *            "x86_64" (AT_PLATFORM)
 *            16 random bytes (AT_RANDOM)
 *            padding
 *            auxiliary vector: pairs of type and value, AT_NULL last
 *            0, pointers to environment strings (in front of it)
 *            0, pointers to argument strings (in front of it)
 *     rsp →  number of arguments; 16-byte aligned
 *
 * Pure: fills a kernel buffer that is then copied to the top of the stack.
 * Neighbours: `exec.ts`.
 */

export const AT_NULL: u64 = 0;
export const AT_PHDR: u64 = 3;
export const AT_PHENT: u64 = 4;
export const AT_PHNUM: u64 = 5;
export const AT_PAGESZ: u64 = 6;
export const AT_BASE: u64 = 7;
export const AT_FLAGS: u64 = 8;
export const AT_ENTRY: u64 = 9;
export const AT_UID: u64 = 11;
export const AT_EUID: u64 = 12;
export const AT_GID: u64 = 13;
export const AT_EGID: u64 = 14;
export const AT_PLATFORM: u64 = 15;
export const AT_HWCAP: u64 = 16;
export const AT_CLKTCK: u64 = 17;
export const AT_SECURE: u64 = 23;
export const AT_RANDOM: u64 = 25;
export const AT_HWCAP2: u64 = 26;
export const AT_EXECFN: u64 = 31;
export const AT_SYSINFO_EHDR: u64 = 33;
export const AT_MINSIGSTKSZ: u64 = 51;

/** Bytes of an entry of the auxiliary vector: type and value. */
const ENTRY_BYTES: usize = 16;
/** Entries that point into the stack, and AT_NULL. */
const OWN_ENTRIES: usize = 4;

const PLATFORM = "x86_64";
const RANDOM_BYTES: usize = 16;

/** The strings of a new program, zero-terminated and back to back in one block. */
export class ProgramStrings {
  /** Argument strings, then environment strings. */
  strings: usize = 0;
  stringsBytes: usize = 0;
  argumentCount: u32 = 0;
  environmentCount: u32 = 0;
  /** Path for AT_EXECFN, zero-terminated. */
  path: usize = 0;
  pathBytes: usize = 0;
}

/** Where the parts ended up, user addresses; for /proc and the registers. */
export class InitialStack {
  rsp: usize = 0;
  argumentsStart: usize = 0;
  argumentsEnd: usize = 0;
  environmentEnd: usize = 0;
  auxiliary: usize = 0;
  auxiliaryBytes: usize = 0;
}

/** Bytes of buffer that `buildInitialStack` needs; the stack pointer lies at or above its start. */
export function initialStackBytes(program: ProgramStrings, auxiliary: StaticArray<u64>): usize {
  const pointers = <usize>program.argumentCount + <usize>program.environmentCount + 3;
  return (
    8 +
    program.pathBytes +
    program.stringsBytes +
    <usize>(PLATFORM.length + 1) +
    RANDOM_BYTES +
    32 +
    auxiliaryBytes(auxiliary) +
    pointers * 8
  );
}

function auxiliaryBytes(given: StaticArray<u64>): usize {
  return <usize>given.length * 8 + OWN_ENTRIES * ENTRY_BYTES;
}

/**
 * Lays the stack out.
 * @param buffer kernel memory of `bufferBytes` bytes (at least `initialStackBytes`), which becomes
 *   the memory just below `top`
 * @param top user address after the stack's last byte, page-aligned
 * @param random 16 random bytes
 * @param auxiliary types and values in turn, to which AT_RANDOM, AT_PLATFORM, AT_EXECFN and AT_NULL
 *   are added
 */
export function buildInitialStack(
  buffer: usize,
  bufferBytes: usize,
  top: usize,
  program: ProgramStrings,
  random: usize,
  auxiliary: StaticArray<u64>,
  out: InitialStack,
): void {
  /** Kernel address of the byte that lands at user address `top`, as a displacement. */
  const toKernel = buffer + bufferBytes - top;
  let position = top - 8;
  store<u64>(position + toKernel, 0);
  position -= program.pathBytes;
  const pathAddress = position;
  memory.copy(position + toKernel, program.path, program.pathBytes);
  position -= program.stringsBytes;
  const strings = position;
  memory.copy(position + toKernel, program.strings, program.stringsBytes);
  position -= <usize>(PLATFORM.length + 1);
  const platformAddress = position;
  for (let i = 0; i < PLATFORM.length; i++) {
    store<u8>(position + toKernel + <usize>i, <u8>PLATFORM.charCodeAt(i));
  }
  store<u8>(position + toKernel + <usize>PLATFORM.length, 0);
  position = (position - RANDOM_BYTES) & ~15;
  memory.copy(position + toKernel, random, RANDOM_BYTES);
  const randomAddress = position;

  const argc = program.argumentCount;
  const envc = program.environmentCount;
  const tableBytes = (<usize>argc + <usize>envc + 3) * 8 + auxiliaryBytes(auxiliary);
  position = (position - tableBytes) & ~15;
  out.rsp = position;
  out.argumentsStart = strings;
  let slot = position + toKernel;
  store<u64>(slot, argc);
  slot += 8;
  let text = program.strings;
  const displacement = strings - program.strings;
  for (let i: u32 = 0; i < argc; i++) {
    store<u64>(slot, text + displacement);
    slot += 8;
    text += stringBytes(text);
  }
  out.argumentsEnd = text + displacement;
  store<u64>(slot, 0);
  slot += 8;
  for (let i: u32 = 0; i < envc; i++) {
    store<u64>(slot, text + displacement);
    slot += 8;
    text += stringBytes(text);
  }
  out.environmentEnd = text + displacement;
  store<u64>(slot, 0);
  slot += 8;
  out.auxiliary = slot - toKernel;
  out.auxiliaryBytes = auxiliaryBytes(auxiliary);
  const given = <usize>auxiliary.length * 8;
  memory.copy(slot, changetype<usize>(auxiliary), given);
  slot += given;
  storeEntry(slot, AT_RANDOM, randomAddress);
  storeEntry(slot + ENTRY_BYTES, AT_PLATFORM, platformAddress);
  storeEntry(slot + 2 * ENTRY_BYTES, AT_EXECFN, pathAddress);
  storeEntry(slot + 3 * ENTRY_BYTES, AT_NULL, 0);
}

function storeEntry(at: usize, type: u64, value: u64): void {
  store<u64>(at, type);
  store<u64>(at, value, 8);
}

/** Bytes of the zero-terminated string at `text`, terminator included. */
function stringBytes(text: usize): usize {
  let length: usize = 0;
  while (load<u8>(text + length) != 0) length++;
  return length + 1;
}
