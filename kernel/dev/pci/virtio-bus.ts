/**
 * Joins virtio devices on PCI to the virtio drivers: a PCI driver that starts the transport and
 * offers it in turn.
 */
import { ENODEV } from "../../lib/errno";
import { Driver, startVirtioDevice } from "../driver";
import { PciFunction } from "./function";
import { PciTransport, virtioTypeOf } from "./virtio-pci";

export class VirtioPciBus extends Driver {
  constructor() {
    super();
    this.name = "virtio-pci";
  }

  matchesPci(device: PciFunction): bool {
    return virtioTypeOf(device) != 0;
  }

  startPci(device: PciFunction): i32 {
    const transport = new PciTransport(device);
    const result = transport.open();
    if (result != 0) {
      transport.dispose();
      return result;
    }
    if (startVirtioDevice(transport)) return 0;
    transport.dispose();
    return -ENODEV;
  }
}
