/**
 * Files in memory without a name: memfd_create(2), shared anonymous memory.
 */
import { ENOMEM, asError } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { O_RDWR, S_IFREG } from "../constants";
import { createUnnamedDentry } from "../dentry";
import { kernelMemoryIsShort } from "../page-cache";
import { RegularFile } from "../regular-file";
import { Vnode } from "../vnode";
import { TmpfsFile } from "./file";
import { TmpfsFileSystem } from "./file-system";

/** The file system, mounted nowhere, that nameless files belong to. */
const memoryFiles = new TmpfsFileSystem();

/** Makes an empty file without a name; the caller owns the reference. */
export function createMemoryVnode(): Vnode {
  const node = new TmpfsFile(memoryFiles, S_IFREG | 0o777, memoryFiles.newInode());
  node.linkCount = 0;
  return node;
}

/**
 * Makes an unnamed file in memory (memfd_create(2)).
 * @param name bytes shown in /proc/self/fd as "/memfd:NAME (deleted)"
 * @param seals initial F_SEAL_* bits
 * @returns a File opened for reading and writing, or -ENOMEM
 */
export function createMemoryFile(name: usize, nameLength: usize, seals: u32): usize {
  if (kernelMemoryIsShort()) return asError(-ENOMEM);
  const prefix: usize = 7;
  const label = heapAllocate(prefix + nameLength);
  if (!label) return asError(-ENOMEM);
  // "/memfd:"
  store<u64>(label, 0x3a64666d656d2f);
  memory.copy(label + prefix, name, nameLength);
  const node = createMemoryVnode();
  node.seals = seals;
  const dentry = createUnnamedDentry(node, label, prefix + nameLength);
  dentry.isDeleted = true;
  heapFree(label);
  const file = new RegularFile(dentry, O_RDWR);
  dentry.release();
  return changetype<usize>(file);
}
