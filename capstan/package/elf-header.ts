/**
 * The fixed part of ELF files: header and program headers, with checks against hostile files.
 *
 * References: System V ABI, "Object Files" and "Program Loading"; elf(5).
 *
 * Neighbours: `elf.ts` reads what the segments hold; `elf-error.ts` is what goes wrong.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ElfError } from "./elf-error.ts";

const HEADER_SIZE_BYTES = 64;
const PROGRAM_HEADER_SIZE_BYTES = 56;
/** More than any real file has; bounds the memory a hostile one can make us take. */
const MAX_PROGRAM_HEADERS = 4096;

export const ET_EXEC = 2;
const ET_DYN = 3;
const EM_X86_64 = 62;
export const PT_LOAD = 1;
const PF_X = 1;

/** Names of machines that people meet, for messages (e_machine values of the gABI). */
const machineNames: ReadonlyMap<number, string> = new Map([
  [3, "32-bit x86 (i386)"],
  [8, "MIPS"],
  [20, "32-bit PowerPC"],
  [21, "64-bit PowerPC"],
  [22, "IBM Z (s390)"],
  [40, "32-bit ARM"],
  [62, "x86-64"],
  [183, "64-bit ARM (AArch64)"],
  [243, "RISC-V"],
  [258, "LoongArch"],
]);

/** One program header. */
export interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly fileSize: number;
  /** PF_X: the segment holds machine code. */
  readonly isExecutable: boolean;
}

/** Where an ELF file lies: a file of the host, or a part of one (an archive). */
export interface ElfPlace {
  /** Absolute path on the host. */
  readonly path: string;
  readonly offsetBytes?: number;
  readonly sizeBytes?: number;
}

/** An open file with checked reads. */
export class ElfInput {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #offsetBytes: number;
  /** The first page, read at once: it holds the headers, and often the loader's path. */
  readonly #start: Buffer;

  /** @param path name for errors */
  constructor(path: string, fd: number, place: ElfPlace) {
    this.path = path;
    this.#fd = fd;
    this.#offsetBytes = place.offsetBytes ?? 0;
    this.sizeBytes = place.sizeBytes ?? fstatSync(fd).size;
    const start = Buffer.alloc(Math.min(this.sizeBytes, 4096));
    this.#start = start.subarray(0, readSync(fd, start, 0, start.length, this.#offsetBytes));
  }

  fail(code: "Truncated" | "Malformed", why: string): never {
    throw new ElfError(this.path, code, why);
  }

  /** Reads exactly `sizeBytes`; `what` names them in the error if the file is too short. */
  read(offset: number, sizeBytes: number, what: string): Buffer {
    if (offset + sizeBytes > this.sizeBytes) {
      this.fail(
        "Truncated",
        `the file has ${this.sizeBytes} bytes, but ${what} should end at byte ${offset + sizeBytes}`,
      );
    }
    const end = offset + sizeBytes;
    if (end <= this.#start.length) return this.#start.subarray(offset, end);
    const bytes = Buffer.alloc(sizeBytes);
    for (let done = 0; done < sizeBytes; ) {
      const at = this.#offsetBytes + offset + done;
      const count = readSync(this.#fd, bytes, done, sizeBytes - done, at);
      if (count === 0) this.fail("Truncated", "the file became shorter while it was read");
      done += count;
    }
    return bytes;
  }

  /** A 64-bit value as a number; offsets and sizes beyond 2^53 cannot be right. */
  toNumber(value: bigint, what: string): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail("Malformed", `${what} is ${value}`);
    return Number(value);
  }
}

/**
 * Opens a file for as long as it is read.
 * @param path name for errors and results
 * Throws what `read` throws, and Node's system errors.
 */
export function readElfFile<T>(path: string, place: ElfPlace, read: (input: ElfInput) => T): T {
  const fd = openSync(place.path, "r");
  try {
    return read(new ElfInput(path, fd, place));
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads the ELF header; ends in an ElfError unless it is that of a program or library for x86-64.
 */
export function readHeader(input: ElfInput): Buffer {
  const start = input.read(0, Math.min(HEADER_SIZE_BYTES, input.sizeBytes), "the ELF header");
  const isElf = start.length >= 4 && start.readUInt32BE(0) === 0x7f454c46;
  if (!isElf) {
    const why = input.sizeBytes === 0 ? "the file is empty" : "it is not an ELF file";
    throw new ElfError(input.path, "NotElf", why);
  }
  // Machine before length: a program for a 32-bit machine has a shorter header.
  if (start.length >= 20) {
    const isBigEndian = start.readUInt8(5) === 2;
    const machine = isBigEndian ? start.readUInt16BE(18) : start.readUInt16LE(18);
    const is64Bit = start.readUInt8(4) === 2;
    if (machine !== EM_X86_64 || isBigEndian || !is64Bit) {
      const name = machineNames.get(machine) ?? `machine number ${machine}`;
      const what = machine === EM_X86_64 ? `${name} with 32-bit pointers (x32)` : name;
      const why = `it is built for ${what}; OSv.ts runs programs for x86-64`;
      throw new ElfError(input.path, "WrongMachine", why);
    }
  }
  if (start.length < HEADER_SIZE_BYTES) {
    input.fail("Truncated", `the file has only ${start.length} bytes, less than an ELF header`);
  }
  const type = start.readUInt16LE(16);
  if (type !== ET_EXEC && type !== ET_DYN) {
    const kinds: Record<number, string> = { 1: "an object file", 4: "a core dump" };
    const why = `it is ${kinds[type] ?? `an ELF file of type ${type}`}, not a program or library`;
    throw new ElfError(input.path, "NotExecutable", why);
  }
  return start;
}

/** Reads the program headers, and checks that the file is long enough for what is loaded. */
export function readSegments(input: ElfInput, header: Buffer): Segment[] {
  const offset = input.toNumber(header.readBigUInt64LE(32), "the program headers' offset");
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (count === 0) input.fail("Malformed", "it has no program headers");
  if (entrySize !== PROGRAM_HEADER_SIZE_BYTES || count > MAX_PROGRAM_HEADERS) {
    input.fail("Malformed", `it claims ${count} program headers of ${entrySize} bytes`);
  }
  const table = input.read(offset, count * entrySize, "the program header table");
  const segments: Segment[] = [];
  for (let start = 0; start < table.length; start += entrySize) {
    const segment = {
      type: table.readUInt32LE(start),
      isExecutable: (table.readUInt32LE(start + 4) & PF_X) !== 0,
      offset: input.toNumber(table.readBigUInt64LE(start + 8), "a segment's offset"),
      address: table.readBigUInt64LE(start + 16),
      fileSize: input.toNumber(table.readBigUInt64LE(start + 32), "a segment's size"),
    };
    if (segment.type === PT_LOAD && segment.offset + segment.fileSize > input.sizeBytes) {
      const end = segment.offset + segment.fileSize;
      input.fail(
        "Truncated",
        `the file has ${input.sizeBytes} bytes, but a segment should end at byte ${end}`,
      );
    }
    segments.push(segment);
  }
  if (!segments.some((segment) => segment.type === PT_LOAD)) {
    input.fail("Malformed", "it has no loadable segment");
  }
  return segments;
}

/** The file offset of a virtual address, and how many bytes of file follow in its segment. */
export function locate(
  segments: readonly Segment[],
  address: bigint,
): { offset: number; available: number } | undefined {
  for (const segment of segments) {
    if (segment.type !== PT_LOAD || address < segment.address) continue;
    const distance = address - segment.address;
    if (distance >= BigInt(segment.fileSize)) continue;
    const skipped = Number(distance);
    return { offset: segment.offset + skipped, available: segment.fileSize - skipped };
  }
  return undefined;
}
