/**
 * What every network socket does, below the file layer: the interface between the socket system
 * calls (`linux/`) and the protocols (`udp-socket.ts`, `tcp-socket.ts`, `create.ts` makes them).
 *
 * Addresses are Linux sockaddr bytes in kernel memory (sockaddr_in: 16 bytes, sockaddr_in6: 28).
 * Buffers are lists in the layout of `buffer-list.ts`, which is that of `linux/io-vector.ts`.
 * Calls block unless MSG_DONTWAIT is among the flags; the caller adds it for O_NONBLOCK.
 *
 * Life: made with one reference. The file calls `close` once, when its last descriptor goes, and
 * then `release`; a TCP connection lives on by itself until it has ended in good order.
 */
import {
  EAFNOSUPPORT,
  EINVAL,
  ENODEV,
  ENOPROTOOPT,
  ENOTCONN,
  ENOTTY,
  EOPNOTSUPP,
  asError,
} from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { Counted, free } from "../lib/object";
import { FOREVER, WaitLink, WaitQueue } from "../sched/wait";

export const AF_INET: i32 = 2;
export const AF_INET6: i32 = 10;
export const AF_NETLINK: i32 = 16;
export const AF_PACKET: i32 = 17;
export const SOCK_STREAM: i32 = 1;
export const SOCK_DGRAM: i32 = 2;
export const SOCK_RAW: i32 = 3;

// Flags of send(2) and recv(2).
export const MSG_PEEK: u32 = 2;
export const MSG_CTRUNC: u32 = 8;
export const MSG_TRUNC: u32 = 0x20;
export const MSG_DONTWAIT: u32 = 0x40;
export const MSG_WAITALL: u32 = 0x100;
export const MSG_ERRQUEUE: u32 = 0x2000;
export const MSG_MORE: u32 = 0x8000;

/** Largest address (struct sockaddr_storage). */
export const ADDRESS_BYTES: usize = 128;

/** What `receive` says besides its result. */
export class ReceiveFacts {
  /** Kernel memory of ADDRESS_BYTES for the sender's address, or 0 if it is not wanted. */
  address: usize = 0;
  /** Length of the sender's address; 0 if there is none (streams). */
  addressLength: usize = 0;
  /** MSG_TRUNC if a datagram did not fit, MSG_CTRUNC if control data did not, MSG_ERRQUEUE. */
  flags: u32 = 0;
  /** Takes struct cmsghdr records; null if nobody wants them. */
  control: ByteWriter | null = null;
}

/** Sockets that programs have open, of all families. */
const openFiles = memory.data(4, 4);

/** A program opens a socket. */
export function socketFileOpened(): void {
  atomic.add<u32>(openFiles, 1);
}

/** It closes one. */
export function socketFileClosed(): void {
  atomic.sub<u32>(openFiles, 1);
}

/** How many are open, for /proc/net/sockstat. */
export function socketFileCount(): u32 {
  return atomic.load<u32>(openFiles);
}

export abstract class Socket extends Counted {
  /** SO_RCVTIMEO and SO_SNDTIMEO, durations in nanoseconds; FOREVER = none. */
  receiveTimeoutNs: u64 = FOREVER;
  sendTimeoutNs: u64 = FOREVER;
  /** Number of the socket's file, as fstat(2) and /proc/net tell it. */
  inode: u64 = 0;
  /** Woken whenever `poll` may say something new. */
  changed: WaitQueue = new WaitQueue();

  /** @param family AF_* @param type SOCK_* without flags @param protocol IPPROTO_*, never 0 */
  constructor(
    readonly family: i32,
    readonly type: i32,
    readonly protocol: i32,
  ) {
    super();
  }

  /** bind(2). EINVAL, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL. */
  abstract bind(address: usize, length: usize): i64;

  /** connect(2); AF_UNSPEC dissolves a datagram association. `flags`: MSG_DONTWAIT or 0. */
  abstract connect(address: usize, length: usize, flags: u32): i64;

  /** listen(2). */
  listen(_backlog: i32): i64 {
    return -EOPNOTSUPP;
  }

  /**
   * accept(2). `flags`: MSG_DONTWAIT or 0.
   * @returns a Socket with a reference for the caller, or a negative error
   */
  accept(_flags: u32): usize {
    return asError(-EOPNOTSUPP);
  }

  /**
   * Sends a buffer list.
   * @param destination sockaddr bytes, 0 = the connected peer
   * @param control struct cmsghdr records in kernel memory (cmsg(3)), 0 = none
   * @returns bytes sent or a negative error; -EPIPE after shutdown (the caller raises SIGPIPE)
   */
  abstract send(
    list: usize,
    flags: u32,
    destination: usize,
    destinationLength: usize,
    control: usize,
    controlLength: usize,
  ): i64;

  /** Receives into a buffer list; `facts` may be null. @returns bytes, 0 at the end, or an error */
  abstract receive(list: usize, flags: u32, facts: ReceiveFacts | null): i64;

  /** shutdown(2). @param how 0 reading, 1 writing, 2 both */
  abstract shutDown(how: u32): i64;

  /** getsockname(2): writes the address to `out` (ADDRESS_BYTES). @returns its length */
  abstract localName(out: usize): i64;

  /** getpeername(2), as `localName`, or -ENOTCONN. */
  peerName(_out: usize): i64 {
    return -ENOTCONN;
  }

  /** As `peerName`, for accept(2), which tells who it was even if the connection has ended already. */
  acceptedName(out: usize): i64 {
    return this.peerName(out);
  }

  /** setsockopt(2) for levels and names the file layer does not answer; `value` in the kernel. */
  setOption(_level: i32, _name: i32, _value: usize, _length: usize): i64 {
    return -ENOPROTOOPT;
  }

  /** getsockopt(2): writes up to `capacity` bytes. @returns bytes written or a negative error */
  getOption(_level: i32, _name: i32, _value: usize, _capacity: usize): i64 {
    return -ENOPROTOOPT;
  }

  /** The error to report once (SO_ERROR) as a positive errno, 0 if none. */
  abstract takeError(): i32;

  /** True for listening sockets (SO_ACCEPTCONN). */
  isListening(): bool {
    return false;
  }

  /** The POLL* events that hold now; with a link, it is first put on the queue. */
  abstract poll(link: WaitLink | null): u32;

  unpoll(link: WaitLink): void {
    this.changed.remove(link);
  }

  /** What mmap(2) of the socket maps: a Pager with a reference, or a negative error. */
  pager(): usize {
    return asError(-ENODEV);
  }

  /** FIONREAD (SIOCINQ): bytes that can be read now (of the first datagram). */
  readableBytes(): i64 {
    return -EINVAL;
  }

  /** SIOCOUTQ: bytes sent and not yet acknowledged. */
  unsentBytes(): i64 {
    return -ENOTTY;
  }

  /** The last descriptor is gone: ends the socket; `release` follows. Never sleeps. */
  abstract close(): void;

  /** Frees what every socket owns; subclasses end their `destroy` with it. */
  protected disposeBase(): void {
    this.changed.dispose();
    free(this.changed);
    free(this);
  }
}

/** Makes sockets of the Internet families; registered by `init.ts`. */
let factory: ((family: i32, type: i32, protocol: i32) => usize) | null = null;

/** Registers the function behind `createSocket`. */
export function setSocketFactory(make: (family: i32, type: i32, protocol: i32) => usize): void {
  factory = make;
}

/**
 * socket(2) for AF_INET and AF_INET6; `type` without SOCK_NONBLOCK and SOCK_CLOEXEC.
 * @returns a Socket, or -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM
 */
export function createSocket(family: i32, type: i32, protocol: i32): usize {
  const make = factory;
  return make ? make(family, type, protocol) : asError(-EAFNOSUPPORT);
}
