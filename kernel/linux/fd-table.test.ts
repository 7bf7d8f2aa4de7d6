/** The descriptor table against a model: a Map and the rule "lowest free number". */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  newTable(): bigint;
  endTable(table: bigint): void;
  takeEnded(): number;
  install(table: bigint, number: number, minimum: number, limit: number, flags: number): number;
  reserve(table: bigint, limit: number): number;
  fill(table: bigint, fd: number, number: number, flags: number): void;
  cancel(table: bigint, fd: number): void;
  replace(table: bigint, from: number, to: number, limit: number, flags: number): number;
  remove(table: bigint, fd: number): number;
  numberAt(table: bigint, fd: number): number;
  flagsAt(table: bigint, fd: number): number;
  setFlags(table: bigint, fd: number, flags: number): number;
  nextOpen(table: bigint, from: number): number;
  count(table: bigint): number;
  closeOnExec(table: bigint): void;
  duplicate(table: bigint): bigint;
}

const EBADF = -9;
const ENOMEM = -12;
const EBUSY = -16;
const EMFILE = -24;
const CLOEXEC = 1;

const compiled = loadKernelModule<Exports>("kernel/linux/fd-table.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

interface Entry {
  number: number;
  flags: number;
}

function lowestFree(model: ReadonlyMap<number, Entry>, minimum: number): number {
  let fd = minimum;
  while (model.has(fd)) fd++;
  return fd;
}

type Step =
  | { kind: "install"; minimum: number; limit: number; flags: number }
  | { kind: "replace"; from: number; to: number; limit: number; flags: number }
  | { kind: "remove"; fd: number }
  | { kind: "setFlags"; fd: number; flags: number }
  | { kind: "closeOnExec" };

// Around the edges of 64-bit words and of table growth.
const descriptor = fc.oneof(fc.nat(8), fc.integer({ min: 60, max: 132 }), fc.constant(-1));
const limit = fc.constantFrom(4, 64, 65, 200, 1024);
const flags = fc.constantFrom(0, CLOEXEC);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("install" as const),
      minimum: fc.oneof(fc.constant(0), fc.nat(140)),
      limit,
      flags,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("replace" as const),
      from: descriptor,
      to: descriptor,
      limit,
      flags,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("remove" as const), fd: descriptor }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("setFlags" as const), fd: descriptor, flags }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("closeOnExec" as const) }) },
);

function applyStep(
  kernel: Exports,
  table: bigint,
  model: Map<number, Entry>,
  action: Step,
  number: number,
): void {
  switch (action.kind) {
    case "install": {
      const expected = lowestFree(model, action.minimum);
      const fits = expected < action.limit;
      const fd = kernel.install(table, number, action.minimum, action.limit, action.flags);
      assert.equal(fd, fits ? expected : EMFILE);
      if (fits) model.set(fd, { number, flags: action.flags });
      break;
    }
    case "replace": {
      const source = model.get(action.from);
      const result = kernel.replace(table, action.from, action.to, action.limit, action.flags);
      if (!source || action.to < 0 || action.to >= action.limit) assert.equal(result, EBADF);
      else {
        assert.equal(result, model.get(action.to)?.number ?? -1);
        model.set(action.to, { number: source.number, flags: action.flags });
      }
      break;
    }
    case "remove":
      assert.equal(kernel.remove(table, action.fd), model.get(action.fd)?.number ?? -1);
      model.delete(action.fd);
      break;
    case "setFlags": {
      const entry = model.get(action.fd);
      assert.equal(kernel.setFlags(table, action.fd, action.flags), entry ? 0 : EBADF);
      if (entry) entry.flags = action.flags;
      break;
    }
    case "closeOnExec":
      kernel.closeOnExec(table);
      for (const [fd, entry] of model) if (entry.flags === CLOEXEC) model.delete(fd);
  }
}

function compare(kernel: Exports, table: bigint, model: ReadonlyMap<number, Entry>): void {
  assert.equal(kernel.count(table), model.size);
  const open: number[] = [];
  for (let fd = kernel.nextOpen(table, 0); fd >= 0; fd = kernel.nextOpen(table, fd + 1))
    open.push(fd);
  assert.deepEqual(
    open,
    [...model.keys()].sort((a, b) => a - b),
  );
  for (const [fd, entry] of model) {
    assert.equal(kernel.numberAt(table, fd), entry.number);
    assert.equal(kernel.flagsAt(table, fd), entry.flags);
  }
  assert.equal(kernel.numberAt(table, 5000), -1);
  assert.equal(kernel.flagsAt(table, -1), EBADF);
}

function assertNothingLeaks(module: KernelModule<Exports>, blocksBefore: number): void {
  assert.equal(module.heap.liveBlocks, blocksBefore);
  module.heap.check();
}

test("random operations agree with a map, and every file ends exactly once", async () => {
  const module = (await compiled).fresh();
  const kernel = module.exports;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const blocksBefore = module.heap.liveBlocks;
      const table = kernel.newTable();
      const model = new Map<number, Entry>();
      kernel.takeEnded();
      steps.forEach((action, number) => {
        applyStep(kernel, table, model, action, number);
      });
      compare(kernel, table, model);
      kernel.takeEnded();
      kernel.endTable(table);
      assert.equal(kernel.takeEnded(), new Set([...model.values()].map((e) => e.number)).size);
      assertNothingLeaks(module, blocksBefore);
    }),
    { numRuns: 300 },
  );
});

test("a reserved descriptor is busy, not open, and can be given back", async () => {
  const module = (await compiled).fresh();
  const kernel = module.exports;
  const table = kernel.newTable();
  kernel.install(table, 7, 0, 1024, 0);
  assert.equal(kernel.reserve(table, 1024), 1);
  assert.equal(kernel.numberAt(table, 1), -1);
  assert.equal(kernel.remove(table, 1), -1);
  assert.equal(kernel.replace(table, 0, 1, 1024, 0), EBUSY);
  assert.equal(kernel.install(table, 8, 0, 1024, 0), 2);
  kernel.fill(table, 1, 9, CLOEXEC);
  assert.equal(kernel.numberAt(table, 1), 9);
  assert.equal(kernel.flagsAt(table, 1), CLOEXEC);
  assert.equal(kernel.reserve(table, 4), 3);
  assert.equal(kernel.reserve(table, 4), EMFILE);
  kernel.cancel(table, 3);
  assert.equal(kernel.reserve(table, 4), 3);
});

test("a table that cannot grow reports ENOMEM and stays whole", async () => {
  const module = (await compiled).fresh();
  const kernel = module.exports;
  const table = kernel.newTable();
  for (let fd = 0; fd < 64; fd++) assert.equal(kernel.install(table, fd, 0, 1024, 0), fd);
  module.heap.failAfter(1); // the file itself, then no larger table
  assert.equal(kernel.install(table, 64, 0, 1024, 0), ENOMEM);
  module.heap.failAfter(Number.POSITIVE_INFINITY);
  assert.equal(kernel.replace(table, 3, 64, 1024, 0), -1);
  assert.equal(kernel.numberAt(table, 63), 63);
  assert.equal(kernel.numberAt(table, 64), 3);
  assert.equal(kernel.install(table, 65, 0, 1024, 0), 65);
});

test("a copied table shares the files and keeps them after the original is gone", async () => {
  const module = (await compiled).fresh();
  const kernel = module.exports;
  const blocksBefore = module.heap.liveBlocks;
  const table = kernel.newTable();
  kernel.install(table, 1, 0, 1024, 0);
  kernel.install(table, 2, 100, 1024, CLOEXEC);
  const copy = kernel.duplicate(table);
  kernel.takeEnded();
  kernel.endTable(table);
  assert.equal(kernel.takeEnded(), 0);
  assert.equal(kernel.numberAt(copy, 0), 1);
  assert.equal(kernel.numberAt(copy, 100), 2);
  assert.equal(kernel.flagsAt(copy, 100), CLOEXEC);
  assert.equal(kernel.install(copy, 3, 0, 1024, 0), 1);
  kernel.endTable(copy);
  assert.equal(kernel.takeEnded(), 3);
  assertNothingLeaks(module, blocksBefore);
});
