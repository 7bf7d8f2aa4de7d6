/**
 * Single machine instructions. Each declaration is an intrinsic of the compiler
 * (`compiler/runtime/intrinsics.h`) that becomes inline assembly; in unit tests the double in
 * `compiler/testing/hardware.ts` takes its place.
 *
 * References are to the Intel 64 and IA-32 Architectures Software Developer's Manual ("SDM").
 * Neighbours: `asm.ts` for functions in assembly files, `sym.ts` for addresses of linker symbols.
 */

// Port I/O (SDM vol. 1, chapter 19).

/** Reads a byte from an I/O port. */
export declare function inb(port: u16): u8;
/** Reads 16 bits from an I/O port. */
export declare function inw(port: u16): u16;
/** Reads 32 bits from an I/O port. */
export declare function inl(port: u16): u32;
/** Writes a byte to an I/O port. */
export declare function outb(port: u16, value: u8): void;
/** Writes 16 bits to an I/O port. */
export declare function outw(port: u16, value: u16): void;
/** Writes 32 bits to an I/O port. */
export declare function outl(port: u16, value: u32): void;

// Device registers in memory: exactly one access of exactly this width, never merged or moved past
// another intrinsic or memory access.

/** Reads an 8-bit device register. */
export declare function mmioRead8(address: usize): u8;
/** Reads a 16-bit device register. */
export declare function mmioRead16(address: usize): u16;
/** Reads a 32-bit device register. */
export declare function mmioRead32(address: usize): u32;
/** Reads a 64-bit device register. */
export declare function mmioRead64(address: usize): u64;
/** Writes an 8-bit device register. */
export declare function mmioWrite8(address: usize, value: u8): void;
/** Writes a 16-bit device register. */
export declare function mmioWrite16(address: usize, value: u16): void;
/** Writes a 32-bit device register. */
export declare function mmioWrite32(address: usize, value: u32): void;
/** Writes a 64-bit device register. */
export declare function mmioWrite64(address: usize, value: u64): void;

// Memory that someone else (a device, another CPU, an interrupt handler) may change: one access of
// this width that the C compiler neither merges nor removes; no ordering among other accesses.

/** Reads 8 bits that may change at any time. */
export declare function volatileLoad8(address: usize): u8;
/** Reads 16 bits that may change at any time. */
export declare function volatileLoad16(address: usize): u16;
/** Reads 32 bits that may change at any time. */
export declare function volatileLoad32(address: usize): u32;
/** Reads 64 bits that may change at any time. */
export declare function volatileLoad64(address: usize): u64;
/** Writes 8 bits that someone else reads at any time. */
export declare function volatileStore8(address: usize, value: u8): void;
/** Writes 16 bits that someone else reads at any time. */
export declare function volatileStore16(address: usize, value: u16): void;
/** Writes 32 bits that someone else reads at any time. */
export declare function volatileStore32(address: usize, value: u32): void;
/** Writes 64 bits that someone else reads at any time. */
export declare function volatileStore64(address: usize, value: u64): void;

// Model-specific, control and extended control registers (SDM vol. 3, chapters 2 and 13).

/** Reads a model-specific register; a #GP fault if it does not exist. */
export declare function rdmsr(msr: u32): u64;
/** Writes a model-specific register; a #GP fault if it does not exist or the value is wrong. */
export declare function wrmsr(msr: u32, value: u64): void;
/** Reads CR0. */
export declare function readCr0(): u64;
/** Reads CR2, the address of the last page fault. */
export declare function readCr2(): u64;
/** Reads CR3, the root of the page tables. */
export declare function readCr3(): u64;
/** Reads CR4. */
export declare function readCr4(): u64;
/** Writes CR0. */
export declare function writeCr0(value: u64): void;
/** Writes CR3 and so drops the TLB entries that are not global. */
export declare function writeCr3(value: u64): void;
/** Writes CR4. */
export declare function writeCr4(value: u64): void;
/** Reads an extended control register; needs CR4.OSXSAVE. */
export declare function xgetbv(index: u32): u64;
/** Writes an extended control register; needs CR4.OSXSAVE. */
export declare function xsetbv(index: u32, value: u64): void;
/** Drops the TLB entry of one page. */
export declare function invlpg(address: usize): void;

// Interrupts.

/** Disables interrupts. */
export declare function cli(): void;
/** Enables interrupts (after the next instruction). */
export declare function sti(): void;
/** Halts until an interrupt. */
export declare function hlt(): void;
/** Enables interrupts and halts, with no gap between the two in which one could be missed. */
export declare function stiHlt(): void;
/** Tells the CPU that this is a spinning loop. */
export declare function pause(): void;
/** Returns RFLAGS and disables interrupts. */
export declare function saveFlagsCli(): u64;
/** Restores RFLAGS, the interrupt flag included. */
export declare function restoreFlags(flags: u64): void;

// Ordering.

/** Keeps the C compiler from moving memory accesses across; no instruction. */
export declare function compilerBarrier(): void;
/** Orders all earlier loads and stores before all later ones. */
export declare function mfence(): void;
/** Orders all earlier loads before later ones, and instructions around RDTSC. */
export declare function lfence(): void;
/** Orders all earlier stores before all later ones. */
export declare function sfence(): void;

// Time, randomness, identification.

/** Time-stamp counter, in ticks of an implementation-defined frequency. Not ordered. */
export declare function rdtsc(): u64;
/** Stores 64 random bits at `out`; false if none were ready or (check CPUID first) unsupported. */
export declare function rdrand(out: usize): bool;
/** Stores 64 bits of seed at `out`; false if none were ready. */
export declare function rdseed(out: usize): bool;
/** One register of CPUID: 0 EAX, 1 EBX, 2 ECX, 3 EDX. */
export declare function cpuid(leaf: u32, subleaf: u32, register: u32): u32;

// Per-CPU data, relative to GS; one instruction when the offset is constant.

/** Reads 64 bits at GS base + `offset`. */
export declare function gsLoad64(offset: u32): u64;
/** Writes 64 bits at GS base + `offset`. */
export declare function gsStore64(offset: u32, value: u64): void;
/** Reads 32 bits at GS base + `offset`. */
export declare function gsLoad32(offset: u32): u32;
/** Writes 32 bits at GS base + `offset`. */
export declare function gsStore32(offset: u32, value: u32): void;
/**
 * Subtracts from the 32 bits at GS base + `offset` in one instruction (no interrupt can come between).
 * @returns whether they are 0 now
 */
export declare function gsSubtract32(offset: u32, value: u32): bool;
/** FS base, by RDFSBASE; needs CR4.FSGSBASE. */
export declare function rdfsbase(): u64;
/** Sets FS base, by WRFSBASE; needs CR4.FSGSBASE. */
export declare function wrfsbase(value: u64): void;

// Wide arithmetic.

/** Upper 64 bits of the 128-bit product. */
export declare function mulHighU64(a: u64, b: u64): u64;
/** `a * b / divisor` with a 128-bit product; a #DE fault if the result needs more than 64 bits. */
export declare function mulDivU64(a: u64, b: u64, divisor: u64): u64;

// Descriptor tables (SDM vol. 3, section 2.4).

/** Loads IDTR from the 10-byte limit and base at `address`. */
export declare function lidt(address: usize): void;
/** Loads GDTR from the 10-byte limit and base at `address`. */
export declare function lgdt(address: usize): void;
/** Loads the task register. */
export declare function ltr(selector: u16): void;

// FPU and vector state (SDM vol. 1, chapters 10 and 13). Areas for FXSAVE are 512 bytes, aligned to
// 16; for XSAVE as CPUID leaf 13 says, aligned to 64.

/** Saves x87 and SSE state. */
export declare function fxsave(address: usize): void;
/** Restores x87 and SSE state. */
export declare function fxrstor(address: usize): void;
/** Saves the state components in `mask`. */
export declare function xsave(address: usize, mask: u64): void;
/** Saves the state components in `mask` that changed since the last `xrstor` from there. */
export declare function xsaveopt(address: usize, mask: u64): void;
/** Restores the state components in `mask`. */
export declare function xrstor(address: usize, mask: u64): void;
/** Resets the x87 FPU. */
export declare function fninit(): void;
/** Loads the SSE control and status register from 4 bytes at `address`. */
export declare function ldmxcsr(address: usize): void;

// The stack, for backtraces.

/** RBP: address of the caller's saved RBP, followed by the return address. */
export declare function framePointer(): usize;
/** RSP. */
export declare function stackPointer(): usize;

// Bytes in bulk.

/** Compares as unsigned bytes: negative, 0 or positive, as memcmp(3). */
export declare function memoryCompare(a: usize, b: usize, length: usize): i32;
/** Copies upwards byte by byte (REP MOVSB): an overlapping copy repeats what lies before. */
export declare function copyForward(destination: usize, source: usize, length: usize): void;
