/**
 * Moving messages into and out of local sockets. Bytes are copied to and from the application with
 * no spin lock held.
 *
 * Neighbours: `net/unix/unix-end.ts`, `net/unix/message-queue.ts`, `unix-socket.ts`.
 */
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EAGAIN, ECONNREFUSED, EFAULT, EMSGSIZE, ENOMEM, EPIPE, ETIMEDOUT } from "../lib/errno";
import { free } from "../lib/object";
import {
  dropMessage,
  hasRights,
  messageBytes,
  messageLength,
  newMessage,
  senderGroup,
  senderName,
  senderProcess,
  senderUser,
  setRights,
  setSender,
  setSenderIdentity,
  takeRights,
} from "../net/unix/message-queue";
import { dropRights } from "../net/unix/rights";
import { UnixEnd } from "../net/unix/unix-end";
import { gather, scatter, vectorTotal } from "./io-vector";
import { currentProcess } from "./process";
import { Incoming, Outgoing } from "./socket-exchange";
import { MSG_PEEK, MSG_TRUNC, MSG_WAITALL, SOCK_DGRAM, SOCK_STREAM } from "./socket-file";

/** A stream is cut into messages of this size. */
const STREAM_CHUNK: usize = 32768;

/**
 * Sends a buffer list from `own` to `target`.
 * @param deadlineNs how long to wait for room (0 = not at all)
 * @param bufferBytes how much may be on its way (SO_SNDBUF)
 * @returns bytes sent or a negative error
 */
export function sendMessages(
  own: UnixEnd,
  target: UnixEnd,
  list: usize,
  deadlineNs: u64,
  bufferBytes: usize,
  extra: Outgoing | null,
): i64 {
  const total = vectorTotal(list);
  const isStream = own.type == SOCK_STREAM;
  if (!isStream && total > bufferBytes) return -EMSGSIZE;
  let done: usize = 0;
  do {
    const part = isStream ? min(total - done, STREAM_CHUNK) : total;
    if (part == 0 && isStream) {
      if (own.isWriteShut) return -EPIPE;
      break;
    }
    const message = kernelMemoryIsShort() ? 0 : newMessage(part);
    let status: i64 = message == 0 ? -ENOMEM : gather(list, done, messageBytes(message), part);
    if (status == 0) {
      describe(message, own, extra);
      status = append(message, own, target, deadlineNs, bufferBytes, extra);
    }
    if (status < 0) {
      if (message != 0) dropMessage(message);
      return done != 0 ? <i64>done : status;
    }
    done += part;
  } while (done < total);
  return <i64>done;
}

/** Notes in a message who sent it. */
function describe(message: usize, own: UnixEnd, extra: Outgoing | null): void {
  const process = currentProcess();
  if (extra && extra.hasIdentity) {
    setSender(message, own, extra.process);
    setSenderIdentity(message, extra.user, extra.group);
    return;
  }
  setSender(message, own, process.id);
  setSenderIdentity(message, process.credentials.realUser, process.credentials.realGroup);
}

/** Waits for room and appends the message; the descriptors of `extra` go with the first one. */
function append(
  message: usize,
  own: UnixEnd,
  target: UnixEnd,
  deadlineNs: u64,
  bufferBytes: usize,
  extra: Outgoing | null,
): i64 {
  const lock = target.lock;
  let status: i64 = 0;
  lock.acquire();
  while (true) {
    if (status == 0) status = sendError(own, target);
    if (status < 0 || target.incoming.charge < bufferBytes) break;
    status = deadlineNs == 0 ? -EAGAIN : target.room.sleep(lock, deadlineNs, true);
  }
  if (status == 0) {
    if (extra) setRights(message, extra.takeRights());
    target.incoming.append(message);
  }
  lock.release();
  if (status == 0) target.changed.wakeForOne();
  return status == -ETIMEDOUT ? -EAGAIN : status;
}

/** Why nothing can be sent, or 0. (lock of the target) */
function sendError(own: UnixEnd, target: UnixEnd): i64 {
  if (own.isWriteShut) return -EPIPE;
  if (target.isClosed && own.type == SOCK_DGRAM) return -ECONNREFUSED;
  return target.isReadShut ? -EPIPE : 0;
}

/**
 * Waits for a message and takes the receive mutex.
 * @returns 1 with the mutex held, or without it: 0 at the end of the stream, a negative error
 */
function lockForReceiving(own: UnixEnd, deadlineNs: u64): i64 {
  while (true) {
    own.receiving.lock();
    own.lock.acquire();
    const isEmpty = own.incoming.isEmpty;
    let status: i64 = 1;
    if (isEmpty) {
      own.receiving.unlock();
      status = emptyStatus(own, deadlineNs);
    }
    own.lock.release();
    if (!isEmpty || status <= 0) return status == -ETIMEDOUT ? -EAGAIN : status;
  }
}

/** Nothing has arrived: 1 after a sleep, 0 at the end, or a negative error. (lock) */
function emptyStatus(own: UnixEnd, deadlineNs: u64): i64 {
  const error = own.pendingError;
  if (error != 0) {
    own.pendingError = 0;
    return -error;
  }
  // A datagram socket has no end: one that does not wait is told so even after shutdown.
  if (own.isReadShut) return own.type == SOCK_DGRAM && deadlineNs == 0 ? -EAGAIN : 0;
  if (deadlineNs == 0) return -EAGAIN;
  const status = own.changed.sleep(own.lock, deadlineNs, true);
  return status < 0 ? status : 1;
}

/** Takes the first message off and frees it. (receive mutex) */
function finishFirst(own: UnixEnd): void {
  own.lock.acquire();
  const message = own.incoming.removeFirst();
  own.lock.release();
  dropMessage(message);
}

/**
 * Receives bytes of a stream. Descriptors end a read: bytes sent after them come with the next.
 * @param separatesSenders bytes of different senders are not mixed in one read (SO_PASSCRED)
 */
export function receiveStream(
  own: UnixEnd,
  list: usize,
  flags: u32,
  deadlineNs: u64,
  extra: Incoming | null,
  separatesSenders: bool,
): i64 {
  const wanted = vectorTotal(list);
  if (wanted == 0) return 0;
  const isPeek = (flags & MSG_PEEK) != 0;
  const waitsForAll = (flags & MSG_WAITALL) != 0 && !isPeek;
  const reader = new StreamReader(own, list, wanted, isPeek, separatesSenders, extra);
  let status: i64 = 0;
  do {
    status = lockForReceiving(own, deadlineNs);
    if (status <= 0) break;
    status = reader.takeBytes();
    own.receiving.unlock();
    own.room.wakeAll();
  } while (status == 0 && waitsForAll && !reader.isEnded && reader.done < wanted);
  const done = reader.done;
  free(reader);
  return done != 0 || status > 0 ? <i64>done : status;
}

/** One read of a stream. */
class StreamReader {
  done: usize = 0;
  /** Descriptors or another sender ended the read. */
  isEnded: bool = false;
  private process: i32 = 0;

  constructor(
    private own: UnixEnd,
    private list: usize,
    private wanted: usize,
    private isPeek: bool,
    private separatesSenders: bool,
    private extra: Incoming | null,
  ) {}

  /** Takes what is there; 0, or -EFAULT if nothing could be copied. (receive mutex) */
  takeBytes(): i64 {
    const queue = this.own.incoming;
    let message = queue.first;
    while (message != 0 && this.done < this.wanted && !this.isEnded) {
      if (!this.mayContinue(message)) break;
      const part = min(messageLength(message), this.wanted - this.done);
      const isAll = part == messageLength(message);
      if (scatter(this.list, this.done, messageBytes(message), part) < 0) {
        return this.done != 0 ? 0 : -EFAULT;
      }
      this.takeExtra(message);
      this.done += part;
      this.own.lock.acquire();
      const next = queue.after(message);
      if (!this.isPeek && !isAll) queue.consume(part);
      this.own.lock.release();
      if (!this.isPeek && isAll) finishFirst(this.own);
      message = next;
    }
    return 0;
  }

  /** True unless the message is another sender's and that matters. */
  private mayContinue(message: usize): bool {
    const isSame = this.done == 0 || senderProcess(message) == this.process;
    this.isEnded = this.separatesSenders && !isSame;
    return !this.isEnded;
  }

  private takeExtra(message: usize): void {
    const extra = this.extra;
    if (this.done == 0) {
      this.process = senderProcess(message);
      if (extra) identify(extra, message);
    }
    if (!hasRights(message)) return;
    this.isEnded = true;
    if (!extra && this.isPeek) return;
    const rights = takeRights(message, this.isPeek);
    // Where nobody asks for them, descriptors are closed.
    if (extra) extra.rights = rights;
    else if (rights) dropRights(rights);
  }
}

function identify(extra: Incoming, message: usize): void {
  extra.setIdentity(senderProcess(message), senderUser(message), senderGroup(message));
}

/** Receives one datagram or packet; what does not fit is lost. */
export function receivePackets(
  own: UnixEnd,
  list: usize,
  flags: u32,
  deadlineNs: u64,
  extra: Incoming | null,
): i64 {
  const status = lockForReceiving(own, deadlineNs);
  if (status <= 0) return status;
  const isPeek = (flags & MSG_PEEK) != 0;
  const message = own.incoming.first;
  const length = messageLength(message);
  const part = min(length, vectorTotal(list));
  const copied = scatter(list, 0, messageBytes(message), part);
  if (extra) {
    if (part < length) extra.flags |= MSG_TRUNC;
    identify(extra, message);
    const name = senderName(message);
    if (name) extra.putAddress(name.bytes, name.length);
    if (copied == 0) extra.rights = takeRights(message, isPeek);
  }
  if (!isPeek) finishFirst(own);
  own.receiving.unlock();
  own.room.wakeAll();
  if (copied < 0) return copied;
  return <i64>((flags & MSG_TRUNC) != 0 ? length : part);
}
