/**
 * How much memory peers can make the stack keep: fragments, segments that came early, datagrams that
 * nobody reads, connections that their programs have closed. All of it is limited, and given back.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACK, ipv4Frame, parseTcp, tcpFrame } from "./testing/frames.ts";
import { CLEAR, type Host, loadWire, type Wire } from "./testing/wire.ts";

const PORT = 80;
const AGAIN = -11;
const UDP = 17;
const MORE_FRAGMENTS = 0x2000;
const PAGE = 4096;
const MIB = 1024 * 1024;
const SEND_SPACE = 60_000;
// Of tcp-ending.ts: kinds, and what a limit is divided by.
const ORPHAN = 1;
const WAITING = 2;
const BYTES_FOR_ONE = 64n * 2048n;

const makeWire = await loadWire();

function listen(host: Host): number {
  const listener = host.exports.openTcp();
  assert.equal(host.exports.bind(listener, PORT), 0n);
  assert.equal(host.exports.listen(listener, 16), 0n);
  return listener;
}

/** Connects host a to the listener of host b: both sockets. */
function connect(wire: Wire, listener: number): { client: number; server: number } {
  const client = wire.a.exports.openTcp();
  wire.a.exports.connect(client, 2, PORT);
  let server = AGAIN;
  const isAccepted = wire.until(() => {
    server = wire.b.exports.accept(listener);
    return server >= 0;
  }, 20_000);
  assert.ok(isAccepted, `not accepted: ${server}`);
  return { client, server };
}

/** Delivers the first fragment, or a later one, of many datagrams of UDP to host b. */
function deliverFragments(wire: Wire, from: number, count: number, payload: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const place = MORE_FRAGMENTS | (from + (i >> 5) * Math.ceil(payload.length / 8));
    wire.b.deliver(ipv4Frame(1, 2, UDP, payload, place, i & 31));
  }
}

test("fragments keep at most three megabytes, and are forgotten after half a minute", () => {
  const wire = makeWire(CLEAR, 1);
  const before = wire.b.liveBytes;
  deliverFragments(wire, 0, 32 * 127, new Uint8Array(512));
  const kept = wire.b.liveBytes - before;
  assert.ok(kept > 2 * MIB && kept < 3.2 * MIB, `${kept} bytes are kept`);
  wire.pass(31_000);
  assert.ok(wire.b.liveBytes - before < PAGE * 4, `${wire.b.liveBytes - before} bytes stay`);
});

test("small fragments do not keep pages", () => {
  const wire = makeWire(CLEAR, 2);
  const before = wire.b.liveBytes;
  deliverFragments(wire, 0, 32 * 100, new Uint8Array(8));
  const kept = wire.b.liveBytes - before;
  assert.ok(kept < 1.5 * MIB, `${kept} bytes are kept`);
});

test("the sender of a datagram that stays incomplete is told, if its first fragment came", () => {
  const wire = makeWire(CLEAR, 3);
  const told: number[] = [];
  wire.filter = (bytes, to) => {
    const isTimeExceeded = bytes[23] === 1 && bytes[34] === 11 && bytes[35] === 1;
    // The identification of the packet that the message quotes.
    if (to === wire.a && isTimeExceeded) told.push(((bytes[46] ?? 0) << 8) | (bytes[47] ?? 0));
    return true;
  };
  const payload = new Uint8Array(80);
  wire.b.deliver(ipv4Frame(1, 2, UDP, payload, MORE_FRAGMENTS | 0, 7));
  wire.b.deliver(ipv4Frame(1, 2, UDP, payload, MORE_FRAGMENTS | 20, 7));
  wire.b.deliver(ipv4Frame(1, 2, UDP, payload, MORE_FRAGMENTS | 10, 8));
  wire.pass(29_000);
  assert.deepEqual(told, []);
  wire.pass(5_000);
  assert.deepEqual(told, [7]);
});

test("segments of one byte that come early keep no pages", () => {
  const wire = makeWire(CLEAR, 4);
  const listener = listen(wire.b);
  let seen: { acknowledgement: number; sequence: number; port: number } | undefined;
  wire.filter = (bytes, to) => {
    const segment = parseTcp(bytes);
    if (to === wire.a && segment?.acknowledgement !== undefined) {
      const { acknowledgement, sequence, port } = segment;
      seen = { acknowledgement, sequence, port };
    }
    return true;
  };
  const { client, server } = connect(wire, listener);
  wire.a.send(client, new Uint8Array(1));
  wire.pass(200);
  assert.ok(seen);
  const before = wire.b.liveBytes;
  const { acknowledgement, sequence, port } = seen;
  for (let i = 0; i < 1500; i++) {
    const place = { sequence: acknowledgement + 2 + 2 * i, acknowledgement: sequence };
    const ends = { from: 1, to: 2, sourcePort: port, port: PORT };
    wire.b.deliver(tcpFrame({ ...ends, ...place, flags: ACK, payload: new Uint8Array(1) }));
  }
  const kept = wire.b.liveBytes - before;
  assert.ok(kept < MIB, `${kept} bytes are kept`);
  wire.a.exports.close(client);
  wire.b.exports.close(server);
});

test("datagrams of one byte that nobody reads keep little more than the receive buffer", () => {
  const wire = makeWire(CLEAR, 5);
  const receiver = wire.b.exports.openUdp();
  wire.b.exports.bind(receiver, 7);
  const sender = wire.a.exports.openUdp();
  const before = wire.b.liveBytes;
  for (let i = 0; i < 2000; i++) {
    wire.a.sendTo(sender, Uint8Array.of(i & 255), 2, 7);
    if (i % 50 === 0) wire.pass(5);
  }
  wire.pass(10);
  const kept = wire.b.liveBytes - before;
  assert.ok(kept < 2 * 212_992, `${kept} bytes are kept`);
  for (let i = 0; i < 500; i++) assert.deepEqual(wire.b.receive(receiver), Uint8Array.of(i & 255));
});

test("TIME-WAIT is limited in number: what is too many ends at once, in good order", () => {
  const wire = makeWire(CLEAR, 6);
  const listener = listen(wire.b);
  wire.b.exports.limitEndings(10n * BYTES_FOR_ONE);
  for (let i = 0; i < 25; i++) {
    const { client, server } = connect(wire, listener);
    wire.b.exports.close(server);
    wire.pass(50);
    assert.deepEqual(wire.a.receive(client), new Uint8Array(0));
    wire.a.exports.close(client);
    wire.pass(50);
    assert.equal(wire.b.exports.endingCount(WAITING), Math.min(i + 1, 10));
  }
  wire.pass(61_000);
  assert.equal(wire.b.exports.endingCount(WAITING), 0);
});

test("orphans are limited in number, and given up when their peers stay silent", () => {
  const wire = makeWire(CLEAR, 7);
  const listener = listen(wire.b);
  wire.b.exports.limitEndings(10n * BYTES_FOR_ONE);
  const servers = Array.from({ length: 25 }, () => connect(wire, listener).server);
  const before = wire.b.liveBlocks;
  wire.filter = () => false;
  for (const server of servers) {
    wire.b.send(server, new Uint8Array(SEND_SPACE));
    wire.b.exports.close(server);
  }
  assert.equal(wire.b.exports.endingCount(ORPHAN), 10);
  // 102 s and the rest of an interval: tcp(7), tcp_orphan_retries.
  wire.pass(210_000);
  assert.equal(wire.b.exports.endingCount(ORPHAN), 0);
  assert.ok(wire.b.liveBlocks < before, `${wire.b.liveBlocks - before} blocks more`);
});
