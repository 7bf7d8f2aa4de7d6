/**
 * A virtio console with control channel, for tests (VIRTIO 1.2, section 5.3): it answers control
 * messages while it is notified; output and input wait for the test.
 */
import assert from "node:assert/strict";
import type { KernelModule } from "../../../compiler/testing.ts";
import type { Chain } from "./device-queue.ts";
import { FEATURE, type ModelOptions, VirtioMmioModel } from "./virtio-mmio-model.ts";

const MULTIPORT = 2n;
const CONTROL_TO_DRIVER = 2;
const CONTROL_TO_DEVICE = 3;
const EVENT = { deviceReady: 0, portAdd: 1, portReady: 3, portOpen: 6, portName: 7 } as const;

export interface ControlMessage {
  port: number;
  event: number;
  value: number;
}

interface Interruptible {
  interrupt(): void;
}

export const receiveQueueOf = (port: number): number => (port === 0 ? 0 : 2 * port + 2);

export class ConsoleModel<E extends Interruptible> {
  readonly model: VirtioMmioModel;
  /** Control messages from the driver. */
  readonly received: ControlMessage[] = [];
  /** Output chains the device has taken and not returned, by port. */
  readonly #held = new Map<number, { chain: Chain; data: Buffer }[]>();
  /** What the host has of each port's output. */
  readonly output = new Map<number, Buffer[]>();
  /** Whether the device interrupts; off while the driver sets it up. */
  interrupts = true;

  constructor(
    readonly module: KernelModule<E>,
    readonly ports: { id: number; name: string; open: boolean }[],
    options: {
      maxPorts?: number;
      multiport?: boolean;
      eventIndex?: boolean;
      legacy?: boolean;
    } = {},
  ) {
    const { maxPorts = 4, multiport = true, eventIndex = true, legacy = false } = options;
    const configuration = Buffer.alloc(12);
    configuration.writeUInt16LE(80, 0);
    configuration.writeUInt16LE(25, 2);
    configuration.writeUInt32LE(maxPorts, 4);
    const model: ModelOptions = {
      deviceType: 3,
      legacy,
      features: (multiport ? MULTIPORT : 0n) | (eventIndex ? FEATURE.eventIndex : 0n),
      queueSizes: multiport ? Array(2 * maxPorts + 2).fill(64) : [64, 64],
      configuration,
      onNotify: (queue) => this.#notified(queue),
    };
    this.model = new VirtioMmioModel(module.memory, model);
  }

  #notified(queue: number): void {
    if (queue === CONTROL_TO_DEVICE && this.model.queues.length > 2) this.#serveControl();
  }

  #bytesOf(chain: Chain): Buffer {
    return Buffer.concat(
      chain.buffers.map(({ address, lengthBytes, deviceWrites }) => {
        assert.equal(deviceWrites, false);
        return Buffer.from(this.module.memory.bytes(address, lengthBytes));
      }),
    );
  }

  #serveControl(): void {
    const queue = this.model.queue(CONTROL_TO_DEVICE);
    do {
      for (let chain = queue.take(); chain; chain = queue.take()) {
        const bytes = this.#bytesOf(chain);
        assert.equal(bytes.length, 8);
        this.#complete(CONTROL_TO_DEVICE, chain.head, 0);
        this.#handle({
          port: bytes.readUInt32LE(0),
          event: bytes.readUInt16LE(4),
          value: bytes.readUInt16LE(6),
        });
      }
    } while (queue.sleep());
  }

  #handle(message: ControlMessage): void {
    this.received.push(message);
    if (message.event === EVENT.deviceReady) {
      for (const { id } of this.ports) this.send({ port: id, event: EVENT.portAdd, value: 1 });
    } else if (message.event === EVENT.portReady && message.value === 1) {
      const port = this.ports.find(({ id }) => id === message.port);
      assert.ok(port, "PORT_READY for a port that does not exist");
      const name = Buffer.from(`${port.name}\0`);
      this.send({ port: port.id, event: EVENT.portName, value: 1 }, name);
      if (port.open) this.setOpen(port.id, true);
    }
  }

  #complete(queue: number, head: number, written: number): boolean {
    this.model.interruptStatus |= 1;
    const wanted = this.model.queue(queue).complete(head, written);
    if (wanted && this.interrupts) this.module.exports.interrupt();
    return wanted;
  }

  /** Sends raw bytes on the control queue; false if the driver has given no buffer. */
  sendRaw(bytes: Uint8Array, claimedLength = bytes.length): boolean {
    const chain = this.model.queue(CONTROL_TO_DRIVER).take();
    if (!chain) return false;
    const [buffer] = chain.buffers;
    assert.ok(buffer?.deviceWrites);
    const part = bytes.subarray(0, buffer.lengthBytes);
    this.module.memory.bytes(buffer.address, part.length).set(part);
    this.#complete(CONTROL_TO_DRIVER, chain.head, Math.min(claimedLength, 0xffffffff));
    return true;
  }

  send({ port, event, value }: ControlMessage, body: Uint8Array = Buffer.alloc(0)): void {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(port, 0);
    header.writeUInt16LE(event, 4);
    header.writeUInt16LE(value, 6);
    assert.ok(this.sendRaw(Buffer.concat([header, body])), "no buffer for a control message");
  }

  setOpen(port: number, open: boolean): void {
    this.send({ port, event: EVENT.portOpen, value: open ? 1 : 0 });
  }

  /** Takes output chains of a port without returning them; how many are held. */
  fetchOutput(port: number): number {
    const queue = this.model.queue(receiveQueueOf(port) + 1);
    const held = this.#held.get(port) ?? [];
    this.#held.set(port, held);
    do {
      for (let chain = queue.take(); chain; chain = queue.take()) {
        const data = this.#bytesOf(chain);
        // The host reads output in order, whenever it returns the buffers.
        this.output.set(port, [...(this.output.get(port) ?? []), data]);
        held.push({ chain, data });
      }
    } while (queue.sleep());
    return held.length;
  }

  /**
   * Returns one held output chain, any; its bytes must not have changed meanwhile.
   * @returns whether the driver wanted an interrupt for it
   */
  returnOutput(port: number, which: number): boolean {
    const held = this.#held.get(port) ?? [];
    const [item] = held.splice(which % held.length, 1);
    assert.ok(item);
    assert.ok(this.#bytesOf(item.chain).equals(item.data), "output changed under the device");
    return this.#complete(receiveQueueOf(port) + 1, item.chain.head, 0);
  }

  outputOf(port: number): Buffer {
    return Buffer.concat(this.output.get(port) ?? []);
  }

  /** Gives a port input as far as one buffer takes it; how many bytes, 0 without a buffer. */
  input(port: number, bytes: Uint8Array): number {
    const queue = this.model.queue(receiveQueueOf(port));
    const chain = queue.take();
    if (!chain) return 0;
    const [buffer] = chain.buffers;
    assert.ok(buffer?.deviceWrites);
    const part = bytes.subarray(0, buffer.lengthBytes);
    this.module.memory.bytes(buffer.address, part.length).set(part);
    this.#complete(receiveQueueOf(port), chain.head, part.length);
    return part.length;
  }
}
