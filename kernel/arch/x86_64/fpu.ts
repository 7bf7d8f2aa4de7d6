/**
 * Floating-point and vector registers of application threads. The kernel itself is compiled without
 * them, so they change hands only when another application thread runs.
 *
 * XSAVE where the processor has it, FXSAVE otherwise (Intel SDM vol. 1 §13). The standard (not the
 * compacted) XSAVE layout is used because Linux puts the same bytes into signal frames.
 */
import { cpuid, fxrstor, fxsave, readCr4, writeCr4, xrstor, xsave, xsetbv } from "./hw";

const CR4_OSXSAVE: u64 = 1 << 18;
const CPUID1_ECX_XSAVE: u32 = 1 << 26;
/** x87, SSE, AVX, AVX-512 (three parts): the components Linux enables without being asked. */
const WANTED_COMPONENTS: u64 = 0x1 | 0x2 | 0x4 | 0xe0;
const LEGACY_BYTES: u32 = 512;

let components: u64 = 0;
let areaBytes: u32 = LEGACY_BYTES;

/** What this processor has of the wanted components; 0 without XSAVE. */
function offeredComponents(): u64 {
  if ((cpuid(1, 0, 2) & CPUID1_ECX_XSAVE) == 0) return 0;
  return (<u64>cpuid(0xd, 0, 0) | ((<u64>cpuid(0xd, 0, 3)) << 32)) & WANTED_COMPONENTS;
}

/** Enables the vector units of this processor. Uses no variables: they are not initialised yet. */
export function enableVectorUnits(): void {
  const offered = offeredComponents();
  if (offered == 0) return;
  writeCr4(readCr4() | CR4_OSXSAVE);
  xsetbv(0, offered);
}

/** Learns what the vector units need. */
export function initFpu(): void {
  components = offeredComponents();
  if (components != 0) areaBytes = cpuid(0xd, 0, 1);
}

/** Bytes of a save area; it must be aligned to 64. */
export function fpuAreaBytes(): u32 {
  return areaBytes;
}

/** The XCR0 components in use; 0 without XSAVE. */
export function fpuComponents(): u64 {
  return components;
}

/** Writes the state a fresh program starts with into `area` (zeroed memory). */
export function fpuInitialise(area: usize): void {
  memory.fill(area, 0, areaBytes);
  store<u16>(area, 0x37f); // x87 control word: all exceptions masked, 64-bit precision
  store<u32>(area + 24, 0x1f80); // MXCSR: all exceptions masked
  if (components != 0) store<u64>(area + 512, 3); // XSTATE_BV: x87 and SSE are in the area
}

/** Saves the registers to `area`. */
export function fpuSave(area: usize): void {
  if (components != 0) xsave(area, components);
  else fxsave(area);
}

/** Loads the registers from `area`, whose contents must have been made or checked by the kernel. */
export function fpuRestore(area: usize): void {
  if (components != 0) xrstor(area, components);
  else fxrstor(area);
}
