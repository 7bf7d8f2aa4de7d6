/** Announcements of virtio-mmio devices on the command line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";

interface Exports {
  next(text: bigint, length: bigint, from: bigint): number;
  sizeBytes(): bigint;
  base(): bigint;
  irq(): number;
  nextPosition(): bigint;
}

const load = () => loadKernelModule<Exports>("kernel/dev/mmio/command-line.testentry.ts");

function place({ heap, memory }: KernelModule<Exports>, text: string): bigint {
  const address = heap.reserve(text.length + 1);
  memory.bytes(address, text.length).set(Buffer.from(text, "latin1"));
  return address;
}

/** All announcements of a line as [size, base, irq]. */
function parse(module: KernelModule<Exports>, text: string): [bigint, bigint, number][] {
  const address = place(module, text);
  const found: [bigint, bigint, number][] = [];
  let from = 0n;
  while (module.exports.next(address, BigInt(text.length), from) !== 0) {
    found.push([
      module.exports.sizeBytes(),
      BigInt.asUintN(64, module.exports.base()),
      module.exports.irq(),
    ]);
    const position = module.exports.nextPosition();
    assert.ok(position > from && position <= BigInt(text.length));
    from = position;
  }
  return found;
}

test("announcements, whole and broken", async () => {
  const module = await load();
  const device = "virtio_mmio.device=";
  for (const [text, expected] of [
    ["", []],
    ["root=/dev/vda -- /bin/true", []],
    [`${device}512@0xfeb02a00:12`, [[512n, 0xfeb02a00n, 12]]],
    [
      `a ${device}4K@0xd0000000:5:0  ${device}0x200@3489660928:6 b`,
      [
        [4096n, 0xd0000000n, 5],
        [512n, 0xd0000000n, 6],
      ],
    ],
    [`-- /bin/x ${device}1M@0x1000:7`, [[1n << 20n, 0x1000n, 7]]],
    [`${device}1G@0xfffffffffffff000:7`, [[1n << 30n, 0xfffffffffffff000n, 7]]],
    [`${device}512@0xfeb00000`, []],
    [`${device}512:5`, []],
    [`${device}@0x1:5`, []],
    [`${device}512@0x:5`, []],
    [`${device}512@0x1:70000`, []],
    [`${device}512@0x11111111111111111:5`, []],
    [`x${device}512@0x1000:5`, []],
    [`${device}bad ${device}512@0x1000:5`, [[512n, 0x1000n, 5]]],
  ] as const) {
    assert.deepEqual(parse(module, text), expected, text);
  }
});

test("no text leads astray", async () => {
  const module = await load();
  const piece = fc.constantFrom(
    "virtio_mmio.device=",
    "512",
    "@",
    "0x",
    "ff",
    ":",
    " ",
    "K",
    "9",
    "g",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60, size: "max" }), (pieces) => {
      parse(module.fresh(), pieces.join(""));
    }),
  );
});
