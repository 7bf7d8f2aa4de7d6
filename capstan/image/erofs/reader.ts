/**
 * Reads EROFS images: what `writer.ts` writes, and other uncompressed ones with 4 KiB blocks.
 *
 * Used to test the writer and to look into images. Nothing in an image is trusted: whatever points
 * outside of it or makes no sense ends in an `ErofsFormatError`.
 *
 * Neighbours: `decode.ts` and `directory.ts` decode, `xattr.ts` decodes extended attributes.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { splitPath } from "../tree.ts";
import { decodeInode, decodeSuperblock, ErofsFormatError, inodeSizeBytes } from "./decode.ts";
import { type DecodedEntry, decodeDirectoryBlock } from "./directory.ts";
import {
  BLOCK_SIZE_BYTES,
  type DiskInode,
  LAYOUT_FLAT_INLINE,
  SLOT_SIZE_BYTES,
  type Superblock,
} from "./format.ts";
import { decodeXattrs } from "./xattr.ts";

/** An inode together with its address. */
export interface ImageInode extends DiskInode {
  readonly nid: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Runs a decoder and turns its RangeErrors (also those of Buffer) into ErofsFormatErrors. */
function decoding<Result>(what: string, decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) throw new ErofsFormatError(`${what}: ${error.message}`);
    throw error;
  }
}

/** Where an image lies: a file, or a part of a disk. */
export interface ImageSource {
  readonly sizeBytes: number;
  /** Fills `target` with the bytes at `offsetBytes`, which lie within the source. */
  read(target: Buffer, offsetBytes: number): void;
  close(): void;
}

/** A file as the source of an image. */
class FileSource implements ImageSource {
  readonly sizeBytes: number;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
    this.sizeBytes = fstatSync(this.#fd).size;
  }

  read(target: Buffer, offsetBytes: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.#fd, target, done, target.length - done, offsetBytes + done);
      if (count === 0) throw new ErofsFormatError("the image was truncated while being read");
      done += count;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** An open image. Close it when done. */
export class ErofsImage {
  readonly superblock: Superblock;
  readonly #source: ImageSource;

  /**
   * Opens an image in a file, by its path, or elsewhere; throws Node's system errors, or an
   * ErofsFormatError.
   */
  constructor(from: string | ImageSource) {
    this.#source = typeof from === "string" ? new FileSource(from) : from;
    try {
      this.superblock = decodeSuperblock(this.#readAt(0, BLOCK_SIZE_BYTES));
      if (this.superblock.blockCount * BLOCK_SIZE_BYTES > this.#source.sizeBytes) {
        throw new ErofsFormatError(
          `the image should have ${this.superblock.blockCount} blocks but has only ${this.#source.sizeBytes} bytes`,
        );
      }
    } catch (error) {
      this.#source.close();
      throw error;
    }
  }

  close(): void {
    this.#source.close();
  }

  /** The inode with this number. */
  inode(nid: number): ImageInode {
    const offset = this.superblock.metaBlock * BLOCK_SIZE_BYTES + nid * SLOT_SIZE_BYTES;
    const size = inodeSizeBytes(this.#readAt(offset, 2).readUInt16LE(0));
    return decoding(`inode ${nid}`, () => {
      const inode = decodeInode(this.#readAt(offset, size), this.superblock.buildTimeNs);
      const xattrs = decodeXattrs(this.#readAt(offset + size, inode.xattrSizeBytes));
      return { ...inode, nid, xattrs };
    });
  }

  /** The root directory. */
  root(): ImageInode {
    return this.inode(this.superblock.rootNid);
  }

  /** Follows a path from the root, without symbolic links; undefined if it does not exist. */
  lookup(path: string): ImageInode | undefined {
    let inode = this.root();
    for (const name of splitPath(path)) {
      if (inode.kind !== "directory") return undefined;
      const entry = this.entries(inode).find((candidate) => candidate.name === name);
      if (entry === undefined) return undefined;
      inode = this.inode(entry.nid);
    }
    return inode;
  }

  /** All entries of a directory, `.` and `..` included, in the order of the image. */
  entries(directory: ImageInode): DecodedEntry[] {
    const bytes = this.read(directory, 0, directory.sizeBytes);
    return decoding(`directory ${directory.nid}`, () => {
      const entries: DecodedEntry[] = [];
      for (let offset = 0; offset < bytes.length; offset += BLOCK_SIZE_BYTES) {
        entries.push(...decodeDirectoryBlock(bytes.subarray(offset, offset + BLOCK_SIZE_BYTES)));
      }
      return entries;
    });
  }

  /** The target of a symbolic link. */
  readLink(link: ImageInode): string {
    return this.read(link, 0, link.sizeBytes).toString("utf8");
  }

  /** Up to `sizeBytes` bytes of an inode's contents, fewer only at its end. */
  read(inode: ImageInode, offsetBytes: number, sizeBytes: number): Buffer {
    const end = Math.min(offsetBytes + sizeBytes, inode.sizeBytes);
    if (end <= offsetBytes) return Buffer.alloc(0);
    const isInline = inode.layout === LAYOUT_FLAT_INLINE;
    const tailSize = isInline ? inode.sizeBytes % BLOCK_SIZE_BYTES : 0;
    const tailStart = inode.sizeBytes - tailSize;
    const dataStart = inode.startBlockOrDevice * BLOCK_SIZE_BYTES;
    const parts: Buffer[] = [];
    if (offsetBytes < tailStart) {
      const count = Math.min(end, tailStart) - offsetBytes;
      parts.push(this.#readAt(dataStart + offsetBytes, count));
    }
    if (end > tailStart) {
      const start = Math.max(offsetBytes, tailStart);
      parts.push(this.#readAt(this.#tailOffset(inode) + start - tailStart, end - start));
    }
    return Buffer.concat(parts);
  }

  #tailOffset(inode: ImageInode): number {
    const start = this.superblock.metaBlock * BLOCK_SIZE_BYTES + inode.nid * SLOT_SIZE_BYTES;
    return start + (inode.isExtended ? 64 : 32) + inode.xattrSizeBytes;
  }

  #readAt(offsetBytes: number, sizeBytes: number): Buffer {
    if (offsetBytes + sizeBytes > this.#source.sizeBytes) {
      throw new ErofsFormatError(
        `${sizeBytes} bytes at ${offsetBytes} lie outside of the image's ${this.#source.sizeBytes}`,
      );
    }
    const bytes = Buffer.alloc(sizeBytes);
    this.#source.read(bytes, offsetBytes);
    return bytes;
  }
}
