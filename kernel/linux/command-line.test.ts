/** The kernel command line: what the tool encodes, the kernel decodes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  bufferBytes(textBytes: bigint): bigint;
  parse(text: bigint, textBytes: bigint, buffer: bigint): number;
  cwd(): bigint;
  user(): number;
  group(): number;
  path(): bigint;
  pathBytes(): bigint;
  strings(): bigint;
  stringsBytes(): bigint;
  argumentCount(): number;
  environmentCount(): number;
}

const compiled = loadKernelModule<Exports>("kernel/linux/command-line.testentry.ts");

/** Encodes as the protocol says: blanks, control, non-ASCII, `%` and `"` as %XX. */
function encode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte <= 0x20 || byte >= 0x7f || byte === 0x25 || byte === 0x22
        ? `%${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte),
    )
    .join("");
}

async function parse(line: string) {
  const { exports, memory, heap } = (await compiled).fresh();
  const text = Buffer.from(line, "latin1");
  const address = heap.reserve(text.length + 1);
  memory.bytes(address, text.length).set(text);
  const size = exports.bufferBytes(BigInt(text.length));
  const buffer = heap.reserve(Number(size) + 64);
  memory.bytes(buffer + size, 64).fill(0x77);
  const found = exports.parse(address, BigInt(text.length), buffer) !== 0;
  const guard = memory.bytes(buffer + size, 64);
  assert.ok(
    guard.every((byte) => byte === 0x77),
    "nothing is written behind the buffer",
  );
  if (!found) return undefined;
  const block = Buffer.from(memory.bytes(exports.strings(), Number(exports.stringsBytes())));
  const words = block.toString().split("\0").slice(0, -1);
  const path = memory.readCString(exports.path());
  assert.equal(exports.pathBytes(), BigInt(Buffer.byteLength(path) + 1));
  const argc = exports.argumentCount();
  assert.equal(words.length, argc + exports.environmentCount());
  return {
    path,
    argv: words.slice(0, argc),
    env: words.slice(argc),
    cwd: exports.cwd() === 0n ? undefined : memory.readCString(exports.cwd()),
    user: [exports.user() >>> 0, exports.group() >>> 0],
  };
}

test("a usual command line", async () => {
  const line =
    "root=/dev/vda cwd=/home/x env=PATH=/usr/bin:/bin env=HOME=/root verbose console=ports" +
    " -- /usr/bin/python3 script.py a%20b  -- env=NO";
  assert.deepEqual(await parse(line), {
    path: "/usr/bin/python3",
    argv: ["/usr/bin/python3", "script.py", "a b", "", "--", "env=NO"],
    env: ["PATH=/usr/bin:/bin", "HOME=/root"],
    cwd: "/home/x",
    user: [0, 0],
  });
});

test("the user and group that the program runs as", async () => {
  assert.deepEqual((await parse("user=70:71 -- /x"))?.user, [70, 71]);
  assert.deepEqual((await parse("user=4294967294:0 -- /x"))?.user, [4294967294, 0]);
});

test("argv0 replaces the first argument, not the path", async () => {
  const result = await parse("argv0=-bash -- /bin/bash");
  assert.deepEqual(result?.argv, ["-bash"]);
  assert.equal(result?.path, "/bin/bash");
});

test("a command line without a program is refused", async () => {
  for (const line of ["", "verbose", "cwd=/ --", "-- ", "--"]) {
    assert.equal(await parse(line), undefined, JSON.stringify(line));
  }
});

test("broken escapes stay as they are", async () => {
  assert.deepEqual((await parse("-- /x %4 %zz %41 %"))?.argv, ["/x", "%4", "%zz", "A", "%"]);
});

test("every program comes through as it was encoded", async () => {
  await compiled;
  const text = fc
    .string({ unit: "binary", maxLength: 30 })
    .map((word) => word.replaceAll("\0", ""));
  await fc.assert(
    fc.asyncProperty(
      text.filter((path) => path !== ""),
      fc.array(text, { maxLength: 8 }),
      fc.array(text, { maxLength: 8 }),
      fc.option(text, { nil: undefined }),
      async (path, args, env, cwd) => {
        const wellFormed = (word: string): string => Buffer.from(word).toString();
        const line = [
          "root=/dev/vda",
          ...(cwd === undefined ? [] : [`cwd=${encode(cwd)}`]),
          ...env.map((entry) => `env=${encode(entry)}`),
          "--",
          encode(path),
          ...args.map(encode),
        ].join(" ");
        assert.deepEqual(await parse(line), {
          path: wellFormed(path),
          argv: [path, ...args].map(wellFormed),
          env: env.map(wellFormed),
          cwd: cwd === undefined ? undefined : wellFormed(cwd),
          user: [0, 0],
        });
      },
    ),
    { numRuns: 300 },
  );
});
