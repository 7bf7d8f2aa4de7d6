/** Surface of the virtio console driver for its tests; ports by number, never sleeping. */
import { dispatchInterrupt } from "../../arch/irq";
import { addIoApic } from "../../arch/x86_64/ioapic";
import { findPort } from "../console/ports";
import { CharacterDevice } from "../character";
import { MmioTransport } from "../mmio/virtio-mmio";
import { VirtioConsoleDriver } from "./console";

const FIRST_VECTOR: u32 = 0x30;
const GSI: u32 = 5;

export function start(registers: usize, ioApic: usize): i32 {
  addIoApic(ioApic, 0);
  const transport = new MmioTransport(registers, GSI);
  if (!transport.probe()) return 1;
  return new VirtioConsoleDriver().startVirtio(transport);
}

export function interrupt(): void {
  dispatchInterrupt(FIRST_VECTOR);
}

/** Address of the port, which the device must have announced. */
export function find(which: u32): usize {
  let port: CharacterDevice | null = null;
  if (which == 0) port = findPort("console");
  else if (which == 1) port = findPort("stdin");
  else port = findPort("stdout");
  return changetype<usize>(port);
}

export function read(port: usize, buffer: usize, length: usize): i64 {
  return changetype<CharacterDevice>(port).read(buffer, length, true);
}

export function write(port: usize, buffer: usize, length: usize): i64 {
  return changetype<CharacterDevice>(port).write(buffer, length, true);
}

export function poll(port: usize): u32 {
  return changetype<CharacterDevice>(port).poll(null);
}

export function ioctl(port: usize, request: u32, argument: usize): i64 {
  return changetype<CharacterDevice>(port).ioctl(request, argument);
}
