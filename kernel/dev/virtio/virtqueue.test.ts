/** The split virtqueue against a model of the device's side, and against devices that lie. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { type Chain, DeviceQueue } from "../testing/device-queue.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";

interface Exports {
  create(size: number, legacy: boolean, eventIndex: boolean): bigint;
  descriptors(queue: bigint): bigint;
  available(queue: bigint): bigint;
  used(queue: bigint): bigint;
  append(queue: bigint, address: bigint, lengthBytes: number, deviceWrites: boolean): void;
  endChain(queue: bigint, token: bigint): void;
  publish(queue: bigint): number;
  takeUsed(queue: bigint): number;
  takeAbandoned(queue: bigint): number;
  usedToken(queue: bigint): bigint;
  usedBytes(queue: bigint): number;
  enableInterrupts(queue: bigint): number;
  disableInterrupts(queue: bigint): void;
  isBroken(queue: bigint): number;
  freeCount(queue: bigint): number;
  inFlight(queue: bigint): number;
  chooseSize(limit: number, wanted: number): number;
}

interface Setup {
  size: number;
  legacy: boolean;
  eventIndex: boolean;
}

const setups: fc.Arbitrary<Setup> = fc.record({
  size: fc.constantFrom(1, 2, 4, 16, 128),
  legacy: fc.boolean(),
  eventIndex: fc.boolean(),
});

function makeQueue(
  module: KernelModule<Exports>,
  { size, legacy, eventIndex }: Setup,
): { queue: bigint; device: DeviceQueue } {
  const { exports, memory } = module;
  const queue = exports.create(size, legacy, eventIndex);
  assert.notEqual(queue, 0n);
  const descriptors = exports.descriptors(queue);
  const available = exports.available(queue);
  const used = exports.used(queue);
  const alignment = legacy ? 4096n : 16n;
  assert.equal(descriptors % alignment, 0n);
  assert.equal(available, descriptors + 16n * BigInt(size));
  assert.equal(used % (legacy ? 4096n : 4n), 0n);
  assert.ok(used >= available + 6n + 2n * BigInt(size));
  return {
    queue,
    device: new DeviceQueue(memory, { size, descriptors, available, used }, eventIndex),
  };
}

type Step =
  | { kind: "add"; buffers: { lengthBytes: number; deviceWrites: boolean }[] }
  | { kind: "publish" }
  | { kind: "device-take" }
  | { kind: "device-sleep" }
  | { kind: "device-complete"; which: number; writtenBytes: number }
  | { kind: "driver-take" }
  | { kind: "driver-wait" }
  | { kind: "driver-poll" };

const buffer = fc.record({
  lengthBytes: fc.integer({ min: 1, max: 70000 }),
  deviceWrites: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("add" as const),
    buffers: fc.array(buffer, { minLength: 1, maxLength: 6, size: "max" }),
  }),
  fc.record({ kind: fc.constant("publish" as const) }),
  fc.record({ kind: fc.constant("device-take" as const) }),
  fc.record({ kind: fc.constant("device-sleep" as const) }),
  fc.record({
    kind: fc.constant("device-complete" as const),
    which: fc.nat(1000),
    writtenBytes: fc.nat(500000),
  }),
  fc.record({ kind: fc.constant("driver-take" as const) }),
  fc.record({ kind: fc.constant("driver-wait" as const) }),
  fc.record({ kind: fc.constant("driver-poll" as const) }),
);

interface Sent {
  token: bigint;
  buffers: { address: bigint; lengthBytes: number; deviceWrites: boolean }[];
}

test("chains arrive whole and in order, return once in any order, and nobody is left asleep", async () => {
  const base = await loadKernelModule<Exports>(
    "kernel/dev/virtio/virtqueue.testentry.ts",
    withEarlyHeap(),
  );
  fc.assert(
    fc.property(setups, fc.array(step, { maxLength: 400, size: "max" }), (setup, steps) => {
      const module = base.fresh();
      const { exports } = module;
      const { queue, device } = makeQueue(module, setup);
      let nextToken = 1n;
      const added: Sent[] = [];
      const published: Sent[] = [];
      const held: { chain: Chain; sent: Sent }[] = [];
      const returned: { sent: Sent; writtenBytes: number }[] = [];
      let used = 0;
      let deviceSleeps = false;
      let driverWaits = false;
      for (const action of steps) {
        if (action.kind === "add") {
          if (action.buffers.length > exports.freeCount(queue)) continue;
          // The device reads before it writes.
          const ordered = [...action.buffers].sort(
            (a, b) => Number(a.deviceWrites) - Number(b.deviceWrites),
          );
          const sent: Sent = { token: nextToken++, buffers: [] };
          for (const { lengthBytes, deviceWrites } of ordered) {
            const address = 0x1000n * nextToken + BigInt(sent.buffers.length);
            sent.buffers.push({ address, lengthBytes, deviceWrites });
            exports.append(queue, address, lengthBytes, deviceWrites);
          }
          exports.endChain(queue, sent.token);
          used += ordered.length;
          added.push(sent);
        } else if (action.kind === "publish") {
          const notify = exports.publish(queue) !== 0;
          if (deviceSleeps && added.length > 0)
            assert.ok(notify, "a sleeping device was not notified");
          if (notify) deviceSleeps = false;
          published.push(...added.splice(0));
        } else if (action.kind === "device-take") {
          if (deviceSleeps) continue;
          const chain = device.take();
          const sent = published.shift();
          assert.equal(chain === null, sent === undefined);
          if (!chain || !sent) continue;
          assert.deepEqual(chain.buffers, sent.buffers);
          held.push({ chain, sent });
        } else if (action.kind === "device-sleep") {
          deviceSleeps = !device.sleep();
          if (!deviceSleeps) device.stayAwake();
        } else if (action.kind === "device-complete") {
          const [item] = held.splice(action.which % Math.max(held.length, 1), 1);
          if (!item) continue;
          const interrupt = device.complete(item.chain.head, action.writtenBytes);
          if (driverWaits) assert.ok(interrupt, "a waiting driver was not interrupted");
          driverWaits = false;
          returned.push({ sent: item.sent, writtenBytes: action.writtenBytes });
        } else if (action.kind === "driver-take") {
          const taken = exports.takeUsed(queue) !== 0;
          const expected = returned.shift();
          assert.equal(taken, expected !== undefined);
          if (!expected) continue;
          assert.equal(exports.usedToken(queue), expected.sent.token);
          const writable = expected.sent.buffers
            .filter(({ deviceWrites }) => deviceWrites)
            .reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
          assert.equal(exports.usedBytes(queue), Math.min(writable, expected.writtenBytes));
          used -= expected.sent.buffers.length;
        } else if (action.kind === "driver-wait") {
          const pending = exports.enableInterrupts(queue) !== 0;
          assert.equal(pending, returned.length > 0);
          driverWaits = !pending;
        } else {
          exports.disableInterrupts(queue);
          driverWaits = false;
        }
        assert.equal(exports.freeCount(queue), setup.size - used);
        assert.equal(exports.isBroken(queue), 0);
      }
    }),
    { numRuns: 300 },
  );
});

for (const eventIndex of [false, true]) {
  test(`indexes wrap around at 65536, event index ${eventIndex}`, async () => {
    const module = await loadKernelModule<Exports>(
      "kernel/dev/virtio/virtqueue.testentry.ts",
      withEarlyHeap(),
    );
    const { exports } = module;
    const { queue, device } = makeQueue(module, { size: 4, legacy: false, eventIndex });
    exports.disableInterrupts(queue);
    let interrupts = 0;
    for (let round = 0; round < 70000; round++) {
      device.sleep();
      exports.append(queue, BigInt(round), 8, true);
      exports.endChain(queue, BigInt(round));
      assert.equal(exports.publish(queue), 1);
      const chain = device.take();
      assert.ok(chain);
      if (device.complete(chain.head, 8)) interrupts++;
      assert.equal(exports.takeUsed(queue), 1);
      assert.equal(exports.usedToken(queue), BigInt(round));
    }
    // With an event index "no interrupts" is a position in a ring of 65536.
    assert.equal(interrupts, eventIndex ? 1 : 0);
    assert.equal(exports.freeCount(queue), 4);
  });
}

test("a full queue takes no more and says so", async () => {
  const module = await loadKernelModule<Exports>(
    "kernel/dev/virtio/virtqueue.testentry.ts",
    withEarlyHeap(),
  );
  const { exports } = module;
  const { queue } = makeQueue(module, { size: 4, legacy: false, eventIndex: true });
  for (let i = 0; i < 4; i++) {
    exports.append(queue, 0n, 1, false);
    exports.endChain(queue, BigInt(i));
  }
  assert.equal(exports.freeCount(queue), 0);
  assert.throws(() => exports.append(queue, 0n, 1, false), /full queue/);
});

test("whatever a device writes, no chain is returned twice and none that was not given", async () => {
  const base = await loadKernelModule<Exports>(
    "kernel/dev/virtio/virtqueue.testentry.ts",
    withEarlyHeap(),
  );
  const lie = fc.record({
    index: fc.oneof(fc.nat(8), fc.nat(0xffff)),
    slot: fc.nat(7),
    head: fc.oneof(fc.nat(8), fc.nat(0xffffffff)),
    lengthBytes: fc.oneof(fc.nat(8), fc.constant(0xffffffff)),
    descriptor: fc.nat(7),
    junk: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  });
  fc.assert(
    fc.property(setups, fc.array(lie, { maxLength: 40, size: "max" }), (setup, lies) => {
      const module = base.fresh();
      const { exports, memory } = module;
      const { queue, device } = makeQueue(module, setup);
      const out = new Set<bigint>();
      let token = 1n;
      for (const { index, slot, head, lengthBytes, descriptor, junk } of lies) {
        while (exports.freeCount(queue) > 0) {
          exports.append(queue, 4096n, 16, true);
          exports.endChain(queue, token);
          out.add(token++);
        }
        exports.publish(queue);
        // The device may scribble over everything it knows, the descriptors included.
        const offset = BigInt(descriptor % setup.size) * 16n;
        memory.write(exports.descriptors(queue) + offset, 64, junk);
        memory.write(exports.descriptors(queue) + offset + 8n, 64, junk >> 3n);
        device.writeUsed(slot, head, lengthBytes);
        device.writeUsedIndex(index);
        while (exports.takeUsed(queue) !== 0) {
          assert.ok(out.delete(exports.usedToken(queue)), "a chain that was not in flight");
          assert.ok(exports.usedBytes(queue) <= 16);
        }
        assert.equal(exports.inFlight(queue), out.size);
      }
      while (exports.takeAbandoned(queue) !== 0) {
        assert.ok(out.delete(exports.usedToken(queue)), "a chain that was not in flight");
      }
      assert.equal(out.size, 0);
      assert.equal(exports.freeCount(queue), setup.size);
    }),
    { numRuns: 300 },
  );
});

test("queue sizes are powers of two within both limits", async () => {
  const { exports } = await loadKernelModule<Exports>(
    "kernel/dev/virtio/virtqueue.testentry.ts",
    withEarlyHeap(),
  );
  for (const [limit, wanted, size] of [
    [0, 128, 0],
    [1, 128, 1],
    [8, 16, 8],
    [256, 128, 128],
    [1000, 1000, 256],
    [100, 128, 64],
    [256, 20, 16],
  ] as const) {
    assert.equal(exports.chooseSize(limit, wanted), size);
  }
});

test("without memory there is no queue", async () => {
  const module = await loadKernelModule<Exports>(
    "kernel/dev/virtio/virtqueue.testentry.ts",
    withEarlyHeap(4096),
  );
  assert.equal(module.exports.create(128, true, false), 0n);
});
