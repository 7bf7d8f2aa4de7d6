/** Partitions on disks that capstan's own code makes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeFirstSector,
  type Partition,
  partitionName,
} from "../../capstan/disk/boot/partition-table.ts";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";
import { withEarlyHeap } from "./testing/early-heap.ts";

interface Exports {
  addDisk(bytes: bigint, sectors: bigint): void;
  find(text: bigint, length: bigint): bigint;
  nameLength(): number;
  nameCode(index: number): number;
  read(sector: bigint, address: bigint, count: number): number;
}

const SECTORS = 64;
const partitions: Partition[] = [
  { type: 0xda, isActive: true, firstSector: 1, sectors: 9 },
  { type: 0x83, isActive: false, firstSector: 16, sectors: 32 },
  { type: 0x83, isActive: false, firstSector: 60, sectors: 100 },
];

const load = () => loadKernelModule<Exports>("kernel/dev/partition.testentry.ts", withEarlyHeap());

function addDisk(module: KernelModule<Exports>, signature: number): void {
  const address = module.heap.reserve(SECTORS * 512, 512);
  const bytes = Buffer.alloc(SECTORS * 512);
  for (let sector = 0; sector < SECTORS; sector++)
    bytes.fill(sector, sector * 512, (sector + 1) * 512);
  encodeFirstSector(Buffer.alloc(0), signature, partitions).copy(bytes);
  module.memory.bytes(address, bytes.length).set(bytes);
  module.exports.addDisk(address, BigInt(SECTORS));
}

function find(module: KernelModule<Exports>, text: string): bigint {
  const address = module.heap.reserve(64, 8);
  module.memory.bytes(address, text.length).set(Buffer.from(text, "latin1"));
  return module.exports.find(address, BigInt(text.length));
}

test("a partition is found by its disk's signature, and reads where it lies", async () => {
  const module = await load();
  addDisk(module, 0x0000_00aa);
  addDisk(module, 0x12ab_34cd);
  const { exports } = module;
  const name = partitionName(0x12ab34cd, 2).replace("PARTUUID=", "");
  assert.equal(find(module, name), 32n);
  const letters = Array.from({ length: exports.nameLength() }, (_, at) => exports.nameCode(at));
  assert.equal(String.fromCharCode(...letters), "vda2");
  const target = module.heap.reserve(2 * 512, 512);
  assert.equal(exports.read(30n, target, 2), 0);
  assert.deepEqual(
    [...module.memory.bytes(target, 1024)].filter((_, at) => at % 512 === 0),
    [46, 47],
  );
  assert.equal(exports.read(31n, target, 2), -5, "beyond the end of the partition");
});

test("what is not there is not found", async () => {
  const module = await load();
  addDisk(module, 0x12ab_34cd);
  for (const text of ["12ab34cd-04", "12ab34cd-00", "12ab34ce-02", "12ab34cd-2", "", "x"]) {
    assert.equal(find(module, text), 0n, text);
  }
  assert.equal(find(module, "12ab34cd-03"), 0n, "a partition larger than its disk");
});
