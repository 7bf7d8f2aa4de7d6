/** How long a CPU looks for work before it halts, and that it misses none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Hardware } from "../../compiler/testing/hardware.ts";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  init(): void;
  begin(): void;
  look(): number;
  end(): void;
  serve(): void;
  workAt(timeNs: bigint): void;
  interrupts(): number;
  served(): number;
  looks(): number;
}

const module = await loadKernelModule<Exports>("kernel/sched/halt-polling.testentry.ts");

/** A CPU that is idle again and again; a read of the clock takes 10 ns. */
class IdleCpu {
  readonly exports: Exports;
  readonly hardware: Hardware;

  constructor() {
    const { exports, hardware } = module.fresh();
    hardware.tsc = 0n;
    hardware.tscStep = 10n;
    exports.init();
    this.exports = exports;
    this.hardware = hardware;
  }

  /** Idles until work comes after `gapNs`. @returns how the work was found */
  idle(gapNs: number): "looked" | "interrupted" {
    const { exports, hardware } = this;
    exports.begin();
    const workNs = hardware.tsc + BigInt(gapNs);
    exports.workAt(workNs);
    return this.#finish(workNs);
  }

  /** The same on a host that has no processor for the work until this one halts. */
  idleOnBusyHost(gapNs: number): void {
    const { exports, hardware } = this;
    exports.begin();
    exports.workAt(2n ** 63n);
    assert.equal(exports.look(), 0);
    hardware.tsc += BigInt(gapNs);
    exports.serve();
    exports.end();
  }

  #finish(workNs: bigint): "looked" | "interrupted" {
    const { exports, hardware } = this;
    const before = exports.served();
    const hasCome = exports.look() !== 0;
    assert.equal(hardware.interruptsEnabled, false);
    assert.equal(exports.served() - before, hasCome ? 1 : 0);
    assert.notEqual(exports.interrupts(), 0, "the device may interrupt a halted CPU");
    if (!hasCome) {
      assert.ok(hardware.tsc <= workNs, "work that came during the look was found");
      hardware.tsc = workNs;
      exports.serve();
    }
    exports.end();
    return hasCome ? "looked" : "interrupted";
  }
}

test("work that comes soon is looked for, after it has come soon before", () => {
  const cpu = new IdleCpu();
  assert.equal(cpu.idle(20_000), "interrupted");
  assert.equal(cpu.idle(20_000), "looked");
  assert.equal(cpu.idle(90_000), "interrupted");
  assert.equal(cpu.idle(90_000), "interrupted", "no look after the one in vain");
  assert.equal(cpu.idle(90_000), "looked");
});

test("a CPU that has little to do halts without a look", () => {
  const cpu = new IdleCpu();
  for (let time = 0; time < 10; time += 1) cpu.idle(150_000);
  assert.equal(cpu.idle(150_000), "looked");
  for (let time = 0; time < 4; time += 1) cpu.idle(1_000_000);
  const looks = cpu.exports.looks();
  for (let time = 0; time < 100; time += 1) assert.equal(cpu.idle(1_000_000), "interrupted");
  assert.equal(cpu.exports.looks(), looks);
});

test("looks that only hold the work up become rare", () => {
  const cpu = new IdleCpu();
  for (let time = 0; time < 100; time += 1) cpu.idleOnBusyHost(20_000);
  const startNs = cpu.hardware.tsc;
  for (let time = 0; time < 1000; time += 1) cpu.idleOnBusyHost(20_000);
  const perIdleNs = Number(cpu.hardware.tsc - startNs) / 1000;
  assert.ok(perIdleNs < 22_000, `20 µs of each are the host's, but it took ${perIdleNs} ns`);
  // A look that finds something is followed by more of them.
  let looked = 0;
  for (let time = 0; time < 400; time += 1) if (cpu.idle(20_000) === "looked") looked += 1;
  assert.ok(looked > 200);
});

test("whenever work comes it is served once, and no look is longer than 200 µs", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400_000), { maxLength: 100 }), (gaps) => {
      const cpu = new IdleCpu();
      for (const gapNs of gaps) {
        const isFound = cpu.idle(gapNs) === "looked";
        // The look itself may take some reads of the clock longer.
        if (isFound) assert.ok(gapNs < 200_100);
      }
      assert.equal(cpu.exports.served(), gaps.length);
    }),
  );
});
