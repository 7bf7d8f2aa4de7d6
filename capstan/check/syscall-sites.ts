/**
 * Finds the system calls in machine code: `syscall` instructions, and calls of the C library's
 * function syscall(2), with the number that is loaded shortly before.
 *
 *     b8 27 00 00 00    mov $39, %eax      <- the number
 *     0f 05             syscall            <- the site
 *
 * The search is for byte patterns, not a disassembly: the code between the two is passed over, so
 * a number that is computed, or that arrives as an argument (Go's `syscall.Syscall`), is not found.
 * Such sites are counted, never guessed.
 *
 * Neighbours: `code-file.ts` reads the code; `objects.ts` is the user.
 */
import type { CodeFile, CodeRegion } from "./code-file.ts";

/** Calls are numbered from 0; Linux has fewer than this. */
const NUMBER_LIMIT = 500;
/** Compilers load the number last or nearly so; further back stands the code of something else. */
const LOOK_BACK_BYTES = 48;

/** A system call in code. */
export interface SyscallSite {
  /** Virtual address of the instruction. */
  readonly address: number;
  /** The call's number; undefined if the program computes it. */
  readonly number: number | undefined;
}

/**
 * The constant that is last loaded into a register before `end`.
 * @param load opcode of `mov imm32, reg`: 0xb8 for eax, 0xbf for edi
 * @param clear second byte of `xor reg, reg` (after 0x31): 0xc0 for eax, 0xff for edi
 */
function constantBefore(
  code: Buffer,
  end: number,
  load: number,
  clear: number,
): number | undefined {
  const least = Math.max(0, end - LOOK_BACK_BYTES);
  for (let at = end - 2; at >= least; at -= 1) {
    if (code[at] === 0x31 && code[at + 1] === clear) return 0;
    // mov $imm32, %reg; a REX.W form is 48 c7 c0+reg imm32.
    const isLong = code[at] === 0xc7 && code[at + 1] === (load & 7) + 0xc0 && code[at - 1] === 0x48;
    const start = isLong ? at + 2 : code[at] === load ? at + 1 : -1;
    if (start < 0 || start + 4 > end) continue;
    // After a REX.B prefix the register is another one.
    if (!isLong && at > 0 && code[at - 1] === 0x41) continue;
    const value = code.readUInt32LE(start);
    if (value < NUMBER_LIMIT) return value;
  }
  return undefined;
}

/** All `syscall` instructions of a region. */
export function findSyscalls({ address, bytes }: CodeRegion): SyscallSite[] {
  const sites: SyscallSite[] = [];
  const instruction = Buffer.from([0x0f, 0x05]);
  for (let at = bytes.indexOf(instruction); at >= 0; at = bytes.indexOf(instruction, at + 2)) {
    const number = constantBefore(bytes, at, 0xb8, 0xc0);
    // 0f 05 also turns up inside of other instructions; those rarely have a number before them.
    sites.push({ address: address + at, number });
  }
  return sites;
}

/** Where `opcode` (two bytes, with a 32-bit distance behind) refers to `target`. */
function findReferences(region: CodeRegion, opcode: readonly number[], target: number): number[] {
  const { address, bytes } = region;
  const pattern = Buffer.from(opcode);
  const found: number[] = [];
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
    const end = at + pattern.length + 4;
    if (end > bytes.length) break;
    if (address + end + bytes.readInt32LE(end - 4) === target) found.push(address + at);
  }
  return found;
}

/** The calls of an imported function, through its slot or through a stub that jumps there. */
function findImportCalls(file: CodeFile, name: string): { region: CodeRegion; at: number }[] {
  const slot = file.slots.get(name);
  if (slot === undefined) return [];
  const stubs = file.code.flatMap((region) => findReferences(region, [0xff, 0x25], slot));
  const calls: { region: CodeRegion; at: number }[] = [];
  for (const region of file.code) {
    const { address, bytes } = region;
    for (const at of findReferences(region, [0xff, 0x15], slot)) {
      calls.push({ region, at: at - address });
    }
    // A stub is `jmp *slot`, behind endbr64 (4 bytes) or a bnd prefix (1 byte) or both.
    const targets = new Set(stubs.flatMap((stub) => [stub, stub - 1, stub - 4, stub - 5]));
    if (targets.size === 0) continue;
    for (let at = bytes.indexOf(0xe8); at >= 0; at = bytes.indexOf(0xe8, at + 1)) {
      if (at + 5 > bytes.length) break;
      if (targets.has(address + at + 5 + bytes.readInt32LE(at + 1))) calls.push({ region, at });
    }
  }
  return calls;
}

/** The calls of syscall(2) in a file that imports it. */
export function findSyscallFunctionCalls(file: CodeFile): SyscallSite[] {
  return findImportCalls(file, "syscall").map(({ region, at }) => ({
    address: region.address + at,
    number: constantBefore(region.bytes, at, 0xbf, 0xff),
  }));
}
