/**
 * getsockopt(2) and setsockopt(2) at the level of the socket itself (socket(7)).
 *
 * Neighbours: `socket-file.ts`, `socket-calls.ts`.
 */
import { EDOM, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP, isError } from "../lib/errno";
import { FOREVER } from "../sched/wait";
import { drop } from "./held-file";
import { currentProcess } from "./process";
import { heldSocket, holdSocket } from "./socket-calls";
import { SocketFile } from "./socket-file";
import { BUFFER_BYTES } from "./unix-socket";
import { copyIn, copyOut, load32, loadedValue, scratch, store32 } from "./user-memory";

const SOL_SOCKET: i32 = 1;

const SO_REUSEADDR: i32 = 2;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_BROADCAST: i32 = 6;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_KEEPALIVE: i32 = 9;
const SO_REUSEPORT: i32 = 15;
const SO_PEERCRED: i32 = 17;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_ACCEPTCONN: i32 = 30;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;

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
    else if (level != SOL_SOCKET) result = -EOPNOTSUPP;
    else result = getOption(heldSocket(held), option, value, <usize>capacity, length);
  }
  drop(held);
  return result;
}

function getOption(
  socket: SocketFile,
  option: i32,
  value: usize,
  capacity: usize,
  length: usize,
): i64 {
  const block = scratch();
  let bytes: usize = 4;
  switch (option) {
    case SO_TYPE:
      store<i32>(block, socket.type);
      break;
    case SO_DOMAIN:
      store<i32>(block, socket.family);
      break;
    case SO_PROTOCOL:
      store<i32>(block, socket.protocol);
      break;
    case SO_ERROR:
      store<i32>(block, socket.takeError());
      break;
    case SO_SNDBUF:
    case SO_RCVBUF:
      store<i32>(block, <i32>BUFFER_BYTES);
      break;
    case SO_ACCEPTCONN:
    case SO_REUSEADDR:
    case SO_REUSEPORT:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
      store<i32>(block, 0);
      break;
    case SO_RCVTIMEO:
      bytes = putTimeout(block, socket.receiveTimeoutNs);
      break;
    case SO_SNDTIMEO:
      bytes = putTimeout(block, socket.sendTimeoutNs);
      break;
    case SO_PEERCRED: {
      const credentials = currentProcess().credentials;
      store<i32>(block, currentProcess().id);
      store<u32>(block, credentials.effectiveUser, 4);
      store<u32>(block, credentials.effectiveGroup, 8);
      bytes = CREDENTIALS_BYTES;
      break;
    }
    default:
      return -ENOPROTOOPT;
  }
  const given = min(bytes, capacity);
  if (copyOut(value, block, given) != 0) return -EFAULT;
  return store32(length, <u32>given);
}

/** setsockopt(2). Options that tune what does not exist here are accepted and forgotten. */
export function sysSetsockopt(fd: i32, level: i32, option: i32, value: usize, length: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let result: i64 = -EOPNOTSUPP;
  if (level == SOL_SOCKET) result = setOption(heldSocket(held), option, value, length);
  drop(held);
  return result;
}

function setOption(socket: SocketFile, option: i32, value: usize, length: u32): i64 {
  switch (option) {
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_REUSEADDR:
    case SO_REUSEPORT:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
      return length < 4 ? -EINVAL : load32(value);
    case SO_RCVTIMEO:
    case SO_SNDTIMEO: {
      if (length < TIMEVAL_BYTES) return -EINVAL;
      const block = scratch();
      const copied = copyIn(block, value, TIMEVAL_BYTES);
      if (copied < 0) return copied;
      const microseconds = load<i64>(block, 8);
      if (microseconds < 0 || microseconds >= MICROSECONDS) return -EDOM;
      const timeoutNs = timeoutOf(load<i64>(block), microseconds);
      if (option == SO_RCVTIMEO) socket.receiveTimeoutNs = timeoutNs;
      else socket.sendTimeoutNs = timeoutNs;
      return 0;
    }
    default:
      return -ENOPROTOOPT;
  }
}

/** 0 means "no timeout"; a negative time "do not wait" is kept as the shortest one. */
function timeoutOf(seconds: i64, microseconds: i64): u64 {
  if (seconds == 0 && microseconds == 0) return FOREVER;
  if (seconds < 0) return 1;
  if (<u64>seconds >= u64.MAX_VALUE / NS_PER_SECOND / 2) return FOREVER;
  return <u64>seconds * NS_PER_SECOND + <u64>microseconds * NS_PER_MICROSECOND;
}

function putTimeout(block: usize, timeoutNs: u64): usize {
  const shownNs = timeoutNs == FOREVER ? 0 : timeoutNs;
  store<u64>(block, shownNs / NS_PER_SECOND);
  store<u64>(block, (shownNs % NS_PER_SECOND) / NS_PER_MICROSECOND, 8);
  return TIMEVAL_BYTES;
}
