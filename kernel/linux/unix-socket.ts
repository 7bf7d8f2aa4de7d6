/**
 * An end of a pair of local sockets as an open file: streams, datagrams and sequenced packets
 * (unix(7)). Descriptors cannot be passed yet.
 *
 * Neighbours: `unix-pair.ts` (shared state), `message-queue.ts`, `io-vector.ts`.
 */
import {
  O_NONBLOCK,
  O_RDWR,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EFAULT,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOMEM,
  ENOTTY,
  EPIPE,
  ETIMEDOUT,
} from "../lib/errno";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { FOREVER, WaitLink } from "../sched/wait";
import { dropVectors, gather, makeVector, scatter, vectorTotal } from "./io-vector";
import { dropMessage, messageBytes, messageLength, newMessage } from "./message-queue";
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SOCK_DGRAM,
  SOCK_STREAM,
  SocketFile,
} from "./socket-file";
import { PairSide, UnixPair } from "./unix-pair";
import { store32 } from "./user-memory";

export const AF_UNIX: i32 = 1;

/** Bytes that may be on their way in one direction (net.core.wmem_default). */
export const BUFFER_BYTES: usize = 212992;
/** A stream is cut into messages of this size. */
const STREAM_CHUNK: usize = 32768;
const FIONREAD: u32 = 0x541b;
/** Bytes of the address of a socket without a name: the family alone. */
const UNNAMED_BYTES: usize = 2;
/** Bytes of struct sockaddr_un. */
const ADDRESS_BYTES: u32 = 110;

export class UnixSocket extends SocketFile {
  private own: PairSide;
  private peer: PairSide;

  /** Takes a reference of the pair. @param index which end, 0 or 1 */
  constructor(
    private pair: UnixPair,
    index: u32,
    type: i32,
    flags: u32,
  ) {
    super(AF_UNIX, type, 0, O_RDWR | flags);
    pair.retain();
    this.own = pair.side(index);
    this.peer = pair.side(1 - index);
  }

  read(buffer: usize, length: usize): i64 {
    const list = makeVector(buffer, length);
    if (list == 0) return -ENOMEM;
    const result = this.receive(list, 0);
    dropVectors(list);
    return result;
  }

  write(buffer: usize, length: usize): i64 {
    const list = makeVector(buffer, length);
    if (list == 0) return -ENOMEM;
    const result = this.send(list, 0);
    dropVectors(list);
    return result;
  }

  send(list: usize, flags: u32): i64 {
    const total = vectorTotal(list);
    if (this.type != SOCK_STREAM && total > BUFFER_BYTES) return -EMSGSIZE;
    const deadlineNs = this.deadline(flags, this.sendTimeoutNs);
    let done: usize = 0;
    do {
      const part = this.type == SOCK_STREAM ? min(total - done, STREAM_CHUNK) : total;
      if (part == 0 && this.type == SOCK_STREAM) break;
      const status = this.sendPart(list, done, part, deadlineNs);
      if (status < 0) return done != 0 ? <i64>done : status;
      done += part;
    } while (done < total);
    return <i64>done;
  }

  /** Sends `length` bytes as one message; 0 or a negative error. */
  private sendPart(list: usize, skip: usize, length: usize, deadlineNs: u64): i64 {
    const message = kernelMemoryIsShort() ? 0 : newMessage(length);
    if (message == 0) return -ENOMEM;
    if (gather(list, skip, messageBytes(message), length) < 0) {
      dropMessage(message);
      return -EFAULT;
    }
    const lock = this.pair.lock;
    lock.acquire();
    let status: i64 = 0;
    while (true) {
      status = this.sendError();
      if (status < 0 || this.hasRoom()) break;
      status = deadlineNs == 0 ? -EAGAIN : this.own.changed.sleep(lock, deadlineNs, true);
      if (status < 0) break;
    }
    if (status == 0) this.peer.incoming.append(message);
    lock.release();
    if (status < 0) dropMessage(message);
    else this.peer.changed.wakeAll();
    return status == -ETIMEDOUT ? -EAGAIN : status;
  }

  receive(list: usize, flags: u32): i64 {
    const deadlineNs = this.deadline(flags, this.receiveTimeoutNs);
    const wanted = vectorTotal(list);
    const isStream = this.type == SOCK_STREAM;
    if (isStream && wanted == 0) return 0;
    const waitsForAll = isStream && (flags & MSG_WAITALL) != 0 && (flags & MSG_PEEK) == 0;
    let done: usize = 0;
    this.receivedFlags = 0;
    do {
      const status = this.lockForReceiving(deadlineNs);
      if (status <= 0) return done != 0 ? <i64>done : status;
      const taken = isStream
        ? this.takeBytes(list, done, wanted - done, (flags & MSG_PEEK) != 0)
        : this.takePacket(list, wanted, flags);
      this.own.receiving.unlock();
      this.peer.changed.wakeAll();
      if (taken < 0) return done != 0 ? <i64>done : taken;
      done += <usize>taken;
    } while (waitsForAll && done < wanted);
    return <i64>done;
  }

  /**
   * Waits for a message and takes the receive mutex.
   * @returns 1 with the mutex held, or without it: 0 at the end of the stream, a negative error
   */
  private lockForReceiving(deadlineNs: u64): i64 {
    const own = this.own;
    const lock = this.pair.lock;
    while (true) {
      own.receiving.lock();
      lock.acquire();
      const isEmpty = own.incoming.isEmpty;
      let status: i64 = 1;
      if (isEmpty) {
        own.receiving.unlock();
        status = this.emptyStatus(deadlineNs);
      }
      lock.release();
      if (!isEmpty || status <= 0) return status == -ETIMEDOUT ? -EAGAIN : status;
    }
  }

  /** Nothing has arrived: 1 after a sleep, 0 at the end, or a negative error. (lock) */
  private emptyStatus(deadlineNs: u64): i64 {
    const own = this.own;
    if (own.pendingError != 0) {
      const error = own.pendingError;
      own.pendingError = 0;
      return -error;
    }
    if (own.isReadShut || (this.type != SOCK_DGRAM && this.peer.isWriteShut)) return 0;
    if (deadlineNs == 0) return -EAGAIN;
    const status = own.changed.sleep(this.pair.lock, deadlineNs, true);
    return status < 0 ? status : 1;
  }

  /** Takes bytes of a stream across messages. (receive mutex) */
  private takeBytes(list: usize, skip: usize, wanted: usize, isPeek: bool): i64 {
    const queue = this.own.incoming;
    let done: usize = 0;
    let message = queue.first;
    while (message != 0 && done < wanted) {
      const part = min(messageLength(message), wanted - done);
      const isAll = part == messageLength(message);
      if (scatter(list, skip + done, messageBytes(message), part) < 0) {
        return done != 0 ? <i64>done : -EFAULT;
      }
      done += part;
      this.pair.lock.acquire();
      const next = queue.after(message);
      if (!isPeek) {
        if (isAll) queue.removeFirst();
        else queue.consume(part);
      }
      this.pair.lock.release();
      message = next;
    }
    return <i64>done;
  }

  /** Takes one packet; what does not fit is lost. (receive mutex) */
  private takePacket(list: usize, wanted: usize, flags: u32): i64 {
    const queue = this.own.incoming;
    const message = queue.first;
    const length = messageLength(message);
    const part = min(length, wanted);
    const copied = scatter(list, 0, messageBytes(message), part);
    if (part < length) this.receivedFlags = MSG_TRUNC;
    if ((flags & MSG_PEEK) == 0) {
      this.pair.lock.acquire();
      queue.removeFirst();
      this.pair.lock.release();
    }
    if (copied < 0) return copied;
    return <i64>((flags & MSG_TRUNC) != 0 ? length : part);
  }

  /** Why nothing can be sent, or 0. (lock) */
  private sendError(): i64 {
    if (this.own.isWriteShut) return -EPIPE;
    if (this.peer.isClosed && this.type == SOCK_DGRAM) return -ECONNREFUSED;
    return this.peer.isReadShut ? -EPIPE : 0;
  }

  private hasRoom(): bool {
    return this.peer.incoming.bytes < BUFFER_BYTES;
  }

  private deadline(flags: u32, timeoutNs: u64): u64 {
    if ((flags & MSG_DONTWAIT) != 0 || (this.flags & O_NONBLOCK) != 0) return 0;
    return timeoutNs == FOREVER ? FOREVER : monotonicNs() + timeoutNs;
  }

  /** The address is checked before the state of the socket. */
  connect(_address: usize, length: u32): i64 {
    return length <= <u32>UNNAMED_BYTES || length > ADDRESS_BYTES ? -EINVAL : -EISCONN;
  }

  shutDown(how: u32): i64 {
    this.pair.lock.acquire();
    if (how != 1) this.own.isReadShut = true;
    if (how != 0) this.own.isWriteShut = true;
    this.pair.lock.release();
    this.own.changed.wakeAll();
    this.peer.changed.wakeAll();
    return 0;
  }

  takeError(): i32 {
    const error = this.own.pendingError;
    this.own.pendingError = 0;
    return error;
  }

  address(_ofPeer: bool, out: usize): usize {
    store<u16>(out, <u16>AF_UNIX);
    return UNNAMED_BYTES;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.own.changed.add(link);
    const own = this.own;
    const peer = this.peer;
    const isConnectionType = this.type != SOCK_DGRAM;
    let events: u32 = 0;
    this.pair.lock.acquire();
    const isEnd = own.isReadShut || (isConnectionType && peer.isWriteShut);
    if (!own.incoming.isEmpty || isEnd) events |= POLLIN | POLLRDNORM;
    if (isEnd) events |= POLLRDHUP;
    const isHungUp = isEnd && (own.isWriteShut || peer.isReadShut);
    if (isHungUp && isConnectionType) events |= POLLHUP;
    if (this.hasRoom()) events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    if (own.pendingError != 0) events |= POLLERR;
    this.pair.lock.release();
    return events;
  }

  unpoll(link: WaitLink): void {
    this.own.changed.remove(link);
  }

  ioctl(request: u32, argument: usize): i64 {
    if (request != FIONREAD) return -ENOTTY;
    const queue = this.own.incoming;
    this.pair.lock.acquire();
    let bytes = queue.bytes;
    if (this.type != SOCK_STREAM) bytes = queue.isEmpty ? 0 : messageLength(queue.first);
    this.pair.lock.release();
    return store32(argument, <u32>bytes);
  }

  dispose(): void {
    const own = this.own;
    const peer = this.peer;
    this.pair.lock.acquire();
    if (!own.incoming.isEmpty && this.type != SOCK_DGRAM) peer.pendingError = ECONNRESET;
    own.isReadShut = true;
    own.isWriteShut = true;
    own.isClosed = true;
    this.pair.lock.release();
    peer.changed.wakeAll();
    this.pair.release();
    free(this);
  }
}
