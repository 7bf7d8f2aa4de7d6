/** Address spaces: single cases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ACCERR,
  EACCES,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOMEM,
  EPERM,
  HUGE,
  hooks,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_POPULATE_WRITE,
  MADV_WIPEONFORK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAPERR,
  MIB,
  MREMAP_FIXED,
  machine,
  OOM,
  OUT,
  PAGE,
  PROT_READ,
  RW,
  SIGBUS,
  VMA_NEVER_WRITE,
} from "./testing/machine.ts";

test("an anonymous page is zero, keeps what is written, and goes with its mapping", async () => {
  const kernel = await machine(32n);
  const { exports, memory } = kernel;
  const address = exports.map(0n, 3n * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  assert.ok(address > 0n);
  const read = exports.access(address, 0, 0);
  assert.equal(memory.read(read, 64), 0n);
  assert.equal(exports.residentPages(), 0n, "the zero page is not counted");
  const written = exports.access(address, 1, 0);
  assert.notEqual(written, read);
  memory.write(written, 64, 77n);
  assert.equal(memory.read(exports.access(address, 0, 0), 64), 77n);
  assert.equal(exports.residentPages(), 1n);
  assert.equal(exports.access(address + 3n * PAGE, 0, 0), MAPERR);
  assert.equal(exports.access(address, 0, 1), ACCERR);
  assert.equal(exports.unmap(address, 3n * PAGE), 0n);
  assert.equal(exports.access(address, 0, 0), MAPERR);
  assert.equal(exports.residentPages(), 0n);
  assert.equal(exports.mappedBytes(), 0n);
});

test("pages touched in order come several at a time", async () => {
  const { exports } = await machine(32n);
  const address = exports.map(0n, MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  const counts: bigint[] = [];
  for (let at = address; at < address + MIB; at += PAGE) {
    exports.access(at, 1, 0);
    counts.push(exports.residentPages());
  }
  assert.deepEqual(counts.slice(0, 8), [1n, 3n, 3n, 7n, 7n, 7n, 7n, 15n]);
  assert.equal(counts.at(-1), 256n);
});

test("a large aligned area gets 2 MiB pages, which can be divided", async () => {
  const { exports, memory } = await machine(48n);
  const address = exports.map(0n, 2n * HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  assert.equal(address % HUGE, 0n);
  memory.write(exports.access(address + 5n * PAGE, 1, 0), 64, 5n);
  assert.equal(exports.isHuge(address), 1);
  assert.equal(exports.residentPages(), 512n);
  // Protecting and unmapping parts keeps the rest.
  assert.equal(exports.protect(address + 5n * PAGE, PAGE, PROT_READ), 0n);
  assert.equal(exports.isHuge(address), 0);
  assert.equal(memory.read(exports.access(address + 5n * PAGE, 0, 0), 64), 5n);
  assert.equal(exports.access(address + 5n * PAGE, 1, 0), ACCERR);
  assert.equal(exports.unmap(address + 6n * PAGE, 100n * PAGE), 0n);
  assert.equal(exports.residentPages(), 412n);
  assert.equal(exports.advise(address + HUGE, HUGE, MADV_NOHUGEPAGE), 0n);
  exports.access(address + HUGE, 1, 0);
  assert.equal(exports.isHuge(address + HUGE), 0);
  assert.equal(exports.residentPages(), 413n);
});

test("a file's page is the cache's own; a private write copies it, a shared write does not", async () => {
  const { exports, memory } = await machine(32n);
  const first = exports.map(0n, 8n * PAGE, RW, MAP_PRIVATE, 1, 2n * PAGE);
  const second = exports.map(0n, 8n * PAGE, RW, MAP_SHARED, 1, 2n * PAGE);
  const frame = exports.access(first, 0, 0);
  assert.equal(memory.read(frame, 64), 1000003n);
  assert.equal(exports.access(second, 0, 0), frame);
  const copy = exports.access(first, 1, 0);
  assert.notEqual(copy, frame);
  memory.write(copy, 64, 9n);
  assert.equal(exports.access(second, 1, 0), frame);
  memory.write(frame, 64, 11n);
  assert.equal(memory.read(exports.access(second, 0, 0), 64), 11n);
  assert.equal(memory.read(exports.access(first, 0, 0), 64), 9n);
  assert.equal(exports.advise(first, PAGE, MADV_DONTNEED), 0n);
  assert.equal(memory.read(exports.access(first, 0, 0), 64), 11n);
});

test("what a range occupies: files' pages, copies of one's own, 2 MiB pages, shares", async () => {
  const { exports, memory } = await machine(32n);
  const usage = (start: bigint, end: bigint) => {
    exports.usage(start, end, OUT);
    const [resident, proportional, file, shared, , large] = [0, 1, 2, 3, 4, 5].map((index) =>
      memory.read(OUT + 8n * BigInt(index), 64),
    );
    return { resident, proportional, file, shared, large };
  };
  // File 2 has no neighbours in memory to map with a page.
  const first = exports.map(0n, 8n * PAGE, RW, MAP_PRIVATE, 2, 0n);
  const second = exports.map(0n, 8n * PAGE, RW, MAP_SHARED, 2, 0n);
  exports.access(first, 0, 0);
  exports.access(first + PAGE, 1, 0);
  const own = { resident: 2n * PAGE, file: PAGE, shared: 0n, large: 0n };
  assert.deepEqual(usage(first, first + 8n * PAGE), { ...own, proportional: 2n * PAGE });
  exports.access(second, 0, 0);
  const half = { ...own, shared: PAGE, proportional: PAGE + PAGE / 2n };
  assert.deepEqual(usage(first, first + 8n * PAGE), half);
  assert.equal(usage(first + PAGE, first + 8n * PAGE).resident, PAGE);
  const area = exports.map(0n, 3n * HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  const aligned = ((area + HUGE - 1n) / HUGE) * HUGE;
  exports.advise(area, 3n * HUGE, MADV_HUGEPAGE);
  exports.access(aligned, 1, 0);
  const one = { resident: HUGE, proportional: HUGE, file: 0n, shared: 0n, large: HUGE };
  assert.deepEqual(usage(area, area + 3n * HUGE), one);
});

test("pages behind the end of a file raise SIGBUS", async () => {
  const { exports } = await machine(32n);
  const address = exports.map(0n, 66n * PAGE, PROT_READ, MAP_PRIVATE, 0, 0n);
  assert.ok(exports.access(address + 63n * PAGE, 0, 0) > 0n);
  assert.equal(exports.access(address + 64n * PAGE, 0, 0), SIGBUS);
});

test("a mapping may change while its page is read", async () => {
  const { exports, memory } = await machine(32n);
  const base = 1n << 32n;
  const map = (file: number, offset: bigint): void => {
    const flags = MAP_PRIVATE | MAP_FIXED | (file < 0 ? MAP_ANONYMOUS : 0);
    exports.map(base, 4n * PAGE, RW, flags, file, offset);
  };
  const read = (change: () => void): bigint => {
    map(2, 0n);
    hooks.whileReading = () => {
      hooks.whileReading = () => {};
      change();
    };
    const found = exports.access(base, 0, 0);
    hooks.whileReading = () => {};
    return found;
  };
  assert.equal(
    read(() => exports.unmap(base, 4n * PAGE)),
    MAPERR,
  );
  assert.equal(
    read(() => exports.protect(base, PAGE, 0)),
    ACCERR,
  );
  assert.equal(
    memory.read(
      read(() => map(-1, 0n)),
      64,
    ),
    0n,
    "anonymous memory took its place",
  );
  assert.equal(
    memory.read(
      read(() => map(2, 3n * PAGE)),
      64,
    ),
    2000004n,
    "another part of the file",
  );
  assert.equal(
    memory.read(
      read(() => map(1, 0n)),
      64,
    ),
    1000001n,
    "another file",
  );
  assert.equal(
    memory.read(
      read(() => exports.access(base, 0, 0)),
      64,
    ),
    2000001n,
    "another thread was faster",
  );
  exports.destroySpace();
  exports.evict();
  assert.equal(exports.closeFiles(), 1, "a reference to a file is left");
});

test("neighbours in memory are mapped with a page that is read", async () => {
  const { exports } = await machine(32n);
  const address = exports.map(0n, 64n * PAGE, PROT_READ, MAP_PRIVATE, 0, 0n);
  for (let i = 0n; i < 64n; i++) exports.access(address + i * PAGE, 0, 0);
  exports.unmap(address, 64n * PAGE);
  const again = exports.map(0n, 64n * PAGE, PROT_READ, MAP_PRIVATE, 0, 0n);
  exports.access(again + 20n * PAGE, 0, 0);
  assert.ok(exports.residentPages() >= 8n && exports.residentPages() <= 16n);
});

test("wrong arguments have the errors of Linux", async () => {
  const { exports } = await machine(32n);
  const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  assert.equal(exports.map(0n, 0n, RW, anonymous, -1, 0n), EINVAL);
  assert.equal(exports.map(0n, PAGE, RW, MAP_ANONYMOUS, -1, 0n), EINVAL);
  assert.equal(exports.map(1n, PAGE, RW, anonymous | MAP_FIXED, -1, 0n), EINVAL);
  assert.equal(exports.map(0n, PAGE, RW, anonymous | MAP_FIXED, -1, 0n), EPERM);
  assert.equal(exports.map(0n, PAGE, RW, MAP_PRIVATE, 0, 5n), EINVAL);
  assert.equal(exports.map(0n, 1n << 47n, RW, anonymous | MAP_NORESERVE, -1, 0n), ENOMEM);
  assert.equal(exports.map((1n << 47n) - PAGE, PAGE, RW, anonymous | MAP_FIXED, -1, 0n), ENOMEM);
  assert.equal(exports.map(0n, 1n << 40n, RW, anonymous, -1, 0n), ENOMEM);
  assert.ok(exports.map(0n, 1n << 40n, RW, anonymous | MAP_NORESERVE, -1, 0n) > 0n);
  assert.ok(exports.map(0n, 1n << 40n, 0, anonymous, -1, 0n) > 0n);
  const address = 1n << 32n;
  exports.map(address, 2n * PAGE, RW, anonymous | MAP_FIXED, -1, 0n);
  assert.equal(exports.map(address, PAGE, RW, anonymous | MAP_FIXED_NOREPLACE, -1, 0n), EEXIST);
  assert.equal(exports.unmap(address + 1n, PAGE), EINVAL);
  assert.equal(exports.unmap(address, 0n), EINVAL);
  assert.equal(exports.unmap(0n, (1n << 64n) - 1n), EINVAL);
  assert.equal(exports.protect(address + 2n * PAGE, PAGE, RW), ENOMEM);
  assert.equal(exports.protect(address, 3n * PAGE, PROT_READ), ENOMEM);
  assert.equal(exports.access(address, 1, 0), ACCERR, "the mapped part was changed");
  assert.equal(exports.advise(address, 2n * PAGE, 9999), EINVAL);
  assert.equal(exports.advise(address, 4n * PAGE, MADV_DONTNEED), ENOMEM);
  assert.equal(exports.advise(address, 4n * PAGE, MADV_POPULATE_WRITE), ENOMEM);
  assert.equal(exports.advise(address, PAGE, MADV_POPULATE_WRITE), EFAULT);
  assert.equal(exports.remap(address + 8n * PAGE, PAGE, 2n * PAGE, 0, 0n), EFAULT);
  assert.equal(exports.remap(address, PAGE, PAGE, MREMAP_FIXED, 0n), EINVAL);
  assert.equal(exports.map(0n, PAGE, RW, MAP_SHARED | VMA_NEVER_WRITE, 0, 0n), EACCES);
  const readOnly = exports.map(0n, PAGE, PROT_READ, MAP_SHARED | VMA_NEVER_WRITE, 0, 0n);
  assert.equal(exports.protect(readOnly, PAGE, RW), EACCES);
  assert.equal(exports.advise(readOnly, PAGE, MADV_WIPEONFORK), EINVAL);
  assert.equal(exports.residency(readOnly + PAGE, PAGE, OUT), ENOMEM);
});

test("neighbouring mappings that are alike become one", async () => {
  const { exports } = await machine(32n);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  const base = 1n << 32n;
  for (const i of [0n, 2n, 1n]) exports.map(base + i * PAGE, PAGE, RW, flags, -1, 0n);
  assert.equal(exports.mappingCount(), 1n);
  exports.protect(base + PAGE, PAGE, PROT_READ);
  assert.equal(exports.mappingCount(), 3n);
  exports.protect(base + PAGE, PAGE, RW);
  assert.equal(exports.mappingCount(), 1n);
  exports.advise(base, PAGE, MADV_HUGEPAGE);
  assert.equal(exports.mappingCount(), 2n);
});

test("a border between protections moves with its pages' rights", async () => {
  for (const file of [-1, 0]) {
    const { exports } = await machine(32n);
    const base = 1n << 32n;
    const flags = MAP_PRIVATE | MAP_FIXED | (file < 0 ? MAP_ANONYMOUS : 0);
    exports.map(base, 6n * PAGE, RW, flags, file, 0n);
    const before: bigint[] = [];
    for (let i = 0n; i < 6n; i++) before.push(exports.access(base + i * PAGE, 1, 0));
    const check = (writable: string): void => {
      for (const [i, letter] of [...writable].entries()) {
        const address = base + BigInt(i) * PAGE;
        assert.equal(exports.access(address, 1, 0), letter === "w" ? before[i] : ACCERR);
        assert.equal(exports.access(address, 0, 0), before[i]);
      }
    };
    exports.protect(base, PAGE, PROT_READ);
    exports.protect(base + PAGE, PAGE, PROT_READ);
    check("rrwwww");
    exports.protect(base + 5n * PAGE, PAGE, PROT_READ);
    exports.protect(base + 4n * PAGE, PAGE, PROT_READ);
    check("rrwwrr");
    assert.equal(exports.mappingCount(), 3n);
    exports.protect(base + PAGE, PAGE, RW);
    exports.protect(base + 4n * PAGE, PAGE, RW);
    check("rwwwwr");
    assert.equal(exports.mappingCount(), 3n);
  }
});

test("the break moves both ways and stops at other mappings", async () => {
  const { exports } = await machine(32n);
  const base = 1n << 33n;
  exports.setBreak(base + 0x10n);
  assert.equal(exports.brk(0n), base + 0x10n);
  assert.equal(exports.brk(base + 5n * PAGE), base + 5n * PAGE);
  assert.ok(exports.access(base + PAGE, 1, 0) > 0n);
  exports.map(base + 8n * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0n);
  assert.equal(exports.brk(base + 8n * PAGE), base + 5n * PAGE);
  assert.equal(exports.brk(base + 0x20n), base + 0x20n);
  assert.equal(exports.access(base + PAGE, 1, 0), MAPERR);
});

test("a stack grows down to its limit and not into its neighbour", async () => {
  const { exports } = await machine(32n);
  const top = 1n << 34n;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN;
  exports.map(top - PAGE, PAGE, RW, flags, -1, 0n);
  assert.ok(exports.access(top - 10n * PAGE, 1, 0) > 0n);
  assert.equal(exports.mappedBytes(), 10n * PAGE);
  assert.equal(exports.access(top - 9n * MIB, 1, 0), MAPERR);
  const neighbour = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  exports.map(top - 2n * MIB, PAGE, RW, neighbour, -1, 0n);
  assert.equal(exports.access(top - 2n * MIB + 2n * PAGE, 1, 0), MAPERR);
});

test("page tables go with the mappings they served", async () => {
  const { exports } = await machine(32n);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  // Warm up: slabs, the zero page, caches.
  exports.map(1n << 40n, PAGE, RW, flags, -1, 0n);
  exports.access(1n << 40n, 0, 0);
  exports.unmap(1n << 40n, PAGE);
  const before = exports.freeFrameCount();
  for (const shift of [35n, 40n, 44n, 46n]) {
    exports.map(1n << shift, PAGE, RW, flags, -1, 0n);
    exports.access(1n << shift, 1, 0);
  }
  assert.equal(before - exports.freeFrameCount(), 4n + 4n * 3n, "pages and tables");
  for (const shift of [40n, 35n, 46n, 44n]) exports.unmap(1n << shift, PAGE);
  assert.equal(exports.freeFrameCount(), before);
});

test("mapped file pages give way when memory is short", async () => {
  const kernel = await machine(1n);
  const { exports, memory } = kernel;
  const free = Number(exports.freeFrameCount() - exports.reservedFrameCount());
  assert.ok(free > 70);
  const file = exports.map(0n, 64n * PAGE, PROT_READ, MAP_PRIVATE, 0, 0n);
  for (let i = 0n; i < 64n; i++) exports.access(file + i * PAGE, 0, 0);
  const anonymous = exports.map(0n, 1000n * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  let touched = 0n;
  let found = 0n;
  while (touched < 1000n) {
    found = exports.access(anonymous + touched * PAGE, 1, 0);
    if (found < 0n) break;
    touched++;
  }
  assert.equal(found, OOM);
  assert.ok(touched > BigInt(free) - 20n, `only ${touched} of ${free} frames were usable`);
  exports.unmap(anonymous, 1000n * PAGE);
  assert.equal(memory.read(exports.access(file + 5n * PAGE, 0, 0), 64), 6n);
});
