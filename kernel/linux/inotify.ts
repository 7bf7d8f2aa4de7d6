/**
 * inotify(7), the system calls: making a descriptor, adding and removing watches.
 *
 * Neighbours: `inotify-file.ts` (the descriptor), `fs/notify`.
 */
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_ONESHOT } from "../fs/notify";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { RESOLVE_DIRECTORY, RESOLVE_FOLLOW } from "../fs/path";
import { EBADF, EINVAL, ENOMEM, ENOTDIR, isError } from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { drop, heldFile, hold } from "./held-file";
import { IN_ISDIR, IN_MASK_ADD, IN_MASK_CREATE, InotifyFile } from "./inotify-file";
import { installFile } from "./install";
import { AT_FDCWD, resolveArgument } from "./path-argument";

const IN_ONLYDIR: u32 = 0x0100_0000;
const IN_DONT_FOLLOW: u32 = 0x0200_0000;

/** inotify_init(2). */
export function sysInotifyInit(): i64 {
  return sysInotifyInit1(0);
}

/** inotify_init1(2). */
export function sysInotifyInit1(flags: u32): i64 {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const file = new InotifyFile(O_RDONLY | (flags & O_NONBLOCK));
  return installFile(file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}

/** inotify_add_watch(2). */
export function sysInotifyAddWatch(fd: i32, path: usize, mask: u32): i64 {
  const flags = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD;
  if ((mask & (IN_ALL_EVENTS | flags | IN_ONESHOT | IN_ISDIR)) == 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const both = IN_MASK_ADD | IN_MASK_CREATE;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  if ((mask & both) != both && file instanceof InotifyFile) {
    result = watchPath(file as InotifyFile, path, mask);
  }
  drop(held);
  return result;
}

function watchPath(file: InotifyFile, path: usize, mask: u32): i64 {
  let resolveFlags: u32 = (mask & IN_DONT_FOLLOW) != 0 ? 0 : RESOLVE_FOLLOW;
  if ((mask & IN_ONLYDIR) != 0) resolveFlags |= RESOLVE_DIRECTORY;
  const found = resolveArgument(AT_FDCWD, path, resolveFlags);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  vnode.retain();
  dentry.release();
  if ((mask & IN_ONLYDIR) != 0 && !vnode.isDirectory) {
    vnode.release();
    return -ENOTDIR;
  }
  return file.watch(vnode, mask);
}

/** inotify_rm_watch(2). */
export function sysInotifyRmWatch(fd: i32, watch: i32): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  const result = file instanceof InotifyFile ? (file as InotifyFile).unwatch(watch) : -EINVAL;
  drop(held);
  return result;
}
