/**
 * Writes an EROFS image from a tree, in one pass over the files and in constant memory.
 *
 * The same tree gives the same bytes on every machine: order, addresses, the volume's UUID (a hash
 * of the contents) and time stamps depend on nothing else. Block 0 is written last, because the
 * superblock holds that hash; until then the file is not a valid image.
 *
 * Neighbours: `layout.ts` plans, `output.ts` is the file, `format.ts` the encoding; `../build.ts`
 * adds cache and limits.
 */
import { UserError } from "../../errors.ts";
import type { FsTree } from "../tree.ts";
import { uuidFromHash, uuidText } from "../uuid.ts";
import { openContent } from "./content.ts";
import { superblockChecksum } from "./crc32c.ts";
import { encodeDirectoryBlock } from "./directory.ts";
import {
  BLOCK_SIZE_BYTES,
  encodeDevice,
  encodeInode,
  encodeSuperblock,
  KINDS,
  LAYOUT_FLAT_INLINE,
  LAYOUT_FLAT_PLAIN,
  SLOT_SIZE_BYTES,
  SUPERBLOCK_OFFSET_BYTES,
} from "./format.ts";
import { headSizeBytes, type PlannedInode } from "./inodes.ts";
import { type Layout, planLayout } from "./layout.ts";
import { ImageOutput } from "./output.ts";
import { Pacer } from "./pacer.ts";

export interface ErofsOptions {
  /** At most 15 bytes; default `osv.ts`. */
  readonly volumeName?: string;
  /** See `LayoutOptions.inlineTails`; default true. */
  readonly inlineTails?: boolean;
  /** Refuse to write more than this; default unlimited. */
  readonly maxSizeBytes?: number;
  /** Told about the bytes of image written so far, and the bytes it will have. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Stops the writer with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Facts about a written image. */
export interface ImageSummary {
  readonly sizeBytes: number;
  /** Directory entries apart from `.` and `..`. */
  readonly entries: number;
  /** Regular files (hard links counted once). */
  readonly files: number;
  /** Sum of the sizes of these files. */
  readonly contentBytes: number;
  /** Part of `contentBytes` that was not stored again because equal contents were there already. */
  readonly sharedBytes: number;
  /** RFC 9562 text form. */
  readonly uuid: string;
}

function directoryBytes(inode: PlannedInode): Buffer {
  const blocks = (inode.directory?.blocks ?? []).map((entries) =>
    encodeDirectoryBlock(entries, (target) => ({
      nid: target.nid,
      direntType: KINDS[target.node.kind].direntType,
    })),
  );
  const bytes = Buffer.alloc(inode.sizeBytes);
  for (const [index, block] of blocks.entries()) bytes.set(block, index * BLOCK_SIZE_BYTES);
  return bytes;
}

/** Contents that are made here rather than read from a file. */
function generatedBytes(inode: PlannedInode): Uint8Array | undefined {
  if (inode.node.kind === "directory") return directoryBytes(inode);
  if (inode.node.kind === "symlink") return Buffer.from(inode.node.target);
  if (inode.node.kind === "file" && inode.node.content.from === "bytes") {
    return inode.node.content.bytes;
  }
  return undefined;
}

/**
 * Copies a part of an inode's contents into the space that `take` hands out, which may be less than
 * asked for. Yields after each piece, so that the caller can pause within a large file.
 */
function* copyContent(
  inode: PlannedInode,
  startBytes: number,
  endBytes: number,
  take: (sizeBytes: number) => Buffer,
): Generator<void> {
  if (startBytes === endBytes) return;
  const bytes = generatedBytes(inode);
  const reader =
    bytes === undefined && inode.node.kind === "file"
      ? openContent(inode.node.content)
      : openContent({ from: "bytes", bytes: bytes ?? new Uint8Array(0) });
  try {
    for (let offset = startBytes; offset < endBytes; ) {
      const target = take(endBytes - offset);
      reader.read(target, offset);
      offset += target.length;
      yield;
    }
  } finally {
    reader.close();
  }
}

function encodePlannedInode(inode: PlannedInode): Buffer {
  const { node } = inode;
  const device = "major" in node ? encodeDevice(node.major, node.minor) : undefined;
  return encodeInode({
    kind: node.kind,
    isExtended: inode.isExtended,
    layout: inode.tailBytes > 0 ? LAYOUT_FLAT_INLINE : LAYOUT_FLAT_PLAIN,
    xattrSizeBytes: inode.xattrs.length,
    mode: node.attributes.mode,
    linkCount: inode.linkCount,
    sizeBytes: inode.sizeBytes,
    startBlockOrDevice: device ?? inode.startBlock,
    ino: inode.ino,
    uid: node.attributes.uid,
    gid: node.attributes.gid,
    mtimeNs: node.attributes.mtimeNs,
  });
}

/** Writes an inode, its attributes and its tail into a metadata block. */
function putInode(inode: PlannedInode, block: Buffer): void {
  const offset = (inode.nid * SLOT_SIZE_BYTES) % BLOCK_SIZE_BYTES;
  const encoded = encodePlannedInode(inode);
  block.set(encoded, offset);
  block.set(inode.xattrs, offset + encoded.length);
  let tailOffset = offset + headSizeBytes(inode);
  const takeTail = (sizeBytes: number): Buffer => {
    const target = block.subarray(tailOffset, tailOffset + sizeBytes);
    tailOffset += sizeBytes;
    return target;
  };
  const start = inode.sizeBytes - inode.tailBytes;
  // A tail is less than a block: a single piece, nothing to pause for.
  for (const _ of copyContent(inode, start, inode.sizeBytes, takeTail));
}

/** Inodes by metadata block. */
function groupByBlock(layout: Layout): PlannedInode[][] {
  const groups: PlannedInode[][] = Array.from({ length: layout.metadataBlockCount }, () => []);
  for (const inode of layout.inodes) {
    groups[Math.floor((inode.nid * SLOT_SIZE_BYTES) / BLOCK_SIZE_BYTES)]?.push(inode);
  }
  return groups;
}

function summarize(layout: Layout, uuid: Uint8Array): ImageSummary {
  let entries = 0;
  let files = 0;
  let contentBytes = 0;
  let sharedBytes = 0;
  for (const inode of layout.inodes) {
    if (inode.directory !== undefined) {
      entries += inode.directory.blocks.reduce((sum, block) => sum + block.length, -2);
    }
    if (inode.node.kind !== "file") continue;
    files += 1;
    contentBytes += inode.sizeBytes;
    if (inode.sharesBlocks) sharedBytes += inode.sizeBytes - inode.tailBytes;
  }
  return {
    sizeBytes: layout.blockCount * BLOCK_SIZE_BYTES,
    entries,
    files,
    contentBytes,
    sharedBytes,
    uuid: uuidText(uuid),
  };
}

function checkSize(sizeBytes: number, maxSizeBytes: number): void {
  if (sizeBytes <= maxSizeBytes) return;
  throw new UserError({
    code: "ImageTooLarge",
    what: "cannot build the image",
    why: `it would have ${sizeBytes} bytes; the limit is ${maxSizeBytes}`,
    fix: "add fewer files, or raise the limit",
  });
}

/**
 * Writes the image of a tree to a file, which is created or replaced.
 *
 * Throws a UserError if a file cannot be read or changes meanwhile, if the disk is full, or if the
 * image would exceed `maxSizeBytes`; a RangeError for a tree that EROFS cannot hold. After an error
 * the output file is left behind, but it is never a valid image.
 */
export async function writeErofs(
  tree: FsTree,
  outputPath: string,
  options: ErofsOptions = {},
): Promise<ImageSummary> {
  const pacer = new Pacer(options.signal);
  const layout = await planLayout(tree, {
    inlineTails: options.inlineTails ?? true,
    pause: () => pacer.pause(),
  });
  const totalBytes = layout.blockCount * BLOCK_SIZE_BYTES;
  checkSize(totalBytes, options.maxSizeBytes ?? Number.POSITIVE_INFINITY);

  const output = new ImageOutput(outputPath);
  try {
    const superblock = {
      rootNid: layout.inodes[0]?.nid ?? 0,
      inodeCount: layout.inodes.length,
      buildTimeNs: layout.buildTimeNs,
      blockCount: layout.blockCount,
      metaBlock: 0,
      uuid: new Uint8Array(16),
      volumeName: options.volumeName ?? "osv.ts",
    };
    const block0 = Buffer.alloc(BLOCK_SIZE_BYTES);
    block0.set(encodeSuperblock(superblock), SUPERBLOCK_OFFSET_BYTES);
    const block = Buffer.alloc(BLOCK_SIZE_BYTES);
    for (const [index, inodes] of groupByBlock(layout).entries()) {
      const target = index === 0 ? block0 : block.fill(0);
      for (const inode of inodes) putInode(inode, target);
      output.append(target);
      await pacer.pause();
    }
    for (const inode of layout.inodes) {
      if (inode.sharesBlocks || inode.blockCount === 0) continue;
      const end = inode.sizeBytes - inode.tailBytes;
      for (const _ of copyContent(inode, 0, end, (sizeBytes) => output.reserve(sizeBytes))) {
        options.onProgress?.(output.positionBytes, totalBytes);
        await pacer.pause();
      }
      output.padTo((inode.startBlock + inode.blockCount) * BLOCK_SIZE_BYTES);
    }

    const uuid = uuidFromHash(output.finish());
    block0.set(encodeSuperblock({ ...superblock, uuid }), SUPERBLOCK_OFFSET_BYTES);
    const checksum = superblockChecksum(block0, SUPERBLOCK_OFFSET_BYTES);
    block0.writeUInt32LE(checksum, SUPERBLOCK_OFFSET_BYTES + 4);
    output.overwriteStart(block0);
    return summarize(layout, uuid);
  } finally {
    output.close();
  }
}
