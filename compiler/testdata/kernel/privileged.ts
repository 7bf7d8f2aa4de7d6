/**
 * Kernel of a test: executes every privileged instruction of `hw.ts` whose effect can be observed
 * in an otherwise empty machine, and prints `NAME ok` or `NAME WRONG` on the serial port.
 */
import {
  cli,
  cpuid,
  fxrstor,
  fxsave,
  gsLoad32,
  gsLoad64,
  gsStore32,
  gsStore64,
  gsSubtract32,
  inb,
  inl,
  invlpg,
  inw,
  lgdt,
  lidt,
  ltr,
  outb,
  outl,
  outw,
  rdfsbase,
  rdmsr,
  rdrand,
  rdtsc,
  readCr0,
  readCr2,
  readCr3,
  readCr4,
  restoreFlags,
  saveFlagsCli,
  sti,
  wrfsbase,
  writeCr0,
  writeCr3,
  writeCr4,
  wrmsr,
  xgetbv,
  xrstor,
  xsave,
  xsaveopt,
  xsetbv,
} from "../../../kernel/arch/x86_64/hw";

const SERIAL: u16 = 0x3f8;
const EFER: u32 = 0xc0000080;
const GS_BASE: u32 = 0xc0000101;
const KERNEL_GS_BASE: u32 = 0xc0000102;
const INTERRUPT_FLAG: u64 = 0x200;
const WRITE_PROTECT: u64 = 1 << 16;
const OSFXSR: u64 = 1 << 9;
const FSGSBASE: u64 = 1 << 16;
const OSXSAVE: u64 = 1 << 18;

function print(text: string): void {
  for (let i = 0; i < text.length; i++) outb(SERIAL, <u8>text.charCodeAt(i));
}

function report(name: string, isRight: bool): void {
  print(name);
  print(isRight ? " ok\n" : " WRONG\n");
}

function testControlRegisters(): void {
  const before = readCr0();
  writeCr0(before | WRITE_PROTECT);
  report("cr0", (before & 1) != 0 && readCr0() == (before | WRITE_PROTECT));
  const root = readCr3();
  writeCr3(root);
  report("cr3", root != 0 && readCr3() == root);
  report("cr2", readCr2() == 0);
  writeCr4(readCr4() | OSFXSR | OSXSAVE | FSGSBASE);
  report("cr4", (readCr4() & OSXSAVE) != 0);
  xsetbv(0, 3);
  report("xcr0", xgetbv(0) == 3);
  invlpg(root);
}

function testRegisters(): void {
  report("efer", (rdmsr(EFER) & 0x500) == 0x500);
  wrmsr(KERNEL_GS_BASE, 0xffff800012345678);
  report("wrmsr", rdmsr(KERNEL_GS_BASE) == 0xffff800012345678);
  const block = memory.data(64, 8);
  wrmsr(GS_BASE, block);
  gsStore64(8, 0x1122334455667788);
  gsStore32(16, 7);
  const isZeroEarly = gsSubtract32(16, 5);
  const offset = <u32>rdtsc() & 0;
  report("gs", gsLoad64(offset + 8) == load<u64>(block, 8) && gsLoad32(16) == 2);
  report("gsSubtract32", !isZeroEarly && gsSubtract32(16, 2) && gsLoad32(16) == 0);
  wrfsbase(block);
  report("fs", rdfsbase() == block);
}

function testInterruptFlag(): void {
  outb(0x21, 0xff); // both interrupt controllers masked: nothing arrives
  outb(0xa1, 0xff);
  sti();
  const on = saveFlagsCli();
  const off = saveFlagsCli();
  restoreFlags(on);
  const again = saveFlagsCli();
  restoreFlags(off);
  cli();
  report("flags", (on & again & INTERRUPT_FLAG) != 0 && (off & INTERRUPT_FLAG) == 0);
}

function testPorts(): void {
  report("inb", (inb(SERIAL + 5) & 0x20) != 0);
  outw(0x80, 0x1234); // POST code port: accepts anything
  outl(0x80, 0x12345678);
  report("inw", inw(0x1230) == 0xffff);
  report("inl", inl(0x1230) == 0xffffffff);
}

function testDescriptorTables(): void {
  const gdt = memory.data(48, 16);
  const tss = memory.data(104, 16);
  const pointer = memory.data(16, 16);
  store<u64>(gdt + 8, 0x00af9a000000ffff);
  store<u64>(gdt + 16, 0x00cf92000000ffff);
  // Available 64-bit TSS (SDM vol. 3, section 8.2.3).
  store<u64>(gdt + 24, 103 | ((tss & 0xffffff) << 16) | (0x89 << 40) | ((tss >> 24) << 56));
  store<u64>(gdt + 32, tss >> 32);
  store<u16>(pointer, 39);
  store<u64>(pointer + 2, gdt);
  lgdt(pointer);
  ltr(24);
  report("ltr", (load<u8>(gdt + 24 + 5) & 2) != 0); // the processor marked it busy
}

function testVectorState(): void {
  const area = memory.data(4096, 64);
  fxsave(area);
  report("fxsave", load<u32>(area, 24) == 0x1f80);
  store<u32>(area, 0x5f80, 24);
  fxrstor(area);
  const size = cpuid(13, 0, 1);
  xsave(area + 1024, 3);
  report("xsave", size >= 576 && load<u32>(area + 1024, 24) == 0x5f80);
  store<u32>(area + 1024, 0x1f80, 24);
  xrstor(area + 1024, 3);
  xsaveopt(area + 2048, 3);
  fxsave(area);
  report("xrstor", load<u32>(area, 24) == 0x1f80);
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  print("abort\n");
  unreachable();
}

export function kmain(): void {
  testControlRegisters();
  testRegisters();
  testInterruptFlag();
  testPorts();
  testDescriptorTables();
  testVectorState();
  const random = memory.data(8, 8);
  report("rdrand", rdrand(random) && load<u64>(random) != 0);
  print("done\n");
  lidt(memory.data(16, 16));
  unreachable(); // no handler: the machine resets, and QEMU ends
}
