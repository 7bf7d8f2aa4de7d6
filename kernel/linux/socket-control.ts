/**
 * Control data of sendmsg(2) and recvmsg(2) (cmsg(3)): descriptors and identities on local sockets
 * (unix(7)); records of network sockets are read and written by `net/control-data.ts`.
 *
 *     struct cmsghdr:  | length u64, header included | level i32 | type i32 | data … | to 8 bytes
 *
 * Neighbours: `socket-messages.ts`, `socket-exchange.ts`, `net/unix/rights.ts`.
 */
import { EBADF, EFAULT, EINVAL, ENOBUFS, ENOMEM, ESRCH } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { RIGHTS_MAX, Rights } from "../net/unix/rights";
import { FD_CLOEXEC } from "./fd-table";
import { currentFiles, descriptorLimit } from "./held-file";
import { currentProcess } from "./process";
import { Incoming, Outgoing } from "./socket-exchange";
import { MSG_CMSG_CLOEXEC, MSG_CTRUNC, SocketFile } from "./socket-file";
import { AF_UNIX } from "./unix-address";
import { copyIn, copyOut, scratch, store32, store64 } from "./user-memory";

const SOL_SOCKET: i32 = 1;
const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;

const HEADER_BYTES: usize = 16;
const LEVEL: usize = 8;
const TYPE: usize = 12;
/** struct ucred: pid, uid, gid. */
const UCRED_BYTES: usize = 12;
/** Most control data in one message (net.core.optmem_max). */
const CONTROL_MAX: usize = 20480;

function aligned(length: usize): usize {
  return (length + 7) & ~7;
}

/** Reads the control data of a message to send into `extra`; 0 or a negative error. */
export function takeControl(
  socket: SocketFile,
  extra: Outgoing,
  control: usize,
  length: usize,
): i64 {
  if (length > CONTROL_MAX) return -ENOBUFS;
  if (length < HEADER_BYTES) return 0;
  const block = heapAllocate(length);
  if (block == 0) return -ENOMEM;
  let status = copyIn(block, control, length);
  if (socket.family != AF_UNIX) {
    extra.control = block;
    extra.controlLength = length;
    return status;
  }
  let at: usize = 0;
  while (status == 0 && at + HEADER_BYTES <= length) {
    const bytes = load<usize>(block + at);
    if (bytes < HEADER_BYTES || bytes > length - at) status = -EINVAL;
    else status = takeEntry(extra, block + at, bytes - HEADER_BYTES);
    at += aligned(bytes);
  }
  heapFree(block);
  return status;
}

function takeEntry(extra: Outgoing, entry: usize, dataBytes: usize): i64 {
  // What belongs to other levels is passed over.
  if (load<i32>(entry, LEVEL) != SOL_SOCKET) return 0;
  const data = entry + HEADER_BYTES;
  switch (load<i32>(entry, TYPE)) {
    case SCM_RIGHTS:
      return takeDescriptors(extra, data, <u32>(dataBytes / 4));
    case SCM_CREDENTIALS:
      if (dataBytes != UCRED_BYTES) return -EINVAL;
      if (load<i32>(data) != currentProcess().id) return -ESRCH;
      extra.setIdentity(load<i32>(data), load<u32>(data, 4), load<u32>(data, 8));
      return 0;
    default:
      return -EINVAL;
  }
}

function takeDescriptors(extra: Outgoing, data: usize, count: u32): i64 {
  if (count == 0) return 0;
  let rights = extra.rights;
  if (!rights) {
    rights = new Rights(RIGHTS_MAX);
    extra.rights = rights;
  }
  if (count > RIGHTS_MAX - rights.count) return -EINVAL;
  for (let i: u32 = 0; i < count; i++) {
    const file = currentFiles().get(load<i32>(data + <usize>i * 4));
    if (!file) return -EBADF;
    rights.add(file);
  }
  return 0;
}

/**
 * Hands what came along to the application; what has no room is dropped and MSG_CTRUNC noted in
 * `extra.flags`.
 * @returns bytes of control data written, or -EFAULT
 */
export function putControl(
  socket: SocketFile,
  extra: Incoming,
  control: usize,
  length: usize,
  flags: u32,
): i64 {
  const capacity = control == 0 ? 0 : length;
  const records = extra.control;
  if (records && records.length != 0) {
    const given = min(records.length, capacity);
    if (given < records.length) extra.flags |= MSG_CTRUNC;
    return copyOut(control, records.address, given) < 0 ? -EFAULT : <i64>given;
  }
  let used: usize = 0;
  if (socket.passesIdentity()) {
    const written = putIdentity(extra, control, capacity);
    if (written < 0) return written;
    used = <usize>written;
  }
  const rights = extra.rights;
  if (!rights) return <i64>used;
  const descriptorFlags = (flags & MSG_CMSG_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
  const written = putDescriptors(extra, rights, control + used, capacity - used, descriptorFlags);
  return written < 0 ? written : written + <i64>used;
}

/** Writes the head of an entry; 0 or -EFAULT. */
function putHead(address: usize, bytes: usize, type: i32): i64 {
  const status = store64(address, bytes);
  if (status < 0) return status;
  return store64(address + LEVEL, <u64>SOL_SOCKET | ((<u64>type) << 32));
}

/** Writes who sent the bytes; at the end of a stream nobody did. What does not fit is cut. */
function putIdentity(extra: Incoming, control: usize, capacity: usize): i64 {
  const bytes = HEADER_BYTES + UCRED_BYTES;
  if (capacity < bytes) extra.flags |= MSG_CTRUNC;
  if (capacity < HEADER_BYTES) return 0;
  const given = min(bytes, capacity);
  const block = scratch();
  store<u64>(block, given);
  store<i32>(block, SOL_SOCKET, LEVEL);
  store<i32>(block, SCM_CREDENTIALS, TYPE);
  const data = block + HEADER_BYTES;
  store<i32>(data, extra.process);
  store<u32>(data, extra.user, 4);
  store<u32>(data, extra.group, 8);
  return copyOut(control, block, given) < 0 ? -EFAULT : <i64>min(aligned(bytes), capacity);
}

/** Opens the files here and writes their descriptors. The bundle stays with `extra`. */
function putDescriptors(
  extra: Incoming,
  rights: Rights,
  control: usize,
  capacity: usize,
  descriptorFlags: u32,
): i64 {
  const room: usize = capacity < HEADER_BYTES ? 0 : (capacity - HEADER_BYTES) / 4;
  let done: u32 = 0;
  while (done < rights.count && <usize>done < room) {
    const address = control + HEADER_BYTES + <usize>done * 4;
    if (!putDescriptor(rights, done, address, descriptorFlags)) break;
    done++;
  }
  if (done < rights.count) extra.flags |= MSG_CTRUNC;
  if (done == 0) return 0;
  const bytes = HEADER_BYTES + <usize>done * 4;
  const status = putHead(control, bytes, SCM_RIGHTS);
  return status < 0 ? -EFAULT : <i64>min(aligned(bytes), capacity);
}

function putDescriptor(rights: Rights, index: u32, address: usize, descriptorFlags: u32): bool {
  const files = currentFiles();
  const fd = files.reserve(0, descriptorLimit());
  if (fd < 0) return false;
  if (store32(address, <u32>fd) < 0) {
    files.cancel(fd);
    return false;
  }
  const file = rights.file(index);
  file.retain();
  files.fill(fd, file, descriptorFlags);
  return true;
}
