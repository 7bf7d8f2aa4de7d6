/**
 * The kernel as the boot loader wants it: laid out flat as it will lie in memory, so that loading is
 * reading sectors one after the other.
 *
 * References: System V ABI, "Program Loading"; Xen's PVH entry note (XEN_ELFNOTE_PHYS32_ENTRY = 18).
 * Neighbours: `../bootable-disk.ts` puts it on a disk.
 */
import { readFileSync } from "node:fs";
import { FatalError } from "../../errors.ts";

/** A kernel laid out flat. */
export interface FlatKernel {
  /** Memory contents from `address` on. */
  readonly bytes: Buffer;
  /** Physical address of the first byte. */
  readonly address: number;
  /** Bytes to be zeroed behind `bytes`. */
  readonly zeroBytes: number;
  /** Physical address of the 32-bit PVH entry. */
  readonly entry: number;
}

const PT_LOAD = 1;
const PT_NOTE = 4;
const PVH_ENTRY_NOTE = 18;
const PROGRAM_HEADER_BYTES = 56;
/** Memory that the boot loader cannot reach: it works with 32-bit addresses. */
const MOST_ADDRESS = 2 ** 32;

interface LoadSegment {
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** The entry address in the notes at `notes`, or undefined. */
function pvhEntry(notes: Buffer): number | undefined {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameBytes = notes.readUInt32LE(at);
    const valueBytes = notes.readUInt32LE(at + 4);
    const value = at + 12 + Math.ceil(nameBytes / 4) * 4;
    if (notes.readUInt32LE(at + 8) === PVH_ENTRY_NOTE && value + 4 <= notes.length) {
      return notes.readUInt32LE(value);
    }
    at = value + Math.ceil(valueBytes / 4) * 4;
  }
  return undefined;
}

/** Reads a kernel. @throws FatalError if it is not one that PVH can enter */
export function readFlatKernel(path: string): FlatKernel {
  try {
    return flatten(path, readFileSync(path));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FatalError(`${path} is no usable kernel: ${error.message}`, error);
  }
}

function flatten(path: string, elf: Buffer): FlatKernel {
  const loads: LoadSegment[] = [];
  let entry: number | undefined;
  const headersAt = Number(elf.readBigUInt64LE(32));
  for (let index = 0; index < elf.readUInt16LE(56); index++) {
    const at = headersAt + index * PROGRAM_HEADER_BYTES;
    const number = (offset: number): number => Number(elf.readBigUInt64LE(at + offset));
    const [offset, address] = [number(8), number(24)];
    const [fileBytes, memoryBytes] = [number(32), number(40)];
    const type = elf.readUInt32LE(at);
    if (type === PT_LOAD) loads.push({ offset, address, fileBytes, memoryBytes });
    if (type === PT_NOTE) entry ??= pvhEntry(elf.subarray(offset, offset + fileBytes));
  }
  if (entry === undefined) throw new FatalError(`${path} has no PVH entry`);
  const address = Math.min(...loads.map((load) => load.address));
  const fileEnd = Math.max(...loads.map((load) => load.address + load.fileBytes));
  const end = Math.max(...loads.map((load) => load.address + load.memoryBytes));
  if (end > MOST_ADDRESS) throw new FatalError(`${path} wants to be loaded above 4 GiB`);
  const bytes = Buffer.alloc(fileEnd - address);
  for (const load of loads) {
    elf.copy(bytes, load.address - address, load.offset, load.offset + load.fileBytes);
  }
  return { bytes, address, zeroBytes: end - fileEnd, entry };
}
