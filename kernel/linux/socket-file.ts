/**
 * What every socket has, whatever its family: the interface between the socket system calls and the
 * protocols.
 *
 * Neighbours: `socket-calls.ts` (the calls), `unix-socket.ts` (the only family so far).
 */
import { S_IFSOCK } from "../fs/constants";
import { File } from "../fs/file";
import { Stat } from "../fs/stat";
import { EINVAL, EISCONN, EOPNOTSUPP } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { FOREVER } from "../sched/wait";

// Types of sockets (socket(2)).
export const SOCK_STREAM: i32 = 1;
export const SOCK_DGRAM: i32 = 2;
export const SOCK_SEQPACKET: i32 = 5;

// Flags of send(2) and recv(2).
export const MSG_OOB: u32 = 1;
export const MSG_PEEK: u32 = 2;
export const MSG_TRUNC: u32 = 0x20;
export const MSG_DONTWAIT: u32 = 0x40;
export const MSG_WAITALL: u32 = 0x100;
export const MSG_NOSIGNAL: u32 = 0x4000;
export const MSG_CMSG_CLOEXEC: u32 = 0x40000000;

/** Device that fstat shows for sockets (sockfs). */
const SOCKET_DEVICE: u64 = 8;

let nextInode: u64 = 1;

export abstract class SocketFile extends File {
  inode: u64 = nextInode++;
  /** SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds. */
  receiveTimeoutNs: u64 = FOREVER;
  sendTimeoutNs: u64 = FOREVER;
  /** MSG_* bits that the last `receive` of the running thread reports (MSG_TRUNC). */
  receivedFlags: u32 = 0;

  /** @param family AF_* @param type SOCK_* without flags */
  constructor(
    public family: i32,
    public type: i32,
    public protocol: i32,
    flags: u32,
  ) {
    super(flags);
  }

  /**
   * Sends the bytes of a buffer list (`io-vector.ts`).
   * @returns bytes sent, or a negative error
   */
  abstract send(list: usize, flags: u32): i64;

  /**
   * Receives into a buffer list.
   * @returns bytes received (the whole length of a longer datagram with MSG_TRUNC), 0 at the end
   */
  abstract receive(list: usize, flags: u32): i64;

  /** shutdown(2). @param how 0 reading, 1 writing, 2 both */
  abstract shutDown(how: u32): i64;

  /** The error to report once (SO_ERROR), 0 if none. */
  abstract takeError(): i32;

  /** Writes the own or the peer's address to kernel memory; returns its length. */
  abstract address(ofPeer: bool, out: usize): usize;

  /** connect(2). */
  connect(_address: usize, _length: u32): i64 {
    return -EISCONN;
  }
  /** bind(2). */
  bind(_address: usize, _length: u32): i64 {
    return -EINVAL;
  }
  /** listen(2). */
  listen(_backlog: i32): i64 {
    return -EINVAL;
  }
  /** accept(2): a SocketFile with a reference, or a negative error. */
  accept(_flags: u32): usize {
    return <usize>(this.type == SOCK_DGRAM ? -EOPNOTSUPP : -EINVAL);
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
