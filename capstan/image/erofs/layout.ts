/**
 * Second step of writing an image: gives every inode and every file an address.
 *
 * Metadata blocks come first (superblock in block 0), data blocks behind them in the order of the
 * inodes. Files with equal contents share their data blocks; tails are never shared, because each
 * lies behind its own inode. Only files of equal size are read for comparison, so that most files
 * are read once, when they are written.
 *
 * Neighbours: `inodes.ts` lists the inodes, `packer.ts` fills metadata blocks, `writer.ts` writes.
 */
import { UserError } from "../../errors.ts";
import type { FsTree } from "../tree.ts";
import { hashContent } from "./content.ts";
import {
  BLOCK_SIZE_BYTES,
  MAX_BLOCKS,
  SUPERBLOCK_OFFSET_BYTES,
  SUPERBLOCK_SIZE_BYTES,
} from "./format.ts";
import { headSizeBytes, listInodes, type PlannedInode } from "./inodes.ts";
import { MetadataPacker } from "./packer.ts";

export interface LayoutOptions {
  /**
   * Keep the last, incomplete block of a file behind its inode where it fits (default). Without it
   * every file starts and ends on a block of its own: larger, but all of it can be mapped in place.
   */
  readonly inlineTails: boolean;
  /** Called now and then; lets other work run and may throw to stop. */
  readonly pause: () => Promise<void>;
}

/** All addresses of an image. */
export interface Layout {
  /** In order of the data blocks; the root directory first. */
  readonly inodes: readonly PlannedInode[];
  readonly buildTimeNs: bigint;
  /** Blocks 0 to metadataBlockCount - 1 hold the superblock and inodes. */
  readonly metadataBlockCount: number;
  readonly blockCount: number;
}

function splitContents(inode: PlannedInode, inlineTails: boolean): void {
  const tail = inode.sizeBytes % BLOCK_SIZE_BYTES;
  const fits = headSizeBytes(inode) + tail <= BLOCK_SIZE_BYTES;
  const wanted = inlineTails || inode.node.kind !== "file";
  inode.tailBytes = fits && wanted ? tail : 0;
  inode.blockCount = Math.ceil((inode.sizeBytes - inode.tailBytes) / BLOCK_SIZE_BYTES);
}

/**
 * Finds files whose data blocks are equal. The result maps the later ones to the first one.
 * Equal contents with different numbers of blocks (one tail inline, one not) are kept apart.
 */
async function findDuplicates(
  inodes: readonly PlannedInode[],
  pause: () => Promise<void>,
): Promise<Map<PlannedInode, PlannedInode>> {
  const candidates = new Map<string, PlannedInode[]>();
  for (const inode of inodes) {
    if (inode.node.kind !== "file" || inode.blockCount === 0) continue;
    const key = `${inode.sizeBytes}:${inode.blockCount}`;
    const group = candidates.get(key);
    if (group === undefined) candidates.set(key, [inode]);
    else group.push(inode);
  }
  const firstOf = new Map<PlannedInode, PlannedInode>();
  for (const group of candidates.values()) {
    if (group.length < 2) continue;
    const byHash = new Map<string, PlannedInode>();
    for (const inode of group) {
      if (inode.node.kind !== "file") continue;
      const hash = await hashContent(inode.node.content, pause);
      const first = byHash.get(hash);
      if (first === undefined) byHash.set(hash, inode);
      else firstOf.set(inode, first);
      await pause();
    }
  }
  return firstOf;
}

/** Plans an image. Throws a RangeError for a tree that EROFS cannot hold, see `listInodes`. */
export async function planLayout(tree: FsTree, options: LayoutOptions): Promise<Layout> {
  const { inodes, buildTimeNs } = listInodes(tree);
  const packer = new MetadataPacker(SUPERBLOCK_OFFSET_BYTES + SUPERBLOCK_SIZE_BYTES);
  for (const inode of inodes) {
    splitContents(inode, options.inlineTails);
    inode.nid = packer.place(headSizeBytes(inode) + inode.tailBytes);
  }

  const duplicates = await findDuplicates(inodes, options.pause);
  let nextBlock = packer.blockCount;
  for (const inode of inodes) {
    if (inode.blockCount === 0) continue;
    const first = duplicates.get(inode);
    if (first !== undefined) {
      inode.startBlock = first.startBlock;
      inode.sharesBlocks = true;
      continue;
    }
    inode.startBlock = nextBlock;
    nextBlock += inode.blockCount;
  }
  if (nextBlock >= MAX_BLOCKS) {
    throw new UserError({
      code: "ImageTooLarge",
      what: "cannot build the image",
      why: `it would have ${nextBlock} blocks of 4 KiB; the format ends at ${MAX_BLOCKS} (16 TiB)`,
      fix: "add fewer files",
    });
  }
  return { inodes, buildTimeNs, metadataBlockCount: packer.blockCount, blockCount: nextBlock };
}
