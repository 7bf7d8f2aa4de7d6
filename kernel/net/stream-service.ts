/**
 * The native interface to TCP: programs linked with the kernel (`kernel/appliances`) that are served
 * where their packets arrive, without sockets, threads or copies.
 *
 *     segment ─► channel ─► TCP input ─► serve ─► StreamService.received ─► send buffer ─► output
 *     `------- one pass of the connection's lock, in the context of the receive path --------'
 *
 * A listener with a service gives it to its connections. What the peer has sent is handed over in
 * order, in the packets' own memory, as long as the send buffer has room: a peer that does not read its
 * answers is not listened to. All functions run with the connection's lock held and interrupts off.
 *
 * Neighbours: `tcp-connection.ts` calls `serve`, `tcp-socket.ts` accepts for a service.
 */
import { Packet } from "../dev/packet";
import { letGo, sendLimit, tuneReceive } from "./tcp-buffers";
import { CLOSE_WAIT, ESTABLISHED, TcpConnection } from "./tcp-connection";
import { output, sendAck, shouldTellWindow } from "./tcp-output";

export abstract class StreamService {
  /** A connection has been established. @returns what the service keeps of it; 0 resets it */
  abstract opened(stream: TcpConnection): usize;

  /**
   * Bytes have arrived; they are gone after the call. Without bytes there is only room again for
   * answers that had to wait.
   * @param own what `opened` returned
   */
  abstract received(stream: TcpConnection, own: usize, address: usize, bytes: u32): void;

  /** All that has arrived has been handed over: answers that were collected go to the send buffer. */
  abstract settled(stream: TcpConnection, own: usize): void;

  /** The connection is gone, whoever ended it. */
  abstract closed(own: usize): void;
}

/** Hands over what has arrived, sends the answers, ends what the peer has ended. */
export function serve(c: TcpConnection): void {
  const service = c.service;
  if (!service || c.isOrphan) return;
  const own = c.serviceState;
  let taken: u32 = 0;
  if (c.answersWait && mayAnswer(c)) {
    c.answersWait = false;
    service.received(c, own, 0, 0);
    service.settled(c, own);
    output(c);
  }
  while (c.incomingFirst != 0 && !c.answersWait && !c.isOrphan && mayAnswer(c)) {
    const packet = changetype<Packet>(c.incomingFirst);
    c.incomingFirst = packet.next;
    if (packet.next == 0) c.incomingLast = 0;
    c.incomingBytes -= packet.length;
    taken += packet.length;
    service.received(c, own, packet.data, packet.length);
    letGo(c, packet);
  }
  if (taken > 0) {
    service.settled(c, own);
    tuneReceive(c, taken);
    output(c);
    if (shouldTellWindow(c)) sendAck(c);
  }
  if (c.finReceived && c.incomingFirst == 0 && !c.answersWait && !c.isOrphan) c.endInOrder();
}

/** True if the send buffer has room and the connection takes data. */
function mayAnswer(c: TcpConnection): bool {
  return (c.state == ESTABLISHED || c.state == CLOSE_WAIT) && c.outgoing.length < sendLimit(c);
}
