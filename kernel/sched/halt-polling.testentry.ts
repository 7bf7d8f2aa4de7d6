/** Surface of halt polling for its unit tests: one CPU, and one device that has work at a set time. */
import { monotonicNs } from "./clock";
import { HaltPolling, PolledDevice, registerPolledDevice } from "./halt-polling";
import { RunQueue } from "./run-queue";

class TimedDevice extends PolledDevice {
  workAtNs: u64 = u64.MAX_VALUE;
  interrupts: bool = true;
  served: u32 = 0;
  looks: u32 = 0;

  hush(): void {
    this.interrupts = false;
  }

  hasWork(): bool {
    this.looks++;
    return monotonicNs() >= this.workAtNs;
  }

  serve(): void {
    this.served++;
    this.workAtNs = u64.MAX_VALUE;
    this.interrupts = true;
  }

  listen(): bool {
    this.interrupts = true;
    return monotonicNs() >= this.workAtNs;
  }
}

const device = new TimedDevice();
const queue = new RunQueue(0, 0);
let polling = changetype<HaltPolling>(<usize>0);

export function init(): void {
  registerPolledDevice(device, 0);
  polling = new HaltPolling();
}

export function begin(): void {
  polling.begin();
}

export function look(): bool {
  return polling.look(queue);
}

export function end(): void {
  polling.end();
}

export function serve(): void {
  device.serve();
}

export function workAt(timeNs: u64): void {
  device.workAtNs = timeNs;
}

export function interrupts(): bool {
  return device.interrupts;
}

export function served(): u32 {
  return device.served;
}

export function looks(): u32 {
  return device.looks;
}
