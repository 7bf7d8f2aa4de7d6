/** Explicit congestion notification (RFC 3168, section 6.1), with a peer made by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACK, parseTcp, SYN, type TcpFrame, tcpFrame, withIpByte } from "./testing/frames.ts";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const PORT = 80;
const PEER_PORT = 5000;
const AGAIN = -11;
const ECE = 64;
const CWR = 128;
const MSS = 1000;
const MSS_OPTION = [2, 4, MSS >> 8, MSS & 0xff];
/** Of the IPv4 header: the traffic class. */
const TRAFFIC_CLASS = 1;
const ECT0 = 2;
const CE = 3;
const ETHERNET_BYTES = 14;

interface Sent extends TcpFrame {
  readonly ecn: number;
}

const makeWire = await loadWire();

/** A connection of host b that a peer with the address of host a has asked for. */
class Peer {
  readonly wire: Wire;
  readonly socket: number;
  /** The answer to the SYN, and what has been sent since. */
  readonly answer: Sent;
  readonly sent: Sent[] = [];
  #sequence = 1000;
  #acknowledgement = 0;

  constructor(seed: number, synFlags: number) {
    const wire = makeWire(CLEAR, seed);
    this.wire = wire;
    const listener = wire.b.exports.openTcp();
    wire.b.exports.bind(listener, PORT);
    wire.b.exports.listen(listener, 4);
    // So that host b knows the address of host a.
    const stranger = wire.b.exports.openUdp();
    wire.b.sendTo(stranger, Uint8Array.of(1), 1, 9);
    wire.pass(50);
    wire.filter = (bytes, to) => {
      const segment = parseTcp(bytes);
      const ecn = (bytes[ETHERNET_BYTES + TRAFFIC_CLASS] ?? 0) & 3;
      if (to === wire.a && segment) this.sent.push({ ...segment, ecn });
      return to !== wire.a;
    };
    this.say({ flags: SYN | synFlags, options: MSS_OPTION });
    this.#sequence++;
    const answer = this.last();
    this.answer = answer;
    assert.equal(answer.flags & (SYN | ACK), SYN | ACK);
    this.#acknowledgement = answer.sequence + 1;
    this.say({ flags: ACK });
    this.socket = wire.b.exports.accept(listener);
    assert.notEqual(this.socket, AGAIN);
    this.sent.length = 0;
  }

  last(): Sent {
    const segment = this.sent.at(-1);
    assert.ok(segment, "nothing was sent");
    return segment;
  }

  /** Sends a segment to host b, and lets it answer. */
  say(change: Partial<TcpFrame>, ecn = 0): void {
    const ends = { from: 1, to: 2, sourcePort: PEER_PORT, port: PORT };
    const numbers = { sequence: this.#sequence, acknowledgement: this.#acknowledgement };
    const frame = tcpFrame({ ...ends, ...numbers, flags: ACK, window: 60000, ...change });
    this.wire.b.deliver(ecn === 0 ? frame : withIpByte(frame, TRAFFIC_CLASS, ecn));
    this.#sequence += change.payload?.length ?? 0;
    this.wire.pass(60);
  }

  /** Acknowledges all that host b has sent. */
  acknowledge(flags = 0): void {
    const ends = this.sent.map(({ sequence, payload }) => sequence + (payload?.length ?? 0));
    this.#acknowledgement = Math.max(this.#acknowledgement, ...ends);
    this.sent.length = 0;
    this.say({ flags: ACK | flags });
  }

  send(length: number): void {
    assert.equal(this.wire.b.send(this.socket, new Uint8Array(length)), length);
    this.wire.pass(5);
  }
}

test("a peer that asks for ECN gets it, others do not", () => {
  const asking = new Peer(1, ECE | CWR);
  assert.equal(asking.answer.flags & (ECE | CWR), ECE);
  assert.equal(asking.answer.ecn, 0, "the handshake itself is not ECN-capable");
  asking.send(3 * MSS);
  assert.deepEqual(
    asking.sent.map(({ ecn }) => ecn),
    [ECT0, ECT0, ECT0],
  );
  for (const flags of [0, ECE, CWR]) {
    const other = new Peer(2, flags);
    assert.equal(other.answer.flags & (ECE | CWR), 0);
    other.send(MSS);
    other.say({ payload: new Uint8Array(10) }, CE);
    assert.ok(other.sent.every(({ ecn, flags: sent }) => ecn === 0 && (sent & ECE) === 0));
  }
});

test("congestion is echoed until the peer has said that it sends less", () => {
  const peer = new Peer(3, ECE | CWR);
  const echoes = (change: Partial<TcpFrame>, ecn: number): boolean => {
    peer.sent.length = 0;
    peer.say({ payload: new Uint8Array(10), ...change }, ecn);
    assert.equal(peer.last().ecn, 0, "acknowledgements are not ECN-capable");
    return (peer.last().flags & ECE) !== 0;
  };
  assert.equal(echoes({}, ECT0), false);
  assert.equal(echoes({}, CE), true);
  assert.equal(echoes({}, ECT0), true);
  assert.equal(echoes({ flags: ACK | CWR }, ECT0), false);
  assert.equal(echoes({ flags: ACK | CWR }, CE), true);
});

test("an echo shrinks the window once for a window of data, which CWR tells", () => {
  const peer = new Peer(4, ECE | CWR);
  peer.send(60 * MSS);
  assert.equal(peer.sent.length, 10);
  peer.acknowledge();
  const before = peer.sent.length;
  assert.ok(before >= 12, `${before} segments`);
  peer.acknowledge(ECE);
  const after = peer.sent.length;
  assert.ok(after < before, `${after} segments after ${before}`);
  const reductions = () => peer.sent.filter(({ flags }) => (flags & CWR) !== 0).length;
  assert.equal((peer.sent[0]?.flags ?? 0) & CWR, CWR);
  assert.equal(reductions(), 1);
  peer.acknowledge();
  assert.equal(reductions(), 0);
});

test("what is sent again is not ECN-capable", () => {
  const peer = new Peer(5, ECE | CWR);
  peer.send(MSS);
  const [first] = peer.sent;
  peer.sent.length = 0;
  peer.wire.pass(3000);
  const again = peer.last();
  assert.equal(again.sequence, first?.sequence);
  assert.equal(again.ecn, 0);
});
