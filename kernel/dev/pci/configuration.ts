/**
 * PCI configuration space through configuration mechanism #1: the address in port 0xcf8, the data in
 * port 0xcfc (PCI Local Bus Specification 3.0, section 3.2.2.3.2).
 *
 * The memory-mapped mechanism (ECAM) reaches further registers, which no driver here needs, and has
 * to be looked for in the ACPI tables first: the ports are always in the same place.
 *
 * Lock: `lock` keeps address and data together. Neighbours: `pci/function`, `pci/enumeration`.
 */
import { inb, inl, inw, outl, outw } from "../../arch/cpu";
import { SpinLock } from "../../arch/spinlock";

const ADDRESS_PORT: u16 = 0xcf8;
const DATA_PORT: u16 = 0xcfc;
const ENABLE: u32 = 0x80000000;

const lock = new SpinLock();

/** Bus, device and function packed as configuration addresses want them. */
export function pciAddress(bus: u32, device: u32, fn: u32): u32 {
  return ENABLE | (bus << 16) | (device << 11) | (fn << 8);
}

export function readConfiguration8(address: u32, offset: u32): u8 {
  lock.acquire();
  outl(ADDRESS_PORT, address | (offset & 0xfc));
  const value = inb(DATA_PORT + <u16>(offset & 3));
  lock.release();
  return value;
}

export function readConfiguration16(address: u32, offset: u32): u16 {
  lock.acquire();
  outl(ADDRESS_PORT, address | (offset & 0xfc));
  const value = inw(DATA_PORT + <u16>(offset & 2));
  lock.release();
  return value;
}

export function readConfiguration32(address: u32, offset: u32): u32 {
  lock.acquire();
  outl(ADDRESS_PORT, address | (offset & 0xfc));
  const value = inl(DATA_PORT);
  lock.release();
  return value;
}

export function writeConfiguration16(address: u32, offset: u32, value: u16): void {
  lock.acquire();
  outl(ADDRESS_PORT, address | (offset & 0xfc));
  outw(DATA_PORT + <u16>(offset & 2), value);
  lock.release();
}

export function writeConfiguration32(address: u32, offset: u32, value: u32): void {
  lock.acquire();
  outl(ADDRESS_PORT, address | (offset & 0xfc));
  outl(DATA_PORT, value);
  lock.release();
}
