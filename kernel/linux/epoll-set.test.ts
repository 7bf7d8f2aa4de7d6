/** epoll: what is reported, how often, at what cost, and what happens when files and sets end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  newFile(): bigint;
  newEpoll(): bigint;
  close(file: bigint): void;
  setReady(file: bigint, ready: number): void;
  clearReady(file: bigint): void;
  add(epoll: bigint, file: bigint, fd: number, events: number, data: bigint): number;
  modify(epoll: bigint, file: bigint, fd: number, events: number, data: bigint): number;
  remove(epoll: bigint, file: bigint, fd: number): number;
  collect(epoll: bigint, maximum: number, failAt: number): number;
  eventAt(index: number): number;
  dataAt(index: number): number;
  pollEpoll(epoll: bigint): number;
  nestable(outer: bigint, inner: bigint): number;
  takePollCalls(): number;
  takeDisposed(): number;
}

const IN = 1;
const OUT = 4;
const HUP = 0x10;
const RDNORM = 0x40;
const ET = 1 << 31;
const ONESHOT = 1 << 30;
const ALL = 200;
const NEVER = 1000;

const compiled = loadKernelModule<Exports>("kernel/linux/epoll-set.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

interface Report {
  data: number;
  events: number;
}

function collect(kernel: Exports, epoll: bigint, maximum = ALL, failAt = NEVER): Report[] | number {
  const count = kernel.collect(epoll, maximum, failAt);
  if (count < 0) return count;
  return Array.from({ length: count }, (_, index) => ({
    data: kernel.dataAt(index),
    events: kernel.eventAt(index),
  }));
}

async function boot(): Promise<KernelModule<Exports>> {
  return (await compiled).fresh();
}

test("a level-triggered entry is reported as long as its condition holds", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const file = kernel.newFile();
  kernel.add(epoll, file, 3, IN | HUP, 7n);
  assert.deepEqual(collect(kernel, epoll), []);
  kernel.setReady(file, IN | OUT);
  assert.deepEqual(collect(kernel, epoll), [{ data: 7, events: IN }]);
  assert.deepEqual(collect(kernel, epoll), [{ data: 7, events: IN }]);
  kernel.clearReady(file);
  assert.deepEqual(collect(kernel, epoll), []);
});

test("an edge-triggered entry is reported once for each wake-up", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const file = kernel.newFile();
  kernel.setReady(file, IN);
  kernel.add(epoll, file, 3, IN | ET, 1n);
  assert.deepEqual(collect(kernel, epoll), [{ data: 1, events: IN }]);
  assert.deepEqual(collect(kernel, epoll), []);
  kernel.setReady(file, IN);
  assert.deepEqual(collect(kernel, epoll), [{ data: 1, events: IN }]);
  kernel.setReady(file, 0);
  assert.deepEqual(collect(kernel, epoll), []);
});

test("a one-shot entry sleeps until it is modified", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const file = kernel.newFile();
  kernel.add(epoll, file, 3, IN | HUP | ONESHOT, 1n);
  kernel.setReady(file, IN);
  assert.deepEqual(collect(kernel, epoll), [{ data: 1, events: IN }]);
  kernel.setReady(file, IN | HUP);
  assert.deepEqual(collect(kernel, epoll), []);
  kernel.modify(epoll, file, 3, IN | ONESHOT, 2n);
  assert.deepEqual(collect(kernel, epoll), [{ data: 2, events: IN }]);
  assert.deepEqual(collect(kernel, epoll), []);
});

test("the cost grows with the ready files, not with the watched ones", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const files = Array.from({ length: 1000 }, () => kernel.newFile());
  files.forEach((file, index) => {
    kernel.add(epoll, file, index, IN, BigInt(index));
  });
  kernel.setReady(files[17] ?? 0n, IN);
  kernel.setReady(files[901] ?? 0n, IN);
  kernel.takePollCalls();
  assert.deepEqual(collect(kernel, epoll), [
    { data: 17, events: IN },
    { data: 901, events: IN },
  ]);
  assert.equal(kernel.takePollCalls(), 2);
});

test("with few slots the ready files take turns", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const files = Array.from({ length: 5 }, () => kernel.newFile());
  files.forEach((file, index) => {
    kernel.add(epoll, file, index, IN, BigInt(index));
    kernel.setReady(file, IN);
  });
  const seen: number[] = [];
  for (let round = 0; round < 5; round++) {
    const reports = collect(kernel, epoll, 2);
    assert(Array.isArray(reports));
    seen.push(...reports.map((report) => report.data));
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
});

test("a fault while events are written loses none of them", async () => {
  const { exports: kernel } = await boot();
  const epoll = kernel.newEpoll();
  const files = Array.from({ length: 3 }, () => kernel.newFile());
  files.forEach((file, index) => {
    kernel.add(epoll, file, index, IN | ET, BigInt(index));
    kernel.setReady(file, IN);
  });
  assert.equal(collect(kernel, epoll, ALL, 0), -14);
  const first = collect(kernel, epoll, ALL, 1);
  const rest = collect(kernel, epoll);
  assert(Array.isArray(first) && Array.isArray(rest));
  assert.deepEqual([...first, ...rest].map((report) => report.data).sort(), [0, 1, 2]);
});

test("a closed file leaves its sets, a closed set its files", async () => {
  const module = await boot();
  const kernel = module.exports;
  const blocksBefore = module.heap.liveBlocks;
  const epolls = [kernel.newEpoll(), kernel.newEpoll()];
  const [first, second] = [kernel.newFile(), kernel.newFile()];
  for (const epoll of epolls) {
    kernel.add(epoll, first, 3, IN, 3n);
    kernel.add(epoll, first, 4, IN, 4n);
    kernel.add(epoll, second, 5, IN, 5n);
  }
  kernel.setReady(first, IN);
  kernel.setReady(second, IN);
  kernel.close(first);
  assert.equal(kernel.takeDisposed(), 1);
  for (const epoll of epolls) assert.deepEqual(collect(kernel, epoll), [{ data: 5, events: IN }]);
  for (const epoll of epolls) kernel.close(epoll);
  kernel.setReady(second, IN);
  kernel.close(second);
  assert.equal(kernel.takeDisposed(), 1);
  assert.equal(module.heap.liveBlocks, blocksBefore);
});

test("a set within a set is ready while one of its files is", async () => {
  const module = await boot();
  const kernel = module.exports;
  const blocksBefore = module.heap.liveBlocks;
  const [outer, inner, file] = [kernel.newEpoll(), kernel.newEpoll(), kernel.newFile()];
  kernel.add(outer, inner, 9, IN, 9n);
  kernel.add(inner, file, 3, IN, 3n);
  assert.equal(kernel.pollEpoll(inner), 0);
  assert.deepEqual(collect(kernel, outer), []);
  kernel.setReady(file, IN);
  assert.equal(kernel.pollEpoll(outer), IN | RDNORM);
  assert.deepEqual(collect(kernel, outer), [{ data: 9, events: IN }]);
  kernel.clearReady(file);
  assert.deepEqual(collect(kernel, outer), []);
  kernel.setReady(file, IN);
  assert.deepEqual(collect(kernel, outer), [{ data: 9, events: IN }]);
  for (const each of [inner, file, outer]) kernel.close(each);
  assert.equal(module.heap.liveBlocks, blocksBefore);
});

test("sets may nest five deep, and never in a circle", async () => {
  const { exports: kernel } = await boot();
  const chain = Array.from({ length: 6 }, () => kernel.newEpoll());
  const at = (index: number): bigint => chain[index] ?? 0n;
  assert.equal(kernel.nestable(at(0), at(0)), 0);
  for (let i = 0; i < 4; i++) {
    assert.equal(kernel.nestable(at(i), at(i + 1)), 1, `level ${i}`);
    kernel.add(at(i), at(i + 1), i + 1, IN, 0n);
  }
  assert.equal(kernel.nestable(at(4), at(5)), 0, "six levels, added below");
  assert.equal(kernel.nestable(at(5), at(0)), 0, "six levels, added above");
  assert.equal(kernel.nestable(at(4), at(0)), 0, "a circle of five");
  assert.equal(kernel.nestable(at(1), at(0)), 0, "a circle of two");
  assert.equal(kernel.nestable(at(5), at(1)), 1, "a second parent");
});

interface Watch {
  trigger: number;
  armed: boolean;
  /** A wake-up (or ADD, MOD of a ready file) since the last look. */
  pending: boolean;
}

type Step =
  | { kind: "add" | "modify"; file: number; trigger: number }
  | { kind: "remove"; file: number }
  | { kind: "ready"; file: number; ready: boolean }
  | { kind: "clear"; file: number }
  | { kind: "collect" };

const file = fc.nat(5);
const trigger = fc.constantFrom(0, ET, ONESHOT, ET | ONESHOT);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("add" as const, "modify" as const), file, trigger }),
  fc.record({ kind: fc.constant("remove" as const), file }),
  fc.record({ kind: fc.constant("ready" as const), file, ready: fc.boolean() }),
  fc.record({ kind: fc.constant("clear" as const), file }),
  fc.record({ kind: fc.constant("collect" as const) }),
);

/** What collecting must report, by the rules of epoll(7). */
function expectedReports(watches: Map<number, Watch>, ready: readonly boolean[]): number[] {
  const reported: number[] = [];
  for (const [number, watch] of watches) {
    const edge = (watch.trigger & ET) !== 0;
    const reports = watch.armed && ready[number] === true && (!edge || watch.pending);
    watch.pending = false;
    if (!reports) continue;
    reported.push(number);
    if ((watch.trigger & ONESHOT) !== 0) watch.armed = false;
  }
  return reported.sort();
}

test("random operations report what a model of epoll(7) says", async () => {
  const module = await boot();
  const kernel = module.exports;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const blocksBefore = module.heap.liveBlocks;
      const epoll = kernel.newEpoll();
      const files = Array.from({ length: 6 }, () => kernel.newFile());
      const ready = files.map(() => false);
      const watches = new Map<number, Watch>();
      for (const action of steps) {
        const number = "file" in action ? action.file : 0;
        const target = files[number] ?? 0n;
        const watch = watches.get(number);
        if (action.kind === "collect") {
          const reports = collect(kernel, epoll);
          assert(Array.isArray(reports));
          assert.deepEqual(
            reports.map((report) => report.data).sort(),
            expectedReports(watches, ready),
          );
        } else if (action.kind === "ready") {
          ready[number] = action.ready;
          kernel.setReady(target, action.ready ? IN : 0);
          if (watch?.armed) watch.pending = true;
        } else if (action.kind === "clear") {
          ready[number] = false;
          kernel.clearReady(target);
        } else if (action.kind === "remove") {
          assert.equal(kernel.remove(epoll, target, number), watch ? 1 : 0);
          watches.delete(number);
        } else if (action.kind === "add") {
          assert.equal(
            kernel.add(epoll, target, number, IN | action.trigger, BigInt(number)),
            watch ? 0 : 1,
          );
          if (!watch)
            watches.set(number, {
              trigger: action.trigger,
              armed: true,
              pending: ready[number] === true,
            });
        } else {
          assert.equal(
            kernel.modify(epoll, target, number, IN | action.trigger, BigInt(number)),
            watch ? 1 : 0,
          );
          if (watch) {
            watch.trigger = action.trigger;
            watch.armed = true;
            if (ready[number]) watch.pending = true;
          }
        }
      }
      kernel.close(epoll);
      for (const each of files) kernel.close(each);
      assert.equal(module.heap.liveBlocks, blocksBefore);
    }),
    { numRuns: 500 },
  );
});
