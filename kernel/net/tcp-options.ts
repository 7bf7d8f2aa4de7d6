/**
 * Options of TCP sockets: tcp(7). What any Internet socket has is in `inet-options.ts`.
 */
import { EINVAL, ENOENT, ENOPROTOOPT } from "../lib/errno";
import { answer, getInetOption, setInetOption, SOL_SOCKET } from "./inet-options";
import { output, sendAck } from "./tcp-output";
import { QUICK_ACKS, TcpConnection } from "./tcp-connection";

const IPPROTO_TCP: i32 = 6;
const SO_KEEPALIVE: i32 = 9;

const TCP_NODELAY: i32 = 1;
const TCP_MAXSEG: i32 = 2;
const TCP_CORK: i32 = 3;
const TCP_KEEPIDLE: i32 = 4;
const TCP_KEEPINTVL: i32 = 5;
const TCP_KEEPCNT: i32 = 6;
const TCP_SYNCNT: i32 = 7;
const TCP_LINGER2: i32 = 8;
const TCP_DEFER_ACCEPT: i32 = 9;
const TCP_WINDOW_CLAMP: i32 = 10;
const TCP_INFO: i32 = 11;
/** What Linux takes for TCP_MAXSEG, and the least window (half of its SOCK_MIN_RCVBUF). */
const SEGMENT_MIN: i32 = 88;
const SEGMENT_MAX: i32 = 32767;
const WINDOW_CLAMP_MIN: u32 = 1152;
const TCP_QUICKACK: i32 = 12;
const TCP_CONGESTION: i32 = 13;
const TCP_USER_TIMEOUT: i32 = 18;
const TCP_FASTOPEN: i32 = 23;
const TCP_NOTSENT_LOWAT: i32 = 25;

const KEEP_SECONDS_MAX: i32 = 32767;
const KEEP_COUNT_MAX: i32 = 127;
/** struct tcp_info up to tcpi_total_retrans. */
export const TCP_INFO_BYTES: usize = 104;
const NS_PER_US: u64 = 1000;
/** Names of congestion controls, as this processor loads their letters. */
const RENO: u32 = 0x6f6e6572;
const CUBI: u32 = 0x69627563;
const LETTER_C: u8 = 0x63;

/** A connection made by a listener starts with the listener's options. */
export function inheritOptions(from: TcpConnection, to: TcpConnection): void {
  to.options.receiveBytes = from.options.receiveBytes;
  to.options.sendBytes = from.options.sendBytes;
  to.options.receiveIsFixed = from.options.receiveIsFixed;
  to.options.sendIsFixed = from.options.sendIsFixed;
  to.options.keepsAlive = from.options.keepsAlive;
  to.options.lingers = from.options.lingers;
  to.options.lingerSeconds = from.options.lingerSeconds;
  to.options.mark = from.options.mark;
  to.noDelay = from.noDelay;
  to.notSentLimit = from.notSentLimit;
  to.segmentLimit = from.segmentLimit;
  to.windowLimit = from.windowLimit;
  to.congestion.isReno = from.congestion.isReno;
  to.defersSeconds = from.defersSeconds;
  to.keepIdleSeconds = from.keepIdleSeconds;
  to.keepIntervalSeconds = from.keepIntervalSeconds;
  to.keepCount = from.keepCount;
  to.userTimeoutMs = from.userTimeoutMs;
  to.timeToLive = from.timeToLive;
  to.typeOfService = from.typeOfService;
  to.reusesAddress = from.reusesAddress;
  to.reusesPort = from.reusesPort;
}

/** setsockopt(2). */
export function setTcpOption(
  c: TcpConnection,
  level: i32,
  name: i32,
  address: usize,
  length: usize,
): i64 {
  if (level != IPPROTO_TCP) {
    const result = setInetOption(c, c.options, level, name, address, length);
    if (result == 0 && level == SOL_SOCKET && name == SO_KEEPALIVE && c.options.keepsAlive) {
      c.enter();
      if (c.wasConnected) c.timer.startKeepAlive(c.keepIdleSeconds);
      c.leave();
    }
    return result;
  }
  if (name == TCP_CONGESTION) return chooseCongestion(c, address, length);
  if (length < 4) return -EINVAL;
  const value = load<i32>(address);
  switch (name) {
    case TCP_NODELAY:
    case TCP_CORK:
      c.enter();
      if (name == TCP_NODELAY) c.noDelay = value != 0;
      else c.corked = value != 0;
      // What was held back goes now.
      if ((name == TCP_NODELAY) == (value != 0)) output(c);
      c.leave();
      return 0;
    case TCP_KEEPIDLE:
      if (value < 1 || value > KEEP_SECONDS_MAX) return -EINVAL;
      c.keepIdleSeconds = <u32>value;
      c.enter();
      if (c.options.keepsAlive && c.wasConnected) c.timer.startKeepAlive(<u32>value);
      c.leave();
      return 0;
    case TCP_KEEPINTVL:
      if (value < 1 || value > KEEP_SECONDS_MAX) return -EINVAL;
      c.keepIntervalSeconds = <u32>value;
      return 0;
    case TCP_KEEPCNT:
      if (value < 1 || value > KEEP_COUNT_MAX) return -EINVAL;
      c.keepCount = <u32>value;
      return 0;
    case TCP_USER_TIMEOUT:
      if (value < 0) return -EINVAL;
      c.userTimeoutMs = <u32>value;
      return 0;
    case TCP_QUICKACK:
      c.enter();
      c.quickAcks = value != 0 ? QUICK_ACKS : 0;
      if (value != 0 && c.ackLater) sendAck(c);
      c.leave();
      return 0;
    case TCP_DEFER_ACCEPT:
      if (value < 0) return -EINVAL;
      c.defersSeconds = <u32>value;
      return 0;
    case TCP_NOTSENT_LOWAT:
      c.enter();
      c.notSentLimit = value != 0 ? <u32>value : u32.MAX_VALUE;
      c.changed.wakeAll();
      c.leave();
      return 0;
    case TCP_SYNCNT:
    case TCP_LINGER2:
      // Hints that change when something happens, not what.
      return value < 0 ? -EINVAL : 0;
    case TCP_MAXSEG:
      // For connections to come; 0 takes the limit away.
      if (value != 0 && (value < SEGMENT_MIN || value > SEGMENT_MAX)) return -EINVAL;
      c.segmentLimit = value != 0 ? <u32>value : u32.MAX_VALUE;
      return 0;
    case TCP_WINDOW_CLAMP:
      if (value < 0) return -EINVAL;
      c.windowLimit = value != 0 ? max(<u32>value, WINDOW_CLAMP_MIN) : u32.MAX_VALUE;
      return 0;
    case TCP_FASTOPEN:
      return -ENOPROTOOPT;
  }
  return -ENOPROTOOPT;
}

/** TCP_CONGESTION: "cubic" or "reno". */
function chooseCongestion(c: TcpConnection, address: usize, length: usize): i64 {
  if (length < 4) return -ENOENT;
  const start = load<u32>(address);
  const isReno = start == RENO;
  if (!isReno && !(start == CUBI && length >= 5 && load<u8>(address, 4) == LETTER_C))
    return -ENOENT;
  c.congestion.isReno = isReno;
  return 0;
}

/** getsockopt(2). */
export function getTcpOption(
  c: TcpConnection,
  level: i32,
  name: i32,
  address: usize,
  capacity: usize,
): i64 {
  if (level != IPPROTO_TCP) return getInetOption(c, c.options, level, name, address, capacity);
  switch (name) {
    case TCP_NODELAY:
      return answer(c.noDelay ? 1 : 0, address, capacity);
    case TCP_MAXSEG:
      return answer(<i32>min(c.segmentBytes, c.segmentLimit), address, capacity);
    case TCP_CORK:
      return answer(c.corked ? 1 : 0, address, capacity);
    case TCP_KEEPIDLE:
      return answer(<i32>c.keepIdleSeconds, address, capacity);
    case TCP_KEEPINTVL:
      return answer(<i32>c.keepIntervalSeconds, address, capacity);
    case TCP_KEEPCNT:
      return answer(<i32>c.keepCount, address, capacity);
    case TCP_USER_TIMEOUT:
      return answer(<i32>c.userTimeoutMs, address, capacity);
    case TCP_QUICKACK:
      return answer(c.quickAcks != 0 ? 1 : 0, address, capacity);
    case TCP_DEFER_ACCEPT:
      return answer(<i32>c.defersSeconds, address, capacity);
    case TCP_WINDOW_CLAMP: {
      const isClamped = c.windowLimit != u32.MAX_VALUE;
      return answer(isClamped ? <i32>c.windowLimit : 0, address, capacity);
    }
    case TCP_NOTSENT_LOWAT:
      return answer(c.notSentLimit != u32.MAX_VALUE ? <i32>c.notSentLimit : 0, address, capacity);
    case TCP_INFO:
      return writeTcpInfo(c, address, capacity);
    case TCP_CONGESTION:
      if (capacity < 6) return -EINVAL;
      store<u32>(address, c.congestion.isReno ? RENO : CUBI);
      store<u16>(address, c.congestion.isReno ? 0 : LETTER_C, 4);
      return 6;
  }
  return -ENOPROTOOPT;
}

/** struct tcp_info of linux/tcp.h, as far as it is known here. */
export function writeTcpInfo(c: TcpConnection, address: usize, capacity: usize): i64 {
  const bytes = min(capacity, TCP_INFO_BYTES);
  if (bytes < TCP_INFO_BYTES) {
    if (bytes < 1) return 0;
    store<u8>(address, <u8>c.state);
    memory.fill(address + 1, 0, bytes - 1);
    return <i64>bytes;
  }
  const congestion = c.congestion;
  memory.fill(address, 0, TCP_INFO_BYTES);
  store<u8>(address, <u8>c.state);
  store<u8>(address, <u8>c.retransmissions, 2);
  const options = (c.usesTimestamps ? 1 : 0) | (c.usesSack ? 2 : 0) | (c.usesEcn ? 8 : 0);
  store<u8>(address, <u8>(options | 4), 5);
  store<u8>(address, <u8>(c.sendScale | (c.receiveScale << 4)), 6);
  store<u32>(address, <u32>(congestion.rtoNs / NS_PER_US), 8);
  store<u32>(address, c.segmentBytes, 16);
  store<u32>(address, c.segmentBytes, 20);
  const segment = max(c.segmentBytes, 1);
  store<u32>(address, (c.sendNext - c.sendUnacknowledged) / segment, 24);
  store<u32>(address, <u32>(congestion.smoothedNs / NS_PER_US), 68);
  store<u32>(address, <u32>(congestion.variationNs / NS_PER_US), 72);
  store<u32>(address, congestion.threshold / segment, 76);
  store<u32>(address, congestion.window / segment, 80);
  store<u32>(address, c.segmentBytes, 84);
  store<u32>(address, c.options.receiveBytes, 96);
  store<u32>(address, c.totalRetransmissions, 100);
  return <i64>TCP_INFO_BYTES;
}
