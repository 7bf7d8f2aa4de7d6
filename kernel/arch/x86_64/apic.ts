/**
 * The local APIC: interrupts of this processor, and its one-shot timer (Intel SDM vol. 3 §11).
 *
 * x2APIC (registers are MSRs) where offered, the memory window otherwise.
 */
import { cpuid, mmioRead32, mmioWrite32, pause, rdmsr, wrmsr } from "./hw";
import { silenceLegacyPic } from "./pic";

const MSR_APIC_BASE: u32 = 0x1b;
const APIC_BASE_ENABLED: u64 = 0x800;
const APIC_BASE_X2: u64 = 0x400;
const CPUID1_ECX_X2APIC: u32 = 1 << 21;
const MSR_X2APIC: u32 = 0x800;

const REGISTER_ID: u32 = 0x20;
const REGISTER_TASK_PRIORITY: u32 = 0x80;
const REGISTER_END_OF_INTERRUPT: u32 = 0xb0;
const REGISTER_SPURIOUS: u32 = 0xf0;
const REGISTER_COMMAND: u32 = 0x300;
const REGISTER_COMMAND_HIGH: u32 = 0x310;
const REGISTER_TIMER: u32 = 0x320;
const REGISTER_LINT0: u32 = 0x350;
const REGISTER_LINT1: u32 = 0x360;
const REGISTER_INITIAL_COUNT: u32 = 0x380;
const REGISTER_CURRENT_COUNT: u32 = 0x390;
const REGISTER_DIVIDE: u32 = 0x3e0;

const APIC_SOFTWARE_ENABLE: u32 = 0x100;
const MASKED: u32 = 0x10000;
const DIVIDE_BY_1: u32 = 0xb;

/** Interrupt command: delivery modes and states. */
const COMMAND_INIT: u32 = 0x4500;
const COMMAND_STARTUP: u32 = 0x4600;
const COMMAND_FIXED: u32 = 0x4000;
const COMMAND_PENDING: u32 = 0x1000;

export const VECTOR_TIMER: u32 = 0xf0;
/** Another processor wants this one to look at its run queue and its threads' signals. */
export const VECTOR_RESCHEDULE: u32 = 0xf1;
/** Another processor wants this one to forget translations. */
export const VECTOR_FLUSH: u32 = 0xf2;
export const VECTOR_SPURIOUS: u32 = 0xff;

/** Physical address of the register window. */
export const APIC_WINDOW: u64 = 0xfee00000;

let x2apic: bool = false;
let window: usize = 0;

/** True if this processor's APIC is used through MSRs, so that no window need be mapped. */
export function hasX2apic(): bool {
  return (cpuid(1, 0, 2) & CPUID1_ECX_X2APIC) != 0;
}

/**
 * Enables the local APIC with its timer masked.
 * @param mappedWindow where APIC_WINDOW is mapped; 0 if `hasX2apic()`
 */
export function initLocalApic(mappedWindow: usize): void {
  x2apic = hasX2apic();
  window = mappedWindow;
  let base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLED;
  if (x2apic) base |= APIC_BASE_X2;
  wrmsr(MSR_APIC_BASE, base);
  write(REGISTER_SPURIOUS, APIC_SOFTWARE_ENABLE | VECTOR_SPURIOUS);
  write(REGISTER_TASK_PRIORITY, 0);
  silenceLegacyPic();
  write(REGISTER_LINT0, MASKED);
  write(REGISTER_LINT1, MASKED);
  write(REGISTER_DIVIDE, DIVIDE_BY_1);
  write(REGISTER_TIMER, MASKED | VECTOR_TIMER);
}

/** Starts the one-shot timer: an interrupt at VECTOR_TIMER after `ticks`; 0 stops it. */
export function startApicTimer(ticks: u32): void {
  write(REGISTER_INITIAL_COUNT, ticks);
}

/** Lets the timer raise its interrupt, or not (calibration). */
export function unmaskApicTimer(): void {
  write(REGISTER_TIMER, VECTOR_TIMER);
}

/** Ticks left of the running one-shot. */
export function apicTimerCount(): u32 {
  return read(REGISTER_CURRENT_COUNT);
}

/** Tells the APIC that the interrupt in service has been handled. */
export function endOfInterrupt(): void {
  write(REGISTER_END_OF_INTERRUPT, 0);
}

/** This processor's APIC id. */
export function apicId(): u32 {
  const id = read(REGISTER_ID);
  return x2apic ? id : id >> 24;
}

/** Raises `vector` on the processor with APIC id `target`. */
export function sendInterrupt(target: u32, vector: u32): void {
  command(target, COMMAND_FIXED | vector);
}

/** Resets another processor, so that it waits for a start-up interrupt. */
export function sendInit(target: u32): void {
  command(target, COMMAND_INIT);
}

/** Starts another processor in real mode at physical page number `page` (below 256). */
export function sendStartup(target: u32, page: u32): void {
  command(target, COMMAND_STARTUP | page);
}

function command(target: u32, low: u32): void {
  if (x2apic) {
    wrmsr(MSR_X2APIC + (REGISTER_COMMAND >> 4), ((<u64>target) << 32) | low);
    return;
  }
  while ((read(REGISTER_COMMAND) & COMMAND_PENDING) != 0) pause();
  write(REGISTER_COMMAND_HIGH, target << 24);
  write(REGISTER_COMMAND, low);
}

function write(register: u32, value: u32): void {
  if (x2apic) wrmsr(MSR_X2APIC + (register >> 4), value);
  else mmioWrite32(window + register, value);
}

function read(register: u32): u32 {
  if (x2apic) return <u32>rdmsr(MSR_X2APIC + (register >> 4));
  return mmioRead32(window + register);
}
