/** The DHCP client against a server played by the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const makeWire = await loadWire();

const [DISCOVER, OFFER, REQUEST, ACKNOWLEDGE, REFUSE] = [1, 2, 3, 5, 6];
const BOOTP = 42; // behind Ethernet, IPv4 and UDP
const OPTIONS = BOOTP + 240;
const YOURS = [192, 168, 5, 77];
const SERVER = [192, 168, 5, 1];

/** A message of the client as the server sees it. */
interface Heard {
  readonly type: number;
  readonly frame: Uint8Array;
  /** The address in use, and whether it came by broadcast. */
  readonly own: number[];
  readonly isBroadcast: boolean;
  readonly options: Map<number, number[]>;
}

function hear(frame: Uint8Array): Heard | undefined {
  const isDhcp = frame[12] === 8 && frame[13] === 0 && frame[23] === 17 && frame[37] === 67;
  if (!isDhcp) return undefined;
  const options = new Map<number, number[]>();
  for (let at = OPTIONS; frame[at] !== 255 && at < frame.length; ) {
    const length = frame[at + 1] ?? 0;
    options.set(frame[at] ?? 0, [...frame.slice(at + 2, at + 2 + length)]);
    at += 2 + length;
  }
  return {
    type: options.get(53)?.[0] ?? 0,
    frame,
    own: [...frame.slice(BOOTP + 12, BOOTP + 16)],
    isBroadcast: frame[30] === 255,
    options,
  };
}

function checksum(bytes: number[]): number[] {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return [(~sum >> 8) & 255, ~sum & 255];
}

/** An answer with options, by broadcast. */
function answer(heard: Heard, type: number, options: number[]): Uint8Array {
  const { frame } = heard;
  const message = [
    ...[2, 1, 6, 0, ...frame.slice(BOOTP + 4, BOOTP + 8), 0, 0, 0x80, 0],
    ...[0, 0, 0, 0, ...YOURS, ...SERVER, 0, 0, 0, 0],
    ...[...frame.slice(BOOTP + 28, BOOTP + 44), ...Array<number>(192).fill(0)],
    ...[0x63, 0x82, 0x53, 0x63, 53, 1, type, 54, 4, ...SERVER, ...options, 255],
  ];
  const udpBytes = message.length + 8;
  const udp = [0, 67, 0, 68, udpBytes >> 8, udpBytes & 255, 0, 0, ...message];
  const total = udp.length + 20;
  const head = [0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, 17];
  const addresses = [...SERVER, 255, 255, 255, 255];
  const header = [...head, ...checksum([...head, 0, 0, ...addresses]), ...addresses];
  const ethernet = [...Array<number>(6).fill(255), 2, 0, 0, 0, 0, 9, 8, 0];
  return Uint8Array.from([...ethernet, ...header, ...udp]);
}

/** Mask, router, a lease of eight minutes, two name servers and a domain. */
const usual = [
  ...[1, 4, 255, 255, 255, 0, 3, 4, ...SERVER, 51, 4, 0, 0, 1, 224],
  ...[6, 8, ...SERVER, 8, 8, 8, 8, 15, 7, ...Buffer.from("example")],
];

/** Plays the server: `serve` says what to answer to each message; returns all that were heard. */
function play(wire: Wire, serve: (heard: Heard) => Uint8Array | undefined): Heard[] {
  const all: Heard[] = [];
  wire.filter = (frame, to) => {
    const heard = to === wire.b ? hear(frame) : undefined;
    if (!heard) return to === wire.a;
    all.push(heard);
    const reply = serve(heard);
    if (reply) wire.frames.push({ dueNs: wire.nowNs + 1_000_000n, to: wire.a, bytes: reply });
    return false;
  };
  return all;
}

function polite(heard: Heard): Uint8Array {
  return answer(heard, heard.type === DISCOVER ? OFFER : ACKNOWLEDGE, usual);
}

test("four messages make an address, a route and no more", () => {
  const wire = makeWire(CLEAR, 1);
  const heard = play(wire, polite);
  wire.a.exports.startDhcp();
  wire.pass(100);
  assert.deepEqual(
    heard.map(({ type }) => type),
    [DISCOVER, REQUEST],
  );
  assert.deepEqual(heard[1]?.options.get(50), YOURS);
  assert.deepEqual(heard[1]?.options.get(54), SERVER);
  const said = wire.a.configuration();
  assert.ok(said.includes("192.168.5.77") && said.includes("via 192.168.5.1"), said.join(" "));
});

test("a lost message is sent again, less and less often", () => {
  const wire = makeWire(CLEAR, 2);
  let refusals = 4;
  const heard = play(wire, (message) => (refusals-- > 0 ? undefined : polite(message)));
  wire.a.exports.startDhcp();
  wire.pass(10_000);
  assert.equal(wire.a.exports.hasLease(), 1);
  assert.deepEqual(
    heard.map(({ type }) => type),
    [DISCOVER, DISCOVER, DISCOVER, DISCOVER, DISCOVER, REQUEST],
  );
});

test("a lease is renewed with its server after half of it, then with anybody, and ends", () => {
  const wire = makeWire(CLEAR, 3);
  let isServed = true;
  const heard = play(wire, (message) => (isServed ? polite(message) : undefined));
  wire.a.exports.startDhcp();
  wire.pass(1_000);
  // The server's hardware address is not known to the wire: the renewal asks for it first.
  const asked: string[] = [];
  const served = wire.filter;
  wire.filter = (frame, to) => {
    if (frame[12] === 8 && frame[13] === 6 && to === wire.b)
      asked.push([...frame.slice(38, 42)].join("."));
    return served(frame, to);
  };
  wire.pass(241_000);
  assert.ok(asked.includes(SERVER.join(".")), "the server was not asked at half of the lease");
  isServed = false;
  heard.length = 0;
  wire.pass(500_000);
  const last = heard.filter(({ type, own }) => type === REQUEST && own[0] === 192);
  assert.ok(last.length > 0 && last.every(({ isBroadcast }) => isBroadcast), "nobody was asked");
  assert.equal(wire.a.exports.hasLease(), 0);
  assert.ok(!wire.a.configuration().includes("192.168.5.77"));
  assert.ok(!wire.a.configuration().includes("via 192.168.5.1"));
  assert.equal(heard.at(-1)?.type, DISCOVER);
});

test("a refusal begins anew", () => {
  const wire = makeWire(CLEAR, 4);
  let isFirst = true;
  const heard = play(wire, (message) => {
    if (message.type !== REQUEST || !isFirst) return polite(message);
    isFirst = false;
    return answer(message, REFUSE, []);
  });
  wire.a.exports.startDhcp();
  wire.pass(2_000);
  assert.deepEqual(
    heard.map(({ type }) => type),
    [DISCOVER, REQUEST, DISCOVER, REQUEST],
  );
  assert.equal(wire.a.exports.hasLease(), 1);
});

test("classless routes replace the router", () => {
  const wire = makeWire(CLEAR, 5);
  const routes = [121, 12, 16, 10, 9, 192, 168, 5, 3, 0, 192, 168, 5, 2];
  play(wire, (message) =>
    answer(message, message.type === DISCOVER ? OFFER : ACKNOWLEDGE, [...usual, ...routes]),
  );
  wire.a.exports.startDhcp();
  wire.pass(100);
  const said = wire.a.configuration();
  assert.ok(said.includes("via 192.168.5.2") && said.includes("via 192.168.5.3"), said.join(" "));
  assert.ok(!said.includes("via 192.168.5.1"));
});

test("answers to others are not taken", () => {
  const wire = makeWire(CLEAR, 6);
  play(wire, (message) => {
    const reply = polite(message);
    reply[BOOTP + 4] = (reply[BOOTP + 4] ?? 0) ^ 1;
    return reply;
  });
  wire.a.exports.startDhcp();
  wire.pass(3_000);
  assert.equal(wire.a.exports.hasLease(), 0);
});
