/** The clock chip's reader against a chip in all its modes, while it ticks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  readRtcSeconds(): bigint;
}

const load = () => loadKernelModule<Exports>("kernel/dev/rtc.testentry.ts");

interface Mode {
  isBinary: boolean;
  hasHours24: boolean;
}

/** The chip's registers at a time. */
function registers(date: Date, { isBinary, hasHours24 }: Mode): Map<number, number> {
  const coded = (value: number): number =>
    isBinary ? value : Math.floor(value / 10) * 16 + (value % 10);
  const hours = date.getUTCHours();
  const hours12 = (hours % 12 === 0 ? 12 : hours % 12) as number;
  return new Map([
    [0, coded(date.getUTCSeconds())],
    [2, coded(date.getUTCMinutes())],
    [4, hasHours24 ? coded(hours) : coded(hours12) | (hours >= 12 ? 0x80 : 0)],
    [7, coded(date.getUTCDate())],
    [8, coded(date.getUTCMonth() + 1)],
    [9, coded(date.getUTCFullYear() % 100)],
    [10, 0x26],
    [11, (isBinary ? 4 : 0) | (hasHours24 ? 2 : 0)],
  ]);
}

test("every date of this century is read, in every mode", async () => {
  const base = await load();
  const seconds = fc.integer({
    min: Date.UTC(2000, 0, 1) / 1000,
    max: Date.UTC(2099, 11, 31) / 1000,
  });
  fc.assert(
    fc.property(seconds, fc.boolean(), fc.boolean(), (time, isBinary, hasHours24) => {
      const { exports, hardware } = base;
      const chip = registers(new Date(time * 1000), { isBinary, hasHours24 });
      let index = 0;
      hardware.writePort = (port, _bits, value) => {
        if (port === 0x70) index = value;
      };
      hardware.readPort = (port) => (port === 0x71 ? (chip.get(index) ?? 0) : 0xff);
      assert.equal(exports.readRtcSeconds(), BigInt(time));
    }),
  );
});

test("a change half-way through a reading is noticed", async () => {
  const { exports, hardware } = await load();
  const before = new Date(Date.UTC(2031, 11, 31, 23, 59, 59));
  const after = new Date(before.getTime() + 1000);
  const mode = { isBinary: false, hasHours24: true };
  let index = 0;
  let reads = 0;
  hardware.writePort = (port, _bits, value) => {
    if (port === 0x70) index = value;
  };
  hardware.readPort = () => {
    reads += 1;
    return registers(reads < 6 ? before : after, mode).get(index) ?? 0;
  };
  assert.equal(exports.readRtcSeconds(), BigInt(after.getTime() / 1000));
});

test("without a chip there is no time", async () => {
  const { exports, hardware } = await load();
  hardware.readPort = () => 0xff;
  assert.equal(exports.readRtcSeconds(), 0n);
});
