/** Pipes against a model: a queue of bytes with a capacity, atomic small writes (pipe(7)). */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Errno, KernelFiles, O } from "./testing/kernel-files.ts";

const EAGAIN = 11;
const EFAULT = 14;
const EBUSY = 16;
const EPIPE = 32;
const ENXIO = 6;
const PIPE_BUF = 4096;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;
const F_SETPIPE_SZ = 1031;

let counter = 0;
/** Bytes that go on where the last ones ended, so that a mix-up shows. */
function nextBytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => counter++ % 251));
}

const length = fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(70_000), fc.constantFrom(1, 4096, 65_536));
const step = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), n: length }),
  fc.record({ kind: fc.constant("read" as const), n: length }),
  fc.record({
    kind: fc.constant("resize" as const),
    n: fc.constantFrom(4096, 8192, 65_536, 262_144),
  }),
);

test("bytes come out in order; small writes are whole", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const kernel = await KernelFiles.start({ ramMib: 8 });
      const frames = kernel.exports.freeFrameCount();
      const [reader, writer] = kernel.pipe();
      let queue = Buffer.alloc(0);
      let capacity = 65_536;
      for (const { kind, n } of steps) {
        if (kind === "write") {
          const data = nextBytes(n);
          const room = capacity - queue.length;
          const expected = n <= PIPE_BUF ? (n <= room ? n : 0) : Math.min(n, room);
          if (n > 0 && expected === 0) {
            assert.throws(() => kernel.write(writer, data), new Errno(EAGAIN));
          } else {
            assert.equal(kernel.write(writer, data), expected);
          }
          queue = Buffer.concat([queue, data.subarray(0, expected)]);
        } else if (kind === "read") {
          if (n > 0 && queue.length === 0) {
            assert.throws(() => kernel.read(reader, n), new Errno(EAGAIN));
          } else {
            assert.ok(kernel.read(reader, n).equals(queue.subarray(0, n)));
            queue = queue.subarray(n);
          }
        } else {
          const result = kernel.exports.control(writer, F_SETPIPE_SZ, BigInt(n));
          if (result >= 0n) {
            assert.equal(result, BigInt(n));
            assert.ok(queue.length <= n);
            capacity = n;
          } else {
            assert.equal(result, BigInt(-EBUSY));
            assert.ok(queue.length + PIPE_BUF > n, "an emptier pipe can shrink");
          }
        }
        const events = kernel.exports.poll(reader);
        assert.equal((events & POLLIN) !== 0, queue.length > 0);
        assert.equal(
          (kernel.exports.poll(writer) & POLLOUT) !== 0,
          capacity - queue.length >= PIPE_BUF,
        );
      }
      kernel.close(reader);
      kernel.close(writer);
      // The heap may keep a slab or two.
      assert.ok(kernel.exports.freeFrameCount() >= frames - 4n, "the pages of the pipe are freed");
    }),
    { numRuns: 60 },
  );
});

test("end of file, broken pipe and hang-up", async () => {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  const [reader, writer] = kernel.pipe();
  kernel.write(writer, "rest");
  kernel.close(writer);
  assert.equal(kernel.exports.poll(reader) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
  assert.equal(kernel.read(reader, 100).toString(), "rest");
  assert.equal(kernel.read(reader, 100).length, 0);
  kernel.close(reader);
  const [other, broken] = kernel.pipe();
  kernel.close(other);
  assert.equal(kernel.exports.poll(broken) & POLLERR, POLLERR);
  assert.throws(() => kernel.write(broken, "x"), new Errno(EPIPE));
  kernel.close(broken);
});

test("a fault while copying loses nothing", async () => {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  const [reader, writer] = kernel.pipe();
  const { memory, user, exports, heap } = kernel.kernel;
  const buffer = heap.reserve(8192, 4096);
  memory.bytes(buffer, 8192).fill(7);
  user.forbid(buffer + 4096n, 4096);
  assert.equal(exports.write(writer, buffer, 6000n), 4096n);
  assert.equal(exports.write(writer, buffer + 4096n, 10n), BigInt(-EFAULT));
  assert.equal(exports.read(reader, buffer + 4000n, 1000n), 96n);
  assert.equal(exports.read(reader, buffer + 4096n, 1000n), BigInt(-EFAULT));
  assert.equal(kernel.read(reader, 10_000).length, 4000);
  kernel.close(reader);
  kernel.close(writer);
});

test("fifos join those who open them", async () => {
  const kernel = await KernelFiles.start({ ramMib: 8 });
  kernel.mknod("/fifo", 0o010644);
  assert.throws(() => kernel.open("/fifo", O.WRONLY | O.NONBLOCK), new Errno(ENXIO));
  const reader = kernel.open("/fifo", O.RDONLY | O.NONBLOCK);
  assert.equal(kernel.read(reader, 10).length, 0, "no writer yet: end of file");
  const writer = kernel.open("/fifo", O.WRONLY | O.NONBLOCK);
  assert.throws(() => kernel.read(reader, 10), new Errno(EAGAIN));
  kernel.write(writer, "through");
  kernel.close(writer);
  assert.equal(kernel.read(reader, 10).toString(), "through");
  kernel.close(reader);
  const both = kernel.open("/fifo", O.RDWR | O.NONBLOCK);
  kernel.write(both, "self");
  assert.equal(kernel.read(both, 10).toString(), "self");
  kernel.close(both);
});
