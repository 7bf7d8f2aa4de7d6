/** Surface of the virtio network driver for its tests: a machine with two processors. */
import { addIoApic } from "../../arch/x86_64/ioapic";
import { MmioTransport } from "../mmio/virtio-mmio";
import { networkDevice, NetworkDevice } from "../network";
import { newPacket, Packet } from "../packet";
import { addProcessor } from "../processors";
import { VirtioNetDriver } from "./net";

const GSI: u32 = 5;

export function start(registers: usize, ioApic: usize): i32 {
  addIoApic(ioApic, 0);
  addProcessor(0);
  addProcessor(1);
  const transport = new MmioTransport(registers, GSI);
  if (!transport.probe()) return 1;
  return new VirtioNetDriver().startVirtio(transport);
}

function device(): NetworkDevice {
  return changetype<NetworkDevice>(networkDevice());
}

export function spread(processors: u32): void {
  device().spread(processors);
}

/** Sends a frame of `length` zero bytes on a queue. */
export function send(queue: u8, length: u32): void {
  const packet = changetype<Packet>(newPacket(length));
  packet.length = length;
  packet.sendQueue = queue;
  memory.fill(packet.data, 0, length);
  device().transmit(packet);
}

export function hasTaken(queue: u8): bool {
  return device().hasTaken(queue, device().sendNumber(queue));
}
