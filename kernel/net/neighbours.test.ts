/** What is believed of hardware addresses that neighbours tell unasked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLEAR, loadWire, type Wire } from "./testing/wire.ts";

const PORT = 7;
const REQUEST = 1;
const REPLY = 2;
const ETHERNET_BYTES = 14;

const makeWire = await loadWire();

/** An ARP message to host b that says host a has another hardware address (RFC 826). */
function lie(wire: Wire, mac: readonly number[]): void {
  const own = [2, 0, 0, 0, 0, 2];
  const message = [0, 1, 8, 0, 6, 4, 0, REPLY, ...mac, 10, 0, 0, 1, ...own, 10, 0, 0, 2];
  wire.b.deliver(Uint8Array.from([...own, ...mac, 8, 6, ...message]));
}

/** Two hosts that have talked, and what host b sends from now on: ARP questions and receivers. */
function talkers(seed: number) {
  const wire = makeWire(CLEAR, seed);
  const sender = wire.b.exports.openUdp();
  const say = (): void => {
    wire.b.sendTo(sender, Uint8Array.of(1), 1, PORT);
    wire.pass(20);
  };
  say();
  const seen = { questions: 0, receivers: [] as number[] };
  wire.filter = (bytes, to) => {
    if (to !== wire.a) return true;
    if (bytes[13] === 6 && bytes[ETHERNET_BYTES + 7] === REQUEST) seen.questions++;
    if (bytes[13] === 0) seen.receivers.push(bytes[5] ?? 0);
    return true;
  };
  return { wire, say, seen };
}

test("an address that changes unasked is used, asked for, and put right", () => {
  const { wire, say, seen } = talkers(1);
  say();
  lie(wire, [2, 0, 0, 0, 0, 9]);
  say();
  say();
  assert.deepEqual(seen, { questions: 1, receivers: [1, 9, 1] });
  say();
  assert.equal(seen.questions, 1, "what was confirmed is not asked for again");
});

test("the address of a group, or none, is nobody's", () => {
  const { wire, say, seen } = talkers(2);
  lie(wire, [3, 0, 0, 0, 0, 9]);
  lie(wire, [255, 255, 255, 255, 255, 255]);
  lie(wire, [0, 0, 0, 0, 0, 0]);
  say();
  assert.deepEqual(seen, { questions: 0, receivers: [1] });
});
