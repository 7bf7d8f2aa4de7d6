/** TCP between two instances of the stack over a simulated wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generator } from "../../test/harness/generator.ts";
import { parseTcp } from "./testing/frames.ts";
import { CLEAR, type Host, loadWire, type Weather, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const IN_PROGRESS = -115;
const REFUSED = 111;
const ESTABLISHED = 1;
const PORT = 80;
const IPPROTO_TCP = 6;
const TCP_DEFER_ACCEPT = 9;
const TCP_CONGESTION = 13;
const TCP_MAXSEG = 2;
const TCP_WINDOW_CLAMP = 10;
const SYN = 2;
/** "reno" as a number. */
const RENO = 0x6f6e6572;

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

/** Sets an option of a socket on a host. */
type Prepare = (host: Host, socket: number) => void;

function connect(
  wire: Wire,
  prepare: Prepare = () => {},
): { client: number; server: number; listener: number } {
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  prepare(b, listener);
  assert.equal(b.exports.bind(listener, PORT), 0n);
  assert.equal(b.exports.listen(listener, 5), 0n);
  const client = a.exports.openTcp();
  prepare(a, client);
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
function exchange(
  wire: Wire,
  sizes: [number, number],
  writeMax: number,
  readMax: number,
  prepare: Prepare = () => {},
): void {
  const { client, server, listener } = connect(wire, prepare);
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

test("TCP_MAXSEG limits the segments of both sides, TCP_WINDOW_CLAMP the window", () => {
  const wire = makeWire(CLEAR, 17);
  let longest = 0;
  let widest = 0;
  wire.filter = (bytes) => {
    const segment = parseTcp(bytes);
    longest = Math.max(longest, segment?.payload?.length ?? 0);
    const isScaled = segment !== undefined && (segment.flags & SYN) === 0;
    if (isScaled) widest = Math.max(widest, (segment.window ?? 0) << 7);
    return true;
  };
  exchange(wire, [100_000, 100_000], 65536, 65536, (host, socket) => {
    assert.equal(host.exports.setOption(socket, IPPROTO_TCP, TCP_MAXSEG, 500), 0n);
    assert.equal(host.exports.setOption(socket, IPPROTO_TCP, TCP_WINDOW_CLAMP, 20_000), 0n);
  });
  assert.equal(longest, 500 - 12, "timestamps are part of the limit (RFC 6691)");
  assert.ok(widest > 10_000 && widest <= 20_000, `a window of ${widest} bytes`);
  assertNoLeak(wire);
});

test("NewReno carries everything, too", () => {
  const wire = makeWire({ ...CLEAR, loss: 0.05, delayMs: 20 }, 15);
  exchange(wire, [300_000, 300_000], 65536, 65536, (host, socket) => {
    assert.equal(host.exports.setOption(socket, IPPROTO_TCP, TCP_CONGESTION, RENO), 0n);
  });
  assertNoLeak(wire);
});

test("with TCP_DEFER_ACCEPT a connection is accepted when there is data, or after the time", () => {
  const wire = makeWire(CLEAR, 16);
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  assert.equal(b.exports.setOption(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5), 0n);
  b.exports.bind(listener, PORT);
  b.exports.listen(listener, 5);
  const clients = [a.exports.openTcp(), a.exports.openTcp()] as const;
  for (const client of clients) a.exports.connect(client, 2, PORT);
  wire.pass(1000);
  assert.equal(b.exports.accept(listener), AGAIN);
  a.send(clients[0], new Uint8Array(3));
  wire.pass(100);
  const early = b.exports.accept(listener);
  assert.deepEqual(b.receive(early), new Uint8Array(3));
  assert.equal(b.exports.accept(listener), AGAIN);
  wire.pass(5000);
  const late = b.exports.accept(listener);
  assert.ok(late >= 0);
  for (const client of clients) a.exports.close(client);
  for (const socket of [early, late, listener]) b.exports.close(socket);
  assertNoLeak(wire);
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

test("thousands of connections, many at a time, with random lengths, lose and leak nothing", () => {
  const wire = makeWire({ ...CLEAR, loss: 0.01, jitterMs: 10 }, 8);
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  b.exports.bind(listener, PORT);
  b.exports.listen(listener, 128);
  const random = generator(8);
  const connections = 2000;
  const expected = new Map<number, number>();
  const clients: { socket: number; tag: number; length: number; offset: number }[] = [];
  const servers: { socket: number; tag: number; length: number }[] = [];
  let opened = 0;
  let finished = 0;
  const done = wire.until(() => {
    while (opened < connections && clients.length < 100) {
      const socket = a.exports.openTcp();
      a.exports.connect(socket, 2, PORT);
      // Every byte of a connection is its tag; the first four say which it is.
      const length = 4 + Math.floor(random() * 4000);
      expected.set(opened, length);
      clients.push({ socket, tag: opened++, length, offset: 0 });
    }
    for (const client of [...clients]) {
      const bytes = new Uint8Array(client.length).fill(client.tag & 255);
      new DataView(bytes.buffer).setUint32(0, client.tag);
      const count = a.send(client.socket, bytes.subarray(client.offset));
      if (count > 0) client.offset += count;
      if (client.offset < client.length) continue;
      a.exports.close(client.socket);
      clients.splice(clients.indexOf(client), 1);
    }
    for (let socket = b.exports.accept(listener); socket >= 0; ) {
      servers.push({ socket, tag: -1, length: 0 });
      socket = b.exports.accept(listener);
    }
    for (const server of [...servers]) {
      const result = b.receive(server.socket);
      if (typeof result === "number") continue;
      if (result.length > 0) {
        const isFirst = server.length === 0;
        if (isFirst) server.tag = new DataView(result.buffer).getUint32(0);
        const body = result.subarray(isFirst ? 4 : 0);
        assert.ok(body.every((byte) => byte === (server.tag & 255)));
        server.length += result.length;
        continue;
      }
      assert.equal(server.length, expected.get(server.tag), `connection ${server.tag}`);
      expected.delete(server.tag);
      b.exports.close(server.socket);
      servers.splice(servers.indexOf(server), 1);
      finished++;
    }
    return finished === connections;
  });
  assert.ok(done, `${finished} of ${connections} connections finished`);
  b.exports.close(listener);
  assertNoLeak(wire);
});

test("ten thousand idle connections cost less than 100 MB", () => {
  const wire = makeWire(CLEAR, 9);
  const { a, b } = wire;
  const listener = b.exports.openTcp();
  b.exports.bind(listener, PORT);
  b.exports.listen(listener, 1024);
  const count = 10_000;
  const before = b.liveBytes;
  const sockets: [number, number][] = [];
  while (sockets.length < count) {
    const client = a.exports.openTcp();
    a.exports.connect(client, 2, PORT);
    let server = AGAIN;
    assert.ok(
      wire.until(() => {
        server = b.exports.accept(listener);
        return server >= 0;
      }, 5000),
    );
    sockets.push([client, server]);
  }
  const perConnection = (b.liveBytes - before) / count;
  assert.ok(perConnection * count < 100_000_000, `${perConnection} bytes each`);
  for (const [client, server] of sockets) {
    a.exports.close(client);
    b.exports.close(server);
  }
  b.exports.close(listener);
  assertNoLeak(wire);
});
