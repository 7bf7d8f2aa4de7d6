/**
 * Walks the PCI buses and offers each function to the drivers.
 *
 * Base addresses and bus numbers are those the firmware assigned.
 * Neighbours: `pci/function`; `driver` matches and starts.
 */
import { free } from "../../lib/object";
import { startPciDevice } from "../driver";
import { pciAddress, readConfiguration32, readConfiguration8 } from "./configuration";
import { PciFunction } from "./function";

const IDENTITY: u32 = 0x00;
const HEADER_TYPE: u32 = 0x0e;
const SECONDARY_BUS: u32 = 0x19;
const HEADER_MULTIFUNCTION: u8 = 0x80;
const HEADER_LAYOUT: u8 = 0x7f;
const LAYOUT_DEVICE: u8 = 0;
const LAYOUT_BRIDGE: u8 = 1;
const NO_DEVICE: u32 = 0xffffffff;
const DEVICES: u32 = 32;
const FUNCTIONS: u32 = 8;

/** True if there is a PCI bus. */
export function hasPci(): bool {
  return readConfiguration32(pciAddress(0, 0, 0), IDENTITY) != NO_DEVICE;
}

/** Starts the devices on bus `bus` and the buses behind it. */
export function startPciBus(bus: u32 = 0): void {
  for (let device: u32 = 0; device < DEVICES; device++) {
    let functions: u32 = 1;
    for (let fn: u32 = 0; fn < functions; fn++) {
      const address = pciAddress(bus, device, fn);
      const identity = readConfiguration32(address, IDENTITY);
      if (identity == NO_DEVICE) continue;
      const header = readConfiguration8(address, HEADER_TYPE);
      if (fn == 0 && (header & HEADER_MULTIFUNCTION) != 0) functions = FUNCTIONS;
      const layout = header & HEADER_LAYOUT;
      if (layout == LAYOUT_BRIDGE) {
        const secondary: u32 = readConfiguration8(address, SECONDARY_BUS);
        // Bus numbers grow away from the root; anything else would loop.
        if (secondary > bus) startPciBus(secondary);
      } else if (layout == LAYOUT_DEVICE) {
        const found = new PciFunction(address, identity);
        if (!startPciDevice(found)) free(found);
      }
    }
  }
}
