/**
 * A local socket as an open file: streams, datagrams and sequenced packets (unix(7)).
 *
 * Neighbours: `net/unix/unix-end.ts` (state below), `unix-transfer.ts` (moving messages),
 * `unix-address.ts` (names).
 */
import {
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
  EINVAL,
  EISCONN,
  ENOMEM,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  ETIMEDOUT,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { messageLength } from "../net/unix/message-queue";
import { UnixEnd } from "../net/unix/unix-end";
import { UnixName } from "../net/unix/unix-name";
import { WaitLink } from "../sched/wait";
import { interfaceIoctl } from "./interface-ioctl";
import { dropVectors, makeVector } from "./io-vector";
import { currentProcess } from "./process";
import { Incoming, Outgoing } from "./socket-exchange";
import { MSG_PEEK, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SocketFile } from "./socket-file";
import { AF_UNIX, FAMILY_BYTES, bindUnixEnd, checkUnixAddress, findUnixEnd } from "./unix-address";
import { receivePackets, receiveStream, sendMessages } from "./unix-transfer";
import { store32 } from "./user-memory";

const FIONREAD: u32 = 0x541b;
const SIOCOUTQ: u32 = 0x5411;
const AF_UNSPEC: u16 = 0;
/** Most connections that may wait to be accepted (net.core.somaxconn). */
const BACKLOG_MAX: u32 = 4096;

/** Says in `end` that the running process is at the other side (SO_PEERCRED). */
export function identifyPeer(end: UnixEnd): void {
  const process = currentProcess();
  const credentials = process.credentials;
  end.setPeerIdentity(process.id, credentials.effectiveUser, credentials.effectiveGroup);
}

export class UnixSocket extends SocketFile {
  /** Takes over the reference of the end. @param status O_NONBLOCK or 0 */
  constructor(
    readonly end: UnixEnd,
    status: u32,
  ) {
    super(AF_UNIX, end.type, 0, O_RDWR | status);
  }

  read(buffer: usize, length: usize): i64 {
    const list = makeVector(buffer, length);
    if (list == 0) return -ENOMEM;
    const result = this.receive(list, 0, null);
    dropVectors(list);
    return result;
  }

  write(buffer: usize, length: usize): i64 {
    const list = makeVector(buffer, length);
    if (list == 0) return -ENOMEM;
    const result = this.send(list, 0, null);
    dropVectors(list);
    return result;
  }

  send(list: usize, flags: u32, extra: Outgoing | null): i64 {
    const target = this.target(extra);
    if (isError(target)) return errorOf(target);
    const peer = changetype<UnixEnd>(target);
    const deadlineNs = this.deadline(flags, this.sendTimeoutNs);
    const result = sendMessages(
      this.end,
      peer,
      list,
      deadlineNs,
      <usize>this.sendBufferBytes,
      extra,
    );
    if (result == -ECONNREFUSED && this.type == SOCK_DGRAM && this.end.peer == peer) {
      this.end.setPeer(null);
    }
    peer.release();
    return result;
  }

  /** Whom to send to: a UnixEnd with a reference, or a negative error. */
  private target(extra: Outgoing | null): usize {
    const hasAddress = extra != null && extra.address != 0;
    if (this.type == SOCK_STREAM && hasAddress) {
      return asError(this.end.peer ? -EISCONN : -EOPNOTSUPP);
    }
    if (!extra || !hasAddress || this.type == SOCK_SEQPACKET) {
      const peer = this.end.takePeer();
      return peer ? changetype<usize>(peer) : asError(-ENOTCONN);
    }
    const status = checkUnixAddress(extra.address, extra.addressLength);
    return status < 0 ? asError(status) : this.findDatagramPeer(extra.address, extra.addressLength);
  }

  /** A datagram socket that takes messages of this one: it is not connected with another. */
  private findDatagramPeer(address: usize, length: usize): usize {
    const found = findUnixEnd(address, length, this.type);
    if (isError(found)) return found;
    const end = changetype<UnixEnd>(found);
    const theirs = end.takePeer();
    const maySend = !theirs || theirs == this.end;
    if (theirs) theirs.release();
    if (maySend) return found;
    end.release();
    return asError(-EPERM);
  }

  receive(list: usize, flags: u32, extra: Incoming | null): i64 {
    const end = this.end;
    if (this.type != SOCK_DGRAM && !end.peer) {
      return this.type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
    }
    const deadlineNs = this.deadline(flags, this.receiveTimeoutNs);
    if (this.type != SOCK_STREAM) return receivePackets(end, list, flags, deadlineNs, extra);
    const result = receiveStream(end, list, flags, deadlineNs, extra, this.passesIdentity());
    if (result > 0 && extra && (flags & MSG_PEEK) == 0) this.putPeerName(extra);
    return result;
  }

  /** A stream tells the name of the other end with the bytes, if it has one. */
  private putPeerName(extra: Incoming): void {
    const peer = this.end.peer;
    const name = peer ? peer.name : null;
    if (name) extra.putAddress(name.bytes, name.length);
  }

  bind(address: usize, length: usize): i64 {
    const status = checkUnixAddress(address, length);
    return status < 0 ? status : bindUnixEnd(this.end, address, length);
  }

  connect(address: usize, length: usize): i64 {
    if (length < FAMILY_BYTES) return -EINVAL;
    if (this.type == SOCK_DGRAM) return this.connectDatagrams(address, length);
    const status = checkUnixAddress(address, length);
    if (status < 0) return status;
    const found = findUnixEnd(address, length, this.type);
    if (isError(found)) return errorOf(found);
    const listener = changetype<UnixEnd>(found);
    const result = this.connectTo(listener);
    listener.release();
    return result;
  }

  private connectDatagrams(address: usize, length: usize): i64 {
    if (load<u16>(address) == AF_UNSPEC) {
      this.end.setPeer(null);
      return 0;
    }
    const status = checkUnixAddress(address, length);
    if (status < 0) return status;
    const found = this.findDatagramPeer(address, length);
    if (isError(found)) return errorOf(found);
    this.end.setPeer(changetype<UnixEnd>(found));
    return 0;
  }

  /** Connects with a listening socket, waiting for a place in its queue. */
  private connectTo(listener: UnixEnd): i64 {
    const own = this.end;
    own.lock.acquire();
    const mayConnect = own.mayConnect();
    if (mayConnect) own.isConnecting = true;
    const error: i64 = own.isListening ? -EINVAL : -EISCONN;
    own.lock.release();
    if (!mayConnect) return error;

    const status = kernelMemoryIsShort() ? -ENOMEM : this.connectThrough(listener);
    own.lock.acquire();
    own.isConnecting = false;
    own.lock.release();
    return status;
  }

  /** Makes the other end and has it wait to be accepted. */
  private connectThrough(listener: UnixEnd): i64 {
    const remote = this.makeRemote(listener);
    const status = this.enqueue(listener, remote);
    if (status == 0) {
      this.end.setPeer(remote);
      listener.changed.wakeForOne();
    } else {
      remote.close(true);
      remote.release();
    }
    return status;
  }

  /** The end that accept(2) will give out, with a reference, not yet connected. */
  private makeRemote(listener: UnixEnd): UnixEnd {
    const remote = new UnixEnd(this.type);
    const name = listener.name;
    if (name) name.retain();
    remote.name = name;
    identifyPeer(remote);
    return remote;
  }

  /** Puts the remote end (with one more reference) into the listener's queue. */
  private enqueue(listener: UnixEnd, remote: UnixEnd): i64 {
    const own = this.end;
    const deadlineNs = this.deadline(0, this.sendTimeoutNs);
    let status: i64 = 0;
    listener.lock.acquire();
    while (true) {
      if (!listener.isListening || listener.isReadShut) status = -ECONNREFUSED;
      if (status < 0 || listener.pendingCount <= listener.backlog) break;
      status = deadlineNs == 0 ? -EAGAIN : listener.room.sleep(listener.lock, deadlineNs, true);
    }
    if (status == 0) {
      own.retain();
      remote.peer = own;
      remote.retain();
      listener.addPending(remote);
      own.setPeerIdentity(listener.peerProcess, listener.peerUser, listener.peerGroup);
    }
    listener.lock.release();
    return status == -ETIMEDOUT ? -EAGAIN : status;
  }

  listen(backlog: i32): i64 {
    if (this.type == SOCK_DGRAM) return -EOPNOTSUPP;
    const result = this.end.listen(min(<u32>backlog, BACKLOG_MAX));
    if (result == 0) identifyPeer(this.end);
    return result;
  }

  accept(status: u32): usize {
    if (this.type == SOCK_DGRAM) return asError(-EOPNOTSUPP);
    const own = this.end;
    const deadlineNs = this.deadline(0, this.receiveTimeoutNs);
    let error: i64 = 0;
    let accepted: UnixEnd | null = null;
    own.lock.acquire();
    while (true) {
      if (!own.isListening || own.isReadShut) error = -EINVAL;
      if (error < 0) break;
      accepted = own.takePending();
      if (accepted) break;
      error = deadlineNs == 0 ? -EAGAIN : own.changed.sleepForOne(own.lock, deadlineNs);
    }
    if (accepted) own.room.wakeAll();
    own.lock.release();
    if (!accepted) return asError(error == -ETIMEDOUT ? -EAGAIN : error);
    return changetype<usize>(new UnixSocket(accepted, status));
  }

  isListening(): bool {
    return this.end.isListening;
  }

  shutDown(how: u32): i64 {
    this.end.shutDown(how != 1, how != 0);
    return 0;
  }

  takeError(): i32 {
    const error = this.end.pendingError;
    this.end.pendingError = 0;
    return error;
  }

  address(ofPeer: bool, out: usize): i64 {
    let name: UnixName | null = this.end.name;
    if (ofPeer) {
      const peer = this.end.takePeer();
      if (!peer) return -ENOTCONN;
      name = peer.name;
      peer.release();
    }
    if (name) {
      memory.copy(out, name.bytes, name.length);
      return <i64>name.length;
    }
    store<u16>(out, <u16>AF_UNIX);
    return <i64>FAMILY_BYTES;
  }

  poll(link: WaitLink | null): u32 {
    const own = this.end;
    if (link) own.changed.add(link);
    const isConnectionType = this.type != SOCK_DGRAM;
    let events: u32 = 0;
    own.lock.acquire();
    if (!own.incoming.isEmpty || own.pendingCount != 0 || own.isReadShut) {
      events |= POLLIN | POLLRDNORM;
    }
    if (own.isReadShut) events |= POLLRDHUP;
    const isFresh = isConnectionType && !own.peer && !own.isListening;
    if (isFresh || (own.isReadShut && own.isWriteShut)) events |= POLLHUP;
    if (own.pendingError != 0) events |= POLLERR;
    const isWriter = !own.isListening;
    own.lock.release();
    if (isWriter && this.hasRoom()) events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
  }

  /** True if the peer takes more; if not, `changed` will tell. */
  private hasRoom(): bool {
    const peer = this.end.takePeer();
    if (!peer) return true;
    let hasRoom = peer.incoming.charge < <usize>this.sendBufferBytes;
    if (!hasRoom) {
      this.end.watchRoom(peer);
      hasRoom = peer.incoming.charge < <usize>this.sendBufferBytes;
    }
    peer.release();
    return hasRoom;
  }

  unpoll(link: WaitLink): void {
    this.end.changed.remove(link);
  }

  ioctl(request: u32, argument: usize): i64 {
    if (request == SIOCOUTQ) return store32(argument, <u32>this.unread());
    if (request != FIONREAD) return interfaceIoctl(request, argument);
    if (this.end.isListening) return -EINVAL;
    const queue = this.end.incoming;
    this.end.lock.acquire();
    let bytes = queue.bytes;
    if (this.type == SOCK_DGRAM) bytes = queue.isEmpty ? 0 : messageLength(queue.first);
    this.end.lock.release();
    return store32(argument, <u32>bytes);
  }

  /** Bytes sent that the other end has not read. */
  private unread(): usize {
    const peer = this.end.takePeer();
    if (!peer) return 0;
    const bytes = peer.incoming.bytes;
    peer.release();
    return bytes;
  }

  dispose(): void {
    this.end.close(true);
    this.end.release();
    this.disposeSocket();
  }
}
