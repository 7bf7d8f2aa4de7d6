/**
 * UDP-Lite: RFC 3828. UDP whose header says in the place of the length how many bytes from its
 * beginning the checksum covers, so that sound or pictures arrive even if a bit of them is wrong.
 *
 * Neighbours: `udp.ts`, `udp-lite-socket.ts`, `ports.ts`.
 */
import { CHECKSUM_VALID, freePacket, Packet, push } from "../dev/packet";
import { addBytes, foldSum, load16, pseudoSum, store16 } from "./bytes";
import { ipSend, PROTOCOL_UDPLITE } from "./ip";
import { udpLitePorts } from "./ports";
import { refuse, handOver, UDP_HEADER_BYTES } from "./udp";

/** The place of a length in UDP's header. */
const COVERAGE_OFFSET: usize = 4;
const CHECKSUM_OFFSET: usize = 6;

/** A datagram arrived: takes it. */
export function udpLiteReceive(packet: Packet): void {
  if (packet.length < UDP_HEADER_BYTES) freePacket(packet);
  else if (handOver(packet, udpLitePorts)) return;
  else if (isIntactLite(packet)) refuse(packet);
  else freePacket(packet);
}

/** Bytes that the checksum of a datagram with its header covers: 0 stands for all. */
export function coverageOf(packet: Packet): u32 {
  const coverage = <u32>load16(packet.transport + COVERAGE_OFFSET);
  return coverage != 0 ? coverage : packet.length;
}

/** Verifies coverage and checksum, which no datagram may lack (section 3.1). */
export function isIntactLite(packet: Packet): bool {
  const coverage = coverageOf(packet);
  if (coverage < UDP_HEADER_BYTES || coverage > packet.length) return false;
  if (packet.checksum == CHECKSUM_VALID) return true;
  if (load<u16>(packet.transport, CHECKSUM_OFFSET) == 0) return false;
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_UDPLITE, packet.length);
  return foldSum(addBytes(packet.transport, coverage, sum)) == 0xffff;
}

/**
 * Sends a payload whose addresses are set, and takes it.
 * @param coverage bytes of header and payload to protect; 0 or more than there are: all
 * @returns 0 or a negative error
 */
export function udpLiteSend(
  packet: Packet,
  sourcePort: u16,
  destinationPort: u16,
  coverage: u32,
  hopLimit: u8,
  trafficClass: u8,
): i32 {
  const header = push(packet, UDP_HEADER_BYTES);
  const length = packet.length;
  const covered = coverage != 0 && coverage < length ? coverage : length;
  store16(header, sourcePort);
  store16(header + 2, destinationPort);
  store16(header + COVERAGE_OFFSET, covered != length ? covered : 0);
  store<u16>(header, 0, CHECKSUM_OFFSET);
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_UDPLITE, length);
  const checksum = <u16>~foldSum(addBytes(header, covered, sum));
  store<u16>(header, checksum != 0 ? checksum : 0xffff, CHECKSUM_OFFSET);
  packet.transport = header;
  return ipSend(packet, PROTOCOL_UDPLITE, hopLimit, trafficClass);
}
