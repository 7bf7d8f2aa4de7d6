/** PCI enumeration, base addresses and capabilities on configuration spaces made here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";

interface Exports {
  scan(): number;
  address(index: number): number;
  classCode(index: number): number;
  virtioType(index: number): number;
  baseAddress(index: number, bar: number): bigint;
  capability(index: number, id: number, previous: number): number;
  enable(index: number): void;
}

const load = () => loadKernelModule<Exports>("kernel/dev/pci/pci.testentry.ts", withEarlyHeap());

/** Configuration spaces by bus, device and function, behind ports 0xcf8 and 0xcfc. */
class PciModel {
  readonly spaces = new Map<number, Buffer>();
  #address = 0;

  constructor({ hardware }: KernelModule<Exports>) {
    hardware.readPort = (port, bits) => this.#read(port, bits / 8);
    hardware.writePort = (port, bits, value) => this.#write(port, bits / 8, value);
  }

  add(bus: number, device: number, fn: number, fill: (space: Buffer) => void): Buffer {
    const space = Buffer.alloc(256);
    fill(space);
    this.spaces.set((bus << 16) | (device << 11) | (fn << 8), space);
    return space;
  }

  #read(port: number, size: number): number {
    if (port < 0xcfc || port > 0xcff || this.#address >>> 31 === 0) return 0xffffffff;
    const space = this.spaces.get(this.#address & 0xffff00);
    const offset = (this.#address & 0xfc) + port - 0xcfc;
    return space ? space.readUIntLE(offset, size) : 0xffffffff;
  }

  #write(port: number, size: number, value: number): void {
    if (port === 0xcf8) this.#address = value;
    else if (port >= 0xcfc && port <= 0xcff) {
      const space = this.spaces.get(this.#address & 0xffff00);
      space?.writeUIntLE(value, (this.#address & 0xfc) + port - 0xcfc, size);
    }
  }
}

interface Identity {
  vendor?: number;
  device?: number;
  headerType?: number;
  secondary?: number;
  subsystem?: number;
}

const identity =
  ({ vendor = 0x8086, device = 0x1234, headerType = 0, secondary = 0, subsystem = 0 }: Identity) =>
  (space: Buffer): void => {
    space.writeUInt16LE(vendor, 0);
    space.writeUInt16LE(device, 2);
    space.writeUInt32LE(0x01_06_01_00, 8);
    space.writeUInt8(headerType, 0x0e);
    if (headerType & 1) space.writeUInt8(secondary, 0x19);
    else space.writeUInt16LE(subsystem, 0x2e);
  };

const place = (address: number): string =>
  `${(address >> 16) & 0xff}:${(address >> 11) & 31}.${(address >> 8) & 7}`;

test("functions are found behind bridges, and only where they can be", async () => {
  const module = await load();
  const pci = new PciModel(module);
  pci.add(0, 0, 0, identity({}));
  pci.add(0, 3, 0, identity({ headerType: 0x80 }));
  pci.add(0, 3, 5, identity({}));
  pci.add(0, 4, 0, identity({}));
  pci.add(0, 4, 1, identity({})); // not looked for: function 0 says it is alone
  pci.add(0, 7, 0, identity({ headerType: 1, secondary: 2 }));
  pci.add(2, 1, 0, identity({}));
  pci.add(0, 8, 0, identity({ headerType: 1, secondary: 0 })); // would loop
  const count = module.exports.scan();
  const found = Array.from({ length: count }, (_, index) => place(module.exports.address(index)));
  assert.deepEqual(found, ["0:0.0", "0:3.0", "0:3.5", "0:4.0", "2:1.0"]);
  assert.equal(module.exports.classCode(0), 0x010601);
});

test("no bus: one look", async () => {
  const module = await load();
  new PciModel(module);
  assert.equal(module.exports.scan(), 0);
  assert.ok(module.hardware.portLog.length <= 2);
});

test("virtio types of modern, transitional and other devices", async () => {
  const module = await load();
  const pci = new PciModel(module);
  pci.add(0, 0, 0, identity({ vendor: 0x1af4, device: 0x1042 }));
  pci.add(0, 1, 0, identity({ vendor: 0x1af4, device: 0x1003, subsystem: 3 }));
  pci.add(0, 2, 0, identity({ vendor: 0x1af4, device: 0x1100 }));
  pci.add(0, 3, 0, identity({ vendor: 0x8086, device: 0x1042 }));
  assert.equal(module.exports.scan(), 4);
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => module.exports.virtioType(index)),
    [2, 3, 0, 0],
  );
});

test("base addresses: memory of 32 and 64 bits, not ports", async () => {
  const module = await load();
  const space = new PciModel(module).add(0, 0, 0, identity({}));
  space.writeUInt32LE(0xfebf1000, 0x10);
  space.writeUInt32LE(0xc041, 0x14);
  space.writeUInt32LE(0xfe00000c, 0x18);
  space.writeUInt32LE(0x12, 0x1c);
  assert.equal(module.exports.scan(), 1);
  const bars = [0, 1, 2, 4, 5, 6, 7].map((bar) => module.exports.baseAddress(0, bar));
  assert.deepEqual(bars, [0xfebf1000n, 0n, 0x12fe000000n, 0n, 0n, 0n, 0n]);
});

test("capabilities are listed in order", async () => {
  const module = await load();
  const space = new PciModel(module).add(0, 0, 0, identity({}));
  space.writeUInt16LE(0x10, 6);
  space.writeUInt8(0x40, 0x34);
  for (const [at, id, next] of [
    [0x40, 9, 0x60],
    [0x60, 0x11, 0x80],
    [0x80, 9, 0],
  ] as const) {
    space.writeUInt8(id, at);
    space.writeUInt8(next, at + 1);
  }
  assert.equal(module.exports.scan(), 1);
  assert.equal(module.exports.capability(0, 9, 0), 0x40);
  assert.equal(module.exports.capability(0, 9, 0x40), 0x80);
  assert.equal(module.exports.capability(0, 9, 0x80), 0);
  assert.equal(module.exports.capability(0, 0x11, 0), 0x60);
  assert.equal(module.exports.capability(0, 5, 0), 0);
  module.exports.enable(0);
  assert.equal(space.readUInt16LE(4), 0x406);
});

test("any configuration space: the search for capabilities ends", async () => {
  const base = await load();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 256, maxLength: 256, size: "max" }), (bytes) => {
      const module = base.fresh();
      const space = new PciModel(module).add(0, 0, 0, (fresh) => fresh.set(bytes));
      space.writeUInt16LE(0x10, 6);
      space.writeUInt8(0, 0x0e);
      space.writeUInt32LE(0x12341af4, 0);
      assert.equal(module.exports.scan(), 1);
      let offset = module.exports.capability(0, 9, 0);
      for (let i = 0; i < 64 && offset !== 0; i++) {
        assert.ok(offset >= 0x40 && offset < 0x100);
        offset = module.exports.capability(0, 9, offset);
      }
    }),
    { numRuns: 300 },
  );
});
