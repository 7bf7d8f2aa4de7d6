/** The virtio block driver against device models that are slow, old, failing or lying. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import type { Chain } from "../testing/device-queue.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";
import { IO_APIC, installDevice, REGISTERS } from "../testing/machine.ts";
import { FEATURE, type ModelOptions, VirtioMmioModel } from "../testing/virtio-mmio-model.ts";

interface Exports {
  start(registers: bigint, ioApic: bigint): number;
  interrupt(): void;
  sectorCount(): bigint;
  maxSegments(): number;
  isReadOnly(): number;
  prepare(number: number, operation: number, sector: bigint): void;
  addSegment(number: number, physical: bigint, lengthBytes: number): number;
  segmentCount(number: number): number;
  submit(number: number): number;
  status(number: number): number;
  completions(number: number): number;
}

const READ = 0;
const WRITE = 1;
const FLUSH = 2;
const PENDING = 1;
const EIO = -5;
const ENODEV = -19;
const EINVAL = -22;
const EROFS = -30;
const EPROTO = -71;

const SECTORS = 256;
const BLOCK_FEATURE = {
  sizeMax: 1n << 1n,
  segmentsMax: 1n << 2n,
  readOnly: 1n << 5n,
  flush: 1n << 9n,
};

interface DiskOptions {
  legacy: boolean;
  indirect: boolean;
  eventIndex: boolean;
  queueSize: number;
}

const disks: fc.Arbitrary<DiskOptions> = fc.record({
  legacy: fc.boolean(),
  indirect: fc.boolean(),
  eventIndex: fc.boolean(),
  queueSize: fc.constantFrom(4, 16, 256),
});

const load = () => loadKernelModule<Exports>("kernel/dev/virtio/blk.testentry.ts", withEarlyHeap());

/** A disk whose requests wait until the test has them served. */
class Disk {
  readonly model: VirtioMmioModel;
  readonly content = Buffer.alloc(SECTORS * 512);
  readonly #chains: Chain[] = [];

  constructor(
    readonly module: KernelModule<Exports>,
    options: Partial<DiskOptions> = {},
    extra: Partial<ModelOptions> = {},
    moreFeatures = 0n,
  ) {
    const { legacy = false, indirect = true, eventIndex = true, queueSize = 256 } = options;
    const configuration = Buffer.alloc(64);
    configuration.writeBigUInt64LE(BigInt(SECTORS), 0);
    configuration.writeUInt32LE(126, 12);
    configuration.writeUInt32LE(512, 20);
    for (let i = 0; i < this.content.length; i++) this.content[i] = (i * 7 + (i >> 9)) & 0xff;
    this.model = new VirtioMmioModel(module.memory, {
      deviceType: 2,
      legacy,
      features:
        BLOCK_FEATURE.segmentsMax |
        moreFeatures |
        (indirect ? FEATURE.indirect : 0n) |
        (eventIndex ? FEATURE.eventIndex : 0n),
      queueSizes: [queueSize],
      configuration,
      ...extra,
    });
    installDevice(module, this.model);
  }

  start(): number {
    return this.module.exports.start(REGISTERS, IO_APIC);
  }

  /** Takes what the driver has made available; how many requests wait then. */
  fetch(): number {
    const queue = this.model.queue(0);
    do {
      for (let chain = queue.take(); chain; chain = queue.take()) this.#chains.push(chain);
    } while (queue.sleep());
    return this.#chains.length;
  }

  /** Serves the waiting request `which`; interrupts if the driver wants it. */
  serve(which: number, forcedStatus?: number): void {
    const [chain] = this.#chains.splice(which % this.#chains.length, 1);
    assert.ok(chain);
    const { memory } = this.module;
    const header = chain.buffers[0];
    const statusByte = chain.buffers.at(-1);
    assert.ok(header && statusByte);
    assert.equal(header.lengthBytes, 16);
    assert.equal(statusByte.lengthBytes, 1);
    assert.ok(statusByte.deviceWrites);
    const type = Number(memory.read(header.address, 32));
    let position = Number(memory.read(header.address + 8n, 64)) * 512;
    let written = 1;
    for (const { address, lengthBytes, deviceWrites } of chain.buffers.slice(1, -1)) {
      assert.equal(deviceWrites, type === 0);
      if (forcedStatus === undefined) {
        const bytes = memory.bytes(address, lengthBytes);
        if (type === 0) bytes.set(this.content.subarray(position, position + lengthBytes));
        else this.content.set(bytes, position);
        position += lengthBytes;
        if (type === 0) written += lengthBytes;
      }
    }
    memory.write(statusByte.address, 8, BigInt(forcedStatus ?? 0));
    this.complete(chain.head, written);
  }

  complete(head: number, written: number): void {
    this.model.interruptStatus |= 1;
    if (this.model.queue(0).complete(head, written)) this.module.exports.interrupt();
  }
}

/** Fills in request `number` with segments of test memory; where they are. */
function prepare(
  module: KernelModule<Exports>,
  number: number,
  operation: number,
  sector: number,
  sizes: number[],
): { address: bigint; size: number }[] {
  module.exports.prepare(number, operation, BigInt(sector));
  return sizes.map((size) => {
    // A gap keeps segments from being merged.
    const address = module.heap.reserve(size + 64);
    assert.equal(module.exports.addSegment(number, address, size), 1);
    return { address, size };
  });
}

const gather = (module: KernelModule<Exports>, segments: { address: bigint; size: number }[]) =>
  Buffer.concat(segments.map(({ address, size }) => module.memory.bytes(address, size)));

test("a disk is set up with few register accesses", async () => {
  const disk = new Disk(await load(), {}, {}, BLOCK_FEATURE.readOnly);
  assert.equal(disk.start(), 0);
  assert.equal(disk.module.exports.sectorCount(), BigInt(SECTORS));
  assert.equal(disk.module.exports.maxSegments(), 126);
  assert.equal(disk.module.exports.isReadOnly(), 1);
  assert.equal(disk.model.status, 15);
  assert.ok(disk.model.accesses <= 40, `${disk.model.accesses} accesses`);
});

test("requests of all shapes, in flight together, served in any order", async () => {
  const base = await load();
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("submit" as const),
      write: fc.boolean(),
      sector: fc.nat(SECTORS - 60),
      sectors: fc.array(fc.integer({ min: 1, max: 9 }), {
        minLength: 1,
        maxLength: 6,
        size: "max",
      }),
    }),
    fc.record({ kind: fc.constant("serve" as const), which: fc.nat(100) }),
  );
  fc.assert(
    fc.property(disks, fc.array(step, { maxLength: 80, size: "max" }), (options, steps) => {
      const disk = new Disk(base.fresh(), options);
      const { module } = disk;
      assert.equal(disk.start(), 0);
      const pending = new Map<
        number,
        { sector: number; segments: { address: bigint; size: number }[] }
      >();
      let next = 0;
      let served = 0;
      const serveOne = (which: number): void => {
        if (disk.fetch() === 0) return;
        disk.serve(which);
        served++;
      };
      for (const action of steps) {
        if (action.kind === "serve") {
          serveOne(action.which);
        } else {
          // Overlapping writes in flight have no defined order.
          const end = action.sector + action.sectors.reduce((sum, count) => sum + count, 0);
          const overlaps = [...pending.values()].some(
            ({ sector, segments }) =>
              sector < end &&
              sector + segments.reduce((sum, { size }) => sum + size / 512, 0) > action.sector,
          );
          if (overlaps) continue;
          const sizes = action.sectors
            .slice(0, Math.min(6, module.exports.maxSegments()))
            .map((count) => count * 512);
          const number = next++;
          const operation = action.write ? WRITE : READ;
          const segments = prepare(module, number, operation, action.sector, sizes);
          if (action.write) {
            for (const { address, size } of segments)
              module.memory.bytes(address, size).fill(number + 1);
          }
          while (module.exports.submit(number) === 0) serveOne(0);
          pending.set(number, { sector: action.sector, segments });
        }
        for (const [number, { sector, segments }] of pending) {
          if (module.exports.status(number) === PENDING) continue;
          assert.equal(module.exports.status(number), 0);
          assert.equal(module.exports.completions(number), 1);
          const data = gather(module, segments);
          assert.ok(data.equals(disk.content.subarray(sector * 512, sector * 512 + data.length)));
          pending.delete(number);
        }
        assert.equal(next - pending.size, served);
      }
    }),
    { numRuns: 150 },
  );
});

test("more requests than the queue holds are turned away, then taken", async () => {
  const disk = new Disk(await load(), { indirect: true, queueSize: 4 });
  const { module } = disk;
  assert.equal(disk.start(), 0);
  for (let number = 0; number < 5; number++) prepare(module, number, READ, number, [512]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((number) => module.exports.submit(number)),
    [1, 1, 1, 1, 0],
  );
  assert.equal(disk.fetch(), 4);
  disk.serve(2);
  assert.deepEqual(
    [0, 1, 2, 3].map((number) => module.exports.status(number)),
    [1, 1, 0, 1],
  );
  assert.equal(module.exports.submit(4), 1);
});

test("a device without indirect descriptors gets chains that fit its queue", async () => {
  const disk = new Disk(await load(), { indirect: false, queueSize: 16 });
  const { module } = disk;
  assert.equal(disk.start(), 0);
  assert.equal(module.exports.maxSegments(), 14);
  const segments = prepare(module, 0, READ, 3, Array(14).fill(512));
  assert.equal(module.exports.submit(0), 1);
  prepare(module, 1, READ, 3, [512]);
  assert.equal(module.exports.submit(1), 0);
  assert.equal(disk.fetch(), 1);
  disk.serve(0);
  assert.ok(gather(module, segments).equals(disk.content.subarray(3 * 512, 17 * 512)));
});

test("segments that continue each other are merged", async () => {
  const disk = new Disk(await load());
  assert.equal(disk.start(), 0);
  const { exports } = disk.module;
  const page = disk.module.heap.reserve(8192, 4096);
  exports.prepare(0, READ, 0n);
  exports.addSegment(0, page, 512);
  exports.addSegment(0, page + 512n, 3584);
  exports.addSegment(0, page + 4096n, 4096);
  assert.equal(exports.segmentCount(0), 1);
  exports.addSegment(0, page, 512);
  assert.equal(exports.segmentCount(0), 2);
});

test("mistakes are answered at once and never reach the device", async () => {
  const disk = new Disk(await load(), {}, {}, BLOCK_FEATURE.readOnly);
  const { module } = disk;
  assert.equal(disk.start(), 0);
  const outcome = (operation: number, sector: number, sizes: number[]): number => {
    prepare(module, 0, operation, sector, sizes);
    assert.equal(module.exports.submit(0), 1);
    assert.equal(module.exports.completions(0), 1);
    return module.exports.status(0);
  };
  assert.equal(outcome(READ, SECTORS, [512]), EIO);
  assert.equal(outcome(READ, SECTORS - 1, [1024]), EIO);
  assert.equal(outcome(READ, Number.MAX_SAFE_INTEGER, [512]), EIO);
  assert.equal(outcome(READ, 0, [100]), EINVAL);
  assert.equal(outcome(READ, 0, []), EINVAL);
  assert.equal(outcome(READ, 0, Array(127).fill(512)), EINVAL);
  assert.equal(outcome(WRITE, 0, [512]), EROFS);
  assert.equal(outcome(FLUSH, 0, []), 0);
  assert.equal(disk.fetch(), 0);
});

test("errors of the device become errors of the request", async () => {
  const disk = new Disk(await load(), {}, {}, BLOCK_FEATURE.flush);
  const { module } = disk;
  assert.equal(disk.start(), 0);
  for (const [answer, expected] of [
    [0, 0],
    [1, EIO],
    [2, EINVAL],
    [0xff, EIO],
  ] as const) {
    prepare(module, 0, READ, 0, [512]);
    module.exports.submit(0);
    disk.fetch();
    disk.serve(0, answer);
    assert.equal(module.exports.status(0), expected);
  }
  prepare(module, 0, FLUSH, 0, []);
  module.exports.submit(0);
  assert.equal(disk.fetch(), 1);
  disk.serve(0);
  assert.equal(module.exports.status(0), 0);
});

test("a lying device is switched off and everything in flight fails, once", async () => {
  const base = await load();
  const lie = fc.record({
    slot: fc.nat(3),
    head: fc.oneof(fc.nat(300), fc.constant(0xffffffff)),
    index: fc.nat(0xffff),
  });
  fc.assert(
    fc.property(
      disks,
      fc.array(lie, { minLength: 1, maxLength: 8, size: "max" }),
      (options, lies) => {
        const disk = new Disk(base.fresh(), options);
        const { module, model } = disk;
        assert.equal(disk.start(), 0);
        let submitted = 0;
        for (; submitted < 4; submitted++) {
          prepare(module, submitted, READ, submitted, [512]);
          if (module.exports.submit(submitted) === 0) break;
        }
        const queue = model.queue(0);
        for (const { slot, head, index } of lies) {
          queue.writeUsed(slot, head, 0xffffffff);
          queue.writeUsedIndex(index);
          module.exports.interrupt();
        }
        // At the latest an index far beyond what is in flight gives it away.
        queue.writeUsedIndex(0x4000);
        module.exports.interrupt();
        for (let number = 0; number < submitted; number++) {
          assert.equal(module.exports.completions(number), 1);
          assert.equal(module.exports.status(number), EIO);
        }
        assert.equal(model.status, 0);
        prepare(module, 9, READ, 0, [512]);
        assert.equal(module.exports.submit(9), 1);
        assert.equal(module.exports.status(9), EIO);
      },
    ),
    { numRuns: 100 },
  );
});

test("devices that cannot be set up are refused", async () => {
  const base = await load();
  const outcome = (options: Partial<ModelOptions>): number =>
    new Disk(base.fresh(), {}, options).start();
  assert.equal(outcome({ refuseFeatures: true }), EPROTO);
  assert.equal(outcome({ neverResets: true }), ENODEV);
  assert.equal(outcome({ queueSizes: [0] }), EIO);
  assert.equal(outcome({ queueSizes: [2] }), EIO);
  assert.equal(outcome({ deviceType: 0 }), 1);
});
