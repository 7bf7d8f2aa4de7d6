/**
 * Segments that arrive together become one where they may, and the stream is the same either way.
 * What was merged is seen by its acknowledgements: one for a merged packet, one for every second
 * segment otherwise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../test/harness/generator.ts";
import { ACK, FIN, parseTcp, type TcpFrame, tcpFrame, withIpByte } from "./testing/frames.ts";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const PORT = 80;
const AGAIN = -11;
const PSH = 8;
const URG = 32;
const ECE = 64;
const SEGMENT = 1448;
/** As many acknowledgements as a connection sends at once at its start (QUICK_ACKS). */
const QUICK_ACKS = 16;

const makeWire = await loadWire();

/** A connection of host b whose peer is made by hand, and what b has acknowledged. */
class Peer {
  readonly wire: Wire;
  readonly socket: number;
  readonly acks: number[] = [];
  readonly #ends: Pick<TcpFrame, "from" | "to" | "sourcePort" | "port">;
  readonly #acknowledgement: number;
  readonly start: number;
  #sent = 0;

  constructor(seed: number) {
    const wire = makeWire(CLEAR, seed);
    this.wire = wire;
    const listener = wire.b.exports.openTcp();
    assert.equal(wire.b.exports.bind(listener, PORT), 0n);
    assert.equal(wire.b.exports.listen(listener, 4), 0n);
    const client = wire.a.exports.openTcp();
    let last: TcpFrame | undefined;
    wire.filter = (bytes, to) => {
      const segment = parseTcp(bytes);
      if (to === wire.a && segment !== undefined) last = segment;
      return true;
    };
    wire.a.exports.connect(client, 2, PORT);
    let socket = AGAIN;
    assert.ok(
      wire.until(() => {
        socket = wire.b.exports.accept(listener);
        return socket >= 0;
      }),
    );
    this.socket = socket;
    // Past the acknowledgements that are not delayed.
    for (let i = 0; i < 2 * QUICK_ACKS; i++) {
      wire.a.send(client, new Uint8Array(1));
      wire.pass(60);
      wire.b.receive(socket);
    }
    assert.ok(last?.acknowledgement !== undefined);
    this.#ends = { from: 1, to: 2, sourcePort: last.port, port: PORT };
    this.start = last.acknowledgement;
    this.#acknowledgement = last.sequence;
    wire.filter = (bytes, to) => {
      const segment = parseTcp(bytes);
      if (to !== wire.a) return true;
      if (segment?.acknowledgement !== undefined) this.acks.push(segment.acknowledgement);
      return false;
    };
  }

  /** The frame of the next segment, which begins `skip` bytes later than it should. */
  next(payload: Uint8Array, change: Partial<TcpFrame> = {}, skip = 0): Uint8Array {
    const sequence = this.start + this.#sent + skip;
    this.#sent += payload.length + skip;
    const segment = { ...this.#ends, sequence, acknowledgement: this.#acknowledgement };
    return tcpFrame({ ...segment, flags: ACK, window: 500, payload, ...change });
  }

  /** Lets frames arrive in one interrupt. */
  arrive(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.wire.b.gather(frame);
    this.wire.b.exports.deliverGathered();
  }

  /** How many acknowledgements host b sends for frames that arrive together. */
  acksFor(frames: readonly Uint8Array[]): number {
    this.acks.length = 0;
    this.arrive(frames);
    return this.acks.length;
  }

  read(): Uint8Array {
    const bytes = this.wire.b.receive(this.socket);
    if (typeof bytes === "number" || bytes.length === 0) return new Uint8Array(0);
    return Uint8Array.from([...bytes, ...this.read()]);
  }
}

function payloadOf(seed: number, length = SEGMENT): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31) & 255);
}

const four = [1, 2, 3, 4].map((seed) => payloadOf(seed));
const whole = Uint8Array.from(four.flatMap((part) => [...part]));

/** Four segments, the third of them changed. */
function changedThird(peer: Peer, change: (frame: Uint8Array) => Uint8Array): Uint8Array[] {
  return four.map((payload, i) => (i === 2 ? change(peer.next(payload)) : peer.next(payload)));
}

test("segments in order that arrive together are acknowledged once", () => {
  const peer = new Peer(1);
  assert.equal(peer.acksFor(four.map((payload) => peer.next(payload))), 1);
  assert.equal(peer.acks[0], peer.start + 4 * SEGMENT);
  assert.deepEqual(peer.read(), whole);
});

test("alone they are not held, and acknowledged two by two", () => {
  const peer = new Peer(2);
  let acks = 0;
  for (const payload of four) acks += peer.acksFor([peer.next(payload)]);
  assert.equal(acks, 2);
  assert.deepEqual(peer.read(), whole);
});

test("PSH does not keep segments apart", () => {
  const peer = new Peer(3);
  const frames = four.map((payload) => peer.next(payload, { flags: ACK | PSH }));
  assert.equal(peer.acksFor(frames), 1);
  assert.deepEqual(peer.read(), whole);
});

for (const [what, change] of Object.entries({
  window: { window: 501 },
  "urgent flag": { flags: ACK | URG },
  "congestion flag": { flags: ACK | ECE },
  options: { options: [1, 1, 1, 1] },
})) {
  test(`a segment with another ${what} is not merged, but taken`, () => {
    const peer = new Peer(4);
    const frames = four.map((payload, i) => peer.next(payload, i === 2 ? change : {}));
    assert.ok(peer.acksFor(frames) > 1);
    assert.deepEqual(peer.read(), whole);
  });
}

for (const [what, place, value] of [
  ["traffic class", 1, 3],
  ["number of hops behind it", 8, 63],
  ["fragmentation flag", 6, 0x40],
] as const) {
  test(`a segment with another ${what} is not merged, but taken`, () => {
    const peer = new Peer(5);
    const frames = changedThird(peer, (frame) => withIpByte(frame, place, value));
    assert.ok(peer.acksFor(frames) > 1);
    assert.deepEqual(peer.read(), whole);
  });
}

test("the end of the stream behind held segments ends it behind them", () => {
  const peer = new Peer(6);
  const frames = four.map((payload, i) => peer.next(payload, i === 3 ? { flags: ACK | FIN } : {}));
  peer.acksFor(frames);
  assert.equal(peer.acks.at(-1), peer.start + 4 * SEGMENT + 1);
  assert.deepEqual(peer.read(), whole);
  assert.deepEqual(peer.wire.b.receive(peer.socket), new Uint8Array(0));
});

test("a damaged segment spoils only itself", () => {
  const peer = new Peer(7);
  const frames = changedThird(peer, (frame) => {
    const copy = frame.slice();
    copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
    return copy;
  });
  const again = frames[2]?.slice() ?? new Uint8Array(0);
  again[again.length - 1] = (again[again.length - 1] ?? 0) ^ 1;
  peer.acksFor(frames);
  assert.equal(peer.acks.at(-1), peer.start + 2 * SEGMENT);
  assert.equal(peer.read().length, 2 * SEGMENT);
  peer.arrive([again]);
  assert.deepEqual(peer.read(), whole.subarray(2 * SEGMENT));
});

test("with a hole before it a segment waits for what is missing", () => {
  const peer = new Peer(8);
  const first = peer.next(payloadOf(1));
  const missing = peer.next(payloadOf(2));
  const rest = [peer.next(payloadOf(3)), peer.next(payloadOf(4))];
  peer.acksFor([first, ...rest]);
  assert.equal(peer.acks.at(-1), peer.start + SEGMENT);
  peer.arrive([missing]);
  assert.deepEqual(peer.read(), whole);
});

for (const batches of [true, false]) {
  const how = batches ? "in batches" : "one by one";
  test(`the segments of several connections make their streams ${how}`, () => {
    const random = generator(9);
    const below = (limit: number): number => Math.floor(random() * limit);
    const wire = makeWire({ ...CLEAR, loss: 0.03, duplication: 0.03, delayMs: 2, jitterMs: 4 }, 9);
    wire.batches = batches;
    const listener = wire.b.exports.openTcp();
    wire.b.exports.bind(listener, PORT);
    wire.b.exports.listen(listener, 16);
    const streams = Array.from({ length: 6 }, () => {
      const client = wire.a.exports.openTcp();
      wire.a.exports.connect(client, 2, PORT);
      let server = AGAIN;
      wire.until(() => {
        server = wire.b.exports.accept(listener);
        return server >= 0;
      }, 20_000);
      const bytes = Uint8Array.from({ length: 100_000 + below(100_000) }, () => below(256));
      return { client, server, bytes, sent: 0, received: [] as Uint8Array[], count: 0 };
    });
    const isDone = wire.until(() => {
      for (const stream of streams) {
        const sent = wire.a.send(stream.client, stream.bytes.subarray(stream.sent));
        stream.sent += Math.max(0, sent);
        const got = wire.b.receive(stream.server);
        if (typeof got === "number") continue;
        stream.received.push(got);
        stream.count += got.length;
      }
      return streams.every(({ bytes, count }) => count >= bytes.length);
    }, 100_000);
    assert.ok(isDone);
    assert.ok(wire.largestBatch > 4, `${wire.largestBatch} frames at a time`);
    for (const { received, bytes } of streams) {
      assert.deepEqual(new Uint8Array(Buffer.concat(received)), bytes);
    }
  });
}
