/**
 * sendmsg(2), recvmsg(2) and the calls for several messages at once.
 *
 * Neighbours: `socket-calls.ts`, `socket-control.ts` (control data), `io-vector.ts`.
 */
import { EINVAL, EMSGSIZE, isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { monotonicNs } from "../sched/clock";
import { drop } from "./held-file";
import { VECTORS_MAX, dropVectors, takeVectors } from "./io-vector";
import { deadlineArgument } from "./poll";
import {
  heldSocket,
  holdSocket,
  putAddress,
  receiveList,
  sendList,
  sendResult,
} from "./socket-calls";
import { putControl, takeControl } from "./socket-control";
import { ADDRESS_BYTES, Incoming, Outgoing } from "./socket-exchange";
import { MSG_CMSG_CLOEXEC, MSG_DONTWAIT } from "./socket-file";
import { copyIn, scratch, store32, store64 } from "./user-memory";

/** struct msghdr: 56 bytes; struct mmsghdr adds a length and is 64. */
const MSGHDR_BYTES: usize = 56;
const MMSGHDR_BYTES: usize = 64;
const NAME: usize = 0;
const NAME_LENGTH: usize = 8;
const VECTORS: usize = 16;
const VECTOR_COUNT: usize = 24;
const CONTROL: usize = 32;
const CONTROL_LENGTH: usize = 40;
const FLAGS: usize = 48;

const MESSAGES_MAX: u32 = 1024;
/** recvmmsg: wait for the first message only. */
const MSG_WAITFORONE: u32 = 0x10000;

/** sendmsg(2). */
export function sysSendmsg(fd: i32, message: usize, flags: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = sendOne(held, message, flags);
  drop(held);
  return sendResult(result, flags);
}

/** recvmsg(2). */
export function sysRecvmsg(fd: i32, message: usize, flags: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  const result = receiveOne(held, message, flags);
  drop(held);
  return result;
}

/** sendmmsg(2). */
export function sysSendmmsg(fd: i32, messages: usize, count: u32, flags: u32): i64 {
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let done: i64 = 0;
  let result: i64 = 0;
  for (let i: u32 = 0; i < min(count, MESSAGES_MAX); i++) {
    const entry = messages + <usize>i * MMSGHDR_BYTES;
    result = sendOne(held, entry, flags);
    if (result >= 0) result = store32(entry + MSGHDR_BYTES, <u32>result);
    if (result < 0) break;
    done++;
  }
  drop(held);
  return done != 0 ? done : sendResult(result, flags);
}

/** recvmmsg(2); the timeout is looked at between messages only, as in Linux (see its BUGS). */
export function sysRecvmmsg(fd: i32, messages: usize, count: u32, flags: u32, timeout: usize): i64 {
  const deadlineNs = deadlineArgument(timeout);
  if (deadlineNs < 0) return deadlineNs;
  const held = holdSocket(fd);
  if (isError(held)) return <i64>held;
  let done: i64 = 0;
  let result: i64 = 0;
  for (let i: u32 = 0; i < min(count, MESSAGES_MAX); i++) {
    const entry = messages + <usize>i * MMSGHDR_BYTES;
    const waits = done == 0 || (flags & MSG_WAITFORONE) == 0;
    const plain = flags & ~MSG_WAITFORONE;
    result = receiveOne(held, entry, waits ? plain : plain | MSG_DONTWAIT);
    if (result >= 0) result = store32(entry + MSGHDR_BYTES, <u32>result);
    if (result < 0) break;
    done++;
    if (monotonicNs() >= <u64>deadlineNs) break;
  }
  drop(held);
  return done != 0 ? done : result;
}

/** The buffer list of the message header that was copied to `scratch`, or a negative error. */
function takeBuffers(): usize {
  const header = scratch();
  const count = load<usize>(header, VECTOR_COUNT);
  if (count > VECTORS_MAX) return <usize>-EMSGSIZE;
  return takeVectors(load<usize>(header, VECTORS), count);
}

function sendOne(held: usize, message: usize, flags: u32): i64 {
  const header = scratch();
  const copied = copyIn(header, message, MSGHDR_BYTES);
  if (copied < 0) return copied;
  const nameLength = load<i32>(header, NAME_LENGTH);
  if (nameLength < 0) return -EINVAL;
  const name = load<usize>(header, NAME);
  const control = load<usize>(header, CONTROL);
  const controlLength = load<usize>(header, CONTROL_LENGTH);
  const hasName = name != 0 && nameLength != 0;
  const list = takeBuffers();
  if (isError(list)) return <i64>list;
  const extra = hasName || (control != 0 && controlLength != 0) ? new Outgoing() : null;
  let result: i64 = 0;
  if (extra && hasName) result = extra.setAddress(name, min<usize>(nameLength, ADDRESS_BYTES));
  if (extra && result == 0 && control != 0) {
    result = takeControl(heldSocket(held), extra, control, controlLength);
  }
  if (result == 0) result = sendList(held, list, flags, extra);
  if (extra) extra.dispose();
  dropVectors(list);
  return result;
}

function receiveOne(held: usize, message: usize, flags: u32): i64 {
  const header = scratch();
  const copied = copyIn(header, message, MSGHDR_BYTES);
  if (copied < 0) return copied;
  const name = load<usize>(header, NAME);
  const nameLength = load<i32>(header, NAME_LENGTH);
  if (nameLength < 0) return -EINVAL;
  const control = load<usize>(header, CONTROL);
  const controlLength = load<usize>(header, CONTROL_LENGTH);
  const list = takeBuffers();
  if (isError(list)) return <i64>list;
  const extra = new Incoming();
  let result: i64 = name == 0 ? 0 : extra.wantAddress();
  if (control != 0 && controlLength != 0) extra.control = new ByteWriter();
  if (result == 0) result = receiveList(held, list, flags & ~MSG_CMSG_CLOEXEC, extra);
  if (result >= 0) {
    let stored: i64 = 0;
    if (name != 0)
      stored = putAddress(name, message + NAME_LENGTH, extra.address, extra.addressLength);
    if (stored == 0) stored = putControl(heldSocket(held), extra, control, controlLength, flags);
    if (stored >= 0) stored = store64(message + CONTROL_LENGTH, <u64>stored);
    const shown = extra.flags | (flags & MSG_CMSG_CLOEXEC);
    if (stored == 0) stored = store32(message + FLAGS, shown);
    if (stored < 0) result = stored;
  }
  extra.dispose();
  dropVectors(list);
  return result;
}
