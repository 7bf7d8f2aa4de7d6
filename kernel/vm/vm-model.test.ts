/** Address spaces: random operations against a model of pages, also without memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KernelModule } from "../../compiler/testing.ts";
import {
  ACCERR,
  compiled,
  EFAULT,
  ENOMEM,
  type Exports,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_RANDOM,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAPERR,
  MIB,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  OOM,
  OUT,
  PAGE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  RAM_BASE,
  RW,
  SIGBUS,
} from "./testing/machine.ts";

/** What the model knows of a page. */
interface ModelPage {
  prot: number;
  shared: boolean;
  file: number;
  index: number;
  /** Private content that was written; undefined: as in the file, or zero. */
  content: bigint | undefined;
}

const ARENA_PAGES = 1400;
/** The arena begins 5 pages before a 2 MiB boundary, so that tables come and go and large pages occur. */
const ARENA = (1n << 36n) - 5n * PAGE;

/** Mostly a few pages, so that operations meet the ends of each other's ranges. */
const place = fc.oneof(
  { weight: 4, arbitrary: fc.nat(9) },
  { weight: 1, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.nat(ARENA_PAGES - 1) },
);
const span = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 400, max: 1200 }) },
);
const prot = fc.constantFrom(0, PROT_READ, RW, RW, RW, PROT_READ | PROT_EXEC);
const origin = fc.constantFrom(-1, -1, -1, 0, 1, 2);

type Step =
  | {
      kind: "map";
      at: number;
      pages: number;
      prot: number;
      shared: boolean;
      file: number;
      offset: number;
      populate: boolean;
    }
  | { kind: "place"; pages: number }
  | { kind: "unmap"; at: number; pages: number }
  | { kind: "protect"; at: number; pages: number; prot: number }
  | { kind: "remap"; at: number; pages: number; newPages: number; to: number; flags: number }
  | { kind: "forget"; at: number; pages: number }
  | { kind: "advise"; at: number; pages: number; advice: number }
  | { kind: "touch"; at: number; write: boolean; execute: boolean }
  | { kind: "evict" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("map" as const),
      at: place,
      pages: span,
      prot,
      shared: fc.boolean(),
      file: origin,
      offset: fc.nat(40),
      populate: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("place" as const), pages: span }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("unmap" as const), at: place, pages: span }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("protect" as const), at: place, pages: span, prot }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("remap" as const),
      at: place,
      pages: span,
      newPages: span,
      to: place,
      flags: fc.constantFrom(
        0,
        MREMAP_MAYMOVE,
        MREMAP_MAYMOVE | MREMAP_FIXED,
        MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("forget" as const), at: place, pages: span }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("advise" as const),
      at: place,
      pages: span,
      advice: fc.constantFrom(MADV_RANDOM, MADV_HUGEPAGE, MADV_NOHUGEPAGE),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("touch" as const),
      at: place,
      write: fc.boolean(),
      execute: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("evict" as const) }) },
);

const addressOf = (page: number): bigint => ARENA + BigInt(page) * PAGE;

/** The model: pages by number relative to the arena, and the content of shared files. */
class Model {
  readonly pages = new Map<number, ModelPage>();
  readonly written = new Map<string, bigint>();

  content(page: ModelPage): bigint {
    if (page.content !== undefined) return page.content;
    if (page.file < 0) return 0n;
    return (
      this.written.get(`${page.file}:${page.index}`) ?? BigInt(page.file * 1000000 + page.index + 1)
    );
  }

  /** Pages [at, at + count) that form one mapping as far as mremap is concerned. */
  isUniform(at: number, count: number): boolean {
    const first = this.pages.get(at);
    if (!first) return false;
    for (let i = 0; i < count; i++) {
      const page = this.pages.get(at + i);
      if (
        !page ||
        page.prot !== first.prot ||
        page.shared !== first.shared ||
        page.file !== first.file
      )
        return false;
      if (page.file >= 0 && page.index !== first.index + i) return false;
    }
    return true;
  }
}

function check(kernel: KernelModule<Exports>, model: Model, number: number): void {
  const { exports, memory } = kernel;
  const page = model.pages.get(number);
  const found = exports.access(addressOf(number), 0, 0);
  if (!page) assert.equal(found, MAPERR, `page ${number} is not mapped`);
  else if (page.prot === 0) assert.equal(found, ACCERR, `page ${number} is PROT_NONE`);
  else if (page.file >= 0 && page.index >= 64)
    assert.equal(found, SIGBUS, `page ${number} is behind the file`);
  else {
    assert.ok(found > 0n, `page ${number} is readable, not ${found}`);
    assert.equal(memory.read(found, 64), model.content(page), `content of page ${number}`);
  }
}

/** Checks that a page can be written to exactly if the model says so. */
function checkWrite(kernel: KernelModule<Exports>, model: Model, number: number): void {
  const page = model.pages.get(number);
  if (!page || (page.file >= 0 && page.index >= 64)) return;
  const found = kernel.exports.access(addressOf(number), 1, 0);
  if (page.prot & PROT_WRITE) assert.ok(found > 0n, `page ${number} is writable, not ${found}`);
  else assert.equal(found, ACCERR, `page ${number} is not writable`);
}

/** Compares the list of mappings with the model's pages. */
function checkMappings(kernel: KernelModule<Exports>, model: Model): void {
  const { exports, memory } = kernel;
  const mapped = new Map<number, number>();
  let at = 0n;
  let bytes = 0n;
  while (exports.mappingAt(at, OUT)) {
    const start = memory.read(OUT, 64);
    const end = memory.read(OUT + 8n, 64);
    assert.ok(start >= at && end > start, "mappings are in order");
    bytes += end - start;
    for (let page = start; page < end; page += PAGE) {
      mapped.set(Number((page - ARENA) / PAGE), Number(memory.read(OUT + 16n, 32)));
    }
    at = end;
  }
  assert.equal(exports.mappedBytes(), bytes);
  assert.equal(mapped.size, model.pages.size, "number of mapped pages");
  for (const [number, page] of model.pages) {
    assert.equal(mapped.get(number), page.prot, `protection of page ${number}`);
  }
}

function run(kernel: KernelModule<Exports>, model: Model, step: Step, tag: bigint): void {
  const { exports, memory } = kernel;
  if (step.kind === "evict") {
    exports.evict();
    return;
  }
  if (step.kind === "place") {
    const result = exports.map(
      0n,
      BigInt(step.pages) * PAGE,
      RW,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0n,
    );
    assert.ok(result > 0n);
    assert.equal(result % PAGE, 0n);
    const first = Number((result - ARENA) / PAGE);
    for (let i = first; i < first + step.pages; i++) {
      assert.ok(!model.pages.has(i), "a new mapping overlaps another");
      model.pages.set(i, { prot: RW, shared: false, file: -1, index: 0, content: undefined });
    }
    return;
  }
  const address = addressOf(step.at);
  if (step.kind === "touch") {
    const page = model.pages.get(step.at);
    const found = exports.access(address, step.write ? 1 : 0, step.execute && !step.write ? 1 : 0);
    if (!page) assert.equal(found, MAPERR);
    else if (
      step.write
        ? (page.prot & PROT_WRITE) === 0
        : step.execute
          ? (page.prot & PROT_EXEC) === 0
          : page.prot === 0
    ) {
      assert.equal(found, ACCERR);
    } else if (page.file >= 0 && page.index >= 64) assert.equal(found, SIGBUS);
    else {
      assert.ok(found > 0n, `access at page ${step.at}: ${found}`);
      assert.equal(memory.read(found, 64), model.content(page));
      if (step.write) {
        memory.write(found, 64, tag);
        if (page.shared && page.file >= 0) model.written.set(`${page.file}:${page.index}`, tag);
        else page.content = tag;
      }
    }
    return;
  }
  const length = BigInt(step.pages) * PAGE;
  const end = step.at + step.pages;
  if (step.kind === "map") {
    const flags =
      (step.shared ? MAP_SHARED : MAP_PRIVATE) |
      MAP_FIXED |
      (step.file < 0 ? MAP_ANONYMOUS : 0) |
      (step.populate ? MAP_POPULATE : 0);
    assert.equal(
      exports.map(address, length, step.prot, flags, step.file, BigInt(step.offset) * PAGE),
      address,
    );
    for (let i = step.at; i < end; i++) {
      const page: ModelPage = {
        prot: step.prot,
        shared: step.shared,
        file: step.file,
        index: step.offset + i - step.at,
        content: undefined,
      };
      // Filling a private writable mapping in advance takes the copies at once, as in Linux.
      const isCopied = step.populate && !step.shared && step.prot & PROT_WRITE;
      if (isCopied && page.file >= 0 && page.index < 64) page.content = model.content(page);
      model.pages.set(i, page);
    }
  } else if (step.kind === "unmap") {
    assert.equal(exports.unmap(address, length), 0n);
    for (let i = step.at; i < end; i++) model.pages.delete(i);
  } else if (step.kind === "protect") {
    let hole = false;
    for (let i = step.at; i < end && !hole; i++) {
      const page = model.pages.get(i);
      if (page) page.prot = step.prot;
      else hole = true;
    }
    assert.equal(exports.protect(address, length, step.prot), hole ? ENOMEM : 0n);
  } else if (step.kind === "forget") {
    let hole = false;
    for (let i = step.at; i < end; i++) {
      const page = model.pages.get(i);
      if (!page) hole = true;
      // Shared anonymous memory of a single process is forgotten as well.
      else page.content = undefined;
    }
    assert.equal(exports.advise(address, length, MADV_DONTNEED), hole ? ENOMEM : 0n);
  } else if (step.kind === "advise") {
    // Divides mappings and large pages, but changes no page.
    let hole = false;
    for (let i = step.at; i < end; i++) hole ||= !model.pages.has(i);
    assert.equal(exports.advise(address, length, step.advice), hole ? ENOMEM : 0n);
  } else remapStep(kernel, model, step);
}

function remapStep(
  kernel: KernelModule<Exports>,
  model: Model,
  step: Step & { kind: "remap" },
): void {
  const { exports } = kernel;
  const newPages = step.flags & MREMAP_DONTUNMAP ? step.pages : step.newPages;
  const fixed = (step.flags & MREMAP_FIXED) !== 0;
  // Mappings that the model cannot tell apart may have been made by different calls.
  const result = exports.remap(
    addressOf(step.at),
    BigInt(step.pages) * PAGE,
    BigInt(newPages) * PAGE,
    step.flags,
    addressOf(step.to),
  );
  const overlap = fixed && step.to < step.at + step.pages && step.at < step.to + newPages;
  if (result < 0n) {
    assert.ok(
      overlap || result === EFAULT || (result === ENOMEM && (step.flags & MREMAP_MAYMOVE) === 0),
      `mremap: ${result}`,
    );
    return;
  }
  assert.ok(!overlap);
  const kept = Math.min(step.pages, newPages);
  assert.ok(model.isUniform(step.at, kept), "mremap moved what is not one mapping");
  const first = model.pages.get(step.at);
  assert.ok(first);
  const to = Number((result - ARENA) / PAGE);
  if (fixed) assert.equal(to, step.to);
  const moved = Array.from({ length: kept }, (_, i) => model.pages.get(step.at + i));
  if (to !== step.at || newPages < step.pages) {
    for (let i = step.at; i < step.at + step.pages; i++) {
      const page = model.pages.get(i);
      if (step.flags & MREMAP_DONTUNMAP && page)
        model.pages.set(i, { ...page, content: undefined });
      else model.pages.delete(i);
    }
  }
  for (let i = 0; i < newPages; i++) {
    if (!fixed && i >= kept) assert.ok(!model.pages.has(to + i), "mremap overlaps another mapping");
    model.pages.set(to + i, moved[i] ?? { ...first, index: first.index + i, content: undefined });
  }
}

/** Makes the processor say that it is QEMU's emulator (CPUID leaves 1 and 0x40000000). */
function emulated(kernel: KernelModule<Exports>): void {
  kernel.hardware.cpuidLeaves.set("1:0", [0, 0, 0x80000000 | 0, 0]);
  kernel.hardware.cpuidLeaves.set(`${0x40000000}:0`, [0, 0x54474354, 0, 0]);
}

test("random operations agree with a model of pages", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: "max" }), (steps) => {
      const kernel = module.fresh();
      const { exports } = kernel;
      // Half of the machines are emulated: pages are filled and copied in another way there.
      if (steps.length % 2) emulated(kernel);
      exports.boot(RAM_BASE, 40n * MIB);
      const before = exports.freeFrameCount();
      const slabs = exports.slabFrameCount();
      assert.equal(exports.create(), 1);
      exports.setMmapTop(1n << 40n);
      const model = new Model();
      steps.forEach((step, i) => {
        run(kernel, model, step, BigInt(i) + 5000000n);
        checkMappings(kernel, model);
      });
      const numbers = [...model.pages.keys()];
      for (const number of numbers) {
        check(kernel, model, number);
        check(kernel, model, number - 1);
        check(kernel, model, number + 1);
      }
      for (const number of numbers) checkWrite(kernel, model, number);
      exports.destroySpace();
      exports.evict();
      assert.equal(exports.closeFiles(), 1, "a reference to a file is left");
      // One frame is the zero page.
      const lost = before + slabs - exports.freeFrameCount() - exports.slabFrameCount();
      assert.ok(lost === 0n || lost === 1n, `${lost} frames are lost`);
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
});

test("without memory everything fails cleanly and nothing leaks", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 120, size: "max" }),
      fc.integer({ min: 300, max: 900 }),
      (steps, kilobytes) => {
        const kernel = module.fresh();
        const { exports } = kernel;
        exports.boot(RAM_BASE, BigInt(kilobytes) * 1024n);
        const before = exports.freeFrameCount();
        const slabs = exports.slabFrameCount();
        if (!exports.create()) return;
        exports.setMmapTop(1n << 40n);
        let failures = 0;
        for (const step of steps) {
          if (step.kind === "evict") exports.evict();
          else if (step.kind === "touch") {
            for (let i = 0; i < 40; i++) {
              const found = exports.access(addressOf(step.at + i), step.write ? 1 : 0, 0);
              assert.notEqual(found, -999n, "an access never succeeds and never fails");
              if (found === OOM) failures++;
            }
          } else {
            try {
              run(kernel, new Model(), step, 0n);
            } catch (error) {
              if (!(error instanceof assert.AssertionError)) throw error;
            }
          }
        }
        exports.destroySpace();
        exports.evict();
        assert.equal(exports.closeFiles(), 1, "a reference to a file is left");
        const lost = before + slabs - exports.freeFrameCount() - exports.slabFrameCount();
        assert.ok(lost === 0n || lost === 1n, `${lost} frames are lost after ${failures} failures`);
      },
    ),
    { numRuns: 200, includeErrorInReport: true },
  );
});
