/**
 * Halt polling: a CPU with nothing to do looks out for work a short while before it halts, if work has
 * lately come that soon. A halted CPU is woken by the hypervisor: under emulation and on virtual
 * machines that costs more than many a request does.
 *
 *     idle ─► look, devices hushed, for `windowNs` ─► halt
 *               └─ work: serve it as its interrupt would have
 *
 * How long is learnt as by Linux's governor of the same name (Documentation/virt/guest-halt-polling.rst):
 * work that comes after the look but within LONGEST_NS makes the look longer, work that comes later
 * makes it shorter, down to none. So a guest with little to do looks not at all. And each look in vain
 * doubles the number of halts without one that follow: where the host has no processor to spare, the
 * look itself keeps the work from coming.
 *
 * The loop has no PAUSE: emulators leave the translated code at each, and take the lock that the
 * device needs; reading the clock leaves a sibling hyperthread room enough.
 *
 * Neighbours: idle.ts (calls it), dev/virtio/net-pair.ts (a device that is looked at).
 */
import { cli, cpuId, interruptDepth, setInterruptDepth, sti } from "../arch/cpu";
import { monotonicNs } from "./clock";
import { MAX_CPUS, RunQueue, anyoneWaits } from "./run-queue";

/** Work that comes later than this is not looked out for. */
const LONGEST_NS: u64 = 200_000;
/** The first look, and below half of it none. */
const FIRST_NS: u64 = 50_000;
/** Halts without a look, at most, after looks in vain. */
const MOST_SKIPPED: u32 = 127;

/** A device, or a part of one, that can be looked at instead of interrupting. */
export abstract class PolledDevice {
  nextPolled: PolledDevice | null = null;
  /** Asks the device not to interrupt until `serve` or `listen`. */
  abstract hush(): void;
  /** True if the device has done something; costs a load. */
  abstract hasWork(): bool;
  /** What its interrupt does; it may interrupt again afterwards. Interrupts are off. */
  abstract serve(): void;
  /** Asks the device to interrupt again. @returns true if it did something before it heard of it */
  abstract listen(): bool;
}

/** For each CPU its devices, which are added in front. */
const devices = new StaticArray<PolledDevice | null>(MAX_CPUS);

/** Lets CPU `cpu`, where the device interrupts, look at the device. */
export function registerPolledDevice(device: PolledDevice, cpu: u32): void {
  device.nextPolled = devices[cpu];
  devices[cpu] = device;
}

/** What one CPU has learnt. */
export class HaltPolling {
  private windowNs: u64 = 0;
  private quietSinceNs: u64 = 0;
  private cpu: u32 = cpuId();
  /** Halts without a look that are still to come, and how many it were after the last look in vain. */
  private toSkip: u32 = 0;
  private skipped: u32 = 0;

  /** Nothing is left to do: the time counts from now. */
  begin(): void {
    this.quietSinceNs = monotonicNs();
  }

  /** Something came. */
  end(): void {
    const now = monotonicNs();
    const quietNs = now - this.quietSinceNs;
    this.quietSinceNs = now;
    if (quietNs <= this.windowNs) return;
    if (quietNs <= LONGEST_NS) {
      this.windowNs = min(max(this.windowNs * 2, FIRST_NS), LONGEST_NS);
    } else {
      this.windowNs >>= 1;
      if (this.windowNs < FIRST_NS / 2) this.windowNs = 0;
    }
  }

  /**
   * Looks until something comes or the time is over. Called, and returns, with interrupts off.
   * @returns true if something came, so that the CPU must not halt yet
   */
  look(queue: RunQueue): bool {
    if (this.windowNs == 0) return false;
    if (this.toSkip != 0) {
      this.toSkip--;
      return false;
    }
    const first = devices[this.cpu];
    hushAll(first);
    sti();
    let isServed = false;
    do {
      isServed = serveAll(first);
    } while (
      !isServed &&
      queue.isEmpty() &&
      !anyoneWaits(queue) &&
      monotonicNs() - this.quietSinceNs < this.windowNs
    );
    cli();
    if (listenAll(first)) isServed = true;
    const isInVain = !isServed && queue.isEmpty();
    this.skipped = isInVain ? min(this.skipped * 2 + 1, MOST_SKIPPED) : 0;
    this.toSkip = this.skipped;
    return isServed;
  }
}

function hushAll(first: PolledDevice | null): void {
  let device = first;
  while (device) {
    device.hush();
    device = device.nextPolled;
  }
}

/** @returns true if there was work */
function serveAll(first: PolledDevice | null): bool {
  let isServed = false;
  let device = first;
  while (device) {
    if (device.hasWork()) {
      cli();
      serve(device);
      sti();
      isServed = true;
    }
    device = device.nextPolled;
  }
  return isServed;
}

/** @returns true if there was work that no interrupt will tell of; it is done */
function listenAll(first: PolledDevice | null): bool {
  let isServed = false;
  let device = first;
  while (device) {
    if (device.listen()) {
      serve(device);
      isServed = true;
    }
    device = device.nextPolled;
  }
  return isServed;
}

/** Serves a device in the guise of its interrupt. Interrupts are off. */
function serve(device: PolledDevice): void {
  setInterruptDepth(interruptDepth() + 1);
  device.serve();
  setInterruptDepth(interruptDepth() - 1);
}
