/**
 * All devices: what `main` calls to find and start them.
 *
 * Neighbours: `dev/acpi` says where interrupts go, `dev/mmio` and `dev/pci` are the buses,
 * `dev/driver` matches drivers.
 */
import { rsdpAddress } from "../arch/bootinfo";
import { ioApicCount } from "../arch/x86_64/ioapic";
import { initAcpi } from "./acpi/init";
import { initTerminals } from "./console/terminals";
import { registerDriver } from "./driver";
import "./memory-devices"; // registers its devices
import { probeMicrovmWindows, startAnnouncedDevices } from "./mmio/discovery";
import { hasPci, startPciBus } from "./pci/enumeration";
import { VirtioPciBus } from "./pci/virtio-bus";
import { VirtioBlockDriver } from "./virtio/blk";
import { VirtioConsoleDriver } from "./virtio/console";
import { VirtioNetDriver } from "./virtio/net";
import { VirtioEntropyDriver } from "./virtio/rng";

registerDriver(new VirtioEntropyDriver());
registerDriver(new VirtioConsoleDriver());
registerDriver(new VirtioBlockDriver());
registerDriver(new VirtioNetDriver());
registerDriver(new VirtioPciBus());

/**
 * Starts the drivers of all devices: interrupts must work and the scheduler run.
 *
 * Every access to a device register is an exit to the machine monitor, so nothing is looked for
 * where it cannot be: devices announced on the command line are all there are on such a machine,
 * except that a PCI bus, which one read shows, may come with them.
 */
export function initDevices(): void {
  initAcpi();
  const announced = startAnnouncedDevices();
  if (hasPci()) startPciBus();
  else if (announced == 0) probeMicrovmWindows(rsdpAddress() == 0 ? 0 : ioApicCount());
  initTerminals();
}
