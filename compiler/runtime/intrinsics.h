/*
 * The instructions declared in kernel/arch/x86_64/hw.ts. An import `hw.NAME` becomes a call of
 * hw_NAME. Parameters and results are those of the WebAssembly signature: u32 or u64.
 *
 * `volatile` keeps an instruction where it is among others that are volatile; the "memory" clobber
 * keeps memory accesses on their side of it.
 */
#pragma once

#define HW W_INLINE
#define HW_ORDERED __asm__ volatile("" ::: "memory")

/* Ports. */
HW u32 hw_inb(u32 port) { u8 v; __asm__ volatile("inb %w1, %0" : "=a"(v) : "Nd"((u16)port) : "memory"); return v; }
HW u32 hw_inw(u32 port) { u16 v; __asm__ volatile("inw %w1, %0" : "=a"(v) : "Nd"((u16)port) : "memory"); return v; }
HW u32 hw_inl(u32 port) { u32 v; __asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"((u16)port) : "memory"); return v; }
HW void hw_outb(u32 port, u32 value) { __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"((u16)port) : "memory"); }
HW void hw_outw(u32 port, u32 value) { __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"((u16)port) : "memory"); }
HW void hw_outl(u32 port, u32 value) { __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"((u16)port) : "memory"); }

/* Device registers: inline assembly, so that the access is one plain mov of exactly this width. */
HW u32 hw_mmioRead8(u64 address) { u8 v; __asm__ volatile("movb %1, %0" : "=q"(v) : "m"(*(volatile u8 *)address) : "memory"); return v; }
HW u32 hw_mmioRead16(u64 address) { u16 v; __asm__ volatile("movw %1, %0" : "=r"(v) : "m"(*(volatile u16 *)address) : "memory"); return v; }
HW u32 hw_mmioRead32(u64 address) { u32 v; __asm__ volatile("movl %1, %0" : "=r"(v) : "m"(*(volatile u32 *)address) : "memory"); return v; }
HW u64 hw_mmioRead64(u64 address) { u64 v; __asm__ volatile("movq %1, %0" : "=r"(v) : "m"(*(volatile u64 *)address) : "memory"); return v; }
HW void hw_mmioWrite8(u64 address, u32 value) { __asm__ volatile("movb %1, %0" : "=m"(*(volatile u8 *)address) : "qi"((u8)value) : "memory"); }
HW void hw_mmioWrite16(u64 address, u32 value) { __asm__ volatile("movw %1, %0" : "=m"(*(volatile u16 *)address) : "ri"((u16)value) : "memory"); }
HW void hw_mmioWrite32(u64 address, u32 value) { __asm__ volatile("movl %1, %0" : "=m"(*(volatile u32 *)address) : "ri"(value) : "memory"); }
HW void hw_mmioWrite64(u64 address, u64 value) { __asm__ volatile("movq %1, %0" : "=m"(*(volatile u64 *)address) : "re"(value) : "memory"); }

HW u32 hw_volatileLoad8(u64 address) { return *(volatile m8 *)address; }
HW u32 hw_volatileLoad16(u64 address) { return *(volatile m16 *)address; }
HW u32 hw_volatileLoad32(u64 address) { return *(volatile m32 *)address; }
HW u64 hw_volatileLoad64(u64 address) { return *(volatile m64 *)address; }
HW void hw_volatileStore8(u64 address, u32 value) { *(volatile m8 *)address = (u8)value; }
HW void hw_volatileStore16(u64 address, u32 value) { *(volatile m16 *)address = (u16)value; }
HW void hw_volatileStore32(u64 address, u32 value) { *(volatile m32 *)address = value; }
HW void hw_volatileStore64(u64 address, u64 value) { *(volatile m64 *)address = value; }

/* Model-specific and control registers. */
HW u64 hw_rdmsr(u32 msr) { u32 low, high; __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory"); return (u64)high << 32 | low; }
HW void hw_wrmsr(u32 msr, u64 value) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory"); }
HW u64 hw_readCr0(void) { u64 v; __asm__ volatile("mov %%cr0, %0" : "=r"(v) : : "memory"); return v; }
HW u64 hw_readCr2(void) { u64 v; __asm__ volatile("mov %%cr2, %0" : "=r"(v) : : "memory"); return v; }
HW u64 hw_readCr3(void) { u64 v; __asm__ volatile("mov %%cr3, %0" : "=r"(v) : : "memory"); return v; }
HW u64 hw_readCr4(void) { u64 v; __asm__ volatile("mov %%cr4, %0" : "=r"(v) : : "memory"); return v; }
HW void hw_writeCr0(u64 value) { __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory"); }
HW void hw_writeCr3(u64 value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
HW void hw_writeCr4(u64 value) { __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }
HW u64 hw_xgetbv(u32 index) { u32 low, high; __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index)); return (u64)high << 32 | low; }
HW void hw_xsetbv(u32 index, u64 value) { __asm__ volatile("xsetbv" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory"); }
HW void hw_invlpg(u64 address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }

/* Interrupts. */
HW void hw_cli(void) { __asm__ volatile("cli" ::: "memory"); }
HW void hw_sti(void) { __asm__ volatile("sti" ::: "memory"); }
HW void hw_hlt(void) { __asm__ volatile("hlt" ::: "memory"); }
HW void hw_stiHlt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }
HW void hw_pause(void) { __asm__ volatile("pause" ::: "memory"); }
HW u64 hw_saveFlagsCli(void) { u64 v; __asm__ volatile("pushfq; popq %0; cli" : "=r"(v) : : "memory"); return v; }
HW void hw_restoreFlags(u64 flags) { __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc"); }

/* Ordering. */
HW void hw_compilerBarrier(void) { HW_ORDERED; }
HW void hw_mfence(void) { __asm__ volatile("mfence" ::: "memory"); }
HW void hw_lfence(void) { __asm__ volatile("lfence" ::: "memory"); }
HW void hw_sfence(void) { __asm__ volatile("sfence" ::: "memory"); }

/* Time, randomness, identification. */
HW u64 hw_rdtsc(void) { u32 low, high; __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)); return (u64)high << 32 | low; }
HW u32 hw_rdrand(u64 out) { u64 v; u8 ok; __asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc"); M64(out) = v; return ok; }
HW u32 hw_rdseed(u64 out) { u64 v; u8 ok; __asm__ volatile("rdseed %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc"); M64(out) = v; return ok; }
HW u32 hw_cpuid(u32 leaf, u32 subleaf, u32 index) {
  u32 a = leaf, b, c = subleaf, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
  return index == 0 ? a : index == 1 ? b : index == 2 ? c : d;
}

/* Per-CPU data. */
HW u64 hw_gsLoad64(u32 offset) { return *(volatile u64 __seg_gs *)(u64)offset; }
HW u32 hw_gsLoad32(u32 offset) { return *(volatile u32 __seg_gs *)(u64)offset; }
HW void hw_gsStore64(u32 offset, u64 value) { *(volatile u64 __seg_gs *)(u64)offset = value; }
HW void hw_gsStore32(u32 offset, u32 value) { *(volatile u32 __seg_gs *)(u64)offset = value; }
HW u32 hw_gsSubtract32(u32 offset, u32 value) { u32 zero; __asm__ volatile("subl %2, %1" : "=@ccz"(zero), "+m"(*(u32 __seg_gs *)(u64)offset) : "ri"(value) : "memory"); return zero; }
HW u64 hw_rdfsbase(void) { u64 v; __asm__ volatile("rdfsbase %0" : "=r"(v)); return v; }
HW void hw_wrfsbase(u64 value) { __asm__ volatile("wrfsbase %0" : : "r"(value) : "memory"); }

/* Wide arithmetic. */
HW u64 hw_mulHighU64(u64 a, u64 b) { return (u64)((u128)a * b >> 64); }
HW u64 hw_mulDivU64(u64 a, u64 b, u64 divisor) {
  u64 low = a, high = b;
  __asm__("mulq %1" : "+a"(low), "+d"(high) : : "cc");
  __asm__ volatile("divq %2" : "+a"(low), "+d"(high) : "rm"(divisor) : "cc");
  return low;
}

/* Descriptor tables. */
HW void hw_lidt(u64 address) { __asm__ volatile("lidt (%0)" : : "r"(address) : "memory"); }
HW void hw_lgdt(u64 address) { __asm__ volatile("lgdt (%0)" : : "r"(address) : "memory"); }
HW void hw_ltr(u32 selector) { __asm__ volatile("ltr %w0" : : "r"(selector) : "memory"); }

/* FPU and vector state. */
HW void hw_fxsave(u64 address) { __asm__ volatile("fxsave64 (%0)" : : "r"(address) : "memory"); }
HW void hw_fxrstor(u64 address) { __asm__ volatile("fxrstor64 (%0)" : : "r"(address) : "memory"); }
HW void hw_xsave(u64 address, u64 mask) { __asm__ volatile("xsave64 (%0)" : : "r"(address), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory"); }
HW void hw_xsaveopt(u64 address, u64 mask) { __asm__ volatile("xsaveopt64 (%0)" : : "r"(address), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory"); }
HW void hw_xrstor(u64 address, u64 mask) { __asm__ volatile("xrstor64 (%0)" : : "r"(address), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory"); }
HW void hw_fninit(void) { __asm__ volatile("fninit"); }
HW void hw_ldmxcsr(u64 address) { __asm__ volatile("ldmxcsr (%0)" : : "r"(address) : "memory"); }

/* The stack. */
HW u64 hw_framePointer(void) { return (u64)__builtin_frame_address(0); }
HW u64 hw_stackPointer(void) { u64 v; __asm__ volatile("movq %%rsp, %0" : "=r"(v)); return v; }

/* Bytes in bulk. */
#define hw_memoryCompare(a, b, length) ((u32)memcmp((const void *)(a), (const void *)(b), (length)))
HW void hw_copyForward(u64 to, u64 from, u64 length) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}
