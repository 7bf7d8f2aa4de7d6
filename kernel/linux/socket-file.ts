/**
 * What every socket has, whatever its family: the interface between the socket system calls and the
 * protocols.
 *
 * Addresses are sockaddr bytes in kernel memory.
 * Neighbours: `socket-calls.ts` (the calls), `socket-exchange.ts` (what goes along with the bytes),
 * `unix-socket.ts`, `inet-socket.ts` (the families).
 */
import { O_NONBLOCK, S_IFSOCK } from "../fs/constants";
import { File } from "../fs/file";
import { Stat } from "../fs/stat";
import { ENOPROTOOPT, EOPNOTSUPP, asError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { socketFileClosed, socketFileOpened } from "../net/socket";
import { monotonicNs } from "../sched/clock";
import { FOREVER } from "../sched/wait";
import { Incoming, Outgoing } from "./socket-exchange";

// Types of sockets (socket(2)).
export const SOCK_STREAM: i32 = 1;
export const SOCK_DGRAM: i32 = 2;
export const SOCK_RAW: i32 = 3;
export const SOCK_SEQPACKET: i32 = 5;

// Flags of send(2) and recv(2).
export const MSG_OOB: u32 = 1;
export const MSG_PEEK: u32 = 2;
export const MSG_CTRUNC: u32 = 8;
export const MSG_TRUNC: u32 = 0x20;
export const MSG_DONTWAIT: u32 = 0x40;
export const MSG_WAITALL: u32 = 0x100;
export const MSG_NOSIGNAL: u32 = 0x4000;
export const MSG_CMSG_CLOEXEC: u32 = 0x40000000;

/** Device that fstat shows for sockets (sockfs). */
const SOCKET_DEVICE: u64 = 8;

/** Option of SOL_SOCKET (socket(7)). */
export const SO_PASSCRED: u64 = 16;

/** Default size of both buffers in bytes (net.core.wmem_default). */
export const BUFFER_BYTES: u32 = 212992;

let nextInode: u64 = 1;

export abstract class SocketFile extends File {
  inode: u64 = nextInode++;
  /** SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds. */
  receiveTimeoutNs: u64 = FOREVER;
  sendTimeoutNs: u64 = FOREVER;
  /** SO_SNDBUF and SO_RCVBUF as getsockopt(2) tells them. */
  sendBufferBytes: u32 = BUFFER_BYTES;
  receiveBufferBytes: u32 = BUFFER_BYTES;
  /** Options that are on or off: bit N is option N of SOL_SOCKET (`socket-options.ts`). */
  switches: u64 = 0;
  /** SO_LINGER: struct linger as one number. */
  linger: u64 = 0;
  lowWater: i32 = 1;

  /** @param family AF_* @param type SOCK_* without flags */
  constructor(
    public family: i32,
    public type: i32,
    public protocol: i32,
    flags: u32,
  ) {
    super(flags);
    socketFileOpened();
  }

  /** The last reference is gone; subclasses end their `dispose` with it. */
  protected disposeSocket(): void {
    socketFileClosed();
    free(this);
  }

  /**
   * Sends the bytes of a buffer list (`io-vector.ts`).
   * @param extra where to and what goes along; null: nothing but the bytes
   * @returns bytes sent, or a negative error
   */
  abstract send(list: usize, flags: u32, extra: Outgoing | null): i64;

  /**
   * Receives into a buffer list.
   * @param extra takes the sender's address and what came along; null: nobody wants to know
   * @returns bytes received (the whole length of a longer datagram with MSG_TRUNC), 0 at the end
   */
  abstract receive(list: usize, flags: u32, extra: Incoming | null): i64;

  /** shutdown(2). @param how 0 reading, 1 writing, 2 both */
  abstract shutDown(how: u32): i64;

  /** The error to report once (SO_ERROR), 0 if none. */
  abstract takeError(): i32;

  /** Writes the own or the peer's address; returns its length, or -ENOTCONN. */
  abstract address(ofPeer: bool, out: usize): i64;

  /** The peer's address as accept(2) tells it. */
  acceptedAddress(out: usize): i64 {
    return this.address(true, out);
  }

  /** connect(2). */
  abstract connect(address: usize, length: usize): i64;

  /** bind(2). */
  abstract bind(address: usize, length: usize): i64;

  /** listen(2). */
  listen(_backlog: i32): i64 {
    return -EOPNOTSUPP;
  }

  /**
   * accept(2).
   * @param status O_NONBLOCK for the new socket, or 0
   * @returns a SocketFile with a reference, or a negative error
   */
  accept(_status: u32): usize {
    return asError(-EOPNOTSUPP);
  }

  /** True after listen(2) (SO_ACCEPTCONN). */
  isListening(): bool {
    return false;
  }

  /** getsockopt(2) for what `socket-options.ts` does not know. @returns bytes or an error */
  getOption(_level: i32, _name: i32, _value: usize, _capacity: usize): i64 {
    return -ENOPROTOOPT;
  }

  /** setsockopt(2), likewise and for options the protocol must hear of. */
  setOption(_level: i32, _name: i32, _value: usize, _length: usize): i64 {
    return -ENOPROTOOPT;
  }

  /** SO_PASSCRED: received messages tell who sent them. */
  passesIdentity(): bool {
    return ((this.switches >> SO_PASSCRED) & 1) != 0;
  }

  /** When a call that may wait for `timeoutNs` gives up: monotonic time, 0 = at once. */
  protected deadline(flags: u32, timeoutNs: u64): u64 {
    if ((flags & MSG_DONTWAIT) != 0 || (this.flags & O_NONBLOCK) != 0) return 0;
    return timeoutNs == FOREVER ? FOREVER : monotonicNs() + timeoutNs;
  }

  canPoll(): bool {
    return true;
  }

  stat(out: Stat): i64 {
    out.device = SOCKET_DEVICE;
    out.inode = this.inode;
    out.mode = S_IFSOCK | 0o777;
    return 0;
  }

  writePath(out: ByteWriter): void {
    out.writeString("socket:[");
    out.writeDecimal(this.inode);
    out.writeByte(0x5d);
  }
}
