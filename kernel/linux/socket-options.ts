/**
 * getsockopt(2) and setsockopt(2) at the level of the socket itself (socket(7)).
 *
 * Neighbours: `socket-file.ts`, `socket-calls.ts`.
 */
import { EDOM, EFAULT, EINVAL, ENOPROTOOPT, isError } from "../lib/errno";
import { FOREVER } from "../sched/wait";
import { drop } from "./held-file";
import { heldSocket, holdSocket } from "./socket-calls";
import { SocketFile } from "./socket-file";
import { UnixSocket } from "./unix-socket";
import {
  SCRATCH_BYTES,
  copyIn,
  copyOut,
  load32,
  loadedValue,
  scratch,
  store32,
} from "./user-memory";

const SOL_SOCKET: i32 = 1;
const SOL_PACKET: i32 = 263;
const NUMBER_BYTES: usize = 4;

const SO_DEBUG: i32 = 1;
const SO_REUSEADDR: i32 = 2;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_DONTROUTE: i32 = 5;
const SO_BROADCAST: i32 = 6;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_KEEPALIVE: i32 = 9;
const SO_OOBINLINE: i32 = 10;
const SO_LINGER: i32 = 13;
const SO_REUSEPORT: i32 = 15;
const SO_PASSCRED: i32 = 16;
const SO_PEERCRED: i32 = 17;
const SO_RCVLOWAT: i32 = 18;
const SO_SNDLOWAT: i32 = 19;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_BINDTODEVICE: i32 = 25;
const SO_TIMESTAMP: i32 = 29;
const SO_ACCEPTCONN: i32 = 30;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const SO_COOKIE: i32 = 57;

/** Options that are only on or off and concern nothing here but what getsockopt(2) answers. */
function isSwitch(option: i32): bool {
  switch (option) {
    case SO_DEBUG:
    case SO_REUSEADDR:
    case SO_DONTROUTE:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_REUSEPORT:
    case SO_PASSCRED:
      return true;
    default:
      return false;
  }
}

/** Bounds of buffer sizes in bytes (socket(7): the value that is set is doubled). */
const BUFFER_MAX: i32 = 212992;
const SEND_BUFFER_MIN: u32 = 4608;
const RECEIVE_BUFFER_MIN: u32 = 2304;
const LINGER_BYTES: u32 = 8;
const COOKIE_BYTES: usize = 8;

const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_MICROSECOND: u64 = 1000;
const MICROSECONDS: i64 = 1_000_000;
const TIMEVAL_BYTES: u32 = 16;
const CREDENTIALS_BYTES: usize = 12;

/** getsockopt(2). */
export function sysGetsockopt(fd: i32, level: i32, option: i32, value: usize, length: usize): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result = load32(length);
  if (result == 0) {
    const capacity = <i32>loadedValue();
    if (capacity < 0) result = -EINVAL;
    else result = getOption(heldSocket(held), level, option, value, <usize>capacity, length);
  }
  drop(held);
  return result;
}

function getOption(
  socket: SocketFile,
  level: i32,
  option: i32,
  value: usize,
  capacity: usize,
  length: usize,
): i64 {
  const block = scratch();
  // PACKET_HDRLEN is asked with a question (packet(7)).
  if (level == SOL_PACKET && copyIn(block, value, min(capacity, NUMBER_BYTES)) != 0) return -EFAULT;
  let bytes: i64 = -ENOPROTOOPT;
  if (level == SOL_SOCKET) bytes = socketOption(socket, option, block);
  if (bytes == -ENOPROTOOPT) {
    bytes = socket.getOption(level, option, block, min(capacity, SCRATCH_BYTES));
  }
  if (bytes < 0) return bytes;
  const given = min(<usize>bytes, capacity);
  if (copyOut(value, block, given) != 0) return -EFAULT;
  return store32(length, <u32>given);
}

/** Writes the value of an option; its length, or -ENOPROTOOPT. */
function socketOption(socket: SocketFile, option: i32, block: usize): i64 {
  if (isSwitch(option)) return putNumber(block, <i32>((socket.switches >> option) & 1));
  switch (option) {
    case SO_TYPE:
      return putNumber(block, socket.type);
    case SO_DOMAIN:
      return putNumber(block, socket.family);
    case SO_PROTOCOL:
      return putNumber(block, socket.protocol);
    case SO_ERROR:
      return putNumber(block, socket.takeError());
    case SO_SNDBUF:
      return putNumber(block, <i32>socket.sendBufferBytes);
    case SO_RCVBUF:
      return putNumber(block, <i32>socket.receiveBufferBytes);
    case SO_ACCEPTCONN:
      return putNumber(block, socket.isListening() ? 1 : 0);
    case SO_RCVLOWAT:
      return putNumber(block, socket.lowWater);
    case SO_SNDLOWAT:
      return putNumber(block, 1);
    case SO_RCVTIMEO:
      return putTimeout(block, socket.receiveTimeoutNs);
    case SO_SNDTIMEO:
      return putTimeout(block, socket.sendTimeoutNs);
    case SO_LINGER:
      store<u64>(block, socket.linger);
      return LINGER_BYTES;
    case SO_COOKIE:
      store<u64>(block, socket.inode);
      return COOKIE_BYTES;
    case SO_PEERCRED:
      return putPeer(socket, block);
    default:
      return -ENOPROTOOPT;
  }
}

function putNumber(block: usize, value: i32): i64 {
  store<i32>(block, value);
  return 4;
}

/** struct ucred of who is at the other end; only local sockets know. */
function putPeer(socket: SocketFile, block: usize): i64 {
  store<i32>(block, 0);
  store<u64>(block, u64.MAX_VALUE, 4);
  if (socket instanceof UnixSocket) {
    const end = changetype<UnixSocket>(socket).end;
    store<i32>(block, end.peerProcess);
    store<u32>(block, end.peerUser, 4);
    store<u32>(block, end.peerGroup, 8);
  }
  return <i64>CREDENTIALS_BYTES;
}

/** setsockopt(2). What concerns the protocol is passed on to it. */
export function sysSetsockopt(fd: i32, level: i32, option: i32, value: usize, length: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const block = scratch();
  const given = min(<usize>length, SCRATCH_BYTES);
  let result: i64 = <i32>length < 0 ? -EINVAL : 0;
  if (result == 0) {
    store<u64>(block, 0);
    store<u64>(block, 0, 8);
    result = copyIn(block, value, given);
  }
  if (result == 0) result = setOption(heldSocket(held), level, option, block, given);
  drop(held);
  return result;
}

function setOption(socket: SocketFile, level: i32, option: i32, block: usize, length: usize): i64 {
  if (level != SOL_SOCKET) return socket.setOption(level, option, block, length);
  if (length < 4 && option != SO_RCVTIMEO && option != SO_SNDTIMEO && option != SO_BINDTODEVICE) {
    return -EINVAL;
  }
  const own = setSocketOption(socket, option, block, length);
  if (own < 0 && own != -ENOPROTOOPT) return own;
  const protocol = socket.setOption(level, option, block, length);
  return own == 0 && protocol == -ENOPROTOOPT ? 0 : protocol;
}

/** Keeps an option of the socket level; -ENOPROTOOPT if it is not known here. */
function setSocketOption(socket: SocketFile, option: i32, block: usize, length: usize): i64 {
  const number = load<i32>(block);
  if (isSwitch(option)) {
    const bit = (<u64>1) << option;
    socket.switches = number != 0 ? socket.switches | bit : socket.switches & ~bit;
    return 0;
  }
  switch (option) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
      socket.sendBufferBytes = bufferBytes(number, SEND_BUFFER_MIN);
      return 0;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      socket.receiveBufferBytes = bufferBytes(number, RECEIVE_BUFFER_MIN);
      return 0;
    case SO_RCVLOWAT:
      socket.lowWater = number <= 0 ? 1 : number;
      return 0;
    case SO_LINGER:
      if (length < LINGER_BYTES) return -EINVAL;
      socket.linger = load<u64>(block);
      return 0;
    case SO_RCVTIMEO:
    case SO_SNDTIMEO: {
      if (length < TIMEVAL_BYTES) return -EINVAL;
      const microseconds = load<i64>(block, 8);
      if (microseconds < 0 || microseconds >= MICROSECONDS) return -EDOM;
      const timeoutNs = timeoutOf(load<i64>(block), microseconds);
      if (option == SO_RCVTIMEO) socket.receiveTimeoutNs = timeoutNs;
      else socket.sendTimeoutNs = timeoutNs;
      return 0;
    }
    case SO_TIMESTAMP:
      // Off is what it is; network sockets know more.
      return number == 0 ? 0 : -ENOPROTOOPT;
    default:
      return -ENOPROTOOPT;
  }
}

function bufferBytes(wanted: i32, least: u32): u32 {
  return max(<u32>min(max(wanted, 0), BUFFER_MAX) * 2, least);
}

/** 0 means "no timeout"; a negative time "do not wait" is kept as the shortest one. */
function timeoutOf(seconds: i64, microseconds: i64): u64 {
  if (seconds == 0 && microseconds == 0) return FOREVER;
  if (seconds < 0) return 1;
  if (<u64>seconds >= u64.MAX_VALUE / NS_PER_SECOND / 2) return FOREVER;
  return <u64>seconds * NS_PER_SECOND + <u64>microseconds * NS_PER_MICROSECOND;
}

function putTimeout(block: usize, timeoutNs: u64): i64 {
  const shownNs = timeoutNs == FOREVER ? 0 : timeoutNs;
  store<u64>(block, shownNs / NS_PER_SECOND);
  store<u64>(block, (shownNs % NS_PER_SECOND) / NS_PER_MICROSECOND, 8);
  return TIMEVAL_BYTES;
}
