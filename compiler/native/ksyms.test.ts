/** The table for backtraces: what the build writes, the kernel's own reader finds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../testing.ts";
import { packSymbols } from "./ksyms.ts";
import { displayName, type SymbolFunction } from "./ksyms-collect.ts";
import { packNames, unpackName } from "./ksyms-names.ts";

const TEXT_START = 0x200000n;

interface Exports {
  lookUp(address: bigint): number;
  functionName(): bigint;
  functionNameLength(): number;
  fileName(): bigint;
  fileNameLength(): number;
  line(): number;
  offset(): number;
}

interface Found {
  name: string;
  file: string;
  line: number;
  offset: number;
}

const identifier = fc.stringMatching(/^[A-Za-z][A-Za-z0-9#_]{0,30}$/);
const file = fc.constantFrom("kernel/mm/heap.ts", "kernel/sched/thread.ts", "~lib/array.ts", "x.S");
const line = fc.integer({ min: 0, max: 5000 });

/** Functions one after another, each with calls inside itself. */
const program = fc
  .array(
    fc.record({
      name: identifier,
      gap: fc.integer({ min: 1, max: 3000 }),
      file,
      line,
      calls: fc.array(fc.record({ distance: fc.integer({ min: 1, max: 300 }), file, line }), {
        maxLength: 12,
      }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((items) => {
    const functions: SymbolFunction[] = [];
    let end = 0;
    for (const { name, gap, file: place, line: start, calls } of items) {
      const offset = functions.length === 0 ? 0 : end + gap;
      let at = offset;
      const sites = calls.map((call) => {
        at += call.distance;
        return { offset: at, file: call.file, line: call.line };
      });
      end = at + 1;
      functions.push({ name, offset, file: place, line: start, calls: sites });
    }
    return { functions, size: end + 100 };
  });

/** What a look-up should find, by the plain definition. */
function expected(functions: readonly SymbolFunction[], offset: number): Found {
  const inside = Math.max(offset - 1, 0);
  const entry = functions.filter((f) => f.offset <= inside).at(-1);
  assert.ok(entry);
  const call = entry.calls.filter((c) => c.offset <= offset).at(-1) ?? entry;
  return { name: entry.name, file: call.file, line: call.line, offset: offset - entry.offset };
}

test("look-ups find function, file and line", async () => {
  let table: bigint = 0n;
  let tableEnd = 0n;
  let textEnd = 0n;
  const kernel = await loadKernelModule<Exports>("compiler/testdata/ksyms.ts", {
    symbols: () => ({
      __ksyms_start: table,
      __ksyms_end: tableEnd,
      __text_start: TEXT_START,
      __text_end: textEnd,
    }),
  });
  const area = kernel.heap.reserve(1 << 20, 4096);
  fc.assert(
    fc.property(program, fc.infiniteStream(fc.nat()), ({ functions, size }, random) => {
      const bytes = packSymbols(functions);
      kernel.memory.bytes(area, bytes.length).set(bytes);
      table = area;
      tableEnd = area + BigInt(bytes.length);
      textEnd = TEXT_START + BigInt(size);
      const interesting = functions.flatMap((f) => [f.offset, ...f.calls.map((c) => c.offset)]);
      const others = [...random.take(20)].map((n) => n % size);
      for (const offset of [...interesting, ...others]) {
        assert.equal(kernel.exports.lookUp(TEXT_START + BigInt(offset)), 1);
        const text = (pointer: bigint, length: number): string =>
          Buffer.from(kernel.memory.bytes(pointer, length)).toString("latin1");
        const found: Found = {
          name: text(kernel.exports.functionName(), kernel.exports.functionNameLength()),
          file: text(kernel.exports.fileName(), kernel.exports.fileNameLength()),
          line: kernel.exports.line(),
          offset: kernel.exports.offset(),
        };
        assert.deepEqual(found, expected(functions, offset));
      }
    }),
    { numRuns: 60 },
  );
  assert.equal(kernel.exports.lookUp(TEXT_START - 1n), 0);
  assert.equal(kernel.exports.lookUp(textEnd + 1n), 0);
  tableEnd = table;
  assert.equal(kernel.exports.lookUp(TEXT_START), 0, "a kernel without a table finds nothing");
});

test("packed names unpack to themselves and take less room", () => {
  const names = Array.from({ length: 400 }, (_, i) => `Thread#wakeFromQueue${i % 40}Locked`);
  const packed = packNames(names);
  assert.deepEqual(
    packed.names.map((name) => unpackName(name, packed.pairs)),
    names,
  );
  const size = packed.names.flat().length + packed.pairs.length * 2;
  assert.ok(size < names.join("").length / 3, `${size} bytes`);
  fc.assert(
    fc.property(fc.array(identifier, { maxLength: 50 }), (texts) => {
      const { names: symbols, pairs } = packNames(texts);
      assert.deepEqual(
        symbols.map((name) => unpackName(name, pairs)),
        texts,
      );
    }),
  );
});

test("display names leave paths out", () => {
  assert.equal(displayName("kernel/sched/thread/Thread#wake"), "Thread#wake");
  assert.equal(
    displayName("~lib/staticarray/StaticArray<kernel/fs/vnode/VNode>#__get"),
    "StaticArray<VNode>#__get",
  );
  assert.equal(displayName("start:kernel/mm/heap"), "initialise");
  assert.equal(displayName("kernel/main/kmain~anonymous|0"), "kmain function 0");
});
