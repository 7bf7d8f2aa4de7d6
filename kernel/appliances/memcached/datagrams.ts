/**
 * The cache on UDP (doc/protocol.txt of memcached, "UDP protocol"): a frame header in front of each
 * datagram; a request is one datagram, an answer as many as it needs.
 *
 *     0            2                 4                 6
 *     | request id | sequence number | datagrams in all | reserved |
 *
 * Requests are carried out where they arrive. Lock: the socket's. Neighbours: `session.ts`, `net/udp*`.
 */
import { freePacket, newPacket, Packet } from "../../dev/packet";
import { heapAllocate, heapFree } from "../../mm/heap";
import { load16, store16 } from "../../net/bytes";
import { udpSend } from "../../net/udp";
import { UdpSocket } from "../../net/udp-socket";
import { AF_INET6 } from "../../net/socket";
import { Reply } from "./reply";
import { Session } from "./session";
import { Settings } from "./settings";
import { Store } from "./store";
import { storeSeconds } from "./time";

const FRAME_HEADER: u32 = 8;
/** Most bytes of a datagram, so that no path has to cut it. */
const DATAGRAM_BYTES: u32 = 1400;
const ANSWER_MAX: usize = 4 << 20;
const FIRST_CAPACITY: usize = 4096;
const wasteland = memory.data(512);

/** An answer in one piece, which grows. */
class DatagramReply extends Reply {
  buffer: usize = 0;
  used: usize = 0;
  private capacity: usize = 0;

  protected reserve(bytes: u32): usize {
    return this.makeRoom(bytes) ? this.buffer + this.used : wasteland;
  }

  protected commit(bytes: u32): void {
    if (!this.isLost) this.used += bytes;
  }

  writeBytes(address: usize, bytes: usize): void {
    if (!this.makeRoom(bytes)) return;
    memory.copy(this.buffer + this.used, address, bytes);
    this.used += bytes;
  }

  private makeRoom(bytes: usize): bool {
    if (this.isLost) return false;
    const needed = this.used + bytes;
    if (needed <= this.capacity) return true;
    const capacity = max(needed, max(FIRST_CAPACITY, this.capacity * 2));
    const larger = needed > ANSWER_MAX ? 0 : heapAllocate(capacity);
    if (larger == 0) {
      this.isLost = true;
      return false;
    }
    if (this.buffer != 0) {
      memory.copy(larger, this.buffer, this.used);
      heapFree(this.buffer);
    }
    this.buffer = larger;
    this.capacity = capacity;
    return true;
  }

  get isFull(): bool {
    return false;
  }

  clear(): void {
    this.used = 0;
    this.isLost = false;
  }
}

export class MemcachedDatagrams extends UdpSocket {
  private reply: DatagramReply;
  private session: Session;

  constructor(
    private cache: Store,
    settings: Settings,
  ) {
    super(AF_INET6);
    const reply = new DatagramReply();
    this.reply = reply;
    this.session = new Session(cache, settings, reply);
  }

  /** A datagram from the receive path: answers it. Takes it. */
  arrived(packet: Packet): void {
    this.lock.acquire();
    if (this.open(packet) && packet.length > FRAME_HEADER && load16(packet.data + 4) == 1) {
      this.answer(packet);
    } else this.drops++;
    this.lock.release();
    freePacket(packet);
  }

  private answer(packet: Packet): void {
    const reply = this.reply;
    reply.clear();
    this.session.reset();
    this.cache.nowSeconds = storeSeconds();
    this.session.feed(packet.data + FRAME_HEADER, packet.length - FRAME_HEADER);
    if (reply.isLost) {
      reply.clear();
      reply.writeText("SERVER_ERROR answer too large for UDP\r\n");
    }
    this.cache.statistics.moved(packet.length, reply.used);
    if (reply.used == 0) return;
    const id = load16(packet.data);
    const most = DATAGRAM_BYTES - FRAME_HEADER;
    const count = <u32>((reply.used + most - 1) / most);
    for (let i: u32 = 0; i < count; i++) {
      const start = <usize>i * most;
      const bytes = <u32>min<usize>(most, reply.used - start);
      if (!this.sendPiece(packet, id, i, count, reply.buffer + start, bytes)) return;
    }
  }

  private sendPiece(
    request: Packet,
    id: u16,
    number: u32,
    count: u32,
    address: usize,
    bytes: u32,
  ): bool {
    const made = newPacket(FRAME_HEADER + bytes);
    if (made == 0) return false;
    const piece = changetype<Packet>(made);
    piece.length = FRAME_HEADER + bytes;
    store16(piece.data, id);
    store16(piece.data + 2, number);
    store16(piece.data + 4, count);
    store16(piece.data + 6, 0);
    memory.copy(piece.data + FRAME_HEADER, address, bytes);
    piece.source.copyFrom(request.destination);
    piece.destination.copyFrom(request.source);
    piece.origin = request.origin;
    return udpSend(piece, this.localPort, <u16>request.sequence, 0, 0) == 0;
  }
}
