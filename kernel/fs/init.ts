/**
 * The file tree at boot: the image at "/", writable in memory, and the system's own file systems.
 *
 *   /         overlay: tmpfs over the EROFS image (a plain tmpfs without an image)
 *   /dev      devices            /proc   processes and kernel        /sys    machine
 *
 * /tmp and /run are part of the root, which is in memory where it is written to; a tmpfs over them
 * would hide what the image has there.
 *
 * Neighbours: each file system's folder; `main` calls `initFs` once the disks are known.
 */
import { BlockDevice } from "../dev/block";
import { ENOENT, errorOf, isError } from "../lib/errno";
import { logHex } from "../lib/log";
import { blockVnodeOf } from "./block-vnode";
import { Dentry } from "./dentry";
import { createDevfs } from "./devfs/devfs";
import { DEVPTS } from "./devpts/devpts";
import { ErofsFileSystem, mountErofs } from "./erofs/file-system";
import { FsContext } from "./fs-context";
import { Literal } from "./literal";
import { mount, rootDentry } from "./mount";
import { makeDirectory } from "./namespace";
import { OverlayFileSystem } from "./overlay/overlay";
import { initPageCache } from "./page-cache";
import { RESOLVE_DIRECTORY, RESOLVE_FOLLOW, resolve } from "./path";
import { PROCFS } from "./procfs/procfs";
import { SYSFS } from "./sysfs/sysfs";
import { TmpfsFileSystem } from "./tmpfs/file-system";
import { FileSystem } from "./vnode";

/**
 * Mounts everything.
 * @param disk the disk with the EROFS image; null starts with an empty root in memory
 * @returns 0 or a negative error
 */
export function initFs(disk: BlockDevice | null): i64 {
  initPageCache();
  const status = mountRoot(disk);
  if (status < 0) return status;
  mountAt("/dev", createDevfs(), "devtmpfs");
  mountAt("/dev/pts", DEVPTS, "devpts");
  mountAt("/proc", PROCFS, "proc");
  mountAt("/sys", SYSFS, "sysfs");
  ensureDirectory("/run", 0o755);
  ensureDirectory("/tmp", 0o1777);
  return 0;
}

function mountRoot(disk: BlockDevice | null): i64 {
  if (!disk) return mount(createTmpfs(0o755), null, "rootfs");
  const mounted = mountErofs(blockVnodeOf(disk));
  if (isError(mounted)) return errorOf(mounted);
  return mount(new OverlayFileSystem(changetype<ErofsFileSystem>(mounted)), null, "overlay");
}

function createTmpfs(mode: u32): FileSystem {
  const fs = new TmpfsFileSystem();
  fs.makeRoot(mode);
  return fs;
}

/** Mounts on a directory, which is made if the image lacks it. Failure is logged, not fatal. */
function mountAt(path: string, fs: FileSystem, source: string): void {
  const found = directoryAt(path, 0o755);
  let status: i64 = isError(found) ? errorOf(found) : 0;
  if (status == 0) {
    status = mount(fs, changetype<Dentry>(found), source);
    changetype<Dentry>(found).release();
  }
  if (status < 0) logHex("fs: a system directory could not be mounted, error", <u64>status);
}

/** Makes a directory unless the image has it. */
function ensureDirectory(path: string, mode: u32): void {
  const found = directoryAt(path, mode);
  if (!isError(found)) changetype<Dentry>(found).release();
}

/** Finds a directory, or makes it with this mode. @returns a Dentry with a reference, or an error */
function directoryAt(path: string, mode: u32): usize {
  const bytes = new Literal(path);
  const context = new FsContext(rootDentry(), rootDentry());
  context.umask = 0;
  const flags = RESOLVE_FOLLOW | RESOLVE_DIRECTORY;
  let found = resolve(context, null, bytes.bytes, bytes.length, flags);
  if (isError(found) && errorOf(found) == -ENOENT) {
    makeDirectory(context, null, bytes.bytes, bytes.length, mode);
    found = resolve(context, null, bytes.bytes, bytes.length, flags);
  }
  context.release();
  bytes.dispose();
  return found;
}
