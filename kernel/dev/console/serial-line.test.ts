/** The interrupt-driven serial line against a model of the 16550. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";
import { IO_APIC, installIoApic } from "../testing/machine.ts";

interface Exports {
  start(ioApic: bigint): number;
  interrupt(): void;
  setAppetite(bytes: number): void;
  takenAddress(): bigint;
  takenCount(): number;
  append(bytes: bigint, length: bigint): number;
  pending(): bigint;
}

const COM1 = 0x3f8;
const FIFO_BYTES = 16;

const load = () =>
  loadKernelModule<Exports>("kernel/dev/console/serial-line.testentry.ts", withEarlyHeap());

/** PC16550D, section 8: FIFOs, interrupt enable and identification, line status. */
class Uart {
  readonly #module: KernelModule<Exports>;
  readonly received: number[] = [];
  readonly #fifo: number[] = [];
  readonly sent: number[] = [];
  #enabled = 0;
  #transmitterPending = false;
  #level = false;

  constructor(module: KernelModule<Exports>) {
    this.#module = module;
    module.hardware.readPort = (port) => this.#read(port - COM1);
    module.hardware.writePort = (port, _bits, value) => this.#write(port - COM1, value);
    installIoApic(module);
  }

  #read(register: number): number {
    if (register === 0) return this.received.shift() ?? 0;
    if (register === 1) return this.#enabled;
    if (register === 2) {
      if (this.#enabled & 1 && this.received.length > 0) return 0xc4;
      if (this.#enabled & 2 && this.#transmitterPending) {
        this.#transmitterPending = false;
        return 0xc2;
      }
      return 0xc1;
    }
    if (register === 5) {
      return (this.received.length > 0 ? 1 : 0) | (this.#fifo.length === 0 ? 0x60 : 0);
    }
    return 0;
  }

  #write(register: number, value: number): void {
    if (register === 0) {
      assert.ok(this.#fifo.length < FIFO_BYTES, "the transmitter's FIFO overflows");
      this.#fifo.push(value);
      this.#transmitterPending = false;
    } else if (register === 1) {
      this.#enabled = value;
      if (value & 2 && this.#fifo.length === 0) this.#transmitterPending = true;
    }
  }

  get #isRequesting(): boolean {
    return (
      ((this.#enabled & 1) !== 0 && this.received.length > 0) ||
      ((this.#enabled & 2) !== 0 && this.#transmitterPending)
    );
  }

  /** Delivers an interrupt at each rising edge of the wire, as an I/O APIC does. */
  settle(): void {
    while (this.#isRequesting && !this.#level) {
      this.#level = true;
      this.#module.exports.interrupt();
      this.#level = this.#isRequesting;
    }
    if (!this.#isRequesting) this.#level = false;
    assert.ok(!this.#level, "the wire stays high: no further interrupt could come");
  }

  /** Sends up to `count` bytes of the FIFO down the line. */
  transmit(count: number): void {
    if (this.#fifo.length === 0) return;
    this.sent.push(...this.#fifo.splice(0, count));
    if (this.#fifo.length === 0) this.#transmitterPending = true;
    this.settle();
  }

  type(bytes: Uint8Array): void {
    for (const byte of bytes) if (this.received.length < FIFO_BYTES) this.received.push(byte);
    this.settle();
  }
}

test("output goes out complete and in order, whatever the line's speed", async () => {
  const base = await load();
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("append" as const),
      bytes: fc.uint8Array({ maxLength: 300, size: "max" }),
    }),
    fc.record({ kind: fc.constant("transmit" as const), count: fc.integer({ min: 1, max: 16 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const module = base.fresh();
      const uart = new Uart(module);
      assert.equal(module.exports.start(IO_APIC), 0);
      const buffer = module.heap.reserve(512);
      const expected: number[] = [];
      for (const action of steps) {
        if (action.kind === "transmit") {
          uart.transmit(action.count);
          continue;
        }
        module.memory.bytes(buffer, action.bytes.length).set(action.bytes);
        if (module.exports.append(buffer, BigInt(action.bytes.length)) === 1) {
          expected.push(...action.bytes);
        }
        uart.settle();
      }
      for (let i = 0; i < 10000 && module.exports.pending() > 0n; i++) {
        const before = uart.sent.length;
        uart.transmit(16);
        if (uart.sent.length === before) break;
      }
      assert.deepEqual(uart.sent, expected);
    }),
    { numRuns: 60 },
  );
});

test("input is taken as the terminal has room, and nothing is lost that the FIFO held", async () => {
  const base = await load();
  const step = fc.oneof(
    fc.record({ kind: fc.constant("type" as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant("appetite" as const), bytes: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const module = base.fresh();
      const uart = new Uart(module);
      assert.equal(module.exports.start(IO_APIC), 0);
      const typed: number[] = [];
      let counter = 0;
      for (const action of steps) {
        if (action.kind === "appetite") {
          module.exports.setAppetite(action.bytes);
          uart.settle();
        } else {
          const room = FIFO_BYTES - uart.received.length;
          const bytes = Uint8Array.from({ length: Math.min(action.count, room) }, () => counter++);
          typed.push(...bytes);
          uart.type(bytes);
        }
      }
      module.exports.setAppetite(100000);
      uart.settle();
      const count = module.exports.takenCount();
      const taken = [...module.memory.bytes(module.exports.takenAddress(), count)];
      assert.deepEqual(
        taken,
        typed.map((byte) => byte & 0xff),
      );
    }),
    { numRuns: 100 },
  );
});
