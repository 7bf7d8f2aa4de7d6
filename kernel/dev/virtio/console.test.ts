/** The virtio console driver against a model of the device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../../compiler/testing.ts";
import { ConsoleModel } from "../testing/console-model.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";
import { IO_APIC, installDevice, REGISTERS } from "../testing/machine.ts";

interface Exports {
  start(registers: bigint, ioApic: bigint): number;
  interrupt(): void;
  find(which: number): bigint;
  read(port: bigint, buffer: bigint, length: bigint): bigint;
  write(port: bigint, buffer: bigint, length: bigint): bigint;
  poll(port: bigint): number;
  ioctl(port: bigint, request: number, argument: bigint): bigint;
}

const EAGAIN = -11n;
const EFAULT = -14n;
const ENOTTY = -25n;
const EPIPE = -32n;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;
const TCGETS = 0x5401;
const FIONREAD = 0x541b;
const RING_BYTES = 32768;
const STDIN = 1;
const STDOUT = 2;

const PORTS = [
  { id: STDIN, name: "stdin", open: true },
  { id: STDOUT, name: "stdout", open: true },
];

const load = () =>
  loadKernelModule<Exports>("kernel/dev/virtio/console.testentry.ts", withEarlyHeap());

type Options = ConstructorParameters<typeof ConsoleModel<Exports>>[2];

/** Byte `n` of a stream whose pieces are told apart, whatever power of two they are moved by. */
const byteAt = (n: number): number => (n + (n >> 8) * 7 + (n >> 16) * 31) & 0xff;

/** A started console with helpers around it. */
class Guest {
  readonly device: ConsoleModel<Exports>;
  readonly stdin: bigint;
  readonly stdout: bigint;
  readonly #buffer: bigint;

  constructor(module: Awaited<ReturnType<typeof load>>, ports = PORTS, options: Options = {}) {
    this.device = new ConsoleModel(module, ports, options);
    installDevice(module, this.device.model);
    assert.equal(module.exports.start(REGISTERS, IO_APIC), 0);
    const single = options.multiport === false;
    this.stdin = module.exports.find(single ? 0 : 1);
    this.stdout = single ? this.stdin : module.exports.find(2);
    this.#buffer = module.heap.reserve(200000);
  }

  get module() {
    return this.device.module;
  }

  write(bytes: Uint8Array): bigint {
    this.module.memory.bytes(this.#buffer, bytes.length).set(bytes);
    return this.module.exports.write(this.stdout, this.#buffer, BigInt(bytes.length));
  }

  read(size: number): Buffer | bigint {
    const result = this.module.exports.read(this.stdin, this.#buffer, BigInt(size));
    if (result < 0n) return result;
    return Buffer.from(this.module.memory.bytes(this.#buffer, Number(result)));
  }

  poll(port: bigint): number {
    return this.module.exports.poll(port);
  }
}

test("ports are announced, accepted, named and opened", async () => {
  const guest = new Guest(await load());
  assert.notEqual(guest.stdin, 0n);
  assert.notEqual(guest.stdout, 0n);
  assert.deepEqual(guest.device.received, [
    { port: 0xffffffff, event: 0, value: 1 },
    { port: STDIN, event: 3, value: 1 },
    { port: STDIN, event: 6, value: 1 },
    { port: STDOUT, event: 3, value: 1 },
    { port: STDOUT, event: 6, value: 1 },
  ]);
});

test("a port beyond those with queues is refused", async () => {
  const extra = { id: 20, name: "far", open: true };
  const guest = new Guest(await load(), [...PORTS, extra], { maxPorts: 31 });
  assert.deepEqual(
    guest.device.received.filter(({ port }) => port === 20),
    [{ port: 20, event: 3, value: 0 }],
  );
});

for (const options of [{}, { eventIndex: false }, { legacy: true }, { multiport: false }]) {
  test(`output arrives complete and in order, ${JSON.stringify(options)}`, async () => {
    const base = await load();
    const port = options.multiport === false ? 0 : STDOUT;
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), size: fc.oneof(fc.nat(20), fc.nat(50000)) }),
      fc.record({ kind: fc.constant("fetch" as const) }),
      fc.record({ kind: fc.constant("return" as const), which: fc.nat(10) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const guest = new Guest(base.fresh(), PORTS, options);
        const sent: Buffer[] = [];
        let counter = 0;
        for (const action of steps) {
          if (action.kind === "write") {
            const bytes = Buffer.from(Array.from({ length: action.size }, () => byteAt(counter++)));
            const result = guest.write(bytes);
            if (result === EAGAIN) assert.equal(guest.poll(guest.stdout) & POLLOUT, 0);
            else sent.push(bytes.subarray(0, Number(result)));
            if (action.size > 0 && result < BigInt(action.size)) {
              counter -= action.size - Math.max(Number(result), 0);
            }
          } else if (action.kind === "fetch") {
            guest.device.fetchOutput(port);
          } else if (guest.device.fetchOutput(port) > 0) {
            guest.device.returnOutput(port, action.which);
          }
        }
        while (guest.device.fetchOutput(port) > 0) guest.device.returnOutput(port, 0);
        // A last write makes the driver look at what has become of the others.
        sent.push(Buffer.from("end"));
        assert.equal(guest.write(Buffer.from("end")), 3n);
        while (guest.device.fetchOutput(port) > 0) guest.device.returnOutput(port, 0);
        assert.ok(guest.device.outputOf(port).equals(Buffer.concat(sent)));
      }),
      { numRuns: 60 },
    );
  });
}

test("a host that takes no output makes writers stop, and waiting ones are told", async () => {
  const guest = new Guest(await load());
  assert.equal(guest.write(Buffer.alloc(100000, 1)), BigInt(RING_BYTES));
  assert.equal(guest.write(Buffer.from("x")), EAGAIN);
  assert.equal(guest.poll(guest.stdout) & POLLOUT, 0);
  guest.device.fetchOutput(STDOUT);
  assert.equal(guest.device.returnOutput(STDOUT, 0), true);
  assert.equal(guest.poll(guest.stdout) & POLLOUT, POLLOUT);
});

test("output for which nobody waits causes no interrupt", async () => {
  const guest = new Guest(await load());
  for (let i = 0; i < 3; i++) {
    assert.equal(guest.write(Buffer.from("x")), 1n);
    guest.device.fetchOutput(STDOUT);
    assert.equal(guest.device.returnOutput(STDOUT, 0), false);
  }
});

test("input arrives complete and in order, in pieces of any size", async () => {
  const base = await load();
  const step = fc.oneof(
    fc.record({ kind: fc.constant("input" as const), size: fc.nat(5000) }),
    fc.record({ kind: fc.constant("read" as const), size: fc.integer({ min: 1, max: 6000 }) }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80, size: "max" }),
      fc.boolean(),
      (steps, eventIndex) => {
        const guest = new Guest(base.fresh(), PORTS, { eventIndex });
        assert.equal(guest.read(1), EAGAIN);
        const given: Buffer[] = [];
        const taken: Buffer[] = [];
        let counter = 0;
        for (const action of steps) {
          if (action.kind === "input") {
            const bytes = Buffer.from(Array.from({ length: action.size }, () => byteAt(counter++)));
            const count = guest.device.input(STDIN, bytes);
            counter -= action.size - count;
            given.push(bytes.subarray(0, count));
          } else {
            const bytes = guest.read(action.size);
            if (typeof bytes === "bigint") assert.equal(bytes, EAGAIN);
            else taken.push(bytes);
          }
        }
        guest.device.setOpen(STDIN, false);
        for (;;) {
          const bytes = guest.read(3000);
          assert.ok(typeof bytes !== "bigint");
          if (bytes.length === 0) break;
          taken.push(bytes);
        }
        assert.ok(Buffer.concat(taken).equals(Buffer.concat(given)));
      },
    ),
    { numRuns: 100 },
  );
});

test("a reader that does not read holds the host back", async () => {
  const guest = new Guest(await load());
  assert.equal(guest.read(1), EAGAIN);
  const counts = Array.from({ length: 6 }, () => guest.device.input(STDIN, Buffer.alloc(9000, 7)));
  assert.deepEqual(counts, [4096, 4096, 4096, 4096, 0, 0]);
  assert.equal((guest.read(4096) as Buffer).length, 4096);
  assert.equal(guest.device.input(STDIN, Buffer.alloc(10, 8)), 10);
});

test("data sent before the host closed its end is read before the end", async () => {
  const guest = new Guest(await load());
  assert.equal(guest.read(10), EAGAIN);
  guest.device.interrupts = false;
  guest.device.input(STDIN, Buffer.from("last words"));
  guest.device.interrupts = true;
  guest.device.setOpen(STDIN, false);
  assert.equal(guest.poll(guest.stdin) & (POLLIN | POLLHUP), POLLIN);
  assert.equal(String(guest.read(100)), "last words");
  assert.equal(String(guest.read(100)), "");
  assert.equal(guest.poll(guest.stdin) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
});

test("input that nobody may see: empty buffers and claims beyond the buffer", async () => {
  const guest = new Guest(await load());
  assert.equal(guest.read(10), EAGAIN);
  const queue = guest.device.model.queue(4);
  const first = queue.take();
  assert.ok(first);
  queue.complete(first.head, 0);
  guest.module.exports.interrupt();
  assert.equal(guest.read(10), EAGAIN);
  const second = queue.take();
  assert.ok(second);
  queue.complete(second.head, 1_000_000);
  guest.module.exports.interrupt();
  assert.equal((guest.read(100000) as Buffer).length, 4096);
});

test("writing to an end that the host closed", async () => {
  const guest = new Guest(await load());
  assert.equal(guest.write(Buffer.from("a")), 1n);
  guest.device.setOpen(STDOUT, false);
  assert.equal(guest.write(Buffer.from("b")), EPIPE);
  assert.equal(guest.poll(guest.stdout) & POLLERR, POLLERR);
  guest.device.setOpen(STDOUT, true);
  assert.equal(guest.write(Buffer.from("c")), 1n);
});

test("bad buffers and requests", async () => {
  const guest = new Guest(await load());
  const { exports, heap, user, memory } = guest.module;
  const page = heap.reserve(4096, 4096);
  user.forbid(page, 4096);
  assert.equal(exports.write(guest.stdout, page, 5n), EFAULT);
  assert.equal(exports.write(guest.stdout, page - 3n, 8n), 3n);
  assert.equal(guest.read(1), EAGAIN);
  guest.device.input(STDIN, Buffer.from("hello"));
  assert.equal(exports.read(guest.stdin, page, 5n), EFAULT);
  assert.equal(exports.read(guest.stdin, page - 2n, 5n), 2n);
  assert.equal(String(guest.read(10)), "llo");
  guest.device.input(STDIN, Buffer.from("count"));
  const word = heap.reserve(16);
  assert.equal(exports.ioctl(guest.stdin, FIONREAD, word), 0n);
  assert.equal(memory.read(word, 32), 5n);
  assert.equal(exports.ioctl(guest.stdin, TCGETS, word), ENOTTY);
});

test("whatever comes over the control channel, the driver goes on", async () => {
  const base = await load();
  const message = fc.record({
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 100, size: "max" }),
      fc
        .record({
          port: fc.nat(5),
          event: fc.nat(9),
          value: fc.nat(2),
          body: fc.uint8Array({ maxLength: 90, size: "max" }),
        })
        .map(({ port, event, value, body }) =>
          Uint8Array.from([port, 0, 0, 0, event, 0, value, 0, ...body]),
        ),
    ),
    claim: fc.oneof(fc.constant(undefined), fc.nat(0xffffffff)),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60, size: "max" }), (messages) => {
      // PORT_READY for whatever the messages claim to have added is not the model's concern.
      const ports = [0, 1, 2, 3].map((id) => ({
        id,
        name: PORTS.find((p) => p.id === id)?.name ?? `p${id}`,
        open: true,
      }));
      const guest = new Guest(base.fresh(), ports);
      for (const { bytes, claim } of messages) guest.device.sendRaw(bytes, claim);
      guest.device.setOpen(STDOUT, true);
      assert.equal(guest.write(Buffer.from("still here")), 10n);
      guest.device.fetchOutput(STDOUT);
      assert.equal(String(guest.device.outputOf(STDOUT)), "still here");
    }),
    { numRuns: 200 },
  );
});
