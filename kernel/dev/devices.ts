/**
 * All devices: what `main` calls to find and start them, in the order of the boot story.
 *
 * Neighbours: `dev/mmio` and `dev/pci` are the buses, `dev/driver` matches drivers.
 */

/** Finds the buses, starts the drivers; interrupts must work and the scheduler run. */
export function initDevices(): void {
  abort("unwritten");
}
