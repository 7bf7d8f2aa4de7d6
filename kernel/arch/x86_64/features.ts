/**
 * Protections, quick paths and vector units of the processor that are switched on once a CPU (Intel
 * SDM vol. 3 §2.5, §4.6).
 *
 * They come before all other code, even before the initialisers of modules: what they change is part
 * of the state that an emulator translates code for, and what ran before would be translated twice.
 */
import { enableVectorUnits } from "./fpu";
import { cpuid, readCr4, writeCr4 } from "./hw";
import { useStringCopy } from "./sym";

const CR4_UMIP: u64 = 1 << 11;
const CR4_SMEP: u64 = 1 << 20;
const CPUID7_EBX_SMEP: u32 = 1 << 7;
const CPUID7_EBX_FAST_STRING: u32 = 1 << 9;
const CPUID7_ECX_UMIP: u32 = 1 << 2;
const CPUID1_ECX_HYPERVISOR: u32 = 0x80000000;
const HYPERVISOR_LEAF: u32 = 0x40000000;
/** "TCGT", the start of the signature of QEMU's emulator. */
const SIGNATURE_TCG: u32 = 0x54474354;

/** Turns on what this processor offers. Uses no variables: they are not initialised yet. */
export function enableProcessorFeatures(): void {
  const ebx = cpuid(7, 0, 1);
  const ecx = cpuid(7, 0, 2);
  let cr4 = readCr4();
  if ((ebx & CPUID7_EBX_SMEP) != 0) cr4 |= CR4_SMEP;
  if ((ecx & CPUID7_ECX_UMIP) != 0) cr4 |= CR4_UMIP;
  writeCr4(cr4);
  // Emulated processors claim fast string instructions and execute them byte by byte.
  store<u8>(useStringCopy(), (ebx & CPUID7_EBX_FAST_STRING) != 0 && !isEmulated() ? 1 : 0);
  enableVectorUnits();
}

/** True under QEMU's emulator, where instructions, not memory, cost the time. */
export function isEmulated(): bool {
  if ((cpuid(1, 0, 2) & CPUID1_ECX_HYPERVISOR) == 0) return false;
  return cpuid(HYPERVISOR_LEAF, 0, 1) == SIGNATURE_TCG;
}

const CPUID1_ECX_RDRAND: u32 = 1 << 30;
const CPUID7_EBX_RDSEED: u32 = 1 << 18;

/** True if the processor has the RDRAND instruction; without it, it faults. */
export function hasRdrand(): bool {
  return (cpuid(1, 0, 2) & CPUID1_ECX_RDRAND) != 0;
}

/** True if the processor has the RDSEED instruction. */
export function hasRdseed(): bool {
  return (cpuid(7, 0, 1) & CPUID7_EBX_RDSEED) != 0;
}
