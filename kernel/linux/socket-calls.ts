/**
 * The socket system calls: socket(2), socketpair(2), send(2), recv(2), accept(2) and their
 * relatives, for all families.
 *
 * Neighbours: `socket-file.ts` (what a socket must do), `socket-options.ts`, `socket-messages.ts`,
 * `unix-socket.ts` and `inet-socket.ts` (the families).
 */
import { O_CLOEXEC, O_NONBLOCK } from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import {
  EAFNOSUPPORT,
  EBADF,
  EFAULT,
  EINVAL,
  ENOMEM,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET } from "../net/socket";
import { UnixEnd } from "../net/unix/unix-end";
import { FD_CLOEXEC } from "./fd-table";
import { TRANSFER_MAX, transferResult } from "./file-io";
import { currentFiles, descriptorLimit, drop, heldFile, hold } from "./held-file";
import { newInetSocket } from "./inet-socket";
import { installFile, installPair } from "./install";
import { dropVectors, makeVector } from "./io-vector";
import { ADDRESS_BYTES, Incoming, Outgoing, copyAddress } from "./socket-exchange";
import {
  MSG_NOSIGNAL,
  MSG_OOB,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SocketFile,
} from "./socket-file";
import { AF_UNIX } from "./unix-address";
import { UnixSocket, identifyPeer } from "./unix-socket";
import { checkRange, copyOut, load32, loadedValue, scratch, store32 } from "./user-memory";

const SOCK_TYPE_MASK: i32 = 0xf;
const SOCK_FLAGS: i32 = <i32>(O_CLOEXEC | O_NONBLOCK);
/** Types of sockets are below this. */
const SOCK_MAX: i32 = 11;
const PF_MAX: i32 = 46;

/** Borrows the socket behind `fd`: as `hold`, or -EBADF, -ENOTSOCK. */
export function holdSocket(fd: i32): usize {
  const held = hold(fd);
  if (held == 0) return asError(-EBADF);
  if (heldFile(held) instanceof SocketFile) return held;
  drop(held);
  return asError(-ENOTSOCK);
}

/** The socket of a successful `holdSocket`. */
export function heldSocket(held: usize): SocketFile {
  return changetype<SocketFile>(heldFile(held));
}

/** socket(2). */
export function sysSocket(family: i32, type: i32, protocol: i32): i64 {
  const kind = type & SOCK_TYPE_MASK;
  if ((type & ~(SOCK_TYPE_MASK | SOCK_FLAGS)) != 0 || kind >= SOCK_MAX) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const status = <u32>type & O_NONBLOCK;
  let made: usize;
  if (family == AF_UNIX) {
    const localKind = unixType(kind, protocol);
    made = localKind < 0 ? asError(localKind) : newUnixSocket(<i32>localKind, status);
  } else if (isNetworkFamily(family)) {
    made = newInetSocket(family, kind, protocol, status);
  } else made = asError(-EAFNOSUPPORT);
  if (isError(made)) return errorOf(made);
  return installFile(changetype<SocketFile>(made), descriptorFlagsOf(<u32>type));
}

function isNetworkFamily(family: i32): bool {
  return family == AF_INET || family == AF_INET6 || family == AF_NETLINK || family == AF_PACKET;
}

function descriptorFlagsOf(type: u32): u32 {
  return (type & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
}

/** The type of a local socket, or a negative error; SOCK_RAW is another word for datagrams. */
function unixType(kind: i32, protocol: i32): i64 {
  if (protocol != 0 && protocol != AF_UNIX) return -EPROTONOSUPPORT;
  if (kind == SOCK_RAW) return SOCK_DGRAM;
  const isKnown = kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_SEQPACKET;
  return isKnown ? kind : -ESOCKTNOSUPPORT;
}

function newUnixSocket(kind: i32, status: u32): usize {
  return changetype<usize>(new UnixSocket(new UnixEnd(kind), status));
}

/** socketpair(2). */
export function sysSocketpair(family: i32, type: i32, protocol: i32, fds: usize): i64 {
  if ((type & ~(SOCK_TYPE_MASK | SOCK_FLAGS)) != 0) return -EINVAL;
  if (family != AF_UNIX) return family > 0 && family < PF_MAX ? -EOPNOTSUPP : -EAFNOSUPPORT;
  const kind = unixType(type & SOCK_TYPE_MASK, protocol);
  if (kind < 0) return kind;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const status = <u32>type & O_NONBLOCK;
  const first = new UnixEnd(<i32>kind);
  const second = new UnixEnd(<i32>kind);
  identifyPeer(first);
  identifyPeer(second);
  first.retain();
  second.retain();
  first.setPeer(second);
  second.setPeer(first);
  const flags = descriptorFlagsOf(<u32>type);
  return installPair(new UnixSocket(first, status), new UnixSocket(second, status), flags, fds);
}

/** sendto(2). */
export function sysSendto(
  fd: i32,
  buffer: usize,
  size: usize,
  flags: u32,
  address: usize,
  length: u32,
): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result: i64 = -EFAULT;
  if (checkRange(buffer, size)) {
    const extra = address != 0 && length != 0 ? new Outgoing() : null;
    result = extra ? extra.setAddress(address, length) : 0;
    const list = result < 0 ? 0 : makeVector(buffer, min(size, TRANSFER_MAX));
    if (list != 0) {
      result = sendList(held, list, flags, extra);
      dropVectors(list);
    } else if (result == 0) result = -ENOMEM;
    if (extra) extra.dispose();
  }
  drop(held);
  return sendResult(result, flags);
}

/** recvfrom(2). */
export function sysRecvfrom(
  fd: i32,
  buffer: usize,
  size: usize,
  flags: u32,
  address: usize,
  length: usize,
): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result: i64 = -EFAULT;
  if (checkRange(buffer, size)) {
    const extra = address != 0 ? new Incoming() : null;
    result = extra ? extra.wantAddress() : 0;
    const list = result < 0 ? 0 : makeVector(buffer, min(size, TRANSFER_MAX));
    if (list != 0) {
      result = receiveList(held, list, flags, extra);
      dropVectors(list);
      if (extra && result >= 0) {
        const stored = putAddress(address, length, extra.address, extra.addressLength);
        if (stored < 0) result = stored;
      }
    } else if (result == 0) result = -ENOMEM;
    if (extra) extra.dispose();
  }
  drop(held);
  return result;
}

/**
 * Copies as much of a kernel address as fits to the application and reports its real length.
 * @param length user address of the capacity, replaced by the length
 */
export function putAddress(address: usize, length: usize, bytes: usize, used: usize): i64 {
  const loaded = load32(length);
  if (loaded < 0) return loaded;
  const capacity = <i32>loadedValue();
  if (capacity < 0) return -EINVAL;
  const copied = copyOut(address, bytes, min(used, <usize>capacity));
  return copied < 0 ? copied : store32(length, <u32>used);
}

/** Sends a buffer list on a held socket. */
export function sendList(held: usize, list: usize, flags: u32, extra: Outgoing | null): i64 {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  return heldSocket(held).send(list, flags, extra);
}

/** Receives into a buffer list from a held socket. */
export function receiveList(held: usize, list: usize, flags: u32, extra: Incoming | null): i64 {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  return heldSocket(held).receive(list, flags, extra);
}

/** A broken pipe raises SIGPIPE unless MSG_NOSIGNAL was given. */
export function sendResult(result: i64, flags: u32): i64 {
  return result == -EPIPE && (flags & MSG_NOSIGNAL) != 0 ? result : transferResult(result);
}

/** shutdown(2). */
export function sysShutdown(fd: i32, how: i32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = how < 0 || how > 2 ? -EINVAL : heldSocket(held).shutDown(<u32>how);
  drop(held);
  return result;
}

/** bind(2). */
export function sysBind(fd: i32, address: usize, length: u32): i64 {
  return withAddress(fd, address, length, false);
}

/** connect(2). */
export function sysConnect(fd: i32, address: usize, length: u32): i64 {
  return withAddress(fd, address, length, true);
}

/** bind(2) or connect(2) with a copy of the address. */
function withAddress(fd: i32, address: usize, length: u32, connects: bool): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const block = heapAllocate(ADDRESS_BYTES);
  let result: i64 = block == 0 ? -ENOMEM : copyAddress(block, address, length);
  if (result == 0) {
    const socket = heldSocket(held);
    result = connects ? socket.connect(block, length) : socket.bind(block, length);
  }
  if (block != 0) heapFree(block);
  drop(held);
  return result;
}

/** listen(2). */
export function sysListen(fd: i32, backlog: i32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = heldSocket(held).listen(backlog);
  drop(held);
  return result;
}

/** accept(2). */
export function sysAccept(fd: i32, address: usize, length: usize): i64 {
  return sysAccept4(fd, address, length, 0);
}

/** accept4(2). */
export function sysAccept4(fd: i32, address: usize, length: usize, flags: u32): i64 {
  if ((flags & ~(<u32>SOCK_FLAGS)) != 0) return -EINVAL;
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const files = currentFiles();
  const newFd = files.reserve(0, descriptorLimit());
  const accepted = newFd < 0 ? asError(newFd) : heldSocket(held).accept(flags & O_NONBLOCK);
  drop(held);
  if (isError(accepted)) {
    if (newFd >= 0) files.cancel(newFd);
    return errorOf(accepted);
  }
  const socket = changetype<SocketFile>(accepted);
  const named = address == 0 ? 0 : putAcceptedAddress(socket, address, length);
  if (named < 0) {
    files.cancel(newFd);
    socket.release();
    return named;
  }
  files.fill(newFd, socket, descriptorFlagsOf(flags));
  return newFd;
}

/** getsockname(2). */
export function sysGetsockname(fd: i32, address: usize, length: usize): i64 {
  return nameOf(fd, address, length, false);
}

/** getpeername(2). */
export function sysGetpeername(fd: i32, address: usize, length: usize): i64 {
  return nameOf(fd, address, length, true);
}

function nameOf(fd: i32, address: usize, length: usize, ofPeer: bool): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = putAddressOf(heldSocket(held), address, length, ofPeer);
  drop(held);
  return result;
}

function putAcceptedAddress(socket: SocketFile, address: usize, length: usize): i64 {
  const block = scratch();
  const bytes = socket.acceptedAddress(block);
  return bytes < 0 ? bytes : putAddress(address, length, block, <usize>bytes);
}

/** Tells the application the own or the peer's address of a socket. */
function putAddressOf(socket: SocketFile, address: usize, length: usize, ofPeer: bool): i64 {
  const block = scratch();
  const bytes = socket.address(ofPeer, block);
  return bytes < 0 ? bytes : putAddress(address, length, block, <usize>bytes);
}
