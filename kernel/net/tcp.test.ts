/** TCP between two instances of the stack over a simulated wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CLEAR, generator, type Host, loadWire, type Weather, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const IN_PROGRESS = -115;
const REFUSED = 111;
const ESTABLISHED = 1;
const PORT = 80;

const makeWire = await loadWire();

/** One direction of a connection: what is to be sent, and what has arrived. */
class Flow {
  offset = 0;
  received: number[] = [];
  ended = false;

  constructor(
    readonly from: Host,
    readonly fromSocket: number,
    readonly to: Host,
    readonly toSocket: number,
    readonly bytes: Uint8Array,
  ) {}

  /** Sends and receives what goes. */
  turn(writeMax: number, readMax: number): void {
    if (this.offset < this.bytes.length) {
      const part = this.bytes.subarray(this.offset, this.offset + writeMax);
      const count = this.from.send(this.fromSocket, part);
      if (count !== AGAIN) {
        assert.ok(count > 0, `send: ${count}`);
        this.offset += count;
        if (this.offset === this.bytes.length) this.from.exports.shutDown(this.fromSocket, 1);
      }
    }
    if (this.ended) return;
    const result = this.to.receive(this.toSocket, readMax);
    if (result === AGAIN) return;
    if (typeof result === "number") assert.fail(`receive: ${result}`);
    if (result.length === 0) this.ended = true;
    for (const byte of result) this.received.push(byte);
  }
}

function connect(wire: Wire): { client: number; server: number; listener: number } {
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  assert.equal(b.exports.bind(listener, PORT), 0n);
  assert.equal(b.exports.listen(listener, 5), 0n);
  const client = a.exports.openTcp();
  assert.equal(Number(a.exports.connect(client, 2, PORT)), IN_PROGRESS);
  let server = AGAIN;
  const accepted = wire.until(() => {
    server = b.exports.accept(listener);
    return server !== AGAIN;
  });
  assert.ok(accepted && server >= 0, "the connection was not accepted");
  return { client, server, listener };
}

function randomBytes(length: number, seed: number): Uint8Array {
  const random = generator(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** Sends in both directions at once and checks that every byte arrives once and in order. */
function exchange(wire: Wire, sizes: [number, number], writeMax: number, readMax: number): void {
  const { client, server, listener } = connect(wire);
  const there = new Flow(wire.a, client, wire.b, server, randomBytes(sizes[0], 1));
  const back = new Flow(wire.b, server, wire.a, client, randomBytes(sizes[1], 2));
  const done = wire.until(() => {
    there.turn(writeMax, readMax);
    back.turn(writeMax, readMax);
    return there.ended && back.ended;
  });
  assert.ok(done, `not finished: ${there.received.length} and ${back.received.length} arrived`);
  assert.deepEqual(Uint8Array.from(there.received), there.bytes);
  assert.deepEqual(Uint8Array.from(back.received), back.bytes);
  wire.a.exports.close(client);
  wire.b.exports.close(server);
  wire.b.exports.close(listener);
}

/** After everything is closed and TIME-WAIT is over, the memory is where it was. */
function assertNoLeak(wire: Wire): void {
  wire.weather = CLEAR;
  wire.pass(200_000);
  // What stays: an entry for the neighbour on each side.
  for (const host of [wire.a, wire.b]) {
    assert.ok(
      host.liveBlocks <= host.blocksAtStart + 1,
      `${host.liveBlocks - host.blocksAtStart} blocks leaked`,
    );
  }
}

test("a clear wire carries a megabyte each way", () => {
  const wire = makeWire(CLEAR, 1);
  exchange(wire, [1_000_000, 1_000_000], 65536, 65536);
  assertNoLeak(wire);
});

test("small writes and small reads", () => {
  const wire = makeWire(CLEAR, 2);
  exchange(wire, [5_000, 3_000], 7, 5);
  assertNoLeak(wire);
});

const weather: fc.Arbitrary<Weather> = fc.record({
  loss: fc.double({ min: 0, max: 0.15, noNaN: true }),
  duplication: fc.double({ min: 0, max: 0.1, noNaN: true }),
  damage: fc.double({ min: 0, max: 0.1, noNaN: true }),
  delayMs: fc.integer({ min: 0, max: 60 }),
  jitterMs: fc.integer({ min: 0, max: 80 }),
});

test("every byte arrives once and in order over a bad wire, and nothing leaks", () => {
  fc.assert(
    fc.property(
      weather,
      fc.nat(),
      fc.tuple(fc.integer({ min: 1, max: 150_000 }), fc.integer({ min: 1, max: 150_000 })),
      fc.integer({ min: 1000, max: 65536 }),
      fc.integer({ min: 1000, max: 65536 }),
      (sky, seed, sizes, writeMax, readMax) => {
        const wire = makeWire(sky, seed);
        exchange(wire, sizes, writeMax, readMax);
        assertNoLeak(wire);
      },
    ),
    { numRuns: 25 },
  );
});

test("a closed port refuses", () => {
  const wire = makeWire(CLEAR, 3);
  const client = wire.a.exports.openTcp();
  wire.a.exports.connect(client, 2, 81);
  wire.pass(50);
  assert.equal(wire.a.exports.takeError(client), REFUSED);
  wire.a.exports.close(client);
  assertNoLeak(wire);
});

test("a reader that rests closes the window, and opens it again", () => {
  const wire = makeWire(CLEAR, 4);
  const { client, server, listener } = connect(wire);
  const bytes = randomBytes(2_000_000, 5);
  let offset = 0;
  const push = (): void => {
    const count = wire.a.send(client, bytes.subarray(offset));
    if (count > 0) offset += count;
  };
  for (let i = 0; i < 400; i++) {
    if (offset < bytes.length) push();
    wire.step();
  }
  assert.ok(offset < bytes.length, "the window never closed");
  wire.pass(30_000);
  assert.equal(wire.a.exports.state(client), ESTABLISHED);
  const received: number[] = [];
  const done = wire.until(() => {
    if (offset < bytes.length) push();
    const result = wire.b.receive(server);
    if (typeof result !== "number") for (const byte of result) received.push(byte);
    return received.length === bytes.length;
  });
  assert.ok(done, `${received.length} of ${bytes.length} arrived`);
  assert.deepEqual(Uint8Array.from(received), bytes);
  wire.a.exports.close(client);
  wire.b.exports.close(server);
  wire.b.exports.close(listener);
  assertNoLeak(wire);
});

test("a peer that vanishes ends the connection with ETIMEDOUT", () => {
  const wire = makeWire(CLEAR, 6);
  const { client } = connect(wire);
  wire.filter = () => false;
  wire.a.send(client, new Uint8Array(10));
  wire.pass(1_500_000);
  assert.equal(wire.a.exports.takeError(client), 110);
});

test("connections beyond the backlog are made when there is room", () => {
  const wire = makeWire(CLEAR, 7);
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  b.exports.bind(listener, PORT);
  b.exports.listen(listener, 2);
  const clients = Array.from({ length: 10 }, () => a.exports.openTcp());
  for (const client of clients) a.exports.connect(client, 2, PORT);
  let accepted = 0;
  const done = wire.until(() => {
    const server = b.exports.accept(listener);
    if (server >= 0) {
      accepted++;
      b.exports.close(server);
    }
    return accepted === clients.length;
  });
  assert.ok(done, `${accepted} accepted`);
  for (const client of clients) a.exports.close(client);
  b.exports.close(listener);
  assertNoLeak(wire);
});
