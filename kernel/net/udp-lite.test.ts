/** UDP-Lite between two instances of the stack over a wire that damages what it carries. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const REFUSED = 111;
const NO_SUCH_OPTION = -92n;
const PORT = 53;
const SOL_UDPLITE = 136;
const SEND_COVERAGE = 10;
const RECEIVE_COVERAGE = 11;
const HEADER_BYTES = 8;

const makeWire = await loadWire();
const payload = new Uint8Array(1000).fill(7);

/** Sends 50 datagrams over the wire; how many arrive as they were and otherwise. */
function sendDamaged(wire: Wire, coverage: number, least?: number) {
  const server = wire.b.exports.openUdpLite();
  const client = wire.a.exports.openUdpLite();
  assert.equal(wire.b.exports.bind(server, PORT), 0n);
  assert.equal(wire.a.exports.setOption(client, SOL_UDPLITE, SEND_COVERAGE, coverage), 0n);
  if (least !== undefined) {
    assert.equal(wire.b.exports.setOption(server, SOL_UDPLITE, RECEIVE_COVERAGE, least), 0n);
  }
  for (let i = 0; i < 50; i++) {
    wire.a.sendTo(client, payload, 2, PORT);
    // The first ones wait for the neighbour's address, and not many may.
    wire.pass(5);
  }
  const count = { intact: 0, damaged: 0 };
  for (;;) {
    const received = wire.b.receive(server);
    if (typeof received === "number") {
      assert.equal(received, AGAIN);
      return count;
    }
    assert.equal(received.length, payload.length);
    count[Buffer.compare(received, payload) === 0 ? "intact" : "damaged"] += 1;
  }
}

test("what the checksum does not cover arrives although it is damaged", () => {
  const count = sendDamaged(makeWire({ ...CLEAR, damage: 1 }, 1), HEADER_BYTES);
  assert.ok(count.damaged > 40, `${count.damaged} damaged`);
});

test("what it covers does not", () => {
  // A bit of the IP header may be changed, too; its own checksum notices.
  assert.deepEqual(sendDamaged(makeWire({ ...CLEAR, damage: 1 }, 2), 0), { intact: 0, damaged: 0 });
});

test("datagrams of all coverages arrive over a good wire", () => {
  for (const coverage of [0, 8, 9, 500, 1007, 1008, 2000]) {
    assert.deepEqual(sendDamaged(makeWire(CLEAR, 3), coverage), { intact: 50, damaged: 0 });
  }
});

test("a receiver may ask for a least coverage", () => {
  const intact = (coverage: number, least: number) =>
    sendDamaged(makeWire(CLEAR, 4), coverage, least).intact;
  assert.equal(intact(100, 100), 50);
  assert.equal(intact(99, 100), 0);
  assert.equal(intact(1007, 0), 0);
  assert.equal(intact(0, 0), 50);
});

test("a closed port of UDP-Lite is told, an open one of UDP is another", () => {
  const wire = makeWire(CLEAR, 5);
  assert.equal(wire.b.exports.bind(wire.b.exports.openUdp(), PORT), 0n);
  const client = wire.a.exports.openUdpLite();
  assert.equal(wire.a.exports.connect(client, 2, PORT), 0n);
  wire.a.send(client, new Uint8Array(3));
  wire.pass(50);
  assert.equal(wire.a.exports.takeError(client), REFUSED);
  const udp = wire.a.exports.openUdp();
  assert.equal(
    wire.a.exports.setOption(udp, SOL_UDPLITE, SEND_COVERAGE, HEADER_BYTES),
    NO_SUCH_OPTION,
  );
});
