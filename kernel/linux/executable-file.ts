/**
 * A file opened to be executed: found by its path, checked for permission, its first page read, and
 * its ELF headers where it has them.
 *
 * Neighbours: `exec.ts` (decides what to do with it), `elf.ts`, `script.ts` (`#!`).
 */
import { S_IXUGO } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { READ_AROUND } from "../fs/file-pages";
import { openDentry } from "../fs/namespace";
import { IN_ACCESS, notifyFile } from "../fs/notify";
import { FsContext, resolve } from "../fs/path";
import { EACCES, EIO, ENOEXEC, ENOMEM, ETXTBSY, asError, isError } from "../lib/errno";
import { free } from "../lib/object";
import { frameOf, releaseFrame, toVirtual } from "../mm/frames";
import { heapAllocate, heapFree } from "../mm/heap";
import {
  ELF_HEADER_BYTES,
  ELF_OK,
  ElfHeader,
  ElfLayout,
  PROGRAM_HEADER_BYTES,
  checkElfHeader,
  checkProgramHeaders,
  elfError,
} from "./elf";

/** How much of the file is read to recognise it. */
export const FIRST_BYTES: usize = 4096;
const O_RDONLY: u32 = 0;

export class ExecutableFile {
  /** The file's first bytes, and how many there are (at most FIRST_BYTES). */
  header: usize = 0;
  headerBytes: usize = 0;
  /** The program header table; 0 before `readElf`. */
  table: usize = 0;
  layout: ElfLayout = new ElfLayout();
  private file: File | null = null;
  private isClaimed: bool = false;
  private ownsTable: bool = false;

  /**
   * Finds and opens the file at `path` (kernel memory).
   * @param base where a relative path starts; null: the working directory
   * @returns 0, or -ENOENT, -ENOTDIR, -EACCES (no regular file, no x bit), -ETXTBSY (open for writing),
   *   -EIO, -ENOMEM …
   */
  open(
    context: FsContext,
    base: Dentry | null,
    path: usize,
    pathLength: usize,
    resolveFlags: u32,
  ): i64 {
    const found = resolve(context, base, path, pathLength, resolveFlags);
    if (isError(found)) return <i64>found;
    const dentry = changetype<Dentry>(found);
    const result = this.openDentry(dentry);
    dentry.release();
    return result;
  }

  private openDentry(dentry: Dentry): i64 {
    const node = dentry.node;
    if (!node.isRegular || (node.mode & S_IXUGO) == 0) return -EACCES;
    const opened = openDentry(dentry, O_RDONLY);
    if (isError(opened)) return <i64>opened;
    this.file = changetype<File>(opened);
    this.isClaimed = node.beginRunning();
    if (!this.isClaimed) return -ETXTBSY;
    this.header = heapAllocate(FIRST_BYTES);
    if (this.header == 0) return -ENOMEM;
    return this.readFirstBytes(dentry);
  }

  /** Reads as a mapping's first touch does, because the file is mapped next: a small one as a whole. */
  private readFirstBytes(dentry: Dentry): i64 {
    const node = dentry.node;
    const size = min<u64>(node.sizeBytes(), FIRST_BYTES);
    if (size == 0) return 0;
    const page = node.pageForRead(0, READ_AROUND, true);
    if (page < 0) return page;
    this.headerBytes = <usize>size;
    if (page == 0) {
      memory.fill(this.header, 0, <usize>size); // a hole
    } else {
      memory.copy(this.header, toVirtual(<u64>page), <usize>size);
      releaseFrame(frameOf(<u64>page));
    }
    notifyFile(dentry, IN_ACCESS);
    return 0;
  }

  /** The file; valid after a successful `open`. */
  private opened(): File {
    return changetype<File>(this.file);
  }

  /** The name the file was opened by. */
  dentry(): Dentry | null {
    return this.opened().dentry;
  }

  /** Size of the file in bytes. */
  fileBytes(): u64 {
    const dentry = this.dentry();
    return dentry ? dentry.node.sizeBytes() : 0;
  }

  /** The file's pager with a reference for the caller, or a negative error. */
  pager(): usize {
    return this.opened().pager();
  }

  /**
   * Checks the ELF headers and reads the program header table.
   * @returns 0, -ENOEXEC, -ELIBBAD, -EINVAL, -ENOMEM, -EIO
   */
  readElf(isInterpreter: bool): i64 {
    const size = this.fileBytes();
    const reason = checkElfHeader(this.header, this.headerBytes, size);
    if (reason != ELF_OK) return elfError(reason, isInterpreter);
    const elf = changetype<ElfHeader>(this.header);
    const offset = elf.programHeaderOffset;
    const bytes = <usize>elf.programHeaderCount * PROGRAM_HEADER_BYTES;
    if (offset + bytes <= this.headerBytes) {
      this.table = this.header + <usize>offset;
    } else {
      this.table = heapAllocate(bytes);
      if (this.table == 0) return -ENOMEM;
      this.ownsTable = true;
      const error = this.read(this.table, bytes, offset);
      if (error != 0) return error;
    }
    return checkProgramHeaders(this.header, this.table, size, this.layout);
  }

  /** Reads exactly `length` bytes of the file at `offset`; 0, -EIO or -ENOEXEC (too short). */
  read(target: usize, length: usize, offset: u64): i64 {
    let done: usize = 0;
    while (done < length) {
      const bytes = this.opened().readAt(target + done, length - done, offset + done);
      if (bytes < 0) return -EIO;
      if (bytes == 0) return -ENOEXEC;
      done += <usize>bytes;
    }
    return 0;
  }

  /**
   * The path of the interpreter that the program names.
   * @returns a heap block with the zero-terminated path, 0 if it names none, or a negative error
   */
  interpreterPath(): usize {
    const layout = this.layout;
    const bytes = <usize>layout.interpreterBytes;
    if (bytes == 0) return 0;
    const path = heapAllocate(bytes);
    if (path == 0) return asError(-ENOMEM);
    const error = this.read(path, bytes, layout.interpreterOffset);
    if (error == 0 && load<u8>(path + bytes - 1) == 0 && load<u8>(path) != 0) return path;
    heapFree(path);
    return asError(error != 0 ? error : -ENOEXEC);
  }

  /** Closes the file and frees the object. */
  destroy(): void {
    const file = this.file;
    if (file) {
      const vnode = file.vnode;
      if (this.isClaimed && vnode) vnode.endRunning();
      file.release();
    }
    if (this.ownsTable) heapFree(this.table);
    if (this.header != 0) heapFree(this.header);
    free(this.layout);
    free(this);
  }
}

/** True if the file begins with the four bytes of an ELF file. */
export function looksLikeElf(file: ExecutableFile): bool {
  return file.headerBytes >= 4 && load<u32>(file.header) == 0x464c457f;
}

/** True if the whole first line is there and it begins with `#!`. */
export function looksLikeScript(file: ExecutableFile): bool {
  return file.headerBytes >= ELF_HEADER_BYTES / 32 && load<u16>(file.header) == 0x2123;
}
