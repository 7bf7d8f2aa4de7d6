/** The virtio network driver's pairs of queues, against a model of the device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";
import { IO_APIC, installDevice, REGISTERS } from "../testing/machine.ts";
import { FEATURE, VirtioMmioModel } from "../testing/virtio-mmio-model.ts";

interface Exports {
  start(registers: bigint, ioApic: bigint): number;
  spread(processors: number): void;
  send(queue: number, length: number): void;
  hasTaken(queue: number): number;
}

const NET_FEATURE = { mac: 1n << 5n, control: 1n << 17n, pairs: 1n << 22n };
const BUFFERS = 256;

/** A card with three pairs of queues, whose control queue is the seventh. */
class Card {
  readonly model: VirtioMmioModel;
  /** Bytes of the commands that came. */
  readonly commands: number[][] = [];

  constructor(
    readonly module: KernelModule<Exports>,
    features: bigint,
    answer = 0,
  ) {
    const configuration = Buffer.alloc(12);
    configuration.writeUInt16LE(3, 8);
    this.model = new VirtioMmioModel(module.memory, {
      deviceType: 1,
      features: features | FEATURE.eventIndex,
      queueSizes: [...Array(6).fill(BUFFERS), 64],
      configuration,
      onNotify: (index) => {
        if (index === 6) this.#serveControl(answer);
      },
    });
    installDevice(module, this.model);
    assert.equal(module.exports.start(REGISTERS, IO_APIC), 0);
  }

  #serveControl(answer: number): void {
    const queue = this.model.queue(6);
    const chain = queue.take();
    assert.ok(chain);
    const [command, status] = chain.buffers;
    assert.ok(command && status?.deviceWrites);
    this.commands.push([...this.module.memory.bytes(command.address, command.lengthBytes)]);
    this.module.memory.write(status.address, 8, BigInt(answer));
    queue.complete(chain.head, 1);
  }

  /** Chains that wait in a queue. */
  waiting(index: number): number {
    const queue = this.model.queue(index);
    let count = 0;
    while (queue.take()) count++;
    return count;
  }
}

const load = () => loadKernelModule<Exports>("kernel/dev/virtio/net.testentry.ts", withEarlyHeap());
const all = NET_FEATURE.mac | NET_FEATURE.control | NET_FEATURE.pairs;

test("each processor gets a pair of queues once it runs", async () => {
  const card = new Card(await load(), all);
  assert.deepEqual(card.commands, []);
  card.module.exports.send(2, 60);
  assert.equal(card.waiting(1), 1, "before that, everything goes through the first pair");
  card.module.exports.spread(2);
  assert.deepEqual(card.commands, [[4, 0, 2, 0]], "VIRTIO 1.2, section 5.1.6.5.5");
  assert.equal(card.waiting(0), BUFFERS);
  assert.equal(card.waiting(2), BUFFERS);
  assert.equal(card.model.queues[4], null, "there are two processors");
  card.module.exports.send(2, 60);
  card.module.exports.send(1, 60);
  card.module.exports.send(4, 60);
  assert.equal(card.waiting(1), 1);
  assert.equal(card.waiting(3), 2, "queues beyond the last begin anew");
});

test("what a queue has taken is counted for each alone", async () => {
  const card = new Card(await load(), all);
  card.module.exports.spread(2);
  card.module.exports.send(2, 60);
  assert.equal(card.module.exports.hasTaken(1), 1);
  assert.equal(card.module.exports.hasTaken(2), 0);
  const queue = card.model.queue(3);
  queue.complete(queue.take()?.head ?? -1, 0);
  assert.equal(card.module.exports.hasTaken(2), 1);
});

test("one pair is used if the device refuses more, or has no control queue", async () => {
  const refusing = new Card(await load(), all, 1);
  refusing.module.exports.spread(2);
  assert.equal(refusing.commands.length, 1);
  refusing.module.exports.send(2, 60);
  assert.equal(refusing.waiting(1), 1);
  const plain = new Card(await load(), NET_FEATURE.mac | NET_FEATURE.pairs);
  plain.module.exports.spread(2);
  plain.module.exports.send(2, 60);
  assert.equal(plain.waiting(1), 1);
});
