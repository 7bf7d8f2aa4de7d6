/**
 * Reads the headers of an ELF64 executable for x86-64 (System V ABI, generic part chapters 4 and 5;
 * elf(5)). Pure: works on bytes in kernel memory and touches nothing else, so that it can be fed
 * hostile input in a test.
 *
 * What a successful check proves: every loadable segment lies inside the file and inside user
 * space, file offset and address agree modulo the page size, addresses rise from segment to
 * segment, no sum overflows. It does not prove that the entry point is mapped; a bad one faults in
 * user mode.
 *
 * Neighbours: `program-loader.ts` maps what is described here.
 */
import { EINVAL, ELIBBAD, ENOEXEC, ENOMEM } from "../lib/errno";

/** Bytes of the file header and of one program header. */
export const ELF_HEADER_BYTES: usize = 64;
export const PROGRAM_HEADER_BYTES: usize = 56;
/** Linux refuses program header tables over 64 KiB; so do we. */
export const MAX_PROGRAM_HEADERS: u32 = 1170;
/** Longest path of an interpreter, terminator included (PATH_MAX). */
export const MAX_INTERPRETER_BYTES: u64 = 4096;

export const ET_EXEC: u16 = 2;
export const ET_DYN: u16 = 3;
const EM_X86_64: u16 = 62;

export const PT_LOAD: u32 = 1;
export const PT_INTERP: u32 = 3;
export const PT_PHDR: u32 = 6;
export const PT_GNU_STACK: u32 = 0x6474e551;

export const PF_X: u32 = 1;
export const PF_W: u32 = 2;
export const PF_R: u32 = 4;

const PAGE_BYTES: u64 = 4096;
/** Programs live below this address (the same as USER_END of `user-memory.ts`). */
const ADDRESS_LIMIT: u64 = 0x7fff_ffff_f000;

/** Elf64_Ehdr. */
@unmanaged
export class ElfHeader {
  magic: u32;
  fileClass: u8;
  encoding: u8;
  version: u8;
  osAbi: u8;
  padding: u64;
  type: u16;
  machine: u16;
  version2: u32;
  entry: u64;
  programHeaderOffset: u64;
  sectionHeaderOffset: u64;
  flags: u32;
  headerBytes: u16;
  programHeaderBytes: u16;
  programHeaderCount: u16;
  sectionHeaderBytes: u16;
  sectionHeaderCount: u16;
  sectionNames: u16;
}

/** Elf64_Phdr. */
@unmanaged
export class ProgramHeader {
  type: u32;
  flags: u32;
  offset: u64;
  address: u64;
  physicalAddress: u64;
  fileBytes: u64;
  memoryBytes: u64;
  alignment: u64;
}

/** What the program headers of one file amount to. */
export class ElfLayout {
  /** Lowest address, rounded down to a page, and highest, rounded up; before relocation. */
  low: u64 = 0;
  high: u64 = 0;
  /** Largest alignment that a segment asks for, in bytes; at least a page. */
  alignment: u64 = PAGE_BYTES;
  /** File range of the interpreter's path, terminator included; length 0 = no interpreter. */
  interpreterOffset: u64 = 0;
  interpreterBytes: u64 = 0;
  /** Address of the program header table in memory before relocation; 0 if no segment holds it. */
  headersAddress: u64 = 0;
  /** PT_GNU_STACK asks for an executable stack. */
  executableStack: bool = false;
}

/** Reasons why a file is no program for this machine, for messages. */
export const ELF_OK: i32 = 0;
export const ELF_NOT_ELF: i32 = 1;
export const ELF_OTHER_MACHINE: i32 = 2;
export const ELF_OTHER_KIND: i32 = 3;
export const ELF_TRUNCATED: i32 = 4;

/**
 * Checks the file header.
 * @param header the file's first bytes
 * @param available how many bytes of the file are at `header`
 * @param fileBytes size of the file
 * @returns ELF_OK, or the reason for refusal
 */
export function checkElfHeader(header: usize, available: u64, fileBytes: u64): i32 {
  if (available < 4 || load<u32>(header) != 0x464c457f) return ELF_NOT_ELF;
  if (available < ELF_HEADER_BYTES) return ELF_TRUNCATED;
  const elf = changetype<ElfHeader>(header);
  if (elf.fileClass != 2 || elf.encoding != 1 || elf.machine != EM_X86_64) return ELF_OTHER_MACHINE;
  if (elf.version != 1) return ELF_OTHER_KIND;
  if (elf.type != ET_EXEC && elf.type != ET_DYN) return ELF_OTHER_KIND;
  if (elf.programHeaderBytes != PROGRAM_HEADER_BYTES) return ELF_OTHER_KIND;
  const count = <u64>elf.programHeaderCount;
  if (count == 0 || count > MAX_PROGRAM_HEADERS) return ELF_OTHER_KIND;
  const tableBytes = count * PROGRAM_HEADER_BYTES;
  const offset = elf.programHeaderOffset;
  if (offset > fileBytes || tableBytes > fileBytes - offset) return ELF_TRUNCATED;
  return ELF_OK;
}

/**
 * Checks the program headers and sums them up.
 * @param header the file header, already checked
 * @param table the program header table in memory
 * @param fileBytes size of the file
 * @returns 0; -ENOEXEC (malformed or cut off), -ENOMEM (outside user space)
 */
export function checkProgramHeaders(
  header: usize,
  table: usize,
  fileBytes: u64,
  out: ElfLayout,
): i64 {
  const elf = changetype<ElfHeader>(header);
  const count = <u32>elf.programHeaderCount;
  out.low = 0;
  out.high = 0;
  out.alignment = PAGE_BYTES;
  out.interpreterOffset = 0;
  out.interpreterBytes = 0;
  out.headersAddress = 0;
  out.executableStack = false;
  let previousEnd: u64 = 0;
  let segments: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const segment = programHeader(table, i);
    if (segment.type == PT_INTERP) {
      const error = takeInterpreter(segment, fileBytes, out);
      if (error != 0) return error;
    } else if (segment.type == PT_GNU_STACK) {
      out.executableStack = (segment.flags & PF_X) != 0;
    } else if (segment.type == PT_LOAD) {
      const error = checkSegment(segment, fileBytes);
      if (error != 0) return error;
      if (segment.memoryBytes == 0) continue;
      if (segments != 0 && segment.address < previousEnd) return -ENOEXEC;
      if (segments == 0) out.low = segment.address & ~(PAGE_BYTES - 1);
      segments++;
      previousEnd = segment.address + segment.memoryBytes;
      out.high = (previousEnd + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
      if (segment.alignment > out.alignment && isPowerOfTwo(segment.alignment)) {
        out.alignment = segment.alignment;
      }
      noteHeaders(elf, segment, out);
    }
  }
  return segments == 0 ? -ENOEXEC : 0;
}

/** The program header `index` of the table at `table`. */
export function programHeader(table: usize, index: u32): ProgramHeader {
  return changetype<ProgramHeader>(table + <usize>index * PROGRAM_HEADER_BYTES);
}

/** The error number execve(2) gives for a refusal reason; an interpreter's is -ELIBBAD. */
export function elfError(reason: i32, isInterpreter: bool): i64 {
  if (reason == ELF_OK) return 0;
  if (!isInterpreter) return -ENOEXEC;
  return reason == ELF_OTHER_KIND ? -EINVAL : -ELIBBAD;
}

function checkSegment(segment: ProgramHeader, fileBytes: u64): i64 {
  if (segment.fileBytes > segment.memoryBytes) return -ENOEXEC;
  if (segment.offset > fileBytes || segment.fileBytes > fileBytes - segment.offset) return -ENOEXEC;
  if (segment.memoryBytes > ADDRESS_LIMIT) return -ENOMEM;
  if (segment.address > ADDRESS_LIMIT - segment.memoryBytes) return -ENOMEM;
  if (segment.fileBytes != 0 && ((segment.offset ^ segment.address) & (PAGE_BYTES - 1)) != 0) {
    return -ENOEXEC;
  }
  return 0;
}

function takeInterpreter(segment: ProgramHeader, fileBytes: u64, out: ElfLayout): i64 {
  if (out.interpreterBytes != 0) return 0; // the first one counts, as on Linux
  if (segment.fileBytes < 2 || segment.fileBytes > MAX_INTERPRETER_BYTES) return -ENOEXEC;
  if (segment.offset > fileBytes || segment.fileBytes > fileBytes - segment.offset) return -ENOEXEC;
  out.interpreterOffset = segment.offset;
  out.interpreterBytes = segment.fileBytes;
  return 0;
}

function noteHeaders(elf: ElfHeader, segment: ProgramHeader, out: ElfLayout): void {
  const offset = elf.programHeaderOffset;
  const tableBytes = <u64>elf.programHeaderCount * PROGRAM_HEADER_BYTES;
  if (offset < segment.offset || offset + tableBytes > segment.offset + segment.fileBytes) return;
  out.headersAddress = segment.address + (offset - segment.offset);
}

function isPowerOfTwo(value: u64): bool {
  return value != 0 && (value & (value - 1)) == 0;
}
