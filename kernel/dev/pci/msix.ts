/**
 * MSI-X: interrupts as memory writes (PCI Local Bus Specification 3.0, section 6.8.2).
 *
 * Neighbours: `arch/irq` hands out vectors; `pci/virtio-pci` uses it.
 */
import { mmioWrite32 } from "../../arch/cpu";
import { InterruptHandler, msiAddress, msiData, registerMsi } from "../../arch/irq";
import { EBUSY, EIO, ENODEV } from "../../lib/errno";
import { PciFunction } from "./function";

const CAPABILITY_MSIX: u8 = 0x11;
const CONTROL: u32 = 2;
const TABLE: u32 = 4;
const CONTROL_ENABLE: u16 = 1 << 15;
const CONTROL_MASK_ALL: u16 = 1 << 14;
const CONTROL_SIZE: u16 = 0x7ff;
const TABLE_BAR: u32 = 7;

const ENTRY_BYTES: u32 = 16;
const ENTRY_ADDRESS: usize = 0;
const ENTRY_ADDRESS_HIGH: usize = 4;
const ENTRY_DATA: usize = 8;
const ENTRY_CONTROL: usize = 12;

export class MsixTable {
  private capability: u32 = 0;
  private table: usize = 0;
  /** Number of entries. */
  size: u32 = 0;

  constructor(readonly device: PciFunction) {}

  /** Finds and maps the table. @returns 0, -ENODEV without MSI-X, -EIO if it cannot be reached */
  open(): i32 {
    this.capability = this.device.capability(CAPABILITY_MSIX);
    if (this.capability == 0) return -ENODEV;
    this.size = <u32>(this.device.read16(this.capability + CONTROL) & CONTROL_SIZE) + 1;
    const table = this.device.read32(this.capability + TABLE);
    this.table = this.device.map(table & TABLE_BAR, table & ~TABLE_BAR, this.size * ENTRY_BYTES);
    return this.table == 0 ? -EIO : 0;
  }

  /**
   * Sends entry `index` to `handler` on a processor, this one if need be, and unmasks it.
   * @returns 0, -EIO, -EBUSY without vectors
   */
  connect(index: u32, handler: InterruptHandler, target: u32): i32 {
    if (index >= this.size) return -EIO;
    const vector = registerMsi(handler);
    if (vector == 0) return -EBUSY;
    const entry = this.table + <usize>index * ENTRY_BYTES;
    const address = msiAddress(target);
    mmioWrite32(entry + ENTRY_ADDRESS, <u32>address);
    mmioWrite32(entry + ENTRY_ADDRESS_HIGH, <u32>(address >> 32));
    mmioWrite32(entry + ENTRY_DATA, msiData(vector));
    mmioWrite32(entry + ENTRY_CONTROL, 0);
    return 0;
  }

  /** Lets the function send messages; unconnected entries stay masked, as after reset. */
  enable(): void {
    const control = this.device.read16(this.capability + CONTROL);
    this.device.write16(this.capability + CONTROL, (control | CONTROL_ENABLE) & ~CONTROL_MASK_ALL);
  }
}
