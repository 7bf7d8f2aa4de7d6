/**
 * Strangers on the wire: floods, forged segments, fragments that overlap, damaged traffic. The
 * machine goes on, honest connections too, and in the end the memory is where it was.
 *
 * `OSV_FUZZ_SECONDS=600 npm test -- unit kernel/net/tcp-attack` mutates traffic for ten minutes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../test/harness/generator.ts";
import { ACK, ipv4Frame, parseTcp, RST, SYN, type TcpFrame, tcpFrame } from "./testing/frames.ts";
import { CLEAR, type Host, loadWire, type Wire } from "./testing/wire.ts";

const PORT = 80;
const AGAIN = -11;
const ESTABLISHED = 1;
const CLOSED = 7;
const CONNECTION_RESET = 104;
/** Handshakes that a listener keeps, and somewhat more than a connection has of heap blocks. */
const HANDSHAKES_MAX = 600;
const BLOCKS_OF_A_CONNECTION = 20;

const makeWire = await loadWire();

function listen(host: Host, backlog = 16): number {
  const listener = host.exports.openTcp();
  assert.equal(host.exports.bind(listener, PORT), 0n);
  assert.equal(host.exports.listen(listener, backlog), 0n);
  return listener;
}

/** Connects host a to the listener of host b. */
function connect(wire: Wire, listener: number): { client: number; server: number } {
  const client = wire.a.exports.openTcp();
  wire.a.exports.connect(client, 2, PORT);
  let server = AGAIN;
  const accepted = wire.until(() => {
    server = wire.b.exports.accept(listener);
    return server >= 0;
  }, 20_000);
  assert.ok(accepted, `not accepted: ${server}`);
  return { client, server };
}

/** Sends bytes through a connection and checks that they arrive. */
function exchange(wire: Wire, client: number, server: number, length: number): void {
  const random = generator(length);
  const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const received: number[] = [];
  let offset = 0;
  const done = wire.until(() => {
    if (offset < length) offset += Math.max(0, wire.a.send(client, bytes.subarray(offset)));
    const result = wire.b.receive(server);
    if (typeof result !== "number") received.push(...result);
    return received.length === length;
  });
  assert.ok(done, `${received.length} of ${length} bytes arrived`);
  assert.deepEqual(Uint8Array.from(received), bytes);
}

/** After everything is closed, and TIME-WAIT and all timers are over, nothing is left. */
function assertNoLeak(wire: Wire): void {
  wire.weather = CLEAR;
  wire.filter = () => true;
  wire.pass(300_000);
  for (const host of [wire.a, wire.b]) {
    const left = host.liveBlocks - host.blocksAtStart;
    assert.ok(left <= 1, `${left} blocks leaked`); // the neighbour stays
  }
}

/** The latest segment that a host sent on a connection of `PORT`. */
function watch(wire: Wire): { last: TcpFrame | undefined } {
  const seen: { last: TcpFrame | undefined } = { last: undefined };
  wire.filter = (bytes, to) => {
    const segment = parseTcp(bytes);
    if (segment && to === wire.a) seen.last = segment;
    return true;
  };
  return seen;
}

test("a flood of connection requests costs little, and honest clients still connect", () => {
  const wire = makeWire(CLEAR, 11);
  const listener = listen(wire.b);
  const honest = connect(wire, listener);
  wire.a.exports.close(honest.client);
  wire.b.exports.close(honest.server);
  // The flood has host a's address, so that its answers need no further neighbours; they are lost.
  const isForged = (port: number): boolean => port < 32768;
  wire.filter = (bytes, to) => to !== wire.a || !isForged(parseTcp(bytes)?.port ?? 65535);
  const before = wire.b.liveBlocks;
  for (let i = 0; i < 4_000; i++) {
    const forged = { from: 1, to: 2, sourcePort: 1 + (i % 32767), port: PORT, flags: SYN };
    wire.b.deliver(tcpFrame({ ...forged, sequence: Math.imul(i, 2654435761) }));
    if (i % 100 === 0) wire.step();
  }
  // Of most requests nothing is kept: they are answered with cookies.
  const kept = wire.b.liveBlocks - before;
  assert.ok(kept < HANDSHAKES_MAX * BLOCKS_OF_A_CONNECTION, `${kept} blocks are kept`);
  const { client, server } = connect(wire, listener);
  exchange(wire, client, server, 100_000);
  wire.a.exports.close(client);
  wire.b.exports.close(server);
  wire.b.exports.close(listener);
  assertNoLeak(wire);
});

test("a guessed acknowledgement makes no connection", () => {
  const wire = makeWire(CLEAR, 12);
  const listener = listen(wire.b);
  wire.filter = () => false;
  for (let i = 0; i < 2000; i++) {
    const forged = { from: 1, to: 2, sourcePort: 1 + i, port: PORT };
    wire.b.deliver(tcpFrame({ ...forged, flags: SYN, sequence: i }));
    wire.b.deliver(
      tcpFrame({ ...forged, flags: ACK, sequence: i + 1, acknowledgement: Math.imul(i, 40503) }),
    );
  }
  assert.equal(wire.b.exports.accept(listener), AGAIN);
  wire.b.exports.close(listener);
  assertNoLeak(wire);
});

test("resets and requests inside the window are challenged, not obeyed (RFC 5961)", () => {
  const wire = makeWire(CLEAR, 13);
  const listener = listen(wire.b);
  const { client, server } = connect(wire, listener);
  exchange(wire, client, server, 1000);
  const seen = watch(wire);
  wire.a.send(client, new Uint8Array(1));
  wire.pass(200);
  const answer = seen.last;
  assert.ok(answer);
  assert.deepEqual(wire.b.receive(server), new Uint8Array(1));
  const next = answer.acknowledgement ?? 0;
  const forged = { from: 1, to: 2, sourcePort: answer.port, port: PORT };
  const challenge = (segment: Pick<TcpFrame, "sequence" | "flags">): void => {
    seen.last = undefined;
    // Challenges of a connection are half a second apart.
    wire.pass(600);
    wire.b.deliver(tcpFrame({ ...forged, ...segment, acknowledgement: answer.sequence }));
    wire.pass(50);
    assert.equal(wire.b.exports.state(server), ESTABLISHED);
  };
  challenge({ sequence: next + 1000, flags: RST });
  assert.equal(seen.last?.acknowledgement, next, "no challenge");
  challenge({ sequence: next, flags: SYN });
  challenge({ sequence: next + 5000, flags: SYN | ACK });
  challenge({ sequence: next - 100_000, flags: RST });
  // Data with an acknowledgement of what was never sent is not taken.
  wire.b.deliver(
    tcpFrame({
      ...forged,
      sequence: next,
      flags: ACK,
      acknowledgement: answer.sequence + 1_000_000,
      payload: new Uint8Array(100),
    }),
  );
  assert.equal(wire.b.receive(server), AGAIN);
  exchange(wire, client, server, 1000);
  wire.b.deliver(tcpFrame({ ...forged, sequence: next + 1000, flags: RST }));
  wire.pass(50);
  assert.equal(wire.b.exports.state(server), CLOSED);
  assert.equal(wire.b.exports.takeError(server), CONNECTION_RESET);
  wire.a.exports.close(client);
  wire.b.exports.close(server);
  wire.b.exports.close(listener);
  assertNoLeak(wire);
});

test("fragments that overlap or never end are forgotten", () => {
  const wire = makeWire(CLEAR, 14);
  const random = generator(14);
  const below = (limit: number): number => Math.floor(random() * limit);
  const fragment = (): void => {
    const payload = new Uint8Array(8 * (1 + below(180)));
    const place = below(8192) | (below(2) << 13);
    wire.b.deliver(ipv4Frame(1, 2, [1, 6, 17][below(3)] ?? 17, payload, place, below(50)));
  };
  const left = [1, 2].map(() => {
    for (let i = 0; i < 3000; i++) {
      fragment();
      if (i % 100 === 0) wire.step();
    }
    // Old ones go when a new one comes.
    wire.pass(60_000);
    fragment();
    return wire.b.liveBlocks;
  });
  assert.equal(left[1], left[0]);
});

const fuzzSeconds = Number(process.env.OSV_FUZZ_SECONDS ?? "5");

test(`mutated traffic for ${fuzzSeconds} s leaves nothing behind`, () => {
  const end = Date.now() + fuzzSeconds * 1000;
  for (let seed = 1; Date.now() < end; seed++) {
    const wire = makeWire({ ...CLEAR, loss: 0.02, duplication: 0.02 }, seed);
    const random = generator(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const listener = listen(wire.b);
    const { client, server } = connect(wire, listener);
    wire.filter = (bytes, to) => {
      if (random() < 0.3) return true;
      const copy = bytes.slice();
      for (let count = 1 + below(4); count > 0; count--) copy[14 + below(60)] = below(256);
      const segment = parseTcp(copy);
      // Half of them with checksums that are right again.
      to.deliver(segment && random() < 0.5 ? tcpFrame({ ...segment, from: 1, to: 2 }) : copy);
      return random() < 0.9;
    };
    for (let step = 0; step < 300; step++) {
      wire.a.send(client, new Uint8Array(1 + below(3000)));
      wire.b.send(server, new Uint8Array(1 + below(3000)));
      wire.a.receive(client);
      wire.b.receive(server);
      wire.step();
    }
    wire.filter = () => true;
    wire.a.exports.close(client);
    wire.b.exports.close(server);
    wire.b.exports.close(listener);
    assertNoLeak(wire);
  }
});
