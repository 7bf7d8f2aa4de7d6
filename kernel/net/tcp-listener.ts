/**
 * What a listening socket does with a connection request: makes the connection in SYN-RECEIVED and
 * answers (RFC 9293, section 3.10.7.2).
 *
 * The listener is not locked here: it counts its connections atomically, and has a lock of its own
 * for those that wait to be accepted. So the handshake never takes two connections' locks at once in
 * the other order. Neighbours: `tcp-receive.ts`, `tcp-socket.ts`.
 */
import { freePacket, Packet } from "../dev/packet";
import { randomU64 } from "../dev/random";
import { load16, load32 } from "./bytes";
import { count, TCP_LISTEN_DROPS, TCP_PASSIVE_OPENS } from "./counters";
import { addFlow } from "./ports";
import { LISTEN, SYN_RECEIVED } from "./tcp-connection";
import { learnPeer } from "./tcp-input";
import { offerOptions, sendSyn } from "./tcp-output";
import { TcpSocket } from "./tcp-socket";

/** A SYN for the listener: takes the packet. */
export function connectionRequested(listener: TcpSocket, packet: Packet): void {
  // When the backlog is full, the request is dropped; the client asks again.
  if (listener.state != LISTEN || !listener.countChild()) {
    count(TCP_LISTEN_DROPS);
    freePacket(packet);
    return;
  }
  const header = packet.data;
  const child = new TcpSocket(listener.family);
  child.localAddress.copyFrom(packet.destination);
  child.localPort = load16(header + 2);
  child.remoteAddress.copyFrom(packet.source);
  child.remotePort = load16(header);
  listener.bequeath(child);
  child.enter();
  offerOptions(child);
  const options = child.segmentOptions;
  options.parse(header, (<u32>load<u8>(header, 12) >> 4) * 4);
  const random = randomU64();
  child.initialSend = <u32>random;
  child.timestampOffset = <u32>(random >> 32);
  child.sendUnacknowledged = child.initialSend;
  child.sendNext = child.initialSend;
  learnPeer(child, load32(header + 4), options);
  freePacket(packet);
  if (!addFlow(child)) {
    // Another CPU was faster with the same request.
    child.leave();
    listener.childLost();
    child.release();
    return;
  }
  child.state = SYN_RECEIVED;
  count(TCP_PASSIVE_OPENS);
  listener.retain();
  child.listener = listener;
  child.begin();
  sendSyn(child);
  child.leave();
  // The reference of its birth goes to the accept queue when it is established; until then the
  // connection's own keeps it alive.
  child.release();
}
