/**
 * The model of the file-system tests: Linux itself. The same operations as `KernelFiles`, on a
 * directory of the host, with the same errors.
 */
import fs from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Errno } from "./kernel-files.ts";

/** Runs a call of node:fs and turns its error into an `Errno`. */
function call<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const number = constants.errno[code as keyof typeof constants.errno];
    if (number === undefined) throw error;
    throw new Errno(number);
  }
}

/** Operations below one directory; paths are relative to it and passed on byte by byte. */
export class HostFiles {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  #path(path: string): string {
    return `${this.#base}/${path}`;
  }

  open(path: string, flags: number, mode = 0o644): number {
    return call(() => fs.openSync(this.#path(path), flags, mode));
  }
  close(file: number): void {
    fs.closeSync(file);
  }
  writeAt(file: number, data: Uint8Array, offset: number): number {
    return call(() => fs.writeSync(file, data, 0, data.length, offset));
  }
  /** Writes at the file offset. */
  write(file: number, data: Uint8Array): number {
    return call(() => fs.writeSync(file, data, 0, data.length, null));
  }
  readAt(file: number, length: number, offset: number): Buffer {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(
      0,
      call(() => fs.readSync(file, buffer, 0, length, offset)),
    );
  }
  truncate(file: number, size: number): void {
    call(() => fs.ftruncateSync(file, size));
  }
  mkdir(path: string): void {
    call(() => fs.mkdirSync(this.#path(path), 0o755));
  }
  rmdir(path: string): void {
    call(() => fs.rmdirSync(this.#path(path)));
  }
  unlink(path: string): void {
    call(() => fs.unlinkSync(this.#path(path)));
  }
  symlink(target: string, path: string): void {
    call(() => fs.symlinkSync(target, this.#path(path)));
  }
  link(old: string, path: string): void {
    call(() => fs.linkSync(this.#path(old), this.#path(path)));
  }
  rename(old: string, path: string): void {
    call(() => fs.renameSync(this.#path(old), this.#path(path)));
  }
  readlink(path: string): string {
    return call(() => fs.readlinkSync(this.#path(path)));
  }
  /** Type, size of what has one, number of names of what is no directory. */
  stat(path: string, follow: boolean): { mode: number; size: number; links: number } {
    const stat = call(() =>
      follow ? fs.statSync(this.#path(path)) : fs.lstatSync(this.#path(path)),
    );
    const isDirectory = stat.isDirectory();
    const { mode, size, nlink } = stat;
    return { mode, size: isDirectory ? 0 : size, links: isDirectory ? 0 : nlink };
  }
  names(path: string): string[] {
    return call(() => fs.readdirSync(this.#path(path))).sort();
  }
  /** A path of the host below the directory. */
  hostPath(path: string): string {
    return join(this.#base, path);
  }
}
