/** Multicast and broadcast on the wire: reports (IGMP, MLD), answers to queries, delivery. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4Frame } from "./testing/frames.ts";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const ETHERNET_BYTES = 14;
const AGAIN = -11;
const ACCESS = -13;
const PORT = 5353;
/** Low byte of the address of everybody on the wire, 10.0.0.255. */
const EVERYBODY = 255;

const makeWire = await loadWire();
const group4 = [239, 1, 2, 3];
const group6 = [0xff, 0x02, ...new Array<number>(11).fill(0), 1, 2, 3];
const request4 = Uint8Array.from([...group4, 0, 0, 0, 0]);
const request6 = Uint8Array.from([...group6, 2, 0, 0, 0]);

/** Collects what `a` sends from now on. */
function capture(wire: Wire): Uint8Array[] {
  const frames: Uint8Array[] = [];
  wire.filter = (bytes, to) => {
    if (to === wire.b) frames.push(bytes.slice());
    return true;
  };
  return frames;
}

/** The IGMP messages among frames: type and group; each has a router alert and TTL 1. */
function igmp(frames: readonly Uint8Array[]): string[] {
  const messages = frames.filter((bytes) => bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 2);
  return messages.map((bytes) => {
    const packet = bytes.subarray(ETHERNET_BYTES);
    assert.equal(packet[0], 0x46);
    assert.equal(packet[8], 1);
    assert.deepEqual([...packet.subarray(20, 24)], [0x94, 4, 0, 0]);
    const message = packet.subarray(24, 32);
    return `${message[0]?.toString(16)} ${message.subarray(4).join(".")}`;
  });
}

/** The MLD messages among frames, behind a hop-by-hop header with a router alert (RFC 2710). */
function mld(frames: readonly Uint8Array[]): string[] {
  const messages = frames.filter((bytes) => bytes[12] === 0x86 && bytes[20] === 0);
  return messages.map((bytes) => {
    const packet = bytes.subarray(ETHERNET_BYTES);
    assert.equal(packet[7], 1);
    assert.deepEqual([...packet.subarray(40, 48)], [58, 0, 5, 2, 0, 0, 1, 0]);
    const message = packet.subarray(48);
    return `${message[0]} ${Buffer.from(message.subarray(8, 24)).toString("hex")}`;
  });
}

test("joining and leaving an IPv4 group is reported, and a query is answered", () => {
  const wire = makeWire(CLEAR, 1);
  const socket = wire.a.exports.openUdp();
  wire.pass(1000);
  const frames = capture(wire);
  assert.equal(wire.a.setOption(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, request4), 0);
  wire.pass(5);
  assert.deepEqual(igmp(frames), ["16 239.1.2.3"]);
  frames.length = 0;
  const query = Uint8Array.from([0x11, 10, 0xee, 0xf5, 0, 0, 0, 0]);
  const frame = ipv4Frame(2, 1, 2, query);
  wire.a.deliver(frame);
  wire.pass(2000);
  assert.deepEqual(igmp(frames), ["16 239.1.2.3"]);
  frames.length = 0;
  assert.equal(wire.a.setOption(socket, IPPROTO_IP, IP_DROP_MEMBERSHIP, request4), 0);
  wire.pass(5);
  assert.deepEqual(igmp(frames), ["17 239.1.2.3"]);
});

test("joining and leaving an IPv6 group is reported", () => {
  const wire = makeWire(CLEAR, 2);
  const socket = wire.a.exports.openUdp6();
  wire.pass(2000);
  const frames = capture(wire);
  const hex = Buffer.from(group6).toString("hex");
  assert.equal(wire.a.setOption(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, request6), 0);
  wire.pass(5);
  assert.deepEqual(mld(frames), [`131 ${hex}`]);
  frames.length = 0;
  assert.equal(wire.a.setOption(socket, IPPROTO_IPV6, IPV6_LEAVE_GROUP, request6), 0);
  wire.pass(5);
  assert.deepEqual(mld(frames), [`132 ${hex}`]);
});

test("a broadcast needs SO_BROADCAST and reaches every socket of the port", () => {
  const wire = makeWire(CLEAR, 3);
  const { exports } = wire.b;
  const receivers = [exports.openUdp(), exports.openUdp()];
  for (const socket of receivers) {
    exports.setOption(socket, SOL_SOCKET, 2, 1); // SO_REUSEADDR
    assert.equal(exports.bind(socket, PORT), 0n);
  }
  const sender = wire.a.exports.openUdp();
  const bytes = Uint8Array.from([1, 2, 3]);
  assert.equal(wire.a.sendTo(sender, bytes, EVERYBODY, PORT), ACCESS);
  wire.a.exports.setOption(sender, SOL_SOCKET, SO_BROADCAST, 1);
  const frames = capture(wire);
  assert.equal(wire.a.sendTo(sender, bytes, EVERYBODY, PORT), bytes.length);
  wire.pass(50);
  assert.deepEqual([...(frames[0]?.subarray(0, 6) ?? [])], new Array<number>(6).fill(255));
  for (const socket of receivers) {
    assert.deepEqual(wire.b.receive(socket), bytes);
    assert.equal(wire.b.receive(socket), AGAIN);
  }
});
