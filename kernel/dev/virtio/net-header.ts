/**
 * The header in front of every frame on a virtio network queue, which says what is left to do with
 * it: Virtual I/O Device (VIRTIO) version 1.2, sections 5.1.6 and 5.1.6.2.
 *
 *     flags u8 | gso_type u8 | hdr_len u16 | gso_size u16 | csum_start u16 | csum_offset u16 |
 *     num_buffers u16 (where the interface is not legacy, or buffers are merged)
 *
 * Neighbours: `net-send.ts`, `net-receive.ts`.
 */
import { CHECKSUM_PARTIAL, CHECKSUM_VALID, Packet, push } from "../packet";

export const HEADER_BYTES: u32 = 12;
export const LEGACY_HEADER_BYTES: u32 = 10;

const NEEDS_CHECKSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;

/** Where the checksum is in a TCP and in a UDP header. */
const TCP_CHECKSUM_OFFSET: u16 = 16;
const UDP_CHECKSUM_OFFSET: u16 = 6;
const PROTOCOL_TCP: u8 = 6;
const ETHERNET_BYTES: usize = 14;
const IPV4_PROTOCOL: usize = 9;
const IPV6_NEXT_HEADER: usize = 6;

/** Puts the header in front of a frame to send. */
export function writeHeader(packet: Packet, headerBytes: u32): void {
  const frame = packet.data;
  const header = push(packet, headerBytes);
  memory.fill(header, 0, headerBytes);
  if (packet.checksum != CHECKSUM_PARTIAL) return;
  const network = frame + ETHERNET_BYTES;
  const isV6 = load<u8>(network) >> 4 == 6;
  const protocol = load<u8>(network + (isV6 ? IPV6_NEXT_HEADER : IPV4_PROTOCOL));
  const start = <u16>(packet.transport - frame);
  store<u8>(header, NEEDS_CHECKSUM);
  store<u16>(header, start, 6);
  store<u16>(header, protocol == PROTOCOL_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET, 8);
  if (packet.segmentBytes != 0) {
    store<u8>(header, isV6 ? GSO_TCPV6 : GSO_TCPV4, 1);
    store<u16>(header, <u16>(start + packet.headerBytes), 2);
    store<u16>(header, packet.segmentBytes, 4);
  }
}

/** Notes in the packet what the header at its `data` says. */
export function readHeader(packet: Packet): void {
  const flags = load<u8>(packet.data);
  if ((flags & (NEEDS_CHECKSUM | DATA_VALID)) != 0) packet.checksum = CHECKSUM_VALID;
}

/** How many buffers the frame fills whose header is at `data`; only with merged buffers. */
export function bufferCount(packet: Packet): u32 {
  return <u32>load<u16>(packet.data, 10);
}
