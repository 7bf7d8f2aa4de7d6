/**
 * A network socket (AF_INET, AF_INET6, AF_NETLINK, AF_PACKET) as an open file; the work is done by `net/socket.ts`.
 *
 * Neighbours: `socket-file.ts`, `socket-calls.ts`.
 */
import { O_NONBLOCK, O_RDWR } from "../fs/constants";
import { ENOMEM, asError, errorOf, isError } from "../lib/errno";
import { free } from "../lib/object";
import { ReceiveFacts, Socket, createSocket } from "../net/socket";
import { WaitLink } from "../sched/wait";
import { interfaceIoctl } from "./interface-ioctl";
import { dropVectors, makeVector } from "./io-vector";
import { Incoming, Outgoing } from "./socket-exchange";
import { MSG_DONTWAIT, SocketFile } from "./socket-file";
import { store32 } from "./user-memory";

const FIONREAD: u32 = 0x541b;
const SIOCOUTQ: u32 = 0x5411;

/** Makes a socket of the Internet families: an InetSocket with a reference, or a negative error. */
export function newInetSocket(family: i32, type: i32, protocol: i32, status: u32): usize {
  const made = createSocket(family, type, protocol);
  if (isError(made)) return made;
  return changetype<usize>(new InetSocket(changetype<Socket>(made), status));
}

export class InetSocket extends SocketFile {
  /** Takes over the reference of the socket. @param status O_NONBLOCK or 0 */
  constructor(
    readonly socket: Socket,
    status: u32,
  ) {
    super(socket.family, socket.type, socket.protocol, O_RDWR | status);
    socket.inode = this.inode;
  }

  /** MSG_DONTWAIT if the file is not to block, with the flags given. */
  private waiting(flags: u32): u32 {
    return (this.flags & O_NONBLOCK) != 0 ? flags | MSG_DONTWAIT : flags;
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
    this.socket.sendTimeoutNs = this.sendTimeoutNs;
    const address: usize = extra ? extra.address : 0;
    const length: usize = extra ? extra.addressLength : 0;
    const control: usize = extra ? extra.control : 0;
    const controlLength: usize = extra ? extra.controlLength : 0;
    return this.socket.send(list, this.waiting(flags), address, length, control, controlLength);
  }

  receive(list: usize, flags: u32, extra: Incoming | null): i64 {
    this.socket.receiveTimeoutNs = this.receiveTimeoutNs;
    if (!extra) return this.socket.receive(list, this.waiting(flags), null);
    const facts = new ReceiveFacts();
    facts.address = extra.address;
    facts.control = extra.control;
    const result = this.socket.receive(list, this.waiting(flags), facts);
    extra.addressLength = facts.addressLength;
    extra.flags |= facts.flags;
    free(facts);
    return result;
  }

  acceptedAddress(out: usize): i64 {
    return this.socket.acceptedName(out);
  }

  bind(address: usize, length: usize): i64 {
    return this.socket.bind(address, length);
  }

  connect(address: usize, length: usize): i64 {
    this.socket.sendTimeoutNs = this.sendTimeoutNs;
    return this.socket.connect(address, length, this.waiting(0));
  }

  listen(backlog: i32): i64 {
    return this.socket.listen(backlog);
  }

  accept(status: u32): usize {
    this.socket.receiveTimeoutNs = this.receiveTimeoutNs;
    const accepted = this.socket.accept(this.waiting(0));
    if (isError(accepted)) return asError(errorOf(accepted));
    return changetype<usize>(new InetSocket(changetype<Socket>(accepted), status));
  }

  isListening(): bool {
    return this.socket.isListening();
  }

  shutDown(how: u32): i64 {
    return this.socket.shutDown(how);
  }

  takeError(): i32 {
    return this.socket.takeError();
  }

  address(ofPeer: bool, out: usize): i64 {
    return ofPeer ? this.socket.peerName(out) : this.socket.localName(out);
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    return this.socket.getOption(level, name, value, capacity);
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    return this.socket.setOption(level, name, value, length);
  }

  pager(): usize {
    return this.socket.pager();
  }

  poll(link: WaitLink | null): u32 {
    return this.socket.poll(link);
  }

  unpoll(link: WaitLink): void {
    this.socket.unpoll(link);
  }

  ioctl(request: u32, argument: usize): i64 {
    let bytes: i64;
    if (request == FIONREAD) bytes = this.socket.readableBytes();
    else if (request == SIOCOUTQ) bytes = this.socket.unsentBytes();
    else return interfaceIoctl(request, argument);
    return bytes < 0 ? bytes : store32(argument, <u32>bytes);
  }

  dispose(): void {
    this.socket.close();
    this.socket.release();
    this.disposeSocket();
  }
}
