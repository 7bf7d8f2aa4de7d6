/**
 * /proc/cpuinfo: what CPUID says (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E), in the
 * form that programs parse.
 */
import { cpuid } from "../../arch/cpu";
import { ByteWriter } from "../../lib/format";
import { onlineCpus } from "../../sched/run-queue";
import { clockMultiplier } from "../../sched/clock";

const EAX: u32 = 0;
const EBX: u32 = 1;
const ECX: u32 = 2;
const EDX: u32 = 3;
/** First and last of the leaves that hold the brand string, 48 bytes. */
const BRAND_FIRST: u32 = 0x80000002;
const BRAND_LAST: u32 = 0x80000004;

// Names of feature bits 0 to 31, "-" where Linux shows none.
const LEAF_1_EDX =
  "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe";
const LEAF_1_ECX =
  "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor";
const EXTENDED_EDX =
  "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow";
const EXTENDED_ECX =
  "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx - -";
const LEAF_7_EBX =
  "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl";
const LEAF_7_ECX =
  "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd sgx_lc -";
const LEAF_7_EDX =
  "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities - -";

/** Writes the whole file: all processors are alike, one core each. */
export function writeCpuinfo(out: ByteWriter): void {
  for (let cpu: u32 = 0; cpu < onlineCpus(); cpu++) writeProcessor(out, cpu);
}

function writeProcessor(out: ByteWriter, cpu: u32): void {
  const signature = cpuid(1, 0, EAX);
  const frequencyKhz = tscKhz();
  field(out, "processor\t: ", cpu);
  out.writeString("vendor_id\t: ");
  writeRegister(out, cpuid(0, 0, EBX));
  writeRegister(out, cpuid(0, 0, EDX));
  writeRegister(out, cpuid(0, 0, ECX));
  out.writeByte(0x0a);
  field(out, "cpu family\t: ", familyOf(signature));
  field(out, "model\t\t: ", modelOf(signature));
  out.writeString("model name\t: ");
  writeBrand(out);
  field(out, "stepping\t: ", signature & 15);
  out.writeString("cpu MHz\t\t: ");
  writeThousandths(out, frequencyKhz);
  field(out, "physical id\t: ", 0);
  field(out, "siblings\t: ", onlineCpus());
  field(out, "core id\t\t: ", cpu);
  field(out, "cpu cores\t: ", onlineCpus());
  field(out, "apicid\t\t: ", cpu);
  field(out, "initial apicid\t: ", cpu);
  out.writeString("fpu\t\t: yes\nfpu_exception\t: yes\n");
  field(out, "cpuid level\t: ", cpuid(0, 0, EAX));
  out.writeString("wp\t\t: yes\nflags\t\t:");
  writeFlags(out);
  out.writeString("\nbugs\t\t:\nbogomips\t: ");
  writeThousandths(out, frequencyKhz * 2);
  const lineBytes = ((cpuid(1, 0, EBX) >> 8) & 0xff) * 8;
  field(out, "clflush size\t: ", lineBytes);
  field(out, "cache_alignment\t: ", lineBytes);
  const sizes = hasLeaf(0x80000008) ? cpuid(0x80000008, 0, EAX) : 0x3024;
  out.writeString("address sizes\t: ");
  out.writeDecimal(sizes & 0xff);
  out.writeString(" bits physical, ");
  out.writeDecimal((sizes >> 8) & 0xff);
  out.writeString(" bits virtual\npower management:\n\n");
}

function field(out: ByteWriter, name: string, value: u64): void {
  out.writeString(name);
  out.writeDecimal(value);
  out.writeByte(0x0a);
}

/** MHz with three decimals and a line end. */
function writeThousandths(out: ByteWriter, value: u64): void {
  out.writeDecimal(value / 1000);
  out.writeByte(0x2e);
  out.writePadded(value % 1000, 3, 0x30);
  out.writeByte(0x0a);
}

/** The clock's multiplier is nanoseconds per TSC tick with 32 fractional bits. */
function tscKhz(): u64 {
  const multiplier = clockMultiplier();
  return multiplier ? ((<u64>1_000_000) << 32) / multiplier : 0;
}

function familyOf(signature: u32): u32 {
  const family = (signature >> 8) & 15;
  return family == 15 ? family + ((signature >> 20) & 0xff) : family;
}

function modelOf(signature: u32): u32 {
  const model = (signature >> 4) & 15;
  const family = (signature >> 8) & 15;
  return family == 6 || family == 15 ? model | ((signature >> 12) & 0xf0) : model;
}

function hasLeaf(leaf: u32): bool {
  return cpuid(leaf & 0x80000000, 0, EAX) >= leaf;
}

/** Four characters of a register, zero bytes left out. */
function writeRegister(out: ByteWriter, value: u32): void {
  for (let shift: u32 = 0; shift < 32; shift += 8) {
    const byte = <u8>(value >> shift);
    if (byte) out.writeByte(byte);
  }
}

function writeBrand(out: ByteWriter): void {
  if (hasLeaf(BRAND_LAST)) {
    for (let leaf = BRAND_FIRST; leaf <= BRAND_LAST; leaf++) {
      for (let register = EAX; register <= EDX; register++)
        writeRegister(out, cpuid(leaf, 0, register));
    }
  } else {
    out.writeString("unknown");
  }
  out.writeByte(0x0a);
}

function writeFlags(out: ByteWriter): void {
  writeBits(out, cpuid(1, 0, EDX), LEAF_1_EDX);
  if (hasLeaf(0x80000001)) {
    writeBits(out, cpuid(0x80000001, 0, EDX), EXTENDED_EDX);
  }
  writeBits(out, cpuid(1, 0, ECX), LEAF_1_ECX);
  if (hasLeaf(0x80000001)) writeBits(out, cpuid(0x80000001, 0, ECX), EXTENDED_ECX);
  if (!hasLeaf(7)) return;
  writeBits(out, cpuid(7, 0, EBX), LEAF_7_EBX);
  writeBits(out, cpuid(7, 0, ECX), LEAF_7_ECX);
  writeBits(out, cpuid(7, 0, EDX), LEAF_7_EDX);
}

/** Writes the names of the bits that are set, each after a space. */
function writeBits(out: ByteWriter, bits: u32, names: string): void {
  let at = 0;
  for (let bit: u32 = 0; bit < 32; bit++) {
    let end = at;
    while (end < names.length && names.charCodeAt(end) != 0x20) end++;
    const isNamed = names.charCodeAt(at) != 0x2d;
    if (bits & (1 << bit) && isNamed) {
      out.writeByte(0x20);
      for (let i = at; i < end; i++) out.writeByte(<u8>names.charCodeAt(i));
    }
    at = end + 1;
  }
}
