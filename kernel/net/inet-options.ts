/**
 * Options that all Internet sockets have at the level of the socket: socket(7). Those of the network
 * layer are in `ip-options.ts`, those of TCP in `tcp-options.ts`.
 *
 * Options are words written by setsockopt(2) and read wherever they matter; no lock.
 * Neighbours: `udp-socket.ts`, `tcp-socket.ts`; `linux/socket-options.ts` answers SO_TYPE and others.
 */
import { Packet } from "../dev/packet";
import { EINVAL, ENODEV, ENOPROTOOPT } from "../lib/errno";
import { realtimeNs } from "../sched/clock";
import { Endpoint } from "./endpoint";
import { Interface, interfaceAt, interfaceNamed } from "./interface";
import { getIpOption, IPPROTO_IP, IPPROTO_IPV6, setIpOption } from "./ip-options";

export const SOL_SOCKET: i32 = 1;

const SO_REUSEADDR: i32 = 2;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_DONTROUTE: i32 = 5;
const SO_BROADCAST: i32 = 6;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_KEEPALIVE: i32 = 9;
const SO_OOBINLINE: i32 = 10;
const SO_PRIORITY: i32 = 12;
const SO_LINGER: i32 = 13;
const SO_REUSEPORT: i32 = 15;
const SO_RCVLOWAT: i32 = 18;
const SO_SNDLOWAT: i32 = 19;
const SO_BINDTODEVICE: i32 = 25;
const SO_TIMESTAMP: i32 = 29;
const SO_ACCEPTCONN: i32 = 30;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_TIMESTAMPNS: i32 = 35;
const SO_MARK: i32 = 36;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const SO_BUSY_POLL: i32 = 46;
const SO_INCOMING_CPU: i32 = 49;
const SO_ZEROCOPY: i32 = 60;
const SO_BINDTOIFINDEX: i32 = 62;

// What a socket wants to hear about packets (`InetOptions.reports`).
export const REPORT_TIME: u32 = 1;
export const REPORT_TIME_NS: u32 = 2;
export const REPORT_INFO_V4: u32 = 4;
export const REPORT_TTL: u32 = 8;
export const REPORT_TOS: u32 = 16;
export const REPORT_INFO_V6: u32 = 32;
export const REPORT_HOP_LIMIT: u32 = 64;
export const REPORT_TRAFFIC_CLASS: u32 = 128;
/** IP_RECVOPTS, IP_RETOPTS: the options of the IPv4 header. */
export const REPORT_OPTIONS: u32 = 256;
export const REPORT_RETURN_OPTIONS: u32 = 512;

const DEFAULT_BUFFER_BYTES: u32 = 212992;
const BUFFER_MIN: u32 = 4608;
const BUFFER_MAX: u32 = 8 * 1024 * 1024;

export class InetOptions {
  /** SO_RCVBUF, SO_SNDBUF as getsockopt reports them. */
  receiveBytes: u32 = DEFAULT_BUFFER_BYTES;
  sendBytes: u32 = DEFAULT_BUFFER_BYTES;
  /** The application has chosen the sizes. */
  receiveIsFixed: bool = false;
  sendIsFixed: bool = false;
  mayBroadcast: bool = false;
  keepsAlive: bool = false;
  lingers: bool = false;
  lingerSeconds: i32 = 0;
  outOfBandInline: bool = false;
  lowWater: i32 = 1;
  priority: i32 = 0;
  /** SO_MARK: kept for who asks; there are no rules that look at it. */
  mark: i32 = 0;
  multicastTtl: u8 = 1;
  multicastLoops: bool = true;
  /** Index of the interface for groups; 0 = as the routes say. */
  multicastInterface: u32 = 0;
  /** The address it was chosen by, in network order, for getsockopt(2). */
  multicastAddress: u32 = 0;
  /** IPV6_ADDR_PREFERENCES: PREFER_* that were set. */
  addressPreferences: u32 = 0;
  /** IP_MTU_DISCOVER: 0 cut, 1 cut if need be, 2 never cut, 3 never cut and ignore the path's MTU. */
  mtuDiscovery: i32 = 1;
  reportsErrors: bool = false;
  /** REPORT_* */
  reports: u32 = 0;
  /** IP_BIND_ADDRESS_NO_PORT, IP_FREEBIND. */
  freeBind: bool = false;

  /** True if the time of arrival is to be noted. */
  get needsTime(): bool {
    return (this.reports & (REPORT_TIME | REPORT_TIME_NS)) != 0;
  }

  stamp(packet: Packet): void {
    packet.arrivedNs = realtimeNs();
  }

  /** True if what is sent must not be cut anywhere. */
  get keepsWhole(): bool {
    return this.mtuDiscovery >= 2 && this.mtuDiscovery <= 3;
  }

  /** Switches reports on or off. */
  report(kind: u32, isWanted: bool): i64 {
    this.reports = isWanted ? this.reports | kind : this.reports & ~kind;
    return 0;
  }
}

/** setsockopt(2): 0 or -EINVAL, -ENOPROTOOPT. */
export function setInetOption(
  endpoint: Endpoint,
  options: InetOptions,
  level: i32,
  name: i32,
  address: usize,
  length: usize,
): i64 {
  if (level == IPPROTO_IP || level == IPPROTO_IPV6) {
    return setIpOption(endpoint, options, level, name, address, length);
  }
  if (level != SOL_SOCKET) return -ENOPROTOOPT;
  if (name == SO_BINDTODEVICE) return bindToDevice(endpoint, address, length);
  if (length < 4) return -EINVAL;
  const value = load<i32>(address);
  switch (name) {
    case SO_REUSEADDR:
      endpoint.reusesAddress = value != 0;
      return 0;
    case SO_REUSEPORT:
      endpoint.reusesPort = value != 0;
      return 0;
    case SO_BROADCAST:
      options.mayBroadcast = value != 0;
      return 0;
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
      options.sendBytes = bufferSize(value);
      options.sendIsFixed = true;
      return 0;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      options.receiveBytes = bufferSize(value);
      options.receiveIsFixed = true;
      return 0;
    case SO_KEEPALIVE:
      options.keepsAlive = value != 0;
      return 0;
    case SO_OOBINLINE:
      options.outOfBandInline = value != 0;
      return 0;
    case SO_PRIORITY:
      options.priority = value;
      return 0;
    case SO_RCVLOWAT:
      options.lowWater = max(value, 1);
      return 0;
    case SO_LINGER:
      if (length < 8) return -EINVAL;
      options.lingers = value != 0;
      options.lingerSeconds = load<i32>(address, 4);
      return 0;
    case SO_TIMESTAMP:
      return options.report(REPORT_TIME, value != 0);
    case SO_TIMESTAMPNS:
      return options.report(REPORT_TIME_NS, value != 0);
    case SO_BINDTOIFINDEX:
      if (value < 0) return -EINVAL;
      endpoint.boundTo = changetype<usize>(interfaceAt(<u32>value));
      return value == 0 || endpoint.boundTo != 0 ? 0 : -ENODEV;
    case SO_BUSY_POLL:
    case SO_INCOMING_CPU:
      // Hints on which CPU to work, and how soon.
      return 0;
    case SO_MARK:
      options.mark = value;
      return 0;
    case SO_DONTROUTE:
    case SO_ZEROCOPY:
      // Bytes to send are always copied: only the default is accepted.
      return value == 0 ? 0 : -ENOPROTOOPT;
  }
  return -ENOPROTOOPT;
}

/** SO_BINDTODEVICE: a name, perhaps terminated; an empty one unbinds. */
function bindToDevice(endpoint: Endpoint, name: usize, length: usize): i64 {
  let bytes: usize = 0;
  while (bytes < length && load<u8>(name + bytes) != 0) bytes++;
  endpoint.boundTo = bytes != 0 ? changetype<usize>(interfaceNamed(name, bytes)) : 0;
  return bytes == 0 || endpoint.boundTo != 0 ? 0 : -ENODEV;
}

/** The name of the interface a socket is bound to, terminated; nothing if it is not. */
function boundName(endpoint: Endpoint, out: usize, capacity: usize): i64 {
  if (endpoint.boundTo == 0) return 0;
  const name = changetype<Interface>(endpoint.boundTo).name;
  const length = <usize>name.length;
  if (capacity < length + 1) return -EINVAL;
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, <u8>name.charCodeAt(<i32>i));
  store<u8>(out + length, 0);
  return <i64>length + 1;
}

/** The kernel doubles what is asked for (socket(7)). */
function bufferSize(value: i32): u32 {
  const wanted = min(value > 0 ? <u32>value : 0, BUFFER_MAX / 2);
  return max(wanted * 2, BUFFER_MIN);
}

/** getsockopt(2): bytes written or a negative error. */
export function getInetOption(
  endpoint: Endpoint,
  options: InetOptions,
  level: i32,
  name: i32,
  address: usize,
  capacity: usize,
): i64 {
  if (level == IPPROTO_IP || level == IPPROTO_IPV6) {
    return getIpOption(endpoint, options, level, name, address, capacity);
  }
  if (level != SOL_SOCKET) return -ENOPROTOOPT;
  switch (name) {
    case SO_REUSEADDR:
      return answer(endpoint.reusesAddress ? 1 : 0, address, capacity);
    case SO_REUSEPORT:
      return answer(endpoint.reusesPort ? 1 : 0, address, capacity);
    case SO_TYPE:
      return answer(endpoint.type, address, capacity);
    case SO_DOMAIN:
      return answer(endpoint.family, address, capacity);
    case SO_PROTOCOL:
      return answer(endpoint.protocol, address, capacity);
    case SO_ERROR:
      return answer(endpoint.takeError(), address, capacity);
    case SO_ACCEPTCONN:
      return answer(endpoint.isListening() ? 1 : 0, address, capacity);
    case SO_BROADCAST:
      return answer(options.mayBroadcast ? 1 : 0, address, capacity);
    case SO_SNDBUF:
      return answer(<i32>options.sendBytes, address, capacity);
    case SO_RCVBUF:
      return answer(<i32>options.receiveBytes, address, capacity);
    case SO_KEEPALIVE:
      return answer(options.keepsAlive ? 1 : 0, address, capacity);
    case SO_OOBINLINE:
      return answer(options.outOfBandInline ? 1 : 0, address, capacity);
    case SO_PRIORITY:
      return answer(options.priority, address, capacity);
    case SO_RCVLOWAT:
      return answer(options.lowWater, address, capacity);
    case SO_SNDLOWAT:
      return answer(1, address, capacity);
    case SO_TIMESTAMP:
      return answer((options.reports & REPORT_TIME) != 0 ? 1 : 0, address, capacity);
    case SO_TIMESTAMPNS:
      return answer((options.reports & REPORT_TIME_NS) != 0 ? 1 : 0, address, capacity);
    case SO_BINDTODEVICE:
      return boundName(endpoint, address, capacity);
    case SO_BINDTOIFINDEX:
      return answer(<i32>endpoint.scope, address, capacity);
    case SO_MARK:
      return answer(options.mark, address, capacity);
    case SO_DONTROUTE:
    case SO_INCOMING_CPU:
    case SO_BUSY_POLL:
    case SO_ZEROCOPY:
      return answer(0, address, capacity);
    case SO_LINGER:
      if (capacity < 8) return -EINVAL;
      store<i32>(address, options.lingers ? 1 : 0);
      store<i32>(address, options.lingerSeconds, 4);
      return 8;
  }
  return -ENOPROTOOPT;
}

/** Writes an integer, cut to what fits. */
export function answer(value: i32, address: usize, capacity: usize): i64 {
  if (capacity < 4) {
    for (let i: usize = 0; i < capacity; i++) store<u8>(address + i, <u8>(value >> (<i32>i * 8)));
    return <i64>capacity;
  }
  store<i32>(address, value);
  return 4;
}
