/**
 * Finds virtio-mmio devices: announced on the command line, else at the places where QEMU's microvm
 * puts them.
 *
 * A microvm with ACPI announces nothing on the command line, and describes its devices only in AML,
 * which we do not interpret. Its layout is fixed: windows of 512 bytes from 0xfeb00000; with one I/O
 * APIC 8 of them with GSIs from 16 (from 5 without ACPI), with two 24 of them with GSIs from 24.
 *
 * Neighbours: `mmio/command-line` parses the words; `driver` starts what is found.
 */
import { monitorLineAddress, monitorLineLength } from "../../arch/bootinfo";
import { free } from "../../lib/object";
import { mapKernel } from "../../mm/pagetable";
import { startVirtioDevice } from "../driver";
import { MmioAnnouncement, nextAnnouncement } from "./command-line";
import { MmioTransport } from "./virtio-mmio";

const PAGE_BYTES: u64 = 4096;
/** Registers up to the end of the configuration space. */
const WINDOW_BYTES: u64 = 0x200;

const MICROVM_BASE: u64 = 0xfeb00000;
const MICROVM_FIRST_GSI: u32 = 16;
const MICROVM_FIRST_GSI_NO_ACPI: u32 = 5;
const MICROVM_WINDOWS: u32 = 8;
const MICROVM_SECOND_IO_APIC_GSI: u32 = 24;
const MICROVM_SECOND_IO_APIC_WINDOWS: u32 = 24;

/** The page mapped last: neighbouring windows share pages. */
let mappedPage: u64 = u64.MAX_VALUE;
let mappedAddress: usize = 0;

/** Starts the devices announced on the command line. @returns how many were announced */
export function startAnnouncedDevices(): u32 {
  const announcement = new MmioAnnouncement();
  const text = monitorLineAddress();
  const length = monitorLineLength();
  let count: u32 = 0;
  let from: usize = 0;
  while (nextAnnouncement(text, length, from, announcement)) {
    from = announcement.next;
    if (announcement.sizeBytes < WINDOW_BYTES) continue;
    startAt(announcement.base, announcement.irq);
    count++;
  }
  free(announcement);
  return count;
}

/**
 * Looks at microvm's places. Call it only where nothing else can live there: no PCI bus, no words on
 * the command line.
 * @param ioApics number of I/O APICs the ACPI tables list, 0 without ACPI
 */
export function probeMicrovmWindows(ioApics: u32): void {
  let gsi = ioApics == 0 ? MICROVM_FIRST_GSI_NO_ACPI : MICROVM_FIRST_GSI;
  let windows = MICROVM_WINDOWS;
  if (ioApics > 1) {
    gsi = MICROVM_SECOND_IO_APIC_GSI;
    windows = MICROVM_SECOND_IO_APIC_WINDOWS;
  }
  for (let i: u32 = 0; i < windows; i++) startAt(MICROVM_BASE + i * WINDOW_BYTES, gsi + i);
}

function startAt(base: u64, gsi: u32): void {
  const registers = mapWindow(base);
  if (registers == 0) return;
  const transport = new MmioTransport(registers, gsi);
  if (!transport.probe() || !startVirtioDevice(transport)) free(transport);
}

function mapWindow(base: u64): usize {
  const page = base & ~(PAGE_BYTES - 1);
  const offset = <usize>(base - page);
  if (page == mappedPage && offset + WINDOW_BYTES <= PAGE_BYTES) return mappedAddress + offset;
  const address = mapKernel(page, <usize>(offset + WINDOW_BYTES), 0);
  if (address == 0) return 0;
  mappedPage = page;
  mappedAddress = address;
  return address + offset;
}
