/**
 * Options that all Internet sockets have: socket(7), ip(7). Those of TCP are in `tcp-options.ts`.
 *
 * Options are words written by setsockopt(2) and read wherever they matter; no lock.
 * Neighbours: `udp-socket.ts`, `tcp-socket.ts`; `linux/socket-options.ts` answers SO_TYPE and others.
 */
import { EINVAL, ENOPROTOOPT } from "../lib/errno";
import { Endpoint } from "./endpoint";
import { pathPayloadBytes } from "./ip";

export const SOL_SOCKET: i32 = 1;
export const IPPROTO_IP: i32 = 0;

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
const SO_TIMESTAMP: i32 = 29;
const SO_ACCEPTCONN: i32 = 30;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_MARK: i32 = 36;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const SO_INCOMING_CPU: i32 = 49;

const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_RECVTOS: i32 = 13;
const IP_MTU_DISCOVER: i32 = 10;
const IP_RECVERR: i32 = 11;
const IP_MTU: i32 = 14;
const IP_BIND_ADDRESS_NO_PORT: i32 = 24;
const IP_MULTICAST_TTL: i32 = 33;
const IP_MULTICAST_LOOP: i32 = 34;

const DEFAULT_BUFFER_BYTES: u32 = 212992;
const BUFFER_MIN: u32 = 4608;
const BUFFER_MAX: u32 = 8 * 1024 * 1024;
const IPV4_HEADER: u32 = 20;

export class InetOptions {
  /** SO_RCVBUF, SO_SNDBUF as getsockopt reports them. */
  receiveBytes: u32 = DEFAULT_BUFFER_BYTES;
  sendBytes: u32 = DEFAULT_BUFFER_BYTES;
  mayBroadcast: bool = false;
  keepsAlive: bool = false;
  lingers: bool = false;
  lingerSeconds: i32 = 0;
  outOfBandInline: bool = false;
  lowWater: i32 = 1;
  priority: i32 = 0;
  multicastTtl: u8 = 1;
  multicastLoops: bool = true;
  mtuDiscovery: i32 = 1;
  reportsErrors: bool = false;
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
  if (level == IPPROTO_IP && length >= 1 && length < 4) {
    return setIpOption(endpoint, options, name, <i32>load<u8>(address));
  }
  if (length < 4) return -EINVAL;
  const value = load<i32>(address);
  if (level == IPPROTO_IP) return setIpOption(endpoint, options, name, value);
  if (level != SOL_SOCKET) return -ENOPROTOOPT;
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
      return 0;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      options.receiveBytes = bufferSize(value);
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
    case SO_DONTROUTE:
    case SO_TIMESTAMP:
    case SO_MARK:
      // Nothing to route by, and no time stamps yet: only the default is accepted.
      return value == 0 ? 0 : -ENOPROTOOPT;
  }
  return -ENOPROTOOPT;
}

/** The kernel doubles what is asked for (socket(7)). */
function bufferSize(value: i32): u32 {
  const wanted = min(value > 0 ? <u32>value : 0, BUFFER_MAX / 2);
  return max(wanted * 2, BUFFER_MIN);
}

function setIpOption(endpoint: Endpoint, options: InetOptions, name: i32, value: i32): i64 {
  switch (name) {
    case IP_TOS:
      endpoint.typeOfService = <u8>value;
      return 0;
    case IP_TTL:
      if (value != -1 && (value < 1 || value > 255)) return -EINVAL;
      endpoint.timeToLive = value == -1 ? 0 : <u8>value;
      return 0;
    case IP_MULTICAST_TTL:
      if (value < -1 || value > 255) return -EINVAL;
      options.multicastTtl = value == -1 ? 1 : <u8>value;
      return 0;
    case IP_MULTICAST_LOOP:
      options.multicastLoops = value != 0;
      return 0;
    case IP_MTU_DISCOVER:
      if (value < 0 || value > 5) return -EINVAL;
      options.mtuDiscovery = value;
      return 0;
    case IP_RECVERR:
      options.reportsErrors = value != 0;
      return 0;
    case IP_BIND_ADDRESS_NO_PORT:
      return 0;
  }
  return -ENOPROTOOPT;
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
  if (level == IPPROTO_IP) return getIpOption(endpoint, options, name, address, capacity);
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
    case SO_DONTROUTE:
    case SO_TIMESTAMP:
    case SO_MARK:
    case SO_INCOMING_CPU:
      return answer(0, address, capacity);
    case SO_LINGER:
      if (capacity < 8) return -EINVAL;
      store<i32>(address, options.lingers ? 1 : 0);
      store<i32>(address, options.lingerSeconds, 4);
      return 8;
  }
  return -ENOPROTOOPT;
}

function getIpOption(
  endpoint: Endpoint,
  options: InetOptions,
  name: i32,
  address: usize,
  capacity: usize,
): i64 {
  switch (name) {
    case IP_TOS:
      return answer(endpoint.typeOfService, address, capacity);
    case IP_TTL:
      return answer(endpoint.timeToLive != 0 ? endpoint.timeToLive : 64, address, capacity);
    case IP_MULTICAST_TTL:
      return answer(options.multicastTtl, address, capacity);
    case IP_MULTICAST_LOOP:
      return answer(options.multicastLoops ? 1 : 0, address, capacity);
    case IP_MTU_DISCOVER:
      return answer(options.mtuDiscovery, address, capacity);
    case IP_RECVERR:
      return answer(options.reportsErrors ? 1 : 0, address, capacity);
    case IP_RECVTOS:
      return answer(0, address, capacity);
    case IP_MTU:
      return answer(
        <i32>(pathPayloadBytes(endpoint.remoteAddress) + IPV4_HEADER),
        address,
        capacity,
      );
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
