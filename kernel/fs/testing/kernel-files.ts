/**
 * The kernel's file systems in Node: loads `fs.testentry.ts`, answers for its disk, and offers its
 * functions with strings and buffers. Errors are thrown as `Errno`.
 */
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";

type Address = bigint;

/** What `fs.testentry.ts` exports. */
export interface FsExports {
  start(base: bigint, bytes: bigint, sectors: bigint): bigint;
  chdir(path: Address, length: bigint): bigint;
  open(path: Address, length: bigint, flags: number, mode: number): bigint;
  openWith(path: Address, length: bigint, flags: number, restrictions: number): bigint;
  close(file: bigint): void;
  read(file: bigint, buffer: Address, length: bigint): bigint;
  write(file: bigint, buffer: Address, length: bigint): bigint;
  readAt(file: bigint, buffer: Address, length: bigint, offset: bigint): bigint;
  writeAt(file: bigint, buffer: Address, length: bigint, offset: bigint): bigint;
  seek(file: bigint, offset: bigint, origin: number): bigint;
  truncate(file: bigint, size: bigint): bigint;
  allocate(file: bigint, mode: number, offset: bigint, length: bigint): bigint;
  poll(file: bigint): number;
  control(file: bigint, command: number, argument: bigint): bigint;
  mappedPage(file: bigint, index: bigint, forWrite: number, out: Address): bigint;
  list(file: bigint, out: Address, capacity: bigint): bigint;
  stat(path: Address, length: bigint, follow: number, out: Address): bigint;
  chmod(path: Address, length: bigint, mode: number): bigint;
  readlink(path: Address, length: bigint, out: Address, capacity: bigint): bigint;
  canonical(path: Address, length: bigint, flags: number, out: Address): bigint;
  mkdir(path: Address, length: bigint, mode: number): bigint;
  mknod(path: Address, length: bigint, mode: number, device: bigint): bigint;
  symlink(target: Address, targetLength: bigint, path: Address, length: bigint): bigint;
  link(old: Address, oldLength: bigint, path: Address, length: bigint): bigint;
  unlink(path: Address, length: bigint): bigint;
  rmdir(path: Address, length: bigint): bigint;
  rename(old: Address, oldLength: bigint, path: Address, length: bigint, flags: number): bigint;
  pipe(ends: Address): bigint;
  memfd(name: Address, length: bigint): bigint;
  addProcess(path: Address, length: bigint): bigint;
  setDescriptor(descriptor: number, file: bigint): void;
  cachedFrameCount(): bigint;
  memoryFileFrameCount(): bigint;
  nameCount(): number;
  reclaimFrames(frames: bigint): bigint;
  shrinkNames(count: number): number;
  freeFrameCount(): bigint;
  totalFrameCount(): bigint;
}

/** What the disk holds. */
export interface Disk {
  sizeBytes: number;
  /** Fills `target` from `offset`; false for an I/O error. */
  read(offset: number, target: Uint8Array): boolean;
}

/** A disk with the bytes of a buffer. */
export function bufferDisk(image: Uint8Array): Disk {
  return {
    sizeBytes: image.length,
    read(offset, target) {
      target.set(image.subarray(offset, offset + target.length));
      return true;
    },
  };
}

export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0x40,
  EXCL: 0x80,
  TRUNC: 0x200,
  APPEND: 0x400,
  NONBLOCK: 0x800,
  DIRECTORY: 0x10000,
  NOFOLLOW: 0x20000,
  PATH: 0x200000,
  TMPFILE: 0x410000,
} as const;

export const EIO = 5;
const PAGE = 4096;
/** Largest buffer of one read, write or list. */
export const OUT_BYTES = 0x200000;
const PATH_BYTES = 0x10000;
/** Room for static data and the objects of the kernel. */
const HEAP_MIB = 24;
/** An empty early heap, where the real kernel has it. */
const EARLY_HEAP = 0xffffffff80100000n;

/** A negative result of the kernel. */
export class Errno extends Error {
  constructor(readonly code: number) {
    super(`errno ${code}`);
    this.name = "Errno";
  }
}

export interface FileStat {
  mode: number;
  links: number;
  uid: number;
  gid: number;
  size: number;
  inode: bigint;
  device: bigint;
  blocks: number;
  modifySeconds: number;
}

export interface DirectoryEntry {
  name: string;
  inode: bigint;
  type: number;
}

function checked(result: bigint): number {
  if (result < 0n) throw new Errno(Number(-result));
  return Number(result);
}

/** Objects come as addresses (unsigned) or, in the last page, as errors. */
function pointer(result: bigint): bigint {
  const value = BigInt.asIntN(64, result);
  if (value < 0n && value >= -4095n) throw new Errno(Number(-value));
  return result;
}

const MIB = 1 << 20;
const compiled = new Map<number, Promise<KernelModule<FsExports>>>();
let currentDisk: Disk | null = null;

export interface StartOptions {
  disk?: Disk;
  ramMib?: number;
}

/** A kernel with mounted file systems. */
export class KernelFiles {
  readonly #kernel: KernelModule<FsExports>;
  readonly exports: FsExports;
  /** Scratch areas in the module's memory. */
  readonly #pathA: bigint;
  readonly #pathB: bigint;
  readonly #out: bigint;

  private constructor(kernel: KernelModule<FsExports>) {
    this.#kernel = kernel;
    this.#pathA = kernel.heap.reserve(PATH_BYTES);
    this.#pathB = kernel.heap.reserve(PATH_BYTES);
    this.#out = kernel.heap.reserve(OUT_BYTES);
    this.exports = kernel.exports;
  }

  /** @throws {Errno} if the image cannot be mounted */
  static async start(options: StartOptions = {}): Promise<KernelFiles> {
    const ramMib = options.ramMib ?? 16;
    const pages = (HEAP_MIB + ramMib) * 16;
    let module = compiled.get(pages);
    if (!module) {
      module = loadKernelModule<FsExports>("kernel/fs/testing/fs.testentry.ts", {
        pages,
        symbols: {
          __data_start: EARLY_HEAP,
          __early_heap_start: EARLY_HEAP,
          __early_heap_end: EARLY_HEAP,
        },
        imports: (parts) => ({
          testdisk: {
            diskRead: (sector: bigint, address: bigint, length: number) => {
              const target = parts.memory.bytes(address, length);
              return currentDisk?.read(Number(sector) * 512, target) ? 0 : -EIO;
            },
          },
        }),
      });
      compiled.set(pages, module);
    }
    const kernel = (await module).fresh();
    currentDisk = options.disk ?? null;
    const sectors = BigInt(Math.floor((options.disk?.sizeBytes ?? 0) / 512));
    const ram = kernel.heap.reserve(ramMib * MIB, PAGE);
    const files = new KernelFiles(kernel);
    checked(kernel.exports.start(ram, BigInt(ramMib * MIB), sectors));
    return files;
  }

  #text(at: bigint, text: string | Uint8Array): [bigint, bigint] {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    this.#kernel.memory.bytes(at, bytes.length).set(bytes);
    return [at, BigInt(bytes.length)];
  }

  #path(path: string): [bigint, bigint] {
    return this.#text(this.#pathA, path);
  }

  #taken(length: number): Buffer {
    return Buffer.from(this.#kernel.memory.bytes(this.#out, length));
  }

  /** The module's memory, for faults and raw looks. */
  get kernel(): KernelModule<FsExports> {
    return this.#kernel;
  }

  open(path: string, flags: number = O.RDONLY, mode = 0o644): bigint {
    return pointer(this.exports.open(...this.#path(path), flags, mode));
  }

  openWith(path: string, flags: number, restrictions: number): bigint {
    return pointer(this.exports.openWith(...this.#path(path), flags, restrictions));
  }

  close(file: bigint): void {
    this.exports.close(file);
  }

  read(file: bigint, length: number): Buffer {
    return this.#taken(checked(this.exports.read(file, this.#out, BigInt(length))));
  }

  readAt(file: bigint, length: number, offset: number): Buffer {
    return this.#taken(
      checked(this.exports.readAt(file, this.#out, BigInt(length), BigInt(offset))),
    );
  }

  write(file: bigint, data: string | Uint8Array): number {
    return checked(this.exports.write(file, ...this.#text(this.#out, data)));
  }

  writeAt(file: bigint, data: string | Uint8Array, offset: number): number {
    return checked(this.exports.writeAt(file, ...this.#text(this.#out, data), BigInt(offset)));
  }

  mappedPage(file: bigint, index: number, forWrite: boolean): Buffer {
    checked(this.exports.mappedPage(file, BigInt(index), forWrite ? 1 : 0, this.#out));
    return this.#taken(PAGE);
  }

  /** Whole contents, read in pieces of `step` bytes. */
  readFile(path: string, step = 65536): Buffer {
    const file = this.open(path);
    const parts: Buffer[] = [];
    try {
      for (;;) {
        const part = this.read(file, step);
        if (part.length === 0) break;
        parts.push(part);
      }
    } finally {
      this.close(file);
    }
    return Buffer.concat(parts);
  }

  writeFile(path: string, data: string | Uint8Array, mode = 0o644): void {
    const file = this.open(path, O.WRONLY | O.CREAT | O.TRUNC, mode);
    try {
      if (data.length > 0) this.write(file, data);
    } finally {
      this.close(file);
    }
  }

  /** Entries in the order reported, "." and ".." included, read with a buffer of `capacity` bytes. */
  list(path: string, capacity = 4096): DirectoryEntry[] {
    const file = this.open(path, O.DIRECTORY);
    const entries: DirectoryEntry[] = [];
    try {
      for (;;) {
        const used = checked(this.exports.list(file, this.#out, BigInt(capacity)));
        if (used === 0) break;
        const data = this.#taken(used);
        for (let at = 0; at < used; ) {
          const length = data.readUInt32LE(at + 12);
          entries.push({
            name: data.toString("utf8", at + 16, at + 16 + length),
            inode: data.readBigUInt64LE(at),
            type: data.readUInt32LE(at + 8),
          });
          at += 16 + length;
        }
      }
    } finally {
      this.close(file);
    }
    return entries;
  }

  /** Names without "." and "..", sorted. */
  names(path: string): string[] {
    return this.list(path)
      .map((entry) => entry.name)
      .filter((name) => name !== "." && name !== "..")
      .sort();
  }

  stat(path: string, follow = true): FileStat {
    checked(this.exports.stat(...this.#path(path), follow ? 1 : 0, this.#out));
    const data = this.#taken(56);
    return {
      mode: data.readUInt32LE(0),
      links: data.readUInt32LE(4),
      uid: data.readUInt32LE(8),
      gid: data.readUInt32LE(12),
      size: Number(data.readBigUInt64LE(16)),
      inode: data.readBigUInt64LE(24),
      device: data.readBigUInt64LE(32),
      blocks: Number(data.readBigUInt64LE(40)),
      modifySeconds: Number(data.readBigInt64LE(48)),
    };
  }

  readlink(path: string): string {
    const length = checked(this.exports.readlink(...this.#path(path), this.#out, 4096n));
    return this.#taken(length).toString();
  }

  canonical(path: string, flags = 1): string {
    return this.#taken(
      checked(this.exports.canonical(...this.#path(path), flags, this.#out)),
    ).toString();
  }

  chdir(path: string): void {
    checked(this.exports.chdir(...this.#path(path)));
  }
  chmod(path: string, mode: number): void {
    checked(this.exports.chmod(...this.#path(path), mode));
  }
  mkdir(path: string, mode = 0o755): void {
    checked(this.exports.mkdir(...this.#path(path), mode));
  }
  mknod(path: string, mode: number, device = 0n): void {
    checked(this.exports.mknod(...this.#path(path), mode, device));
  }
  symlink(target: string, path: string): void {
    checked(this.exports.symlink(...this.#text(this.#pathB, target), ...this.#path(path)));
  }
  link(old: string, path: string): void {
    checked(this.exports.link(...this.#text(this.#pathB, old), ...this.#path(path)));
  }
  unlink(path: string): void {
    checked(this.exports.unlink(...this.#path(path)));
  }
  rmdir(path: string): void {
    checked(this.exports.rmdir(...this.#path(path)));
  }
  rename(old: string, path: string, flags = 0): void {
    checked(this.exports.rename(...this.#text(this.#pathB, old), ...this.#path(path), flags));
  }
  truncate(file: bigint, size: number): void {
    checked(this.exports.truncate(file, BigInt(size)));
  }
  allocate(file: bigint, mode: number, offset: number, length: number): void {
    checked(this.exports.allocate(file, mode, BigInt(offset), BigInt(length)));
  }
  seek(file: bigint, offset: number, origin: number): number {
    return checked(this.exports.seek(file, BigInt(offset), origin));
  }
  /** Gives /proc process 7, which runs the file at `path`. */
  addProcess(path: string): void {
    checked(this.exports.addProcess(...this.#path(path)));
  }
  memfd(name: string): bigint {
    return pointer(this.exports.memfd(...this.#path(name)));
  }
  /** Read end, write end, both non-blocking. */
  pipe(): [bigint, bigint] {
    checked(this.exports.pipe(this.#out));
    const ends = this.#taken(16);
    return [ends.readBigUInt64LE(0), ends.readBigUInt64LE(8)];
  }
}
