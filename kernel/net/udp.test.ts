/** UDP and fragments between two instances of the stack over a simulated wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../test/harness/generator.ts";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const REFUSED = 111;
const TOO_LONG = -90;
const PORT = 53;

const makeWire = await loadWire();

function randomBytes(length: number, seed: number): Uint8Array {
  const random = generator(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

function openServer(wire: Wire): number {
  const server = wire.b.exports.openUdp();
  assert.equal(wire.b.exports.bind(server, PORT), 0n);
  return server;
}

test("datagrams of all sizes arrive whole, in fragments where they must", () => {
  const wire = makeWire({ ...CLEAR, jitterMs: 3, duplication: 0.3 }, 1);
  const server = openServer(wire);
  const client = wire.a.exports.openUdp();
  for (const size of [0, 1, 1472, 1473, 2952, 20_000, 65_507]) {
    const bytes = randomBytes(size, size);
    assert.equal(wire.a.sendTo(client, bytes, 2, PORT), size);
    wire.pass(100);
    assert.deepEqual(wire.b.receive(server), bytes, `${size} bytes`);
    // A duplicate of a packet that was not cut is a datagram of its own.
    while (wire.b.receive(server) !== AGAIN) {}
  }
  assert.equal(wire.a.sendTo(client, randomBytes(65_508, 1), 2, PORT), TOO_LONG);
});

test("damaged datagrams are dropped", () => {
  const wire = makeWire({ ...CLEAR, damage: 1 }, 2);
  const server = openServer(wire);
  const client = wire.a.exports.openUdp();
  for (let i = 0; i < 50; i++) wire.a.sendTo(client, randomBytes(100, i), 2, PORT);
  wire.pass(100);
  assert.equal(wire.b.receive(server), AGAIN);
});

test("a connected socket hears of a closed port", () => {
  const wire = makeWire(CLEAR, 3);
  const client = wire.a.exports.openUdp();
  assert.equal(wire.a.exports.connect(client, 2, PORT), 0n);
  wire.a.send(client, new Uint8Array(3));
  wire.pass(50);
  assert.equal(wire.a.exports.takeError(client), REFUSED);
});
