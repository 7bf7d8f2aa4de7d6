/**
 * The virtio entropy device: Virtual I/O Device (VIRTIO) version 1.2, section 5.4.
 *
 * One request at boot; its answer is mixed into the generator when it comes. Only a machine without
 * any other source waits for it.
 *
 * Lock: `lock` guards the queue. Neighbour: `dev/random`.
 */
import { SpinLock } from "../../arch/spinlock";
import { ENOMEM, isError } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { WaitQueue } from "../../sched/wait";
import { physicalAddress } from "../dma";
import { Driver } from "../driver";
import { addEntropy, addTiming, isRandomSeeded, setRandomSeeded } from "../random";
import { Transport, VIRTIO_TYPE_ENTROPY, VirtioDriver } from "./transport";
import { Virtqueue } from "./virtqueue";

const QUEUE_SIZE: u32 = 1;
const REQUEST_BYTES: u32 = 64;
/** A full seed: fewer bytes are mixed in but not counted. */
const SEED_BYTES: u32 = 32;
/** How long a machine without other entropy waits. */
const WAIT_NS: u64 = 1_000_000_000;

class VirtioEntropy extends VirtioDriver {
  private queue: Virtqueue | null = null;
  private buffer: usize = 0;
  private answered: bool = false;
  private lock: SpinLock = new SpinLock();
  private done: WaitQueue = new WaitQueue();

  constructor(readonly transport: Transport) {
    super();
  }

  start(): i32 {
    const transport = this.transport;
    // Without VIRTIO_F_EVENT_IDX: there is one request.
    const result = transport.negotiate(0);
    if (result != 0) return result;
    const address = transport.createQueue(0, QUEUE_SIZE);
    if (isError(address)) return transport.fail(<i32>address);
    const queue = changetype<Virtqueue>(address);
    this.queue = queue;
    this.buffer = heapAllocate(REQUEST_BYTES);
    if (this.buffer == 0) return transport.fail(-ENOMEM);
    const connected = transport.connect(this);
    if (connected != 0) return transport.fail(connected);
    transport.start();
    queue.append(physicalAddress(this.buffer), REQUEST_BYTES, true);
    queue.endChain(0);
    if (queue.publish()) transport.notify(queue);
    if (!isRandomSeeded()) this.wait();
    return 0;
  }

  private wait(): void {
    const deadlineNs = monotonicNs() + WAIT_NS;
    this.lock.acquire();
    while (!this.answered) {
      if (this.done.sleep(this.lock, deadlineNs, false) != 0) break;
    }
    this.lock.release();
  }

  interrupt(): void {
    const queue = this.queue;
    if (queue == null || this.answered) return;
    this.lock.acquire();
    if (queue.takeUsed()) {
      addEntropy(this.buffer, queue.usedBytes);
      addTiming();
      if (queue.usedBytes >= SEED_BYTES) setRandomSeeded();
      heapFree(this.buffer);
      this.buffer = 0;
      this.answered = true;
      this.done.wakeAll();
    }
    this.lock.release();
  }
}

/** Starts virtio entropy devices. */
export class VirtioEntropyDriver extends Driver {
  constructor() {
    super();
    this.name = "virtio-rng";
  }

  matchesVirtio(deviceType: u32): bool {
    return deviceType == VIRTIO_TYPE_ENTROPY;
  }

  startVirtio(transport: Transport): i32 {
    return new VirtioEntropy(transport).start();
  }
}
