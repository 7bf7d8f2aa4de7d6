/**
 * /dev: a tmpfs that is filled, when something is first looked for in it, with a node for every
 * registered device and the links that programs expect (/dev/fd, /dev/stdin …). /dev/shm is a
 * directory of it; /dev/pts, which is mounted on, is there from the start.
 *
 * Neighbours: `dev/character` and `dev/block` (the devices), `special` (opens character devices).
 */
import { BlockDevice, blockDeviceAt, blockDeviceCount } from "../../dev/block";
import { CharacterDevice, firstCharacterDevice } from "../../dev/character";
import { isError } from "../../lib/errno";
import { S_IFBLK, S_IFCHR, S_IFDIR, makeDevice } from "../constants";
import { DirectorySink, FileSystem, Vnode } from "../vnode";
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

/** The root directory. */
class DevRoot extends TmpfsDirectory {
  private isFilled: bool = false;

  lookup(name: usize, nameLength: usize): usize {
    const found = super.lookup(name, nameLength);
    if (this.isFilled || !isError(found)) return found;
    this.fill();
    return super.lookup(name, nameLength);
  }

  iterate(position: u64, sink: DirectorySink): i64 {
    this.fill();
    return super.iterate(position, sink);
  }

  private fill(): void {
    if (this.isFilled) return;
    this.isFilled = true;
    fill(this);
  }
}

/** Makes the file system; devices that are registered before it is looked into are in it. */
export function createDevfs(): FileSystem {
  const fs = new DevFileSystem();
  const root = new DevRoot(fs, S_IFDIR | 0o755, fs.newInode());
  root.parentInode = root.inode;
  fs.setRoot(root);
  addDirectory(root, "pts", 0o755);
  return fs;
}

function fill(root: TmpfsDirectory): void {
  let device = firstCharacterDevice();
  while (device) {
    addCharacterNode(root, device);
    device = device.next;
  }
  for (let i: u32 = 0; i < blockDeviceCount(); i++) {
    const block = blockDeviceAt(i);
    if (block) addBlockNode(root, block, i);
  }
  addLink(root, "fd", "/proc/self/fd");
  addLink(root, "stdin", "/proc/self/fd/0");
  addLink(root, "stdout", "/proc/self/fd/1");
  addLink(root, "stderr", "/proc/self/fd/2");
  addDirectory(root, "shm", 0o1777);
}

function addCharacterNode(root: TmpfsDirectory, device: CharacterDevice): void {
  const name = new Literal(device.name);
  const number = makeDevice(device.major, device.minor);
  giveUp(root.create(name.bytes, name.length, S_IFCHR | device.mode, number));
  name.dispose();
}

function addBlockNode(root: TmpfsDirectory, device: BlockDevice, index: u32): void {
  const name = new Literal(device.name);
  const node = new BlockNode(
    root.tmpfs,
    S_IFBLK | 0o660,
    device,
    makeDevice(BLOCK_MAJOR, index * 16),
  );
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
  giveUp(root.mkdir(bytes.bytes, bytes.length, S_IFDIR | mode));
  bytes.dispose();
}

/** The directory keeps the new node; the caller's reference is not needed. */
function giveUp(made: usize): void {
  if (!isError(made)) changetype<Vnode>(made).release();
}
