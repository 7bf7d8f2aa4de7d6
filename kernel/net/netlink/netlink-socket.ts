/**
 * Netlink sockets (netlink(7)) of the routing family, which `ip`, getifaddrs(3), Go and others ask
 * about interfaces, addresses and routes (rtnetlink(7)), and of sock_diag(7), which `ss` asks. A
 * request is answered while it is sent; the answers wait to be received, several messages to a
 * datagram.
 *
 * Lock: `lock` guards the answers. Changes are not announced to groups.
 * Neighbours: `message.ts`, `links.ts`, `addresses.ts`, `routes.ts`, `socket-diag.ts`.
 */
import { SpinLock } from "../../arch/spinlock";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../fs/constants";
import {
  EAGAIN,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENOMEM,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  ETIMEDOUT,
  asError,
} from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { FOREVER, WaitLink } from "../../sched/wait";
import { copyFromList, copyToList, listTotal } from "../buffer-list";
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  ReceiveFacts,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
} from "../socket";
import { changeAddress, getAddresses, getNeighbours } from "./addresses";
import { getLinks, setLink } from "./links";
import {
  beginMessage,
  endMessage,
  FLAG_ACK,
  FLAG_MULTI,
  NETLINK_HEADER_BYTES,
  put32,
  Request,
  TYPE_DELETE_ADDRESS,
  TYPE_DELETE_ROUTE,
  TYPE_DONE,
  TYPE_ERROR,
  TYPE_GET_ADDRESS,
  TYPE_GET_LINK,
  TYPE_GET_NEIGHBOUR,
  TYPE_GET_ROUTE,
  TYPE_GET_RULE,
  TYPE_NEW_ADDRESS,
  TYPE_NEW_LINK,
  TYPE_NEW_ROUTE,
  TYPE_SET_LINK,
} from "./message";
import { changeRoute, getRoutes } from "./routes";
import { getSockets } from "./socket-diag";

const NETLINK_ROUTE: i32 = 0;
const NETLINK_SOCK_DIAG: i32 = 4;
const SOL_NETLINK: i32 = 270;
const SOCKADDR_NL_BYTES: usize = 12;
const NETLINK_PKTINFO: i32 = 3;
const NETLINK_BROADCAST_ERROR: i32 = 4;
const NETLINK_NO_ENOBUFS: i32 = 5;
const NETLINK_CAP_ACK: i32 = 10;
const NETLINK_EXT_ACK: i32 = 11;
const NETLINK_GET_STRICT_CHK: i32 = 12;

const REQUEST_MAX: usize = 65536;
/** Most bytes of a datagram: programs read with pages (getifaddrs(3), Go). */
const DATAGRAM_BYTES: usize = 3584;

/** Answers that wait: whole messages, one after another. */
class Answer {
  next: Answer | null = null;
  taken: usize = 0;
  readonly text: ByteWriter = new ByteWriter();

  get left(): usize {
    return this.text.length - this.taken;
  }

  dispose(): void {
    this.text.dispose();
    free(this.text);
    free(this);
  }
}

/** Makes a socket of one of the two families. */
export function newNetlinkSocket(type: i32, protocol: i32): usize {
  if (type != SOCK_RAW && type != SOCK_DGRAM) return asError(-ESOCKTNOSUPPORT);
  if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG) return asError(-EPROTONOSUPPORT);
  return changetype<usize>(new NetlinkSocket(type, protocol));
}

export class NetlinkSocket extends Socket {
  private port: u32 = 0;
  private groups: u32 = 0;
  private lock: SpinLock = new SpinLock();
  private first: Answer | null = null;
  private last: Answer | null = null;

  constructor(type: i32, protocol: i32) {
    super(AF_NETLINK, type, protocol);
  }

  bind(address: usize, length: usize): i64 {
    if (length < SOCKADDR_NL_BYTES || load<u16>(address) != <u16>AF_NETLINK) return -EINVAL;
    const wanted = load<u32>(address, 4);
    if (this.port != 0 && wanted != 0 && wanted != this.port) return -EINVAL;
    this.port = wanted != 0 ? wanted : this.ownPort();
    this.groups = load<u32>(address, 8);
    return 0;
  }

  private ownPort(): u32 {
    if (this.port == 0) this.port = atomic.add<u32>(portCell, 1);
    return this.port;
  }

  /** The kernel, port 0, is the only peer. */
  connect(address: usize, length: usize, _flags: u32): i64 {
    if (length < SOCKADDR_NL_BYTES || load<u32>(address, 4) != 0) return -EINVAL;
    this.ownPort();
    return 0;
  }

  private writeName(out: usize, port: u32, groups: u32): i64 {
    store<u32>(out, <u32>AF_NETLINK);
    store<u32>(out, port, 4);
    store<u32>(out, groups, 8);
    return <i64>SOCKADDR_NL_BYTES;
  }

  localName(out: usize): i64 {
    return this.writeName(out, this.port, this.groups);
  }

  peerName(out: usize): i64 {
    return this.writeName(out, 0, 0);
  }

  send(
    list: usize,
    _flags: u32,
    _destination: usize,
    _destinationLength: usize,
    _control: usize,
    _controlLength: usize,
  ): i64 {
    const total = listTotal(list);
    if (total > REQUEST_MAX) return -EMSGSIZE;
    if (total == 0) return 0;
    const block = heapAllocate(total);
    if (block == 0) return -ENOMEM;
    const isCopied = copyFromList(list, 0, block, total);
    if (isCopied) this.serve(block, total);
    heapFree(block);
    return isCopied ? <i64>total : -EFAULT;
  }

  /** Answers the requests in a datagram. */
  private serve(block: usize, total: usize): void {
    const request = new Request();
    request.port = this.ownPort();
    let at: usize = 0;
    while (at + NETLINK_HEADER_BYTES <= total) {
      const header = block + at;
      const length = <usize>load<u32>(header);
      if (length < NETLINK_HEADER_BYTES || length > total - at) break;
      request.header = header;
      request.type = load<u16>(header, 4);
      request.flags = load<u16>(header, 6);
      request.sequence = load<u32>(header, 8);
      request.body = header + NETLINK_HEADER_BYTES;
      request.bodyBytes = length - NETLINK_HEADER_BYTES;
      // Types below are for control.
      if (request.type >= TYPE_NEW_LINK) this.answer(request);
      at += (length + 3) & ~3;
    }
    free(request);
  }

  private answer(request: Request): void {
    const answer = new Answer();
    const out = answer.text;
    const isDiag = this.protocol == NETLINK_SOCK_DIAG;
    const result = isDiag ? getSockets(request, out) : dispatch(request, out);
    if (result < 0 || (!request.isDump && (request.flags & FLAG_ACK) != 0)) {
      const start = beginMessage(out, request, TYPE_ERROR, 0);
      put32(out, <u32>result);
      out.writeBytes(request.header, NETLINK_HEADER_BYTES);
      if (result < 0) out.writeBytes(request.body, request.bodyBytes);
      endMessage(out, start);
    } else if (request.isDump) {
      const start = beginMessage(out, request, TYPE_DONE, FLAG_MULTI);
      put32(out, 0);
      endMessage(out, start);
    }
    if (out.length == 0 || out.overflowed) {
      answer.dispose();
      return;
    }
    this.lock.acquire();
    const last = this.last;
    if (last) last.next = answer;
    else this.first = answer;
    this.last = answer;
    this.changed.wakeAll();
    this.lock.release();
  }

  receive(list: usize, flags: u32, facts: ReceiveFacts | null): i64 {
    const deadlineNs =
      this.receiveTimeoutNs == FOREVER ? FOREVER : monotonicNs() + this.receiveTimeoutNs;
    this.lock.acquire();
    while (!this.first) {
      const isOver = (flags & MSG_DONTWAIT) != 0;
      const slept = isOver ? -EAGAIN : this.changed.sleep(this.lock, deadlineNs);
      if (slept != 0) {
        this.lock.release();
        return slept == -ETIMEDOUT ? -EAGAIN : <i64>slept;
      }
    }
    const answer = this.first!;
    const start = answer.taken;
    const length = datagramLength(answer);
    const isPeek = (flags & MSG_PEEK) != 0;
    if (!isPeek) {
      answer.taken += length;
      if (answer.left == 0) {
        this.first = answer.next;
        if (!answer.next) this.last = null;
      }
    }
    const isLast = answer.left == 0;
    this.lock.release();
    const part = min(length, listTotal(list));
    const isCopied = copyToList(list, 0, answer.text.address + start, part);
    if (isLast && !isPeek) answer.dispose();
    if (!isCopied) return -EFAULT;
    if (facts) {
      facts.flags = part < length ? MSG_TRUNC : 0;
      if (facts.address != 0) facts.addressLength = <usize>this.writeName(facts.address, 0, 0);
    }
    return (flags & MSG_TRUNC) != 0 ? <i64>length : <i64>part;
  }

  setOption(level: i32, name: i32, _value: usize, _length: usize): i64 {
    if (level != SOL_NETLINK) return -ENOPROTOOPT;
    switch (name) {
      case NETLINK_PKTINFO:
      case NETLINK_BROADCAST_ERROR:
      case NETLINK_NO_ENOBUFS:
      case NETLINK_CAP_ACK:
      case NETLINK_EXT_ACK:
      case NETLINK_GET_STRICT_CHK:
        // They add details to answers, of which there are none here.
        return 0;
    }
    return -ENOPROTOOPT;
  }

  shutDown(_how: u32): i64 {
    return -EOPNOTSUPP;
  }

  takeError(): i32 {
    return 0;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.changed.add(link);
    const events = POLLOUT | POLLWRNORM;
    return this.first ? events | POLLIN | POLLRDNORM : events;
  }

  close(): void {}

  destroy(): void {
    while (this.first) {
      const answer = this.first!;
      this.first = answer.next;
      answer.dispose();
    }
    free(this.lock);
    this.disposeBase();
  }
}

const portCell = memory.data<u32>([0x10001]);

/** Bytes of the next datagram: as many whole messages as fit, one at least. The lock is held. */
function datagramLength(answer: Answer): usize {
  const start = answer.text.address + answer.taken;
  let length: usize = 0;
  while (length < answer.left) {
    const next = (<usize>load<u32>(start + length) + 3) & ~3;
    if (length != 0 && length + next > DATAGRAM_BYTES) break;
    length += min(next, answer.left - length);
  }
  return length;
}

function dispatch(request: Request, out: ByteWriter): i32 {
  const flags: u16 = request.isDump ? FLAG_MULTI : 0;
  switch (request.type) {
    case TYPE_GET_LINK:
      return getLinks(request, out, flags);
    case TYPE_NEW_LINK:
    case TYPE_SET_LINK:
      return setLink(request);
    case TYPE_GET_ADDRESS:
      return request.isDump ? getAddresses(request, out) : -EOPNOTSUPP;
    case TYPE_NEW_ADDRESS:
    case TYPE_DELETE_ADDRESS:
      return changeAddress(request, request.type == TYPE_NEW_ADDRESS);
    case TYPE_GET_ROUTE:
      return getRoutes(request, out);
    case TYPE_NEW_ROUTE:
    case TYPE_DELETE_ROUTE:
      return changeRoute(request, request.type == TYPE_NEW_ROUTE);
    case TYPE_GET_NEIGHBOUR:
      return request.isDump ? getNeighbours(request, out) : -EOPNOTSUPP;
    case TYPE_GET_RULE:
      return request.isDump ? 0 : -EOPNOTSUPP;
  }
  return -EOPNOTSUPP;
}
