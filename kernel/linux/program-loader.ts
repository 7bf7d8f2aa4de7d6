/**
 * Maps one ELF file (a program or its interpreter) into an address space: file pages straight from
 * the page cache, zero pages for the rest.
 *
 * Neighbours: `elf.ts` (has checked the headers), `exec.ts`, `vm/address-space`.
 */
import { clearUser } from "../arch/cpu";
import { randomU64 } from "../dev/random";
import { EFAULT, ENOEXEC, isError } from "../lib/errno";
import { AddressSpace } from "../vm/address-space";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../vm/flags";
import { Pager } from "../vm/pager";
import { PLACE_OF_PROGRAM, layoutRandom } from "../vm/random-layout";
import {
  ElfHeader,
  ElfLayout,
  PF_R,
  PF_W,
  PF_X,
  PT_LOAD,
  ProgramHeader,
  programHeader,
} from "./elf";
import { ExecutableFile } from "./executable-file";

const PAGE_BYTES: u64 = 4096;
const PAGE_MASK: u64 = 4095;

/** At the addresses the file asks for (ET_EXEC). */
export const PLACE_FIXED: u32 = 0;
/** Near the middle of user space, where Linux puts position-independent programs. */
export const PLACE_PROGRAM: u32 = 1;
/** Among the other mappings (interpreters, static position-independent programs). */
export const PLACE_MAPPING: u32 = 2;

/** Two thirds of user space, as on Linux. */
const PROGRAM_BASE: u64 = 0x5555_5555_4000;
/** Random bits of a program's base, in pages. */
const PROGRAM_BASE_BITS: u64 = 28;

/** Where a file has been mapped. */
export class LoadedImage {
  /** What to add to addresses in the file. */
  bias: u64 = 0;
  entry: u64 = 0;
  /** Address of the program headers in memory, 0 if they are not mapped. */
  headers: u64 = 0;
  headerCount: u32 = 0;
  low: u64 = 0;
  high: u64 = 0;
  codeStart: u64 = 0;
  codeEnd: u64 = 0;
}

/**
 * Maps the loadable segments of `file` into `space`, which must be active on this CPU (the partial
 * pages behind file data are cleared through it).
 * @returns 0 or -ENOMEM, -ENOEXEC, -EEXIST, -EFAULT; the space is then half filled and to be thrown
 *   away
 */
export function mapImage(
  space: AddressSpace,
  file: ExecutableFile,
  placement: u32,
  out: LoadedImage,
): i64 {
  const header = changetype<ElfHeader>(file.header);
  const layout = file.layout;
  const bias = chooseBias(space, layout, placement);
  if (isError(bias)) return <i64>bias;
  const pagerOrError = file.pager();
  if (isError(pagerOrError)) return -ENOEXEC;
  const pager = changetype<Pager>(pagerOrError);
  const error = mapSegments(space, file, pager, bias, out);
  pager.release();
  out.bias = bias;
  out.entry = header.entry + bias;
  out.headers = layout.headersAddress == 0 ? 0 : layout.headersAddress + bias;
  out.headerCount = header.programHeaderCount;
  out.low = layout.low + bias;
  out.high = layout.high + bias;
  return error;
}

/** Finds room for the whole image; returns the load bias or a negative error. */
function chooseBias(space: AddressSpace, layout: ElfLayout, placement: u32): usize {
  if (placement == PLACE_FIXED) return 0;
  const spanBytes = layout.high - layout.low;
  // Room to align the start; the surplus is not kept.
  const reserveBytes = spanBytes + layout.alignment - PAGE_BYTES;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  let found: i64 = -1;
  if (placement == PLACE_PROGRAM) {
    const random = layoutRandom(PLACE_OF_PROGRAM, randomU64());
    const hint = PROGRAM_BASE + (random & ((1 << PROGRAM_BASE_BITS) - 1)) * PAGE_BYTES;
    found = space.map(hint, reserveBytes, PROT_NONE, flags | MAP_FIXED_NOREPLACE, null, 0);
  }
  if (found < 0) found = space.map(0, reserveBytes, PROT_NONE, flags, null, 0);
  if (found < 0) return <usize>found;
  space.unmap(<usize>found, reserveBytes);
  const aligned = (<u64>found + layout.alignment - 1) & ~(layout.alignment - 1);
  return aligned - (layout.low & ~(layout.alignment - 1));
}

function mapSegments(
  space: AddressSpace,
  file: ExecutableFile,
  pager: Pager,
  bias: u64,
  out: LoadedImage,
): i64 {
  const count = <u32>changetype<ElfHeader>(file.header).programHeaderCount;
  /** First page that no segment has touched so far. */
  let nextPage: u64 = 0;
  out.codeStart = 0;
  for (let i: u32 = 0; i < count; i++) {
    const segment = programHeader(file.table, i);
    if (segment.type != PT_LOAD || segment.memoryBytes == 0) continue;
    const error = mapSegment(space, segment, pager, bias, nextPage);
    if (error != 0) return error;
    const end = segment.address + bias + segment.memoryBytes;
    nextPage = (end + PAGE_MASK) & ~PAGE_MASK;
    if ((segment.flags & PF_X) != 0) {
      if (out.codeStart == 0) out.codeStart = segment.address + bias;
      out.codeEnd = segment.address + bias + segment.fileBytes;
    }
  }
  return 0;
}

function mapSegment(
  space: AddressSpace,
  segment: ProgramHeader,
  pager: Pager,
  bias: u64,
  nextPage: u64,
): i64 {
  const start = segment.address + bias;
  const fileEnd = start + segment.fileBytes;
  const end = start + segment.memoryBytes;
  const protection = protectionOf(segment.flags);
  const flags = MAP_PRIVATE | MAP_FIXED;
  let zeroStart = start & ~PAGE_MASK;
  if (segment.fileBytes != 0) {
    const base = start & ~PAGE_MASK;
    const length = ((fileEnd + PAGE_MASK) & ~PAGE_MASK) - base;
    const offset = segment.offset & ~PAGE_MASK;
    const mapped = space.map(base, length, protection, flags, pager, offset);
    if (mapped < 0) return mapped;
    zeroStart = base + length;
  } else if (nextPage > zeroStart) {
    zeroStart = nextPage; // the first page belongs to the previous segment as well
  }
  if (segment.memoryBytes > segment.fileBytes && (segment.flags & PF_W) != 0) {
    // Up to the end of the page, beyond the segment: ld.so allocates its first objects there and
    // takes them to be zero.
    if (zeroStart > fileEnd && clearUser(fileEnd, zeroStart - fileEnd) != 0) return -EFAULT;
  }
  if (end <= zeroStart) return 0;
  const length = ((end + PAGE_MASK) & ~PAGE_MASK) - zeroStart;
  const mapped = space.map(zeroStart, length, protection, flags | MAP_ANONYMOUS, null, 0);
  return mapped < 0 ? mapped : 0;
}

function protectionOf(flags: u32): u32 {
  return (
    ((flags & PF_R) != 0 ? PROT_READ : PROT_NONE) |
    ((flags & PF_W) != 0 ? PROT_WRITE : PROT_NONE) |
    ((flags & PF_X) != 0 ? PROT_EXEC : PROT_NONE)
  );
}
