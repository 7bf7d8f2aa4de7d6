/**
 * The machine around a device model: registers at an address, an I/O APIC to route its interrupt.
 * For test entries that call `addIoApic(IO_APIC_ADDRESS, 0)`.
 */
import type { Device, KernelModule } from "../../../compiler/testing.ts";

/** Far from anything the module under test has in memory. */
export const REGISTERS = 0xfeb00000n;
export const IO_APIC = 0xfec00000n;
const IO_APIC_PINS = 24;

/** An I/O APIC of which only the version register (82093AA, section 3.2.2) matters. */
class IoApicModel implements Device {
  #selected = 0;

  read(): bigint {
    return this.#selected === 1 ? BigInt((IO_APIC_PINS - 1) << 16) : 0n;
  }

  write(offset: number, _bits: number, value: bigint): void {
    if (offset === 0) this.#selected = Number(value);
  }
}

/** Puts an I/O APIC at IO_APIC. */
export function installIoApic<E>(module: KernelModule<E>): void {
  module.hardware.mapDevice(IO_APIC, 0x20, new IoApicModel());
}

/** Puts `device` at REGISTERS and an I/O APIC at IO_APIC. */
export function installDevice<E>(module: KernelModule<E>, device: Device): void {
  module.hardware.mapDevice(REGISTERS, 0x200, device);
  installIoApic(module);
}
