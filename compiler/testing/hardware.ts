/**
 * Test double of `kernel/arch/x86_64/hw.ts`: a machine whose ports, registers, clock and random
 * numbers a test sets and inspects.
 *
 * Neighbours: `../testing.ts` links it to a module; the real instructions are in
 * `../backend/intrinsics.ts`.
 */
import type { TestMemory } from "./memory.ts";

type Width = 8 | 16 | 32 | 64;
type Value = number | bigint;
type ImportFunction = (...args: never[]) => Value | boolean | undefined;

/** A device's registers, mapped over part of the memory. */
export interface Device {
  read(offset: number, bits: Width): bigint;
  write(offset: number, bits: Width, value: bigint): void;
}

/** One access to an I/O port. */
export interface PortAccess {
  port: number;
  bits: Width;
  direction: "in" | "out";
  value: number;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const MASK_64 = (1n << 64n) - 1n;

/** The instruction stopped the machine for good: the test installed no handler for it. */
export class Halted extends Error {}

/** The processor and its ports, as seen by the kernel module under test. */
export class Hardware {
  readonly #memory: TestMemory;
  readonly #devices: { base: bigint; size: number; device: Device }[] = [];
  /** Every port access in order. */
  readonly portLog: PortAccess[] = [];
  /** Answers port reads; all ones if absent, as on a machine without the device. */
  readPort: (port: number, bits: Width) => number = () => 0xffffffff;
  /** Called at every port write. */
  writePort: (port: number, bits: Width, value: number) => void = () => {};
  /** Model-specific registers; unknown ones read 0. */
  readonly msrs = new Map<number, bigint>();
  /** Control registers by number; extended ones as 100 + index. */
  readonly controlRegisters = new Map<number, bigint>();
  /** `${leaf}:${subleaf}` to EAX, EBX, ECX, EDX; unknown ones read 0. */
  readonly cpuidLeaves = new Map<string, [number, number, number, number]>();
  /** What GS points to. */
  readonly perCpu = new DataView(new ArrayBuffer(4096));
  /** Next value of the time-stamp counter; each read adds `tscStep`. */
  tsc = 1000n;
  tscStep = 1n;
  interruptsEnabled = false;
  fsBase = 0n;
  /** Called by HLT; throws unless set, because nothing would end the halt. */
  onHalt: () => void = () => {
    throw new Halted("HLT: set hardware.onHalt to say what interrupt ends it");
  };
  /** Pages dropped from the TLB by INVLPG; writes to CR3 add -1n. */
  readonly tlbFlushes: bigint[] = [];
  /** Supplies RDRAND and RDSEED; null means the instruction reports failure. */
  random: () => bigint | null;

  constructor(memory: TestMemory) {
    this.#memory = memory;
    let state = 0x9e3779b97f4a7c15n;
    this.random = (): bigint => {
      state = u64(state ^ (state << 13n));
      state ^= state >> 7n;
      state = u64(state ^ (state << 17n));
      return state;
    };
  }

  /** Routes MMIO and volatile accesses in [base, base + size) to `device`; `base` may be anywhere. */
  mapDevice(base: bigint, size: number, device: Device): void {
    this.#devices.push({ base, size, device });
  }

  #read(address: bigint, bits: Width): bigint {
    const at = u64(address);
    const hit = this.#devices.find((d) => at >= d.base && at < d.base + BigInt(d.size));
    if (hit) return BigInt.asUintN(bits, hit.device.read(Number(at - hit.base), bits));
    return this.#memory.read(at, bits);
  }

  #write(address: bigint, bits: Width, value: Value): void {
    const at = u64(address);
    const low = BigInt.asUintN(bits, BigInt(value));
    const hit = this.#devices.find((d) => at >= d.base && at < d.base + BigInt(d.size));
    if (hit) hit.device.write(Number(at - hit.base), bits, low);
    else this.#memory.write(at, bits, low);
  }

  #in(port: number, bits: Width): number {
    const value = Number(BigInt.asUintN(bits, BigInt(this.readPort(port & 0xffff, bits))));
    this.portLog.push({ port: port & 0xffff, bits, direction: "in", value });
    return value;
  }

  #out(port: number, bits: Width, raw: number): void {
    const value = Number(BigInt.asUintN(bits, BigInt(raw)));
    this.portLog.push({ port: port & 0xffff, bits, direction: "out", value });
    this.writePort(port & 0xffff, bits, value);
  }

  #storeRandom(out: bigint): boolean {
    const value = this.random();
    if (value !== null) this.#memory.write(out, 64, value);
    return value !== null;
  }

  #memoryImports(): Record<string, ImportFunction> {
    const imports: Record<string, ImportFunction> = {};
    for (const bits of [8, 16, 32, 64] as const) {
      const narrow = (value: bigint): Value => (bits === 64 ? value : Number(value));
      for (const [load, store] of [
        ["mmioRead", "mmioWrite"],
        ["volatileLoad", "volatileStore"],
      ]) {
        imports[`${load}${bits}`] = (address: bigint) => narrow(this.#read(address, bits));
        imports[`${store}${bits}`] = (address: bigint, value: Value) => {
          this.#write(address, bits, value);
          return undefined;
        };
      }
    }
    return imports;
  }

  #portImports(): Record<string, ImportFunction> {
    const imports: Record<string, ImportFunction> = {};
    for (const [letter, bits] of [
      ["b", 8],
      ["w", 16],
      ["l", 32],
    ] as const) {
      imports[`in${letter}`] = (port: number) => this.#in(port, bits);
      imports[`out${letter}`] = (port: number, value: number) => {
        this.#out(port, bits, value);
        return undefined;
      };
    }
    return imports;
  }

  #controlImports(): Record<string, ImportFunction> {
    const read = (key: number) => (): bigint => this.controlRegisters.get(key) ?? 0n;
    const write = (key: number) => (value: bigint) => {
      this.controlRegisters.set(key, u64(value));
      if (key === 3) this.tlbFlushes.push(-1n);
      return undefined;
    };
    return {
      rdmsr: (msr: number) => this.msrs.get(msr >>> 0) ?? 0n,
      wrmsr: (msr: number, value: bigint) => void this.msrs.set(msr >>> 0, u64(value)),
      readCr0: read(0),
      readCr2: read(2),
      readCr3: read(3),
      readCr4: read(4),
      writeCr0: write(0),
      writeCr3: write(3),
      writeCr4: write(4),
      xgetbv: (index: number) => read(100 + index)(),
      xsetbv: (index: number, value: bigint) => write(100 + index)(value),
      invlpg: (address: bigint) => void this.tlbFlushes.push(u64(address)),
      cpuid: (leaf: number, subleaf: number, register: number) =>
        (this.cpuidLeaves.get(`${leaf >>> 0}:${subleaf >>> 0}`) ?? [0, 0, 0, 0])[register & 3] ?? 0,
      rdfsbase: () => this.fsBase,
      wrfsbase: (value: bigint) => {
        this.fsBase = u64(value);
        return undefined;
      },
    };
  }

  #interruptImports(): Record<string, ImportFunction> {
    const setInterrupts = (on: boolean) => (): undefined => {
      this.interruptsEnabled = on;
    };
    const INTERRUPT_FLAG = 0x200n;
    return {
      cli: setInterrupts(false),
      sti: setInterrupts(true),
      hlt: () => void this.onHalt(),
      stiHlt: () => {
        this.interruptsEnabled = true;
        return void this.onHalt();
      },
      saveFlagsCli: () => {
        const flags = this.interruptsEnabled ? INTERRUPT_FLAG | 2n : 2n;
        this.interruptsEnabled = false;
        return flags;
      },
      restoreFlags: (flags: bigint) => {
        this.interruptsEnabled = (flags & INTERRUPT_FLAG) !== 0n;
        return undefined;
      },
      rdtsc: () => {
        const now = this.tsc;
        this.tsc = u64(this.tsc + this.tscStep);
        return now;
      },
      rdrand: (out: bigint) => this.#storeRandom(out),
      rdseed: (out: bigint) => this.#storeRandom(out),
    };
  }

  #otherImports(): Record<string, ImportFunction> {
    return {
      gsLoad64: (offset: number) => this.perCpu.getBigUint64(offset, true),
      gsStore64: (offset: number, value: bigint) =>
        void this.perCpu.setBigUint64(offset, u64(value), true),
      gsLoad32: (offset: number) => this.perCpu.getUint32(offset, true),
      gsStore32: (offset: number, value: number) =>
        void this.perCpu.setUint32(offset, value >>> 0, true),
      gsSubtract32: (offset: number, value: number) => {
        const difference = (this.perCpu.getUint32(offset, true) - value) >>> 0;
        this.perCpu.setUint32(offset, difference, true);
        return difference === 0;
      },
      mulHighU64: (a: bigint, b: bigint) => (u64(a) * u64(b)) >> 64n,
      mulDivU64: (a: bigint, b: bigint, divisor: bigint) => {
        const quotient = u64(divisor) === 0n ? MASK_64 + 1n : (u64(a) * u64(b)) / u64(divisor);
        if (quotient > MASK_64) throw new Error("mulDivU64: #DE, the quotient has over 64 bits");
        return quotient;
      },
      framePointer: () => 0n,
      stackPointer: () => 0n,
      memoryCompare: (a: bigint, b: bigint, length: bigint) =>
        Buffer.compare(
          this.#memory.bytes(a, Number(length)),
          this.#memory.bytes(b, Number(length)),
        ),
      copyForward: (destination: bigint, source: bigint, length: bigint) => {
        const to = this.#memory.bytes(destination, Number(length));
        const from = this.#memory.bytes(source, Number(length));
        for (let i = 0; i < to.length; i++) to[i] = from[i] ?? 0;
        return undefined;
      },
    };
  }

  /** The functions of module `hw`. Instructions without visible effect here do nothing. */
  imports(): Record<string, ImportFunction> {
    const imports: Record<string, ImportFunction> = {
      ...this.#memoryImports(),
      ...this.#portImports(),
      ...this.#controlImports(),
      ...this.#interruptImports(),
      ...this.#otherImports(),
    };
    for (const name of [
      "pause compilerBarrier mfence lfence sfence lidt lgdt ltr",
      "fxsave fxrstor xsave xsaveopt xrstor fninit ldmxcsr",
    ].flatMap((names) => names.split(" "))) {
      imports[name] = () => undefined;
    }
    return imports;
  }
}
