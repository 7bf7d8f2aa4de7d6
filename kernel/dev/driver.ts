/**
 * What a driver declares and how buses find the driver of a device.
 *
 * A driver says which devices it serves; a bus offers each device it finds to the drivers in turn,
 * and the first that matches starts it. To add a driver, subclass `Driver` and register it in
 * `dev/devices`.
 *
 * Neighbours: `mmio/discovery` and `pci/enumeration` offer devices.
 */
import { ENODEV } from "../lib/errno";
import { log, logDec, logText } from "../lib/log";
import { PciFunction } from "./pci/function";
import { Transport } from "./virtio/transport";

export abstract class Driver {
  /** Name for the boot log. */
  name: string = "";
  /** Next registered driver. */
  next: Driver | null = null;

  /** True if the driver serves virtio devices of `deviceType` (on any bus). */
  matchesVirtio(deviceType: u32): bool {
    return false;
  }

  /** Starts a virtio device. @returns 0 or a negative errno */
  startVirtio(transport: Transport): i32 {
    return -ENODEV;
  }

  /** True if the driver serves this PCI function. */
  matchesPci(device: PciFunction): bool {
    return false;
  }

  /** Starts a PCI function. @returns 0 or a negative errno */
  startPci(device: PciFunction): i32 {
    return -ENODEV;
  }
}

let drivers: Driver | null = null;

/** Makes a driver known to the buses; call it before they are scanned. */
export function registerDriver(driver: Driver): void {
  driver.next = drivers;
  drivers = driver;
}

/** Offers a virtio device to the drivers. @returns true if one started it */
export function startVirtioDevice(transport: Transport): bool {
  let driver = drivers;
  while (driver) {
    if (driver.matchesVirtio(transport.deviceType)) {
      return report(driver, driver.startVirtio(transport), transport.describe());
    }
    driver = driver.next;
  }
  return false;
}

/** Offers a PCI function to the drivers. @returns true if one started it */
export function startPciDevice(device: PciFunction): bool {
  let driver = drivers;
  while (driver) {
    if (driver.matchesPci(device)) return report(driver, driver.startPci(device), "pci");
    driver = driver.next;
  }
  return false;
}

function report(driver: Driver, result: i32, where: string): bool {
  logText(driver.name);
  logText(": ");
  logText(where);
  if (result == 0) {
    log(": started");
    return true;
  }
  logDec(": failed to start, error", <u64>-result);
  return false;
}
