/** The initial stack, read back the way a C library reads it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  setProgram(
    strings: bigint,
    stringsBytes: bigint,
    argc: number,
    envc: number,
    path: bigint,
    pathBytes: bigint,
    auxiliaryCount: number,
  ): bigint;
  addAuxiliary(type: bigint, value: bigint): void;
  build(buffer: bigint, bytes: bigint, top: bigint, random: bigint): bigint;
  argumentsStart(): bigint;
  argumentsEnd(): bigint;
  environmentEnd(): bigint;
  auxiliaryAddress(): bigint;
}

const AT_PLATFORM = 15n;
const AT_RANDOM = 25n;
const AT_EXECFN = 31n;
const TOP = 0x7fff_1234_5000n;

const word = fc.stringMatching(/^[ -~é]{0,40}$/);

test("arguments, environment and auxiliary vector are found where the ABI puts them", async () => {
  const compiled = await loadKernelModule<Exports>("kernel/linux/initial-stack.testentry.ts");
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 12 }),
      fc.array(word, { maxLength: 12 }),
      word,
      fc.uniqueArray(fc.integer({ min: 32, max: 200 }), { maxLength: 20 }),
      (argv, envp, path, types) => {
        const { exports, memory, heap } = compiled.fresh();
        const put = (bytes: Buffer): bigint => {
          const at = heap.reserve(bytes.length + 1);
          memory.bytes(at, bytes.length).set(bytes);
          return at;
        };
        const strings = Buffer.from([...argv, ...envp].map((text) => `${text}\0`).join(""));
        const pathBytes = Buffer.from(`${path}\0`);
        const random = Buffer.from(Array.from({ length: 16 }, (_, index) => 200 + index));
        const needed = exports.setProgram(
          put(strings),
          BigInt(strings.length),
          argv.length,
          envp.length,
          put(pathBytes),
          BigInt(pathBytes.length),
          types.length,
        );
        for (const type of types) exports.addAuxiliary(BigInt(type), BigInt(type) * 3n);
        const bytes = (needed + 15n) & ~15n;
        const buffer = heap.reserve(Number(bytes));
        const rsp = exports.build(buffer, bytes, TOP, put(random));
        assert.equal(rsp & 15n, 0n);
        assert.ok(rsp >= TOP - bytes);

        const kernel = (user: bigint): bigint => {
          assert.ok(user >= rsp && user < TOP, "every pointer leads into the stack");
          return user - TOP + buffer + bytes;
        };
        let at = rsp;
        const next = (): bigint => {
          const value = memory.read(kernel(at), 64);
          at += 8n;
          return value;
        };
        const vector = (): string[] => {
          const texts: string[] = [];
          for (let pointer = next(); pointer !== 0n; pointer = next()) {
            texts.push(memory.readCString(kernel(pointer)));
          }
          return texts;
        };
        assert.equal(next(), BigInt(argv.length));
        assert.deepEqual(vector(), argv);
        assert.deepEqual(vector(), envp);
        assert.equal(exports.auxiliaryAddress(), at);
        const pairs = new Map<bigint, bigint>();
        for (let type = next(); type !== 0n; type = next()) pairs.set(type, next());
        for (const type of types) assert.equal(pairs.get(BigInt(type)), BigInt(type) * 3n);
        const text = (type: bigint): string => memory.readCString(kernel(pairs.get(type) ?? 0n));
        assert.equal(text(AT_EXECFN), path);
        assert.equal(text(AT_PLATFORM), "x86_64");
        const randomAt = kernel(pairs.get(AT_RANDOM) ?? 0n);
        assert.deepEqual(Buffer.from(memory.bytes(randomAt, 16)), random);
        // /proc/self/cmdline and environ are these ranges.
        const range = (start: bigint, end: bigint): string =>
          start === end
            ? ""
            : Buffer.from(memory.bytes(kernel(start), Number(end - start))).toString();
        const start = exports.argumentsStart();
        const middle = exports.argumentsEnd();
        assert.equal(range(start, middle), argv.map((text) => `${text}\0`).join(""));
        const end = exports.environmentEnd();
        assert.equal(range(middle, end), envp.map((text) => `${text}\0`).join(""));
      },
    ),
    { numRuns: 200 },
  );
});
