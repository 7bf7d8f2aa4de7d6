/**
 * I/O APICs: wires of devices (global system interrupts, GSI) to vectors of processors.
 * Intel 82093AA data sheet §3; ACPI 6.5 §5.2.12 (MADT) says where they are and which GSIs they serve.
 *
 * Neighbours: dev/acpi (finds them), irq.ts (hands out vectors).
 */
import { mmioRead32, mmioWrite32 } from "./hw";

const MAX_IO_APICS: u32 = 4;
const SELECT: usize = 0x00;
const WINDOW: usize = 0x10;
const REGISTER_VERSION: u32 = 1;
const REGISTER_REDIRECTION: u32 = 0x10;
const MASKED: u32 = 0x10000;
const LEVEL: u32 = 0x8000;
const ACTIVE_LOW: u32 = 0x2000;

const windows = new StaticArray<usize>(MAX_IO_APICS);
const firstGsis = new StaticArray<u32>(MAX_IO_APICS);
const pinCounts = new StaticArray<u32>(MAX_IO_APICS);
let count: u32 = 0;

/** Where ISA interrupts arrive when they do not at the GSI of the same number. */
const isaGsi = new StaticArray<u8>(16);
const isaFlags = new StaticArray<u8>(16);
const ISA_OVERRIDDEN: u8 = 0x80;

/** Adds an I/O APIC whose registers are mapped at `window` and whose pin 0 is GSI `firstGsi`. */
export function addIoApic(window: usize, firstGsi: u32): void {
  if (count == MAX_IO_APICS) return;
  windows[count] = window;
  firstGsis[count] = firstGsi;
  mmioWrite32(window + SELECT, REGISTER_VERSION);
  pinCounts[count] = ((mmioRead32(window + WINDOW) >> 16) & 0xff) + 1;
  count++;
}

/** Number of I/O APICs known. */
export function ioApicCount(): u32 {
  return count;
}

/** Records an interrupt source override of the MADT. */
export function setIsaOverride(irq: u32, gsi: u32, levelTriggered: bool, activeLow: bool): void {
  if (irq >= 16) return;
  isaGsi[irq] = <u8>gsi;
  isaFlags[irq] = ISA_OVERRIDDEN | (levelTriggered ? 1 : 0) | (activeLow ? 2 : 0);
}

/** The GSI at which ISA interrupt `irq` arrives. */
export function isaToGsi(irq: u32): u32 {
  return isaFlags[irq] & ISA_OVERRIDDEN ? isaGsi[irq] : irq;
}

export function isaIsLevelTriggered(irq: u32): bool {
  return (isaFlags[irq] & 1) != 0;
}

export function isaIsActiveLow(irq: u32): bool {
  return (isaFlags[irq] & 2) != 0;
}

/** Routes `gsi` to `vector` of the processor with `apicId` and unmasks it; false if no pin has it. */
export function routeGsi(
  gsi: u32,
  vector: u32,
  apicId: u32,
  levelTriggered: bool,
  activeLow: bool,
): bool {
  for (let i: u32 = 0; i < count; i++) {
    const pin = gsi - firstGsis[i];
    if (gsi < firstGsis[i] || pin >= pinCounts[i]) continue;
    const register = REGISTER_REDIRECTION + pin * 2;
    writeRegister(i, register, MASKED);
    writeRegister(i, register + 1, apicId << 24);
    let low = vector;
    if (levelTriggered) low |= LEVEL;
    if (activeLow) low |= ACTIVE_LOW;
    writeRegister(i, register, low);
    return true;
  }
  return false;
}

function writeRegister(index: u32, register: u32, value: u32): void {
  mmioWrite32(windows[index] + SELECT, register);
  mmioWrite32(windows[index] + WINDOW, value);
}
