/**
 * /dev: a tmpfs that is filled at boot with a node for every registered device, and the links that
 * programs expect (/dev/fd, /dev/stdin …).
 *
 * Neighbours: `dev/character` and `dev/block` (the devices), `special` (opens character devices).
 */
import { BlockDevice, blockDeviceAt, blockDeviceCount } from "../../dev/block";
import { CharacterDevice, firstCharacterDevice } from "../../dev/character";
import { isError } from "../../lib/errno";
import { S_IFBLK, S_IFCHR, makeDevice } from "../constants";
import { FileSystem, Vnode } from "../vnode";
import { TmpfsDirectory } from "../tmpfs/directory";
import { TmpfsFileSystem } from "../tmpfs/file-system";

import { BlockNode } from "./block-node";
import { Literal } from "../literal";

/** Major number of virtio disks here; Linux assigns one dynamically. */
const BLOCK_MAJOR: u32 = 254;

class DevFileSystem extends TmpfsFileSystem {
  typeName(): string {
    return "devtmpfs";
  }
}

/** Makes the file system with all devices registered so far. */
export function createDevfs(): FileSystem {
  const fs = new DevFileSystem();
  fs.makeRoot(0o755);
  const root = changetype<TmpfsDirectory>(changetype<usize>(fs.root()));
  let device = firstCharacterDevice();
  while (device) {
    addCharacterNode(root, device);
    device = device.next;
  }
  for (let i: u32 = 0; i < blockDeviceCount(); i++) {
    const block = blockDeviceAt(i);
    if (block) addBlockNode(fs, root, block, i);
  }
  addLink(root, "fd", "/proc/self/fd");
  addLink(root, "stdin", "/proc/self/fd/0");
  addLink(root, "stdout", "/proc/self/fd/1");
  addLink(root, "stderr", "/proc/self/fd/2");
  addDirectory(root, "shm", 0o1777);
  addDirectory(root, "pts", 0o755);
  return fs;
}

function addCharacterNode(root: TmpfsDirectory, device: CharacterDevice): void {
  const name = new Literal(device.name);
  const number = makeDevice(device.major, device.minor);
  giveUp(root.create(name.bytes, name.length, S_IFCHR | device.mode, number));
  name.dispose();
}

function addBlockNode(
  fs: TmpfsFileSystem,
  root: TmpfsDirectory,
  device: BlockDevice,
  index: u32,
): void {
  const name = new Literal(device.name);
  const node = new BlockNode(fs, S_IFBLK | 0o660, device, makeDevice(BLOCK_MAJOR, index * 16));
  root.insert(name.bytes, name.length, node);
  name.dispose();
}

function addLink(root: TmpfsDirectory, name: string, target: string): void {
  const from = new Literal(name);
  const to = new Literal(target);
  giveUp(root.symlink(from.bytes, from.length, to.bytes, to.length));
  from.dispose();
  to.dispose();
}

function addDirectory(root: TmpfsDirectory, name: string, mode: u32): void {
  const bytes = new Literal(name);
  giveUp(root.mkdir(bytes.bytes, bytes.length, 0x4000 | mode));
  bytes.dispose();
}

/** The directory keeps the new node; the caller's reference is not needed. */
function giveUp(made: usize): void {
  if (!isError(made)) changetype<Vnode>(made).release();
}
