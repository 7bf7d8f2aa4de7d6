/**
 * ioctl(2): the requests that every file has are answered here (ioctl_fd in the manual's terms),
 * all others go to the file.
 *
 * Neighbours: `fs/file.ts`, `dev/console/tty` (TCGETS and the like).
 */
import { O_ASYNC, O_NONBLOCK } from "../fs/constants";
import { File } from "../fs/file";
import { EBADF, EFAULT, ENOTTY } from "../lib/errno";
import { USER_END } from "../mm/layout";
import { FD_CLOEXEC } from "./fd-table";
import { currentFiles, drop, heldFile, hold } from "./held-file";
import { openPeer, TIOCGPTPEER } from "./pty-peer";
import { load32, loadedValue, store32, store64 } from "./user-memory";

const FIONREAD: u32 = 0x541b;
const FIONBIO: u32 = 0x5421;
const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;
const FIOASYNC: u32 = 0x5452;
const FIOQSIZE: u32 = 0x5460;
const FIGETBSZ: u32 = 2;

const BLOCK_BYTES: u32 = 4096;

/** ioctl(2). */
export function sysIoctl(fd: i32, request: u32, argument: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  // Files take the argument for a user address; numbers are far below this limit.
  if (argument >= USER_END) {
    drop(held);
    return -EFAULT;
  }
  const file = heldFile(held);
  let result: i64;
  switch (request) {
    case FIOCLEX:
      result = currentFiles().setDescriptorFlags(fd, FD_CLOEXEC);
      break;
    case FIONCLEX:
      result = currentFiles().setDescriptorFlags(fd, 0);
      break;
    case FIONBIO:
      result = setFlag(file, O_NONBLOCK, argument);
      break;
    case FIOASYNC:
      result = setFlag(file, O_ASYNC, argument);
      break;
    case TIOCGPTPEER:
      result = openPeer(file, <u32>argument);
      break;
    default:
      result = fileRequest(file, request, argument);
  }
  drop(held);
  return result;
}

/** Sets or clears a status flag by the int at `argument`. */
function setFlag(file: File, flag: u32, argument: usize): i64 {
  const loaded = load32(argument);
  if (loaded < 0) return loaded;
  if (loadedValue() != 0) file.flags |= flag;
  else file.flags &= ~flag;
  return 0;
}

/** What regular files and directories have in common; the rest is the file's own. */
function fileRequest(file: File, request: u32, argument: usize): i64 {
  const vnode = file.vnode;
  if (vnode && (vnode.isRegular || vnode.isDirectory)) {
    const sizeBytes = vnode.sizeBytes();
    if (request == FIONREAD && vnode.isRegular) {
      return store32(argument, <u32>(sizeBytes > file.offset ? sizeBytes - file.offset : 0));
    }
    if (request == FIOQSIZE) return store64(argument, sizeBytes);
    if (request == FIGETBSZ) return store32(argument, BLOCK_BYTES);
    if (request == FIONREAD) return -ENOTTY;
  }
  return file.ioctl(request, argument);
}
