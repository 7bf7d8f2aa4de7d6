/**
 * UDP-Lite sockets: udplite(7). A UDP socket with options for what the checksum covers.
 *
 * Neighbours: `udp-socket.ts`, `udp-lite.ts` (the protocol).
 */
import { Packet } from "../dev/packet";
import { EINVAL, ENOPROTOOPT } from "../lib/errno";
import { SendControl } from "./control-data";
import { answer } from "./inet-options";
import { PortTable, udpLitePorts } from "./ports";
import { coverageOf, isIntactLite, udpLiteSend } from "./udp-lite";
import { openDatagram, UDP_HEADER_BYTES } from "./udp";
import { UdpSocket } from "./udp-socket";

export const IPPROTO_UDPLITE: i32 = 136;
const UDPLITE_SEND_CSCOV: i32 = 10;
const UDPLITE_RECV_CSCOV: i32 = 11;
const COVERAGE_MAX: i32 = 65535;

export class UdpLiteSocket extends UdpSocket {
  /** Bytes to cover, with the header; 0 = all. */
  private sentCoverage: i32 = 0;
  /** Datagrams of which less is covered are dropped; 0 = all must be, if `isSelective`. */
  private leastCoverage: i32 = 0;
  /** `leastCoverage` was set; before, every coverage will do. */
  private isSelective: bool = false;

  /** @param family AF_INET or AF_INET6 */
  constructor(family: i32) {
    super(family, IPPROTO_UDPLITE);
  }

  protected get ports(): PortTable {
    return udpLitePorts;
  }

  protected open(packet: Packet): bool {
    if (!isIntactLite(packet)) return false;
    const coverage = coverageOf(packet);
    const isPart = coverage < packet.length;
    if (isPart && this.isSelective) {
      if (this.leastCoverage == 0 || coverage < <u32>this.leastCoverage) return false;
    }
    openDatagram(packet);
    return true;
  }

  protected transmit(packet: Packet, port: u16, extra: SendControl): i32 {
    const coverage = <u32>this.sentCoverage;
    const from = this.localPort;
    return udpLiteSend(packet, from, port, coverage, extra.hopLimit, extra.trafficClass);
  }

  setOption(level: i32, name: i32, value: usize, length: usize): i64 {
    if (level != IPPROTO_UDPLITE) return super.setOption(level, name, value, length);
    if (length < 4) return -EINVAL;
    const asked = load<i32>(value);
    // The header is always covered (RFC 3828, section 3.1); Linux corrects what is too small.
    const least = asked == 0 ? 0 : max(asked, <i32>UDP_HEADER_BYTES);
    const coverage = min(least, COVERAGE_MAX);
    if (name == UDPLITE_SEND_CSCOV) this.sentCoverage = coverage;
    else if (name == UDPLITE_RECV_CSCOV) {
      this.leastCoverage = coverage;
      this.isSelective = true;
    } else return -ENOPROTOOPT;
    return 0;
  }

  getOption(level: i32, name: i32, value: usize, capacity: usize): i64 {
    if (level != IPPROTO_UDPLITE) return super.getOption(level, name, value, capacity);
    if (name == UDPLITE_SEND_CSCOV) return answer(this.sentCoverage, value, capacity);
    if (name == UDPLITE_RECV_CSCOV) return answer(this.leastCoverage, value, capacity);
    return -ENOPROTOOPT;
  }
}
