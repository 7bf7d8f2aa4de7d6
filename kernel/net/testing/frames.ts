/** Frames made by hand, for tests in which a stranger sends what no stack would. */

const ETHERNET_BYTES = 14;
const IP_BYTES = 20;
const TCP_BYTES = 20;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

/** A TCP segment between hosts 10.0.0.`from` and 10.0.0.`to`. */
export interface TcpFrame {
  readonly from: number;
  readonly to: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly flags: number;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly payload?: Uint8Array;
}

/** The Internet checksum of some bytes (RFC 1071), added to `initial`. */
function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** A frame with an IPv4 packet between hosts 10.0.0.`from` and 10.0.0.`to`. */
export function ipv4Frame(
  from: number,
  to: number,
  protocol: number,
  payload: Uint8Array,
  fragment = 0,
  identification = 0,
): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + IP_BYTES + payload.length);
  frame.set([2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0]);
  const header = frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IP_BYTES);
  const view = new DataView(frame.buffer, ETHERNET_BYTES);
  header[0] = 0x45;
  view.setUint16(2, IP_BYTES + payload.length);
  view.setUint16(4, identification);
  view.setUint16(6, fragment);
  header[8] = 64;
  header[9] = protocol;
  header.set([10, 0, 0, from, 10, 0, 0, to], 12);
  view.setUint16(10, checksum(header));
  frame.set(payload, ETHERNET_BYTES + IP_BYTES);
  return frame;
}

/** The frame of a segment, with right checksums. */
export function tcpFrame(segment: TcpFrame): Uint8Array {
  const { from, to, options = [], payload = new Uint8Array(0) } = segment;
  const headerBytes = TCP_BYTES + options.length;
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.port);
  view.setUint32(4, segment.sequence >>> 0);
  view.setUint32(8, (segment.acknowledgement ?? 0) >>> 0);
  bytes[12] = (headerBytes / 4) << 4;
  bytes[13] = segment.flags;
  view.setUint16(14, segment.window ?? 65535);
  bytes.set(options, TCP_BYTES);
  bytes.set(payload, headerBytes);
  const pseudo = [10, 0, 0, from, 10, 0, 0, to, 0, 6, bytes.length >> 8, bytes.length & 0xff];
  const initial = ~checksum(Uint8Array.from(pseudo)) & 0xffff;
  view.setUint16(16, checksum(bytes, initial));
  return ipv4Frame(from, to, 6, bytes);
}

/** Changes a byte of a frame's IPv4 header, whose checksum is right afterwards. */
export function withIpByte(frame: Uint8Array, place: number, value: number): Uint8Array {
  const header = frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IP_BYTES);
  header[place] = value;
  header.fill(0, 10, 12);
  const sum = checksum(header);
  header.set([sum >> 8, sum & 0xff], 10);
  return frame;
}

/** What a frame says, if it carries a TCP segment over IPv4 without options. */
export function parseTcp(frame: Uint8Array): TcpFrame | undefined {
  if (frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 6) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset + ETHERNET_BYTES + IP_BYTES);
  const headerBytes = ((frame[46] ?? 0) >> 4) * 4;
  return {
    from: frame[29] ?? 0,
    to: frame[33] ?? 0,
    sourcePort: view.getUint16(0),
    port: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags: frame[47] ?? 0,
    window: view.getUint16(14),
    payload: frame.subarray(ETHERNET_BYTES + IP_BYTES + headerBytes),
  };
}
