/** Signal frames: Linux's layout, what comes back is what went in, and lies are not believed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  start(fpuArea: bigint): number;
  setAlternateStack(base: bigint, bytes: bigint, flags: number): void;
  alternateStack(): bigint;
  push(frame: bigint, action: bigint, info: bigint, mask: bigint): number;
  pop(frame: bigint, maskOut: bigint): number;
  frameBytes(): bigint;
  minimumStackBytes(): bigint;
  offset(index: number): bigint;
}

/** TrapFrame: 22 words in this order. */
const registers =
  "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi vector error rip cs rflags rsp ss".split(
    " ",
  );
const AREA_BYTES = 832;
const LEGACY_BYTES = 512;
const XSAVE_COMPONENTS = 7n;
const SA_RESTORER = 0x04000000n;
const SA_ONSTACK = 0x08000000n;
const SS_DISABLE = 2;
const USER_FLAGS = 0x40dd5n;
const STACK_BYTES = 16384;

let live: Buffer = Buffer.alloc(0);

/** The FPU registers of the test's processor are the bytes in `live`. */
const compiled = loadKernelModule<Exports>("kernel/linux/signal-frame.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
  imports: ({ memory }) => {
    const save = (area: bigint, length: number): void => {
      // The words in which Linux describes the area are not written by the processor.
      memory.bytes(area, LEGACY_BYTES - 48).set(live.subarray(0, LEGACY_BYTES - 48));
      if (length > LEGACY_BYTES) {
        memory.bytes(area + 512n, length - LEGACY_BYTES).set(live.subarray(LEGACY_BYTES, length));
      }
    };
    const restore = (area: bigint, length: number): void => {
      const bytes = Buffer.from(memory.bytes(area, length));
      assert.equal(bytes.readUInt32LE(24) & ~0xffff, 0, "MXCSR has a reserved bit: #GP");
      if (length > LEGACY_BYTES) {
        assert.equal(bytes.readBigUInt64LE(512) & ~XSAVE_COMPONENTS, 0n, "XSTATE_BV: #GP");
        assert.ok(
          bytes.subarray(520, 576).every((byte) => byte === 0),
          "XSAVE header: #GP",
        );
      }
      live = Buffer.concat([bytes, live.subarray(length)]);
    };
    return {
      hw: {
        fxsave: (area: bigint) => save(area, LEGACY_BYTES),
        fxrstor: (area: bigint) => restore(area, LEGACY_BYTES),
        xsave: (area: bigint) => save(area, AREA_BYTES),
        xrstor: (area: bigint) => restore(area, AREA_BYTES),
        readCr4: () => 0n,
        writeCr4: () => undefined,
        xsetbv: () => undefined,
      },
    };
  },
});

interface Setup extends KernelModule<Exports> {
  frame: bigint;
  action: bigint;
  info: bigint;
  stackTop: bigint;
  stack: bigint;
  slot(name: string): bigint;
}

async function setUp(hasXsave: boolean): Promise<Setup> {
  const module = (await compiled).fresh();
  const { exports, memory, heap, hardware } = module;
  if (hasXsave) {
    hardware.cpuidLeaves.set("1:0", [0, 0, 1 << 26, 0]);
    hardware.cpuidLeaves.set("13:0", [Number(XSAVE_COMPONENTS), AREA_BYTES, AREA_BYTES, 0]);
  }
  assert.equal(exports.start(heap.reserve(AREA_BYTES, 64)), hasXsave ? AREA_BYTES : LEGACY_BYTES);
  const stack = heap.reserve(STACK_BYTES, 16);
  const frame = heap.reserve(registers.length * 8);
  const action = heap.reserve(32);
  memory.write(action, 64, 0x401000n);
  memory.write(action + 8n, 64, SA_RESTORER);
  memory.write(action + 16n, 64, 0x402000n);
  live = randomFpu();
  return {
    ...module,
    frame,
    action,
    info: heap.reserve(128),
    stack,
    stackTop: stack + BigInt(STACK_BYTES),
    slot: (name) => frame + 8n * BigInt(registers.indexOf(name)),
  };
}

/** FPU contents that a processor could hold. */
function randomFpu(): Buffer {
  const bytes = Buffer.from(
    Array.from({ length: AREA_BYTES }, (_, index) => (index * 7 + 1) & 255),
  );
  bytes.writeUInt32LE(0x1f80, 24);
  bytes.writeUInt32LE(0xffff, 28);
  bytes.writeBigUInt64LE(XSAVE_COMPONENTS, 512);
  bytes.fill(0, 520, 576);
  return bytes;
}

test("the frame has Linux's layout", async () => {
  const { exports } = (await compiled).fresh();
  // struct rt_sigframe: offsets of uc, uc_stack, gregs …, siginfo (arch/x86 of the Linux ABI).
  const expected = [8, 24, 48, 168, 176, 192, 224, 232, 304, 312];
  assert.deepEqual(
    expected.map((_, index) => Number(exports.offset(index))),
    expected,
  );
  assert.equal(exports.frameBytes(), 440n);
});

const words = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), {
  minLength: registers.length,
  maxLength: registers.length,
});

for (const hasXsave of [true, false]) {
  const title = hasXsave ? "XSAVE" : "FXSAVE";
  test(`a handler returns to where the thread was (${title})`, async () => {
    const { exports, memory, frame, action, info, stackTop, stack, slot } = await setUp(hasXsave);
    fc.assert(
      fc.property(words, fc.nat(4000), fc.bigInt(0n, 1n << 63n), (values, depth, mask) => {
        live = randomFpu();
        const before = Buffer.from(live);
        const saved = [...values];
        const put = (name: string, value: bigint): void => {
          saved[registers.indexOf(name)] = value;
        };
        put("rsp", stackTop - BigInt(depth));
        put("rip", (values[0] ?? 0n) & 0x7fff_ffff_0000n);
        put("cs", 0x2bn);
        put("ss", 0x23n);
        put("rflags", 0x202n | ((values[1] ?? 0n) & USER_FLAGS));
        saved.forEach((value, index) => {
          memory.write(frame + 8n * BigInt(index), 64, value);
        });
        memory.write(info, 32, 11n);
        memory.write(info + 16n, 64, 0xdeadn);
        assert.equal(exports.push(frame, action, info, mask), 1);

        const sp = memory.read(slot("rsp"), 64);
        assert.equal((sp + 8n) & 15n, 0n, "as after a call");
        assert.ok(sp >= stack && sp < stackTop - BigInt(depth) - 128n, "below the red zone");
        assert.equal(memory.read(sp, 64), 0x402000n, "return address is the restorer");
        assert.equal(memory.read(slot("rip"), 64), 0x401000n);
        assert.equal(memory.read(slot("rdi"), 64), 11n);
        assert.equal(memory.read(slot("rsi"), 64), sp + 312n);
        assert.equal(memory.read(slot("rdx"), 64), sp + 8n);
        assert.equal(memory.read(memory.read(slot("rsi"), 64) + 16n, 64), 0xdeadn);
        assert.equal(memory.read(slot("rflags"), 64) & 0x400n, 0n, "direction flag is clear");
        assert.equal(live.readUInt16LE(0), 0x37f, "the handler has fresh FPU registers");
        const state = memory.read(sp + 232n, 64);
        assert.equal(state & 63n, 0n);
        if (hasXsave) {
          assert.equal(memory.read(state + 464n, 32), 0x46505853n);
          assert.equal(memory.read(state + BigInt(AREA_BYTES), 32), 0x46505845n);
        }

        // The handler leaves rubbish everywhere and returns: the return address is popped.
        registers.forEach((_, index) => {
          memory.write(frame + 8n * BigInt(index), 64, 0x1234n);
        });
        memory.write(slot("rsp"), 64, sp + 8n);
        memory.write(slot("cs"), 64, 0x2bn);
        memory.write(slot("ss"), 64, 0x23n);
        memory.write(slot("rflags"), 64, 0x202n);
        live = Buffer.alloc(AREA_BYTES, 0x55);
        live.writeUInt32LE(0xffff, 28);
        assert.equal(exports.pop(frame, info), 1);
        assert.equal(BigInt.asUintN(64, memory.read(info, 64)), mask);
        registers.forEach((name, index) => {
          if (name === "vector" || name === "error") return;
          assert.equal(memory.read(frame + 8n * BigInt(index), 64), saved[index], name);
        });
        const kept = hasXsave ? AREA_BYTES : LEGACY_BYTES;
        assert.deepEqual(live.subarray(0, 464), before.subarray(0, 464));
        assert.deepEqual(live.subarray(512, kept), before.subarray(512, kept));
      }),
      { numRuns: 60 },
    );
  });
}

test("the alternate stack is used, and not twice", async () => {
  const { exports, memory, heap, frame, action, info, stackTop, slot } = await setUp(true);
  const alternate = heap.reserve(8192, 16);
  exports.setAlternateStack(alternate, 8192n, 0);
  memory.write(action + 8n, 64, SA_RESTORER | SA_ONSTACK);
  memory.write(slot("rsp"), 64, stackTop - 64n);
  assert.equal(exports.push(frame, action, info, 0n), 1);
  const first = memory.read(slot("rsp"), 64);
  assert.ok(first > alternate && first < alternate + 8192n);
  assert.equal(exports.push(frame, action, info, 0n), 1);
  const second = memory.read(slot("rsp"), 64);
  assert.ok(second < first && second > alternate, "nested on the same stack");
  let pushed = 1;
  while (pushed === 1) pushed = exports.push(frame, action, info, 0n);
  assert.ok(memory.read(slot("rsp"), 64) > alternate, "an overflow is refused");
});

test("no restorer, no room: the frame is refused", async () => {
  const { exports, memory, user, heap, frame, action, info, slot } = await setUp(true);
  const hole = heap.reserve(65536, 4096);
  user.forbid(hole, 65536);
  memory.write(slot("rsp"), 64, hole + 30000n);
  assert.equal(exports.push(frame, action, info, 0n), 0);
  memory.write(slot("rsp"), 64, 64n);
  assert.equal(exports.push(frame, action, info, 0n), 0);
  memory.write(slot("rsp"), 64, (1n << 64n) - 8n);
  assert.equal(exports.push(frame, action, info, 0n), 0);
  assert.equal(exports.pop(frame, info), 0);
  memory.write(action + 8n, 64, 0n);
  assert.equal(exports.push(frame, action, info, 0n), 0);
});

test("a forged frame gives no power over the kernel", async () => {
  const { exports, memory, heap, frame, info, stack, slot } = await setUp(true);
  const mode = fc.constantFrom("random", "extended", "legacy", "none");
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3000, maxLength: 3000 }), mode, (bytes, kind) => {
      memory.bytes(stack, bytes.length).set(bytes);
      const state = (stack + 1024n + 63n) & ~63n;
      memory.write(stack + 176n, 64, memory.read(stack + 176n, 64) & 0xffff_ffff_ffffn);
      if (kind === "none") memory.write(stack + 232n, 64, 0n);
      else if (kind !== "random") memory.write(stack + 232n, 64, state);
      if (kind === "extended") {
        memory.write(state + 464n, 32, 0x46505853n);
        memory.write(state + 480n, 32, BigInt(AREA_BYTES));
        memory.write(state + BigInt(AREA_BYTES), 32, 0x46505845n);
      }
      live = randomFpu();
      memory.write(slot("rsp"), 64, stack + 8n);
      memory.write(slot("cs"), 64, 0x2bn);
      memory.write(slot("ss"), 64, 0x23n);
      memory.write(slot("rflags"), 64, 0x202n);
      // `restore` above asserts that the registers can be loaded without a fault.
      if (exports.pop(frame, info) === 0) return;
      assert.ok(memory.read(slot("rip"), 64) < 0x7fff_ffff_f000n);
      assert.equal(memory.read(slot("cs"), 64), 0x2bn);
      assert.equal(memory.read(slot("ss"), 64), 0x23n);
      assert.equal(memory.read(slot("rflags"), 64) & ~USER_FLAGS, 0x202n);
    }),
    { numRuns: 500 },
  );
  const blocks = heap.liveBlocks;
  exports.pop(frame, info);
  assert.equal(heap.liveBlocks, blocks, "nothing is left behind");
});

test("AT_MINSIGSTKSZ is enough for a frame", async () => {
  const { exports, memory, frame, action, info, stackTop, slot } = await setUp(true);
  memory.write(slot("rsp"), 64, stackTop - 8n);
  assert.equal(exports.push(frame, action, info, 0n), 1);
  assert.ok(stackTop - 8n - memory.read(slot("rsp"), 64) <= exports.minimumStackBytes());
  exports.setAlternateStack(0n, 0n, SS_DISABLE);
  assert.equal(exports.alternateStack(), 0n);
});
