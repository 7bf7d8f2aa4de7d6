/** The ACPI readers on tables made here, whole and damaged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";

interface Exports {
  read(start: bigint, bytes: bigint, rsdp: bigint): number;
  setBiosArea(address: bigint): void;
  processors(): number;
  ioApics(): number;
  ioApicAddress(index: number): bigint;
  ioApicGsi(index: number): number;
  isa(irq: number): number;
  pm1a(): number;
  sleepType(): number;
  sleepControl(): bigint;
}

const BLOCK_BYTES = 16384;
const RSDP = 0;
const FOUND_ALL = 7;
/** The MADT is the last thing in memory: reading beyond its entries would trap. */
const MADT_BYTES = 36 + 8 + 3 * 8 + 2 * 12 + 2 * 10 + 6;
const MADT = BLOCK_BYTES - MADT_BYTES;

const load = () =>
  loadKernelModule<Exports>(
    "kernel/dev/acpi/acpi.testentry.ts",
    withEarlyHeap(1 << 20, BLOCK_BYTES),
  );

/** Makes the bytes from `start` add up to 0 by the one at `position`. */
function fixChecksum(block: Buffer, start: number, length: number, position: number): void {
  block[position] = 0;
  const sum = block.subarray(start, start + length).reduce((total, byte) => total + byte, 0);
  block[position] = -sum & 0xff;
}

function table(block: Buffer, at: number, signature: string, body: Buffer): void {
  block.write(signature, at, "latin1");
  block.writeUInt32LE(36 + body.length, at + 4);
  block.writeUInt8(1, at + 8);
  body.copy(block, at + 36);
  fixChecksum(block, at, 36 + body.length, at + 9);
}

interface Machine {
  xsdt: boolean;
  hardwareReduced: boolean;
}

/** The tables of a machine with two I/O APICs, three CPUs (one disabled) and an SCI on IRQ 9. */
function makeTables(base: bigint, { xsdt, hardwareReduced }: Machine): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const address = (offset: number): number => Number(base) + offset;
  const processor = (flags: number) => Buffer.from([0, 8, 0, 0, flags, 0, 0, 0]);
  const ioApic = (at: number, gsi: number) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt8(1, 0);
    entry.writeUInt8(12, 1);
    entry.writeUInt32LE(at, 4);
    entry.writeUInt32LE(gsi, 8);
    return entry;
  };
  const madt = Buffer.concat([
    Buffer.from([0, 0, 0xe0, 0xfe, 1, 0, 0, 0]),
    processor(1),
    processor(1),
    processor(0),
    ioApic(0xfec00000, 0),
    ioApic(0xfec10000, 24),
    Buffer.from([2, 10, 0, 0, 2, 0, 0, 0, 0, 0]),
    Buffer.from([2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0]),
    Buffer.from([4, 6, 0xff, 0, 0, 1]),
  ]);
  assert.equal(36 + madt.length, MADT_BYTES);
  table(block, MADT, "APIC", madt);
  const dsdt = Buffer.from("junk\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00", "latin1");
  table(block, 0x800, "DSDT", dsdt);
  const fadt = Buffer.alloc(268 - 36);
  fadt.writeUInt32LE(address(0x800), 40 - 36);
  fadt.writeUInt32LE(0x604, 64 - 36);
  if (hardwareReduced) {
    fadt.writeUInt32LE(1 << 20, 112 - 36);
    fadt.writeUInt8(0, 244 - 36);
    fadt.writeBigUInt64LE(0xfea01000n, 248 - 36);
  }
  table(block, 0xc00, "FACP", fadt);
  const pointers = [MADT, 0xc00].map((offset) => {
    const entry = Buffer.alloc(xsdt ? 8 : 4);
    entry.writeUInt32LE(address(offset), 0);
    return entry;
  });
  table(block, 0x200, xsdt ? "XSDT" : "RSDT", Buffer.concat(pointers));
  block.write("RSD PTR ", RSDP, "latin1");
  block.writeUInt8(xsdt ? 2 : 0, 15);
  if (xsdt) {
    block.writeUInt32LE(36, 20);
    block.writeBigUInt64LE(BigInt(address(0x200)), 24);
  } else {
    block.writeUInt32LE(address(0x200), 16);
  }
  fixChecksum(block, RSDP, 20, 8);
  if (xsdt) fixChecksum(block, RSDP, 36, 32);
  return block;
}

function place(module: KernelModule<Exports>, make: (base: bigint) => Buffer): bigint {
  const base = BigInt(module.memory.sizeBytes - BLOCK_BYTES);
  module.memory.bytes(base, BLOCK_BYTES).set(make(base));
  return base;
}

for (const xsdt of [false, true]) {
  test(`interrupt routing and power-off are read, ${xsdt ? "XSDT" : "RSDT"}`, async () => {
    const module = await load();
    const { exports } = module;
    const base = place(module, (at) => makeTables(at, { xsdt, hardwareReduced: false }));
    assert.equal(exports.read(base, BigInt(BLOCK_BYTES), base), FOUND_ALL);
    assert.equal(exports.processors(), 2);
    assert.equal(exports.ioApics(), 2);
    assert.equal(exports.ioApicAddress(0), 0xfec00000n);
    assert.equal(exports.ioApicAddress(1), 0xfec10000n);
    assert.equal(exports.ioApicGsi(1), 24);
    assert.equal(exports.isa(0), 0x402);
    assert.equal(exports.isa(9), 0x709);
    assert.equal(exports.isa(1), 0);
    assert.equal(exports.pm1a(), 0x604);
    assert.equal(exports.sleepType(), 0x105);
    assert.equal(exports.sleepControl(), 0n);
  });
}

test("a hardware-reduced machine has a sleep control register instead", async () => {
  const module = await load();
  const base = place(module, (at) => makeTables(at, { xsdt: true, hardwareReduced: true }));
  assert.equal(module.exports.read(base, BigInt(BLOCK_BYTES), base), FOUND_ALL);
  assert.equal(module.exports.pm1a(), 0);
  assert.equal(module.exports.sleepControl(), 0xfea01000n);
});

test("the root pointer is found in the BIOS area, behind one that is damaged", async () => {
  const module = await load();
  const base = module.heap.reserve(BLOCK_BYTES, 4096);
  const tables = makeTables(base, { xsdt: true, hardwareReduced: false });
  module.memory.bytes(base, BLOCK_BYTES).set(tables);
  const bytes = BigInt(BLOCK_BYTES);
  const area = module.heap.reserve(0x20000, 4096);
  const bios = module.memory.bytes(area, 0x20000);
  module.exports.setBiosArea(area);
  assert.equal(module.exports.read(base, bytes, 0n), 0);
  const pointer = module.memory.bytes(base, 36).slice();
  const damaged = pointer.slice();
  damaged[9] = (damaged[9] ?? 0) ^ 1;
  bios.set(damaged, 0x1230);
  bios.set(pointer, 0x15678); // not at a multiple of 16
  assert.equal(module.exports.read(base, bytes, 0n), 0);
  bios.set(pointer, 0x1ffd0);
  assert.equal(module.exports.read(base, bytes, 0n), FOUND_ALL);
  assert.equal(module.exports.ioApics(), 2);
});

test("a table whose checksum is wrong is not there", async () => {
  const module = await load();
  const base = place(module, (at) => {
    const block = makeTables(at, { xsdt: true, hardwareReduced: false });
    block.writeUInt8(block.readUInt8(MADT + 50) ^ 0xff, MADT + 50);
    return block;
  });
  assert.equal(module.exports.read(base, BigInt(BLOCK_BYTES), base), 1 | 4);
});

test("damaged tables never lead outside the memory they lie in", async () => {
  const damage = fc.record({
    at: fc.oneof(fc.nat(0x1000), fc.integer({ min: MADT, max: BLOCK_BYTES - 8 })),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8, size: "max" }),
    repair: fc.constantFrom(0, 0x200, MADT, 0x800, 0xc00),
  });
  const base = await load();
  fc.assert(
    fc.property(fc.boolean(), fc.array(damage, { maxLength: 6, size: "max" }), (xsdt, damages) => {
      const module = base.fresh();
      const start = place(module, (at) => {
        const block = makeTables(at, { xsdt, hardwareReduced: false });
        for (const { at: position, bytes, repair } of damages) {
          block.set(bytes, position);
          // Damage that a checksum would reveal is made to look right.
          const length = repair === 0 ? 36 : block.readUInt32LE(repair + 4);
          if (repair === 0) {
            fixChecksum(block, 0, 20, 8);
            fixChecksum(block, 0, 36, 32);
          } else if (length <= BLOCK_BYTES - repair && length >= 36) {
            fixChecksum(block, repair, length, repair + 9);
          }
        }
        return block;
      });
      const found = module.exports.read(start, BigInt(BLOCK_BYTES), start);
      assert.ok(found <= FOUND_ALL);
      assert.ok(module.exports.ioApics() <= 4);
    }),
    { numRuns: 500 },
  );
});
