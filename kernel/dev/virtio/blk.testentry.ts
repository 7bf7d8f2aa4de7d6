/** Surface of the virtio block driver for its tests: requests by number, never sleeping. */
import { dispatchInterrupt } from "../../arch/irq";
import { addIoApic } from "../../arch/x86_64/ioapic";
import { blockDeviceAt, BlockDevice, BlockRequest } from "../block";
import { MmioTransport } from "../mmio/virtio-mmio";
import { VirtioBlockDriver } from "./blk";

const MAX_REQUESTS: i32 = 512;
const FIRST_VECTOR: u32 = 0x30;
const GSI: u32 = 5;

class NumberedRequest extends BlockRequest {
  completions: u32 = 0;

  completed(status: i32): void {
    this.completions++;
    super.completed(status);
  }
}

const requests = new StaticArray<NumberedRequest | null>(MAX_REQUESTS);

function device(): BlockDevice {
  return changetype<BlockDevice>(blockDeviceAt(0));
}

function request(number: u32): NumberedRequest {
  return changetype<NumberedRequest>(requests[number]);
}

export function start(registers: usize, ioApic: usize): i32 {
  addIoApic(ioApic, 0);
  const transport = new MmioTransport(registers, GSI);
  if (!transport.probe()) return 1;
  return new VirtioBlockDriver().startVirtio(transport);
}

export function interrupt(): void {
  dispatchInterrupt(FIRST_VECTOR);
}

export function sectorCount(): u64 {
  return device().sectorCount;
}

export function maxSegments(): u32 {
  return device().maxSegments;
}

export function isReadOnly(): bool {
  return device().readOnly;
}

export function prepare(number: u32, operation: u32, sector: u64): void {
  if (requests[number] == null) requests[number] = new NumberedRequest(128);
  request(number).reset(operation, sector);
  request(number).completions = 0;
}

export function addSegment(number: u32, physical: u64, lengthBytes: u32): bool {
  return request(number).addSegment(physical, lengthBytes);
}

export function segmentCount(number: u32): u32 {
  return request(number).segmentCount;
}

export function submit(number: u32): bool {
  return device().trySubmit(request(number));
}

export function status(number: u32): i32 {
  return request(number).status;
}

export function completions(number: u32): u32 {
  return request(number).completions;
}
