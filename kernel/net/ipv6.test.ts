/** IPv6 between two instances of the stack over a simulated wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../test/harness/generator.ts";
import { CLEAR, type Host, loadWire, type Weather, type Wire } from "./testing/wire.ts";

const AGAIN = -11;
const REFUSED = 111;
const PORT = 53;
const ETHERTYPE = [0x86, 0xdd];
const ROUTER = "fe80::1";
const ROUTER_MAC = [2, 0, 0, 0, 0, 9];

const makeWire = await loadWire();

function randomBytes(length: number, seed: number): Uint8Array {
  const random = generator(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** The 16 bytes of an address; `::` once at most. */
function bytesOf(address: string): number[] {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
  return all.flatMap((group) => [
    Number.parseInt(group, 16) >> 8,
    Number.parseInt(group, 16) & 255,
  ]);
}

/** The Internet checksum of an ICMPv6 message with its pseudo-header. */
function checksum(source: number[], destination: number[], message: number[]): number {
  const all = [...source, ...destination, 0, 0, message.length >> 8, message.length & 255];
  all.push(0, 0, 0, 58, ...message);
  if (all.length % 2 === 1) all.push(0);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += ((all[i] ?? 0) << 8) | (all[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** A frame with an ICMPv6 message of neighbour discovery. */
function discovery(source: string, destination: string, message: number[]): Uint8Array {
  const [from, to] = [bytesOf(source), bytesOf(destination)];
  const sum = checksum(from, to, message);
  const body = [...message.slice(0, 2), sum >> 8, sum & 255, ...message.slice(4)];
  const header = [0x60, 0, 0, 0, body.length >> 8, body.length & 255, 58, 255];
  const ethernet = [0x33, 0x33, ...to.slice(12), ...ROUTER_MAC, ...ETHERTYPE];
  return Uint8Array.from([...ethernet, ...header, ...from, ...to, ...body]);
}

function seconds(value: number): number[] {
  return [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** A router's advertisement of 2001:db8::/64 for `lifetime` seconds. */
function advertisement(lifetime: number): Uint8Array {
  const prefix = [3, 4, 64, 0xc0, ...seconds(7200), ...seconds(3600), 0, 0, 0, 0];
  return discovery(ROUTER, "ff02::1", [
    ...[134, 0, 0, 0, 64, 0, lifetime >> 8, lifetime & 255, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[1, 1, ...ROUTER_MAC],
    ...[...prefix, ...bytesOf("2001:db8::")],
  ]);
}

function send(host: Host, socket: number, bytes: Uint8Array, number: number): void {
  assert.equal(host.sendTo(socket, bytes, number, PORT), bytes.length);
}

function openServer(wire: Wire): number {
  const server = wire.b.exports.openUdp6();
  assert.equal(wire.b.exports.bind(server, PORT), 0n);
  return server;
}

test("datagrams of all sizes arrive whole, in fragments where they must", () => {
  const wire = makeWire({ ...CLEAR, jitterMs: 3, duplication: 0.3 }, 1);
  const server = openServer(wire);
  const client = wire.a.exports.openUdp6();
  for (const size of [0, 1, 1452, 1453, 2896, 20_000, 65_507]) {
    const bytes = randomBytes(size, size);
    send(wire.a, client, bytes, 2);
    wire.pass(100);
    assert.deepEqual(wire.b.receive(server), bytes, `${size} bytes`);
    while (wire.b.receive(server) !== AGAIN) {}
  }
});

test("an AF_INET6 socket serves IPv4, too, unless it is told not to", () => {
  const wire = makeWire(CLEAR, 2);
  const server = openServer(wire);
  const client = wire.a.exports.openUdp();
  send(wire.a, client, Uint8Array.of(1, 2, 3), 2);
  wire.pass(50);
  assert.deepEqual(wire.b.receive(server), Uint8Array.of(1, 2, 3));
  const other = wire.b.exports.openUdp6();
  assert.equal(wire.b.exports.setOption(other, 41, 26, 1), 0n);
  assert.equal(wire.b.exports.bind(other, PORT + 1), 0n);
  const own = wire.b.exports.openUdp();
  assert.equal(wire.b.exports.bind(own, PORT + 1), 0n, "both families on one port");
});

test("a connected socket hears of a closed port", () => {
  const wire = makeWire(CLEAR, 3);
  const client = wire.a.exports.openUdp6();
  assert.equal(wire.a.exports.connect(client, 2, PORT), 0n);
  wire.a.send(client, new Uint8Array(3));
  wire.pass(50);
  assert.equal(wire.a.exports.takeError(client), REFUSED);
});

const WEATHERS: Weather[] = [
  CLEAR,
  { loss: 0.05, duplication: 0.05, damage: 0.05, delayMs: 20, jitterMs: 30 },
];

for (const weather of WEATHERS) {
  test(`TCP carries every byte once and in order with ${weather.loss * 100} % loss`, () => {
    const wire = makeWire(weather, 4);
    const { a, b } = wire;
    const listener = b.exports.openTcp6();
    assert.equal(b.exports.bind(listener, PORT), 0n);
    assert.equal(b.exports.listen(listener, 5), 0n);
    const client = a.exports.openTcp6();
    a.exports.connect(client, 2, PORT);
    let server = AGAIN;
    wire.until(() => {
      server = b.exports.accept(listener);
      return server !== AGAIN;
    });
    const bytes = randomBytes(100_000, 5);
    const received: number[] = [];
    let offset = 0;
    const isDone = wire.until(() => {
      const count = offset < bytes.length ? a.send(client, bytes.subarray(offset)) : 0;
      if (count > 0) offset += count;
      const part = b.receive(server);
      if (typeof part !== "number") received.push(...part);
      return received.length === bytes.length;
    });
    assert.ok(isDone, `${received.length} arrived`);
    assert.deepEqual(Uint8Array.from(received), bytes);
  });
}

test("a router's prefix becomes an address, and the router a default route until it says no more", () => {
  const wire = makeWire(CLEAR, 6);
  wire.a.deliver(advertisement(1800));
  wire.pass(10);
  const before = wire.a.configuration();
  assert.ok(before.includes("2001:db8::ff:fe00:1"), before.join(" "));
  assert.ok(before.includes(`via ${ROUTER}`));
  wire.a.deliver(advertisement(0));
  wire.pass(10);
  assert.ok(!wire.a.configuration().includes(`via ${ROUTER}`));
});

test("a default route ends with its lifetime", () => {
  const wire = makeWire(CLEAR, 7);
  wire.a.deliver(advertisement(30));
  wire.pass(29_000);
  assert.ok(wire.a.configuration().includes(`via ${ROUTER}`));
  wire.pass(2_000);
  assert.ok(!wire.a.configuration().includes(`via ${ROUTER}`));
});

test("an address that another machine claims at the same time is given up; later it is defended", () => {
  const own = "fe80::ff:fe00:1";
  const claim = discovery("::", "ff02::1:ff00:1", [135, 0, 0, 0, 0, 0, 0, 0, ...bytesOf(own)]);
  const early = makeWire(CLEAR, 8);
  assert.ok(early.a.configuration().includes(own));
  early.a.deliver(claim);
  assert.ok(!early.a.configuration().includes(own));
  const late = makeWire(CLEAR, 9);
  late.pass(2_000);
  let isDefended = false;
  late.filter = (frame) => {
    if (frame[54] === 136 && frame[57] !== undefined) isDefended = true;
    return true;
  };
  late.a.deliver(claim);
  assert.ok(isDefended, "no advertisement was sent");
  assert.ok(late.a.configuration().includes(own));
});

test("mapped addresses and the loopback address never come from outside", () => {
  const wire = makeWire(CLEAR, 10);
  const server = openServer(wire);
  const client = wire.a.exports.openUdp6();
  let source = "";
  wire.filter = (frame) => {
    if (frame[20] === 17) frame.set(bytesOf(source), 22);
    return true;
  };
  for (source of ["::ffff:a00:1", "::1", "ff02::1"]) {
    send(wire.a, client, new Uint8Array(4), 2);
    wire.pass(50);
    assert.equal(wire.b.receive(server), AGAIN, source);
  }
});
