/**
 * One PCI function: identity, base address registers, capabilities
 * (PCI Local Bus Specification 3.0, sections 6.1, 6.2.5 and 6.7).
 *
 * Neighbours: `pci/enumeration` makes them, `pci/msix` and drivers use them.
 */
import { mapKernel } from "../../mm/pagetable";
import {
  readConfiguration16,
  readConfiguration32,
  readConfiguration8,
  writeConfiguration16,
} from "./configuration";

const COMMAND: u32 = 0x04;
const STATUS: u32 = 0x06;
const SUBSYSTEM_ID: u32 = 0x2e;
const BASE_ADDRESS: u32 = 0x10;
const CAPABILITIES: u32 = 0x34;

const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_BUS_MASTER: u16 = 1 << 2;
const COMMAND_NO_INTX: u16 = 1 << 10;
const STATUS_HAS_CAPABILITIES: u16 = 1 << 4;

const BAR_IO: u32 = 1;
const BAR_TYPE: u32 = 6;
const BAR_TYPE_64: u32 = 4;
const BAR_COUNT: u32 = 6;

/** Capabilities start after the standard header; a longer list than fits is a loop. */
const FIRST_CAPABILITY: u32 = 0x40;
export const MAX_CAPABILITIES: u32 = 48;

const PAGE_BYTES: u64 = 4096;

export class PciFunction {
  vendor: u16;
  deviceId: u16;
  /** Class code (bits 23-16), subclass (15-8) and programming interface (7-0). */
  classCode: u32;

  /** @param address as made by `pciAddress` */
  constructor(
    readonly address: u32,
    identity: u32,
  ) {
    this.vendor = <u16>identity;
    this.deviceId = <u16>(identity >> 16);
    this.classCode = this.read32(0x08) >> 8;
  }

  read8(offset: u32): u8 {
    return readConfiguration8(this.address, offset);
  }

  read16(offset: u32): u16 {
    return readConfiguration16(this.address, offset);
  }

  read32(offset: u32): u32 {
    return readConfiguration32(this.address, offset);
  }

  write16(offset: u32, value: u16): void {
    writeConfiguration16(this.address, offset, value);
  }

  /** Subsystem identity, which names the type of transitional virtio devices. */
  subsystemId(): u16 {
    return this.read16(SUBSYSTEM_ID);
  }

  /** Lets the function answer memory accesses and access memory itself; wires stay silent. */
  enable(): void {
    const command = this.read16(COMMAND);
    this.write16(COMMAND, command | COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_NO_INTX);
  }

  /**
   * Finds capability `id` after the one at `previous` (0 = from the start).
   * @returns its offset, 0 if there is none
   */
  capability(id: u8, previous: u32 = 0): u32 {
    let offset: u32;
    if (previous == 0) {
      if ((this.read16(STATUS) & STATUS_HAS_CAPABILITIES) == 0) return 0;
      offset = this.read8(CAPABILITIES) & 0xfc;
    } else {
      offset = this.read8(previous + 1) & 0xfc;
    }
    for (let i: u32 = 0; i < MAX_CAPABILITIES && offset >= FIRST_CAPABILITY; i++) {
      const header = this.read16(offset);
      if (<u8>header == id) return offset;
      offset = (header >> 8) & 0xfc;
    }
    return 0;
  }

  /** Physical address in memory base address register `index`; 0 if unassigned or for ports. */
  baseAddress(index: u32): u64 {
    if (index >= BAR_COUNT) return 0;
    const low = this.read32(BASE_ADDRESS + index * 4);
    if (low & BAR_IO) return 0;
    let address: u64 = low & ~0xf;
    if ((low & BAR_TYPE) == BAR_TYPE_64 && index + 1 < BAR_COUNT) {
      address |= (<u64>this.read32(BASE_ADDRESS + index * 4 + 4)) << 32;
    }
    return address;
  }

  /**
   * Maps `lengthBytes` bytes from `offset` of the memory that base address register `index` names.
   * @returns the address, 0 if there is no such memory or none for the page tables
   */
  map(index: u32, offset: u64, lengthBytes: u64): usize {
    const base = this.baseAddress(index);
    if (base == 0 || lengthBytes == 0) return 0;
    const start = base + offset;
    const page = start & ~(PAGE_BYTES - 1);
    const within = start - page;
    const mapped = mapKernel(page, <usize>(within + lengthBytes));
    return mapped == 0 ? 0 : mapped + <usize>within;
  }
}
