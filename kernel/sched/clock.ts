/**
 * Time: the time stamp counter scaled to nanoseconds, and the one-shot timer of the local APIC.
 *
 * The frequencies come from the hypervisor where it tells them (kvmclock), else from the PIT: half a
 * millisecond at boot, made precise later (`refineClock`) while PIT channel 2 still counts, which
 * costs no waiting. MC146818/PIT facts: Intel 82C54 data sheet; port 0x61: ICH9 data sheet §13.7.1.
 *
 * ns = baseNs + ((tsc - baseTsc) * multiplier) >> 32. The vDSO computes the same from the same
 * numbers, which `setClockListener` passes on whenever they change.
 */
import {
  cpuid,
  mulHighU64,
  outb,
  inb,
  rdtsc,
  wrmsr,
  restoreFlags,
  saveFlagsCli,
} from "../arch/cpu";
import { apicTimerCount, startApicTimer, unmaskApicTimer } from "../arch/x86_64/apic";
import { logDec } from "../lib/log";

const PIT_HZ: u64 = 1193182;
const PIT_CHANNEL_2: u16 = 0x42;
const PIT_COMMAND: u16 = 0x43;
const PIT_GATE: u16 = 0x61;
const PIT_GATE_OPEN: u8 = 0x01;
const PIT_SPEAKER: u8 = 0x02;
const PIT_OUTPUT: u8 = 0x20;
const PIT_ONE_SHOT_CHANNEL_2: u8 = 0xb0;
const PIT_LATCH_CHANNEL_2: u8 = 0x80;
const PIT_FULL: u32 = 0xffff;
/** Half a millisecond in PIT counts. */
const PIT_SHORT: u32 = 597;
/** A PIT that has not moved after this many reads is not there. */
const PIT_MAX_READS: u32 = 100000;

const NS_PER_SECOND: u64 = 1_000_000_000;
/** What a machine without any clock to compare with is assumed to run at. */
const ASSUMED_TSC_HZ: u64 = 1_000_000_000;

/** Hypervisor leaves (Linux Documentation/virt/kvm/x86/cpuid.rst, msr.rst). */
const CPUID_KVM_SIGNATURE: u32 = 0x40000000;
const CPUID_KVM_FEATURES: u32 = 0x40000001;
const KVM_SIGNATURE_EBX: u32 = 0x4b4d564b; // "KVMK"
const KVM_FEATURE_CLOCKSOURCE2: u32 = 1 << 3;
const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b564d01;
/** Offsets in pvclock_vcpu_time_info. */
const PVCLOCK_MULTIPLIER: usize = 24;
const PVCLOCK_SHIFT: usize = 28;

let multiplier: u64 = 1 << 32;
let baseTsc: u64 = 0;
let baseNs: u64 = 0;
/** Real time minus monotonic time. */
let realtimeOffsetNs: i64 = 0;
/** APIC timer ticks per nanosecond, 32 fractional bits. */
let apicTicksPerNs: u64 = 1 << 32;
let calibrationTsc: u64 = 0;
let calibrationPit: u32 = 0;
let calibrationApic: u32 = 0;
let refined: bool = false;
let pvclockArea: usize = 0;
let listener: (() => void) | null = null;

/** Nanoseconds since the kernel's clock started. Never goes back. */
export function monotonicNs(): u64 {
  return baseNs + scale(rdtsc() - baseTsc, multiplier);
}

/** Nanoseconds since 1970-01-01 00:00 UTC. */
export function realtimeNs(): u64 {
  return monotonicNs() + <u64>realtimeOffsetNs;
}

/** Sets the real-time clock. */
export function setRealtime(nowNs: u64): void {
  realtimeOffsetNs = <i64>(nowNs - monotonicNs());
  notifyListener();
}

/** Registers what is called when one of the numbers below changes (the vDSO's data page). */
export function setClockListener(changed: () => void): void {
  listener = changed;
  changed();
}

/** Nanoseconds per TSC tick, 32 fractional bits. */
export function clockMultiplier(): u64 {
  return multiplier;
}

/** The TSC at `clockBaseNs`. */
export function clockBaseTsc(): u64 {
  return baseTsc;
}

/** Monotonic time at `clockBaseTsc`. */
export function clockBaseNs(): u64 {
  return baseNs;
}

/** Real time minus monotonic time, in nanoseconds. */
export function clockRealtimeOffsetNs(): i64 {
  return realtimeOffsetNs;
}

/** value * factor / 2^32 with a 128-bit product. */
function scale(value: u64, factor: u64): u64 {
  return (mulHighU64(value, factor) << 32) | ((value * factor) >> 32);
}

/** Starts the clock at the TSC the kernel was entered with. The local APIC must be enabled. */
export function initClock(): void {
  baseTsc = rdtsc();
  startApicTimer(u32.MAX_VALUE);
  calibrationApic = apicTimerCount();
  const kvmHz = kvmTscHz();
  let tscHz: u64 = kvmHz;
  const flags = saveFlagsCli();
  startPit();
  calibrationPit = readPit();
  calibrationTsc = rdtsc();
  let count = calibrationPit;
  let reads: u32 = 0;
  while (calibrationPit - count < PIT_SHORT && reads < PIT_MAX_READS) {
    count = readPit();
    reads++;
  }
  const tsc = rdtsc();
  const apic = calibrationApic - apicTimerCount();
  restoreFlags(flags);
  const pitTicks = <u64>(calibrationPit - count);
  if (pitTicks >= PIT_SHORT) {
    if (kvmHz == 0) tscHz = ((tsc - calibrationTsc) * PIT_HZ) / pitTicks;
  } else {
    refined = true; // nothing to refine against
    if (tscHz == 0) tscHz = ASSUMED_TSC_HZ;
  }
  if (kvmHz != 0) refined = true;
  multiplier = (NS_PER_SECOND << 32) / tscHz;
  setApicRate(apic, tsc - baseTsc);
  startApicTimer(0);
  unmaskApicTimer();
  logDec("clock: TSC Hz", tscHz);
}

/**
 * Measures again over the whole time since `initClock`, while the PIT has not run out (54 ms).
 * Call once when the boot is nearly over.
 */
export function refineClock(): void {
  if (refined) return;
  refined = true;
  const flags = saveFlagsCli();
  const count = readPit();
  const tsc = rdtsc();
  const expired = (inb(PIT_GATE) & PIT_OUTPUT) != 0;
  const pitTicks = <u64>(calibrationPit - count);
  if (!expired && count < calibrationPit && pitTicks > <u64>PIT_SHORT * 2) {
    const tscHz = ((tsc - calibrationTsc) * PIT_HZ) / pitTicks;
    const now = monotonicNs();
    baseTsc = rdtsc();
    baseNs = now;
    multiplier = (NS_PER_SECOND << 32) / tscHz;
    notifyListener();
  }
  restoreFlags(flags);
}

/** Programs the timer interrupt for monotonic time `deadlineNs`, or as near as the counter reaches. */
export function programTimer(deadlineNs: u64): void {
  const now = monotonicNs();
  const delta = deadlineNs > now ? deadlineNs - now : 0;
  let ticks = scale(delta, apicTicksPerNs) + 1;
  if (ticks > u32.MAX_VALUE) ticks = u32.MAX_VALUE;
  startApicTimer(<u32>ticks);
}

function setApicRate(apicTicks: u32, tscTicks: u64): void {
  const elapsedNs = scale(tscTicks, multiplier);
  if (elapsedNs != 0) apicTicksPerNs = ((<u64>apicTicks) << 32) / elapsedNs;
}

function notifyListener(): void {
  const changed = listener;
  if (changed) changed();
}

/** TSC frequency as KVM tells it through kvmclock; 0 if it does not. */
function kvmTscHz(): u64 {
  if ((cpuid(1, 0, 2) & 0x80000000) == 0) return 0;
  if (cpuid(CPUID_KVM_SIGNATURE, 0, 1) != KVM_SIGNATURE_EBX) return 0;
  if ((cpuid(CPUID_KVM_FEATURES, 0, 0) & KVM_FEATURE_CLOCKSOURCE2) == 0) return 0;
  if (pvclockArea == 0) return 0;
  // The area is filled in when it is registered; afterwards the TSC itself is read.
  wrmsr(MSR_KVM_SYSTEM_TIME_NEW, pvclockPhysical | 1);
  const factor = load<u32>(pvclockArea + PVCLOCK_MULTIPLIER);
  const shift = load<i8>(pvclockArea + PVCLOCK_SHIFT);
  wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
  if (factor == 0) return 0;
  // ns = (tsc << shift) * factor >> 32, so Hz = 10^9 * 2^32 / factor, shifted back.
  const hz = (NS_PER_SECOND << 32) / factor;
  return shift >= 0 ? hz >> shift : hz << -shift;
}

let pvclockPhysical: u64 = 0;

/** Lends `initClock` 64 bytes that the hypervisor may write to. */
export function lendPvclockArea(address: usize, physical: u64): void {
  pvclockArea = address;
  pvclockPhysical = physical;
}

function startPit(): void {
  outb(PIT_GATE, (inb(PIT_GATE) & ~PIT_SPEAKER) | PIT_GATE_OPEN);
  outb(PIT_COMMAND, PIT_ONE_SHOT_CHANNEL_2);
  outb(PIT_CHANNEL_2, <u8>PIT_FULL);
  outb(PIT_CHANNEL_2, <u8>(PIT_FULL >> 8));
}

function readPit(): u32 {
  outb(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
  const low = <u32>inb(PIT_CHANNEL_2);
  return low | ((<u32>inb(PIT_CHANNEL_2)) << 8);
}
