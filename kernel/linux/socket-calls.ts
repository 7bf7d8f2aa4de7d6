/**
 * The socket system calls: socketpair(2), send(2), recv(2) and their relatives. The only family so
 * far is AF_UNIX, and only in connected pairs; socket(2) says EAFNOSUPPORT to all others.
 *
 * Neighbours: `socket-file.ts` (what a socket must do), `socket-options.ts`, `socket-messages.ts`.
 */
import { O_CLOEXEC, O_NONBLOCK } from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import {
  EAFNOSUPPORT,
  EBADF,
  EFAULT,
  EINVAL,
  EISCONN,
  ENOMEM,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  asError,
  isError,
} from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { TRANSFER_MAX, transferResult } from "./file-io";
import { drop, heldFile, hold } from "./held-file";
import { installPair } from "./install";
import { dropVectors, makeVector } from "./io-vector";
import {
  MSG_NOSIGNAL,
  MSG_OOB,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SocketFile,
} from "./socket-file";
import { UnixPair } from "./unix-pair";
import { AF_UNIX, UnixSocket } from "./unix-socket";
import { checkRange, copyOut, load32, loadedValue, scratch, store32 } from "./user-memory";

const SOCK_TYPE_MASK: i32 = 0xf;
const SOCK_FLAGS: i32 = <i32>(O_CLOEXEC | O_NONBLOCK);
const SOCK_RAW: i32 = 3;
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
export function sysSocket(_family: i32, type: i32, _protocol: i32): i64 {
  return (type & ~(SOCK_TYPE_MASK | SOCK_FLAGS)) != 0 ? -EINVAL : -EAFNOSUPPORT;
}

/** socketpair(2). */
export function sysSocketpair(family: i32, type: i32, protocol: i32, fds: usize): i64 {
  if ((type & ~(SOCK_TYPE_MASK | SOCK_FLAGS)) != 0) return -EINVAL;
  if (family != AF_UNIX) return family > 0 && family < PF_MAX ? -EOPNOTSUPP : -EAFNOSUPPORT;
  if (protocol != 0 && protocol != AF_UNIX) return -EPROTONOSUPPORT;
  let kind = type & SOCK_TYPE_MASK;
  if (kind == SOCK_RAW) kind = SOCK_DGRAM;
  if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET) return -ESOCKTNOSUPPORT;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const status = <u32>type & O_NONBLOCK;
  const pair = new UnixPair();
  const first = new UnixSocket(pair, 0, kind, status);
  const second = new UnixSocket(pair, 1, kind, status);
  pair.release();
  return installPair(first, second, (<u32>type & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0, fds);
}

/** sendto(2). A connected socket takes no address. */
export function sysSendto(
  fd: i32,
  buffer: usize,
  size: usize,
  flags: u32,
  address: usize,
  _length: u32,
): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result: i64 = -EFAULT;
  if (checkRange(buffer, size)) {
    const list = makeVector(buffer, min(size, TRANSFER_MAX));
    if (list == 0) result = -ENOMEM;
    else {
      result = address != 0 ? -EISCONN : sendList(held, list, flags);
      dropVectors(list);
    }
  }
  drop(held);
  return sendResult(result, flags);
}

/** recvfrom(2). The peer of a pair has no name: its address has length 0. */
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
    const list = makeVector(buffer, min(size, TRANSFER_MAX));
    if (list == 0) result = -ENOMEM;
    else {
      result = receiveList(held, list, flags);
      dropVectors(list);
    }
  }
  drop(held);
  if (result >= 0 && address != 0 && length != 0) {
    const stored = store32(length, 0);
    if (stored < 0) result = stored;
  }
  return result;
}

/** Sends a buffer list on a held socket. */
export function sendList(held: usize, list: usize, flags: u32): i64 {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  return heldSocket(held).send(list, flags);
}

/** Receives into a buffer list from a held socket. */
export function receiveList(held: usize, list: usize, flags: u32): i64 {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  return heldSocket(held).receive(list, flags);
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
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = heldSocket(held).bind(address, length);
  drop(held);
  return result;
}

/** connect(2). */
export function sysConnect(fd: i32, address: usize, length: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = heldSocket(held).connect(address, length);
  drop(held);
  return result;
}

/** listen(2). */
export function sysListen(fd: i32, backlog: i32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const socket = heldSocket(held);
  const result = socket.type == SOCK_DGRAM ? -EOPNOTSUPP : socket.listen(backlog);
  drop(held);
  return result;
}

/** accept(2). */
export function sysAccept(fd: i32, address: usize, length: usize): i64 {
  return sysAccept4(fd, address, length, 0);
}

/** accept4(2): no family has listening sockets yet, so every accept says what is wrong. */
export function sysAccept4(fd: i32, _address: usize, _length: usize, flags: u32): i64 {
  if ((flags & ~(<u32>SOCK_FLAGS)) != 0) return -EINVAL;
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const accepted = heldSocket(held).accept(flags);
  drop(held);
  return <i64>accepted;
}

/** getsockname(2). */
export function sysGetsockname(fd: i32, address: usize, length: usize): i64 {
  return nameOf(fd, address, length, false);
}

/** getpeername(2). */
export function sysGetpeername(fd: i32, address: usize, length: usize): i64 {
  return nameOf(fd, address, length, true);
}

/** Copies as much of an address as fits and reports its real length. */
function nameOf(fd: i32, address: usize, length: usize, ofPeer: bool): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result = load32(length);
  if (result == 0) {
    const capacity = <i32>loadedValue();
    const block = scratch();
    const bytes = heldSocket(held).address(ofPeer, block);
    if (capacity < 0) result = -EINVAL;
    else result = copyOut(address, block, min<usize>(bytes, <usize>capacity));
    if (result == 0) result = store32(length, <u32>bytes);
  }
  drop(held);
  return result;
}
