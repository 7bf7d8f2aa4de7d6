/** What ICMP tells: errors within limits, neighbours that do not answer, the MTU of a path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4Frame } from "./testing/frames.ts";
import { CLEAR, type Host, loadWire, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const NO_HOST = 113;
const PORT = 80;
/** Nobody has this address. */
const NOBODY = 99;
const ROUTER = 254;
const NEXT_MTU = 1000;
const ETHERNET_BYTES = 14;
const BURST = 50;

const makeWire = await loadWire();

/** Counts the frames that `isCounted` says, from now on. */
function counter(wire: Wire, isCounted: (bytes: Uint8Array, to: Host) => boolean): () => number {
  let counted = 0;
  wire.filter = (bytes, to) => {
    if (isCounted(bytes, to)) counted += 1;
    return true;
  };
  return () => counted;
}

function isUnreachable4(bytes: Uint8Array): boolean {
  return bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 1 && bytes[34] === 3;
}

function isUnreachable6(bytes: Uint8Array): boolean {
  return bytes[12] === 0x86 && bytes[20] === 58 && bytes[54] === 1;
}

test("errors are sent fifty at once and a thousand a second, no more", () => {
  const wire = makeWire(CLEAR, 1);
  const { exports } = wire.a;
  for (const [socket, isError] of [
    [exports.openUdp(), isUnreachable4],
    [exports.openUdp6(), isUnreachable6],
  ] as const) {
    wire.a.sendTo(socket, new Uint8Array(1), 2, PORT); // resolves the neighbour
    wire.pass(1000);
    const errors = counter(wire, isError);
    for (let i = 0; i < 4 * BURST; i += 1) wire.a.sendTo(socket, new Uint8Array(1), 2, PORT);
    wire.pass(20);
    assert.equal(errors(), BURST);
    // All arrive in one moment, 10 ms later: ten more are due.
    wire.pass(100);
    const more = counter(wire, isError);
    for (let i = 0; i < 10; i += 1) {
      wire.a.sendTo(socket, new Uint8Array(1), 2, PORT);
      wire.pass(2);
    }
    wire.pass(20);
    assert.equal(more(), 10);
  }
});

test("a connection to a neighbour that does not answer ends with EHOSTUNREACH after three questions", () => {
  const wire = makeWire(CLEAR, 2);
  const isQuestion = (bytes: Uint8Array) =>
    (bytes[12] === 8 && bytes[13] === 6) || (bytes[12] === 0x86 && bytes[54] === 135);
  for (const socket of [wire.a.exports.openTcp(), wire.a.exports.openTcp6()]) {
    wire.pass(2000);
    const questions = counter(wire, isQuestion);
    wire.a.exports.connect(socket, NOBODY, PORT);
    wire.pass(2900);
    assert.equal(wire.a.exports.takeError(socket), 0);
    wire.pass(200);
    assert.equal(questions(), 3);
    assert.equal(wire.a.exports.takeError(socket), NO_HOST);
    wire.a.exports.close(socket);
  }
});

test("a connected datagram socket hears EHOSTUNREACH, and no memory is lost", () => {
  const wire = makeWire(CLEAR, 3);
  const before = () => wire.a.liveBlocks;
  for (const open of ["openUdp", "openUdp6"] as const) {
    const round = () => {
      const socket = wire.a.exports[open]();
      wire.a.exports.connect(socket, NOBODY, PORT);
      for (let i = 0; i < 20; i += 1) wire.a.send(socket, new Uint8Array(10));
      wire.pass(4000);
      assert.equal(wire.a.exports.takeError(socket), NO_HOST);
      assert.equal(wire.a.receive(socket), AGAIN);
      wire.a.exports.close(socket);
    };
    round();
    const blocks = before();
    round();
    assert.equal(before(), blocks);
  }
});

/** A router's message that a packet was too large for the next link (RFC 1191, section 4). */
function tooBig(packet: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + 28);
  const view = new DataView(message.buffer);
  message.set([3, 4]);
  view.setUint16(6, NEXT_MTU);
  message.set(packet.subarray(0, 28), 8);
  let sum = 0;
  for (let i = 0; i < message.length; i += 2) sum += view.getUint16(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  view.setUint16(2, ~sum & 0xffff);
  return ipv4Frame(ROUTER, 1, 1, message);
}

test("TCP sends smaller segments once a router has said what its next link carries", () => {
  const wire = makeWire(CLEAR, 4);
  const server = wire.b.exports.openTcp();
  wire.b.exports.bind(server, PORT);
  wire.b.exports.listen(server, 5);
  const client = wire.a.exports.openTcp();
  wire.a.exports.connect(client, 2, PORT);
  wire.pass(50);
  const accepted = wire.b.exports.accept(server);
  let refused = 0;
  wire.filter = (bytes, to) => {
    const packetBytes = bytes.length - ETHERNET_BYTES;
    if (to !== wire.b || bytes[12] !== 8 || bytes[13] !== 0 || packetBytes <= NEXT_MTU) return true;
    assert.equal((bytes[20] ?? 0) & 0x40, 0x40, "TCP forbids fragments");
    refused += 1;
    const answer = tooBig(bytes.subarray(ETHERNET_BYTES));
    wire.frames.push({ dueNs: wire.nowNs + 1_000_000n, to: wire.a, bytes: answer });
    return false;
  };
  const sent = Uint8Array.from({ length: 50_000 }, (_, i) => i * 7);
  assert.equal(wire.a.send(client, sent), sent.length);
  const got: number[] = [];
  assert.ok(
    wire.until(() => {
      const part = wire.b.receive(accepted);
      if (typeof part !== "number") got.push(...part);
      return got.length === sent.length;
    }, 20_000),
    `${got.length} bytes of ${sent.length}`,
  );
  assert.deepEqual(Uint8Array.from(got), sent);
  assert.ok(refused > 0 && refused <= 12, `${refused} large segments`);
});
