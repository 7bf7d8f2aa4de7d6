/**
 * Surface of the file systems for unit tests: a kernel with memory, a disk that Node answers for,
 * and system-call-like functions on it. Paths are bytes in the module's memory.
 */
import { BlockDevice, BlockRequest } from "../../dev/block";
import { EIO, isError, errorOf } from "../../lib/errno";
import { free } from "../../lib/object";
import { freeFrameCount, releaseFrame, frameOf, totalFrameCount } from "../../mm/frames";
import { toVirtual } from "../../mm/layout";
import { Dentry } from "../dentry";
import { File } from "../file";
import { FsContext } from "../fs-context";
import { initFs } from "../init";
import { rootDentry } from "../mount";
import { nameCount, shrinkNames } from "../name-cache";
import { cachedFrameCount, memoryFileFrameCount, reclaimFrames } from "../page-cache";
import {
  createMemoryFile,
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  openPath,
  removeDirectory,
  removeFile,
  renamePath,
} from "../namespace";
import { createPipe } from "../pipe";
import { writePathOf } from "../path-name";
import { ByteWriter } from "../../lib/format";
import { RESOLVE_FOLLOW, resolve } from "../path";
import { setProcessProvider } from "../procfs/provider";
import { AttributeChange, Stat } from "../stat";
import { DirectorySink } from "../vnode";
import { Pager } from "../../vm/pager";
import { startMemory } from "./memory";
import { TestProvider } from "./test-provider";
import { diskRead } from "./testdisk";

class TestDisk extends BlockDevice {
  submit(request: BlockRequest): void {
    let sector = request.sector;
    let status: i32 = 0;
    if (!this.hasRange(sector, request.lengthBytes / 512)) status = -EIO;
    for (let i: u32 = 0; i < request.segmentCount && status == 0; i++) {
      const length = request.segmentLength(i);
      status = diskRead(sector, toVirtual(request.segmentAddress(i)), length);
      sector += length / 512;
    }
    this.readRequests++;
    request.completed(status);
  }

  trySubmit(request: BlockRequest): bool {
    this.submit(request);
    return true;
  }
}

let context: FsContext | null = null;
let provider: TestProvider | null = null;

/** Gives the module RAM at [base, base + bytes) and mounts; 0 sectors: no disk. */
export function start(base: usize, bytes: u64, sectors: u64): i64 {
  if (!startMemory(base, bytes)) return -12;
  let disk: TestDisk | null = null;
  if (sectors) {
    disk = new TestDisk();
    disk.name = "vda";
    disk.sectorCount = sectors;
    disk.maxSegments = 8;
    disk.readOnly = true;
  }
  const status = initFs(disk);
  if (status == 0) {
    const made = new FsContext(rootDentry(), rootDentry());
    made.umask = 0;
    context = made;
  }
  return status;
}

function current(): FsContext {
  return changetype<FsContext>(changetype<usize>(context));
}

/** Gives /proc a process (see `test-provider`) that runs the file at `path`. */
export function addProcess(path: usize, length: usize): i64 {
  const found = resolve(current(), null, path, length, RESOLVE_FOLLOW);
  if (isError(found)) return errorOf(found);
  const made = new TestProvider(current(), changetype<Dentry>(found));
  setProcessProvider(made);
  provider = made;
  return 0;
}

/** Puts a file at a descriptor of that process. */
export function setDescriptor(descriptor: i32, file: usize): void {
  const to = provider;
  if (to) to.setDescriptor(descriptor, file);
}

export function chdir(path: usize, length: usize): i64 {
  const found = resolve(current(), null, path, length, RESOLVE_FOLLOW);
  if (isError(found)) return errorOf(found);
  current().setCwd(changetype<Dentry>(found));
  changetype<Dentry>(found).release();
  return 0;
}

export function open(path: usize, length: usize, flags: u32, mode: u32): usize {
  return openPath(current(), null, path, length, flags, mode);
}

export function openWith(path: usize, length: usize, flags: u32, restrictions: u32): usize {
  return openPath(current(), null, path, length, flags, 0, restrictions);
}

export function close(file: File): void {
  file.release();
}

export function read(file: File, buffer: usize, length: usize): i64 {
  return file.read(buffer, length);
}

export function write(file: File, buffer: usize, length: usize): i64 {
  return file.write(buffer, length);
}

export function readAt(file: File, buffer: usize, length: usize, offset: u64): i64 {
  return file.readAt(buffer, length, offset);
}

export function writeAt(file: File, buffer: usize, length: usize, offset: u64): i64 {
  return file.writeAt(buffer, length, offset);
}

export function seek(file: File, offset: i64, origin: u32): i64 {
  return file.seek(offset, origin);
}

export function truncate(file: File, size: u64): i64 {
  return file.truncate(size);
}

export function allocate(file: File, mode: u32, offset: u64, length: u64): i64 {
  return file.allocate(mode, offset, length);
}

export function poll(file: File): u32 {
  return file.poll(null);
}

export function control(file: File, command: i32, argument: usize): i64 {
  return file.control(command, argument);
}

/** Copies a page of a mapping of the file to `out`; 0 or an error. */
export function mappedPage(file: File, index: u64, forWrite: bool, out: usize): i64 {
  const made = file.pager();
  if (isError(made)) return errorOf(made);
  const pager = changetype<Pager>(made);
  const physical = pager.page(index, forWrite);
  pager.release();
  if (physical < 0) return physical;
  memory.copy(out, toVirtual(physical), 4096);
  releaseFrame(frameOf(physical));
  return 0;
}

/** Writes entries as inode u64, type u32, length u32, name, until the limit of bytes is reached. */
class ListSink extends DirectorySink {
  constructor(
    public out: usize,
    private end: usize,
  ) {
    super();
  }

  entry(name: usize, nameLength: usize, inode: u64, type: u32, _nextPosition: u64): bool {
    if (this.out + 16 + nameLength > this.end) return false;
    store<u64>(this.out, inode);
    store<u32>(this.out, type, 8);
    store<u32>(this.out, <u32>nameLength, 12);
    memory.copy(this.out + 16, name, nameLength);
    this.out += 16 + nameLength;
    return true;
  }
}

/** Returns the number of bytes written. */
export function list(file: File, out: usize, capacity: usize): i64 {
  const sink = new ListSink(out, out + capacity);
  const status = file.iterate(sink);
  const used = sink.out - out;
  free(sink);
  return status < 0 ? status : used;
}

/** mode, links, uid, gid (u32 each), size, inode, rdev, blocks (u64), mtime seconds (i64). */
export function stat(path: usize, length: usize, follow: bool, out: usize): i64 {
  const found = resolve(current(), null, path, length, follow ? RESOLVE_FOLLOW : 0);
  if (isError(found)) return errorOf(found);
  const dentry = changetype<Dentry>(found);
  const stat = new Stat();
  const status = dentry.node.attributes(stat);
  store<u32>(out, stat.mode);
  store<u32>(out, stat.linkCount, 4);
  store<u32>(out, stat.uid, 8);
  store<u32>(out, stat.gid, 12);
  store<u64>(out, stat.sizeBytes, 16);
  store<u64>(out, stat.inode, 24);
  store<u64>(out, stat.nodeDevice, 32);
  store<u64>(out, stat.blocks512, 40);
  store<i64>(out, stat.modifySeconds, 48);
  free(stat);
  dentry.release();
  return status;
}

export function chmod(path: usize, length: usize, mode: u32): i64 {
  const found = resolve(current(), null, path, length, RESOLVE_FOLLOW);
  if (isError(found)) return errorOf(found);
  const dentry = changetype<Dentry>(found);
  const change = new AttributeChange();
  change.valid = 1;
  change.mode = mode;
  const status = dentry.node.setAttributes(change);
  free(change);
  dentry.release();
  return status;
}

export function readlink(path: usize, length: usize, out: usize, capacity: usize): i64 {
  const found = resolve(current(), null, path, length, 0);
  if (isError(found)) return errorOf(found);
  const dentry = changetype<Dentry>(found);
  const status = dentry.node.readlink(out, capacity);
  dentry.release();
  return status;
}

/** The canonical path of what `path` leads to; returns its length. */
export function canonical(path: usize, length: usize, flags: u32, out: usize): i64 {
  const found = resolve(current(), null, path, length, flags);
  if (isError(found)) return errorOf(found);
  const writer = new ByteWriter(out, 8192);
  writePathOf(changetype<Dentry>(found), null, writer, true);
  changetype<Dentry>(found).release();
  const used = writer.length;
  free(writer);
  return used;
}

export function mkdir(path: usize, length: usize, mode: u32): i64 {
  return makeDirectory(current(), null, path, length, mode);
}

export function mknod(path: usize, length: usize, mode: u32, device: u64): i64 {
  return makeNode(current(), null, path, length, mode, device);
}

export function symlink(target: usize, targetLength: usize, path: usize, length: usize): i64 {
  return makeSymlink(current(), target, targetLength, null, path, length);
}

export function link(old: usize, oldLength: usize, path: usize, length: usize): i64 {
  const found = resolve(current(), null, old, oldLength, 0);
  if (isError(found)) return errorOf(found);
  const status = makeLink(current(), changetype<Dentry>(found), null, path, length);
  changetype<Dentry>(found).release();
  return status;
}

export function unlink(path: usize, length: usize): i64 {
  return removeFile(current(), null, path, length);
}

export function rmdir(path: usize, length: usize): i64 {
  return removeDirectory(current(), null, path, length);
}

export function rename(old: usize, oldLength: usize, path: usize, length: usize, flags: u32): i64 {
  return renamePath(current(), null, old, oldLength, null, path, length, flags);
}

export function pipe(ends: usize): i64 {
  return createPipe(0x800, ends);
}

export function memfd(name: usize, length: usize): usize {
  return createMemoryFile(name, length, 0);
}

export { cachedFrameCount, memoryFileFrameCount, nameCount, reclaimFrames, shrinkNames };
export { freeFrameCount, totalFrameCount };
