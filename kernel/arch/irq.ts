/**
 * Device interrupts: who handles which vector.
 *
 * Vectors 0x30 to 0xef are handed out one to each source. A wire shared by several devices (PCI INTx)
 * has a chain of handlers, all of which are called. Handlers run with interrupts off and must not
 * sleep; they wake threads.
 *
 * Neighbours: x86_64/apic, x86_64/ioapic; kernel/trap.ts calls `dispatchInterrupt`.
 */
import { EBUSY, ENODEV } from "../lib/errno";
import { apicId, endOfInterrupt } from "./x86_64/apic";
import { isaIsActiveLow, isaIsLevelTriggered, isaToGsi, routeGsi } from "./x86_64/ioapic";

const FIRST_VECTOR: u32 = 0x30;
const LAST_VECTOR: u32 = 0xef;
const MAX_GSI: u32 = 256;
const MSI_WINDOW: u64 = 0xfee00000;

export abstract class InterruptHandler {
  /** The next handler on the same wire. */
  nextHandler: InterruptHandler | null = null;
  /** Serves the device. Interrupt context: no sleeping. */
  abstract handle(): void;
}

const handlers = new StaticArray<InterruptHandler | null>(256);
const gsiVectors = new StaticArray<u8>(MAX_GSI);
let nextVector: u32 = FIRST_VECTOR;

/** Registers a handler for ISA interrupt line `irq` (0 to 15). */
export function registerIsaIrq(irq: u32, handler: InterruptHandler): i32 {
  return registerGsi(isaToGsi(irq), isaIsLevelTriggered(irq), isaIsActiveLow(irq), handler);
}

/**
 * Registers a handler for global system interrupt `gsi` and unmasks it.
 * @returns 0, -ENODEV if no I/O APIC has that input, -EBUSY if all vectors are taken
 */
export function registerGsi(
  gsi: u32,
  levelTriggered: bool,
  activeLow: bool,
  handler: InterruptHandler,
): i32 {
  if (gsi >= MAX_GSI) return -ENODEV;
  const existing = gsiVectors[gsi];
  if (existing != 0) {
    handler.nextHandler = handlers[existing];
    handlers[existing] = handler;
    return 0;
  }
  const vector = registerMsi(handler);
  if (vector == 0) return -EBUSY;
  if (!routeGsi(gsi, vector, apicId(), levelTriggered, activeLow)) {
    handlers[vector] = null;
    return -ENODEV;
  }
  gsiVectors[gsi] = <u8>vector;
  return 0;
}

/** Reserves a vector for message-signalled interrupts; 0 if none is left. */
export function registerMsi(handler: InterruptHandler): u32 {
  if (nextVector > LAST_VECTOR) return 0;
  const vector = nextVector++;
  handlers[vector] = handler;
  return vector;
}

/** Address a device writes to for an interrupt on a processor (Intel SDM vol. 3 §11.11). */
export function msiAddress(target: u32): u64 {
  return MSI_WINDOW | ((<u64>target) << 12);
}

/** Data a device writes for `vector`, edge-triggered. */
export function msiData(vector: u32): u32 {
  return vector;
}

/** Calls the handlers of `vector`. Interrupts are off. */
export function dispatchInterrupt(vector: u32): void {
  let handler = handlers[vector];
  while (handler) {
    handler.handle();
    handler = handler.nextHandler;
  }
  endOfInterrupt();
}
