/** The cache against what memcached's protocol description says, and against a model of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../../compiler/testing.ts";

interface Exports {
  start(memoryBytes: bigint, itemBytes: number, keepsEverything: boolean): void;
  inputAddress(): bigint;
  outputAddress(): bigint;
  feed(offset: number, bytes: number): number;
  resume(): number;
  limitAnswers(bytes: number): void;
  isHeldUp(): number;
  isOver(): number;
  setSeconds(now: number): void;
  evictions(): bigint;
  stop(): void;
}

const compiled = await loadKernelModule<Exports>(
  "kernel/appliances/memcached/testing/memcached.testentry.ts",
  { replace: { "kernel/mm/heap": "compiler/runtime/testheap" } },
);
const MIB = 1 << 20;

class Cache {
  readonly #module = compiled.fresh();
  readonly exports = this.#module.exports;
  readonly #blocksBefore = this.#module.heap.liveBlocks;

  constructor(memoryBytes = 64 * MIB, itemBytes = MIB, keepsEverything = false) {
    this.exports.start(BigInt(memoryBytes), itemBytes, keepsEverything);
  }

  /** Blocks that are in use because of the cache. */
  get liveBlocks(): number {
    return this.#module.heap.liveBlocks - this.#blocksBefore;
  }

  #answer(length: number): Buffer {
    const address = BigInt.asUintN(64, this.exports.outputAddress());
    return Buffer.from(this.#module.memory.bytes(address, length).slice());
  }

  /** Sends bytes in pieces of at most `piece`, and returns all that is answered. */
  bytes(request: Uint8Array, piece = request.length): Buffer {
    const address = BigInt.asUintN(64, this.exports.inputAddress());
    this.#module.memory.bytes(address, request.length).set(request);
    const answers: Buffer[] = [];
    for (let at = 0; at < request.length; at += piece) {
      answers.push(this.#answer(this.exports.feed(at, Math.min(piece, request.length - at))));
    }
    return Buffer.concat(answers);
  }

  text(request: string, piece?: number): string {
    return this.bytes(Buffer.from(request, "latin1"), piece).toString("latin1");
  }

  resume(): string {
    return this.#answer(this.exports.resume()).toString("latin1");
  }
}

/** A request of the binary protocol. */
function binary(
  opcode: number,
  parts: { key?: string; value?: string; extras?: Buffer; cas?: bigint; opaque?: number },
) {
  const { key = "", value = "", extras = Buffer.alloc(0), cas = 0n, opaque = 0 } = parts;
  const header = Buffer.alloc(24);
  header[0] = 0x80;
  header[1] = opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras.length;
  header.writeUInt32BE(extras.length + key.length + value.length, 8);
  header.writeUInt32BE(opaque, 12);
  header.writeBigUInt64BE(cas, 16);
  return Buffer.concat([header, extras, Buffer.from(key), Buffer.from(value)]);
}

interface Answer {
  opcode: number;
  status: number;
  opaque: number;
  cas: bigint;
  extras: Buffer;
  key: string;
  value: string;
}

function answers(bytes: Buffer): Answer[] {
  const found: Answer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    assert.equal(rest[0], 0x81);
    const keyEnd = 24 + (rest[4] ?? 0) + rest.readUInt16BE(2);
    const end = 24 + rest.readUInt32BE(8);
    found.push({
      opcode: rest[1] ?? 0,
      status: rest.readUInt16BE(6),
      opaque: rest.readUInt32BE(12),
      cas: rest.readBigUInt64BE(16),
      extras: rest.subarray(24, 24 + (rest[4] ?? 0)),
      key: rest.toString("latin1", 24 + (rest[4] ?? 0), keyEnd),
      value: rest.toString("latin1", keyEnd, end),
    });
    rest = rest.subarray(end);
  }
  return found;
}

const setExtras = (flags: number, expiry: number): Buffer => {
  const extras = Buffer.alloc(8);
  extras.writeUInt32BE(flags, 0);
  extras.writeUInt32BE(expiry, 4);
  return extras;
};

test("text: storing, reading, deleting", () => {
  const cache = new Cache();
  assert.equal(cache.text("get a\r\n"), "END\r\n");
  assert.equal(cache.text("set a 5 0 3\r\nabc\r\n"), "STORED\r\n");
  assert.equal(cache.text("get a b a\r\n"), "VALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\n");
  assert.equal(cache.text("add a 0 0 1\r\nx\r\n"), "NOT_STORED\r\n");
  assert.equal(cache.text("replace b 0 0 1\r\nx\r\n"), "NOT_STORED\r\n");
  assert.equal(
    cache.text("append a 9 9 2\r\nde\r\nprepend a 0 0 1\r\n_\r\n"),
    "STORED\r\nSTORED\r\n",
  );
  assert.equal(cache.text("get a\r\n"), "VALUE a 5 6\r\n_abcde\r\nEND\r\n");
  assert.equal(cache.text("set a 0 0 1 noreply\r\ny\r\nget a\r\n"), "VALUE a 0 1\r\ny\r\nEND\r\n");
  assert.equal(
    cache.text("delete a\r\ndelete a\r\ndelete a 0 noreply\r\n"),
    "DELETED\r\nNOT_FOUND\r\n",
  );
  assert.equal(
    cache.text("set empty 0 0 0\r\n\r\nget empty\r\n"),
    "STORED\r\nVALUE empty 0 0\r\n\r\nEND\r\n",
  );
});

test("text: compare and swap", () => {
  const cache = new Cache();
  cache.text("set a 0 0 1\r\n1\r\n");
  const [, unique = ""] = /^VALUE a 0 1 (\d+)\r\n/.exec(cache.text("gets a\r\n")) ?? [];
  assert.match(unique, /^\d+$/);
  assert.equal(cache.text(`cas a 0 0 1 ${unique}\r\n2\r\n`), "STORED\r\n");
  assert.equal(cache.text(`cas a 0 0 1 ${unique}\r\n3\r\n`), "EXISTS\r\n");
  assert.equal(cache.text("cas b 0 0 1 1\r\n3\r\n"), "NOT_FOUND\r\n");
  assert.equal(cache.text("cas a 0 0 1 0\r\n3\r\n"), "EXISTS\r\n");
});

test("text: counting", () => {
  const cache = new Cache();
  cache.text("set n 7 0 2\r\n10\r\n");
  assert.equal(
    cache.text("incr n 5\r\ndecr n 7\r\nget n\r\n"),
    "15\r\n8\r\nVALUE n 7 2\r\n8 \r\nEND\r\n",
  );
  assert.equal(
    cache.text("decr n 100\r\nincr n 18446744073709551615\r\nincr n 1\r\n"),
    "0\r\n18446744073709551615\r\n0\r\n",
  );
  assert.equal(
    cache.text("incr none 1\r\nincr n x\r\n"),
    "NOT_FOUND\r\nCLIENT_ERROR invalid numeric delta argument\r\n",
  );
  cache.text("set w 0 0 3\r\nabc\r\n");
  assert.match(cache.text("incr w 1\r\n"), /^CLIENT_ERROR cannot increment/);
  cache.text("set big 0 0 20\r\n99999999999999999999\r\n");
  assert.match(cache.text("incr big 1\r\n"), /^CLIENT_ERROR cannot increment/);
});

test("text: items end in time, and flush_all ends all", () => {
  const cache = new Cache();
  cache.text("set a 0 10 1\r\n1\r\nset b 0 0 1\r\n1\r\nset gone 0 -1 1\r\n1\r\n");
  assert.equal(cache.text("get gone\r\n"), "END\r\n");
  assert.equal(cache.text("touch b 5\r\ntouch none 5\r\n"), "TOUCHED\r\nNOT_FOUND\r\n");
  cache.exports.setSeconds(105);
  assert.equal(cache.text("get a b\r\n"), "VALUE a 0 1\r\n1\r\nEND\r\n");
  assert.equal(cache.text("gat 100 a\r\n"), "VALUE a 0 1\r\n1\r\nEND\r\n");
  cache.exports.setSeconds(120);
  assert.equal(cache.text("get a\r\n"), "VALUE a 0 1\r\n1\r\nEND\r\n");
  assert.equal(
    cache.text("flush_all\r\nget a\r\nset a 0 0 1\r\n2\r\nget a\r\n"),
    "OK\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n2\r\nEND\r\n",
  );
  assert.equal(cache.text("flush_all 10 noreply\r\nget a\r\n"), "VALUE a 0 1\r\n2\r\nEND\r\n");
  cache.exports.setSeconds(130);
  assert.equal(cache.text("get a\r\n"), "END\r\n");
});

test("text: what is not understood", () => {
  const cache = new Cache();
  assert.equal(cache.text("nonsense\r\n\r\nget\r\n"), "ERROR\r\nERROR\r\nERROR\r\n");
  assert.equal(
    cache.text(`get ${"k".repeat(251)}\r\n`),
    "CLIENT_ERROR bad command line format\r\n",
  );
  assert.equal(
    cache.text(`set ${"k".repeat(251)} 0 0 1\r\nx\r\n`),
    "CLIENT_ERROR bad command line format\r\n",
  );
  assert.equal(
    cache.text("set a 0 0 1\r\nxyz\r\n").startsWith("CLIENT_ERROR bad data chunk\r\n"),
    true,
  );
  assert.equal(cache.exports.isOver(), 0);
  assert.match(cache.text("x".repeat(3000)), /^CLIENT_ERROR line too long/);
  assert.equal(cache.exports.isOver(), 1);
});

test("text: a value that is too large is passed over, and the old one goes", () => {
  const cache = new Cache(4 * MIB, 65536);
  cache.text("set a 0 0 1\r\n1\r\n");
  const large = "x".repeat(100_000);
  for (const piece of [200_000, 1000, 7]) {
    const answer = cache.text(`set a 0 0 ${large.length}\r\n${large}\r\nversion\r\n`, piece);
    assert.match(answer, /^SERVER_ERROR object too large for cache\r\nVERSION \S+\r\n$/);
  }
  const nearly = "y".repeat(65530);
  assert.match(cache.text(`set a 0 0 ${nearly.length}\r\n${nearly}\r\n`), /too large/);
  assert.equal(cache.text("get a\r\n"), "END\r\n");
});

test("text: keys are listed by class", () => {
  const cache = new Cache();
  cache.text("set a 0 0 1\r\n1\r\nset b 0 0 2\r\n22\r\n");
  const [, id = ""] = /^STAT items:(\d+):number 2\r\n/.exec(cache.text("stats items\r\n")) ?? [];
  const listed = "ITEM b [2 b; 0 s]\r\nITEM a [1 b; 0 s]\r\nEND\r\n";
  assert.equal(cache.text(`stats cachedump ${id} 0\r\n`), listed);
  assert.equal(cache.text("stats cachedump 99 0\r\n"), "CLIENT_ERROR bad command line\r\n");
});

test("requests in pieces give the answers of whole ones", () => {
  const requests =
    "set a 1 0 5\r\nhello\r\nget a\r\nset b 0 0 3000\r\n" +
    "b".repeat(3000) +
    "\r\nget b a\r\nincr a 1\r\ndelete a\r\n";
  const whole = new Cache().text(requests);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4000 }), (piece) => {
      assert.equal(new Cache().text(requests, piece), whole);
    }),
    { numRuns: 40 },
  );
});

test("answers that cannot be sent hold requests up", () => {
  const cache = new Cache();
  cache.text(`set a 0 0 100\r\n${"a".repeat(100)}\r\n`);
  cache.exports.limitAnswers(244);
  const one = `VALUE a 0 100\r\n${"a".repeat(100)}\r\nEND\r\n`;
  let all = cache.text("get a\r\n".repeat(10));
  assert.equal(all, one.repeat(2));
  for (let i = 0; i < 4; i++) {
    assert.equal(cache.exports.isHeldUp(), 1);
    all += cache.resume();
  }
  assert.equal(all, one.repeat(10));
  assert.equal(cache.exports.isHeldUp(), 0);
});

test("the least recently used is evicted, unless that is forbidden", () => {
  const cache = new Cache(2 * MIB, MIB);
  const value = "v".repeat(10_000);
  for (let i = 0; i < 500; i++) {
    assert.equal(cache.text(`set k${i} 0 0 ${value.length}\r\n${value}\r\n`), "STORED\r\n");
  }
  assert.ok(cache.exports.evictions() > 300n);
  assert.equal(cache.text("get k0\r\n"), "END\r\n");
  assert.match(cache.text("get k499\r\n"), /^VALUE k499/);
  const full = new Cache(2 * MIB, MIB, true);
  const results = Array.from({ length: 500 }, (_, i) => {
    return full.text(`set k${i} 0 0 ${value.length}\r\n${value}\r\n`);
  });
  assert.equal(results.at(-1), "SERVER_ERROR out of memory storing object\r\n");
  assert.match(full.text("get k0\r\n"), /^VALUE k0/);
});

test("binary: the commands", () => {
  const cache = new Cache();
  const one = (request: Buffer): Answer | undefined => answers(cache.bytes(request))[0];
  const stored = one(binary(1, { key: "a", value: "hello", extras: setExtras(7, 0), opaque: 42 }));
  assert.equal(stored?.status, 0);
  assert.equal(stored?.opaque, 42);
  const got = one(binary(0x0c, { key: "a" }));
  assert.deepEqual([got?.key, got?.value, got?.extras.readUInt32BE(0)], ["a", "hello", 7]);
  assert.equal(got?.cas, stored?.cas);
  assert.equal(
    one(binary(1, { key: "a", value: "x", extras: setExtras(0, 0), cas: (got?.cas ?? 0n) + 1n }))
      ?.status,
    2,
  );
  assert.equal(one(binary(2, { key: "a", value: "x", extras: setExtras(0, 0) }))?.status, 2);
  assert.equal(one(binary(3, { key: "none", value: "x", extras: setExtras(0, 0) }))?.status, 1);
  assert.equal(one(binary(0, { key: "none" }))?.status, 1);
  assert.equal(one(binary(0x0e, { key: "a", value: "!" }))?.status, 0);
  assert.equal(one(binary(0x0e, { key: "none", value: "!" }))?.status, 5);
  assert.equal(one(binary(0, { key: "a" }))?.value, "hello!");
  const counter = Buffer.alloc(20);
  counter.writeBigUInt64BE(5n, 0);
  counter.writeBigUInt64BE(100n, 8);
  assert.equal(one(binary(5, { key: "n", extras: counter }))?.value, "\0\0\0\0\0\0\0d");
  assert.equal(one(binary(5, { key: "n", extras: counter }))?.value, "\0\0\0\0\0\0\0i");
  assert.equal(cache.text("get n\r\n"), "VALUE n 0 3\r\n105\r\nEND\r\n");
  counter.writeUInt32BE(0xffffffff, 16);
  assert.equal(one(binary(6, { key: "none", extras: counter }))?.status, 1);
  assert.equal(one(binary(4, { key: "a" }))?.status, 0);
  assert.equal(one(binary(4, { key: "a" }))?.status, 1);
  assert.equal(one(binary(0x77, {}))?.status, 0x81);
  assert.equal(one(binary(0, { key: "a", value: "x" }))?.status, 4);
  // Quiet gets of keys that are not there say nothing; noop ends the batch.
  const batch = answers(
    cache.bytes(Buffer.concat([binary(9, { key: "x" }), binary(9, { key: "n" }), binary(10, {})])),
  );
  assert.deepEqual(
    batch.map(({ opcode }) => opcode),
    [9, 10],
  );
  const stats = answers(cache.bytes(binary(0x10, {})));
  assert.equal(stats.at(-1)?.key, "");
  assert.ok(stats.some(({ key, value }) => key === "curr_items" && value === "1"));
});

test("both protocols, in any pieces, behave as a model and leave no memory behind", () => {
  const key = fc.constantFrom("a", "b", "cc", "a-longer-key-than-eight");
  const value = fc.oneof(
    fc.string({ unit: fc.constantFrom("x", "1", "\n", "\r", " "), maxLength: 40 }),
    fc.constant("z".repeat(5000)),
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), key, value }),
    fc.record({ kind: fc.constant("get" as const), key }),
    fc.record({ kind: fc.constant("delete" as const), key }),
    fc.record({ kind: fc.constant("append" as const), key, value }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(step, fc.boolean()), { maxLength: 60 }),
      fc.integer({ min: 1, max: 300 }),
      (steps, piece) => {
        const cache = new Cache(8 * MIB, 65536);
        const model = new Map<string, string>();
        for (const [{ kind, key, ...rest }, isBinary] of steps) {
          const given = "value" in rest ? rest.value : "";
          const old = model.get(key);
          let found = isBinary ? 0 : "";
          if (kind === "set") model.set(key, given);
          else if (kind === "append" && old !== undefined) model.set(key, old + given);
          else if (kind === "delete") model.delete(key);
          if (isBinary) {
            const opcode = { set: 1, get: 0, delete: 4, append: 14 }[kind];
            const extras = kind === "set" ? setExtras(0, 0) : Buffer.alloc(0);
            const [answer] = answers(
              cache.bytes(binary(opcode, { key, value: given, extras }), piece),
            );
            found = answer?.status ?? -1;
            const missing = kind === "append" ? 5 : 1;
            assert.equal(found, kind === "set" || old !== undefined ? 0 : missing);
            if (kind === "get" && old !== undefined) assert.equal(answer?.value, old);
          } else {
            const storing = kind === "set" || kind === "append";
            const text = cache.text(
              storing ? `${kind} ${key} 0 0 ${given.length}\r\n${given}\r\n` : `${kind} ${key}\r\n`,
              piece,
            );
            if (storing)
              found = kind === "set" || old !== undefined ? "STORED\r\n" : "NOT_STORED\r\n";
            else if (kind === "delete") found = old !== undefined ? "DELETED\r\n" : "NOT_FOUND\r\n";
            else
              found =
                old === undefined ? "END\r\n" : `VALUE ${key} 0 ${old.length}\r\n${old}\r\nEND\r\n`;
            assert.equal(text, found);
          }
        }
        cache.exports.stop();
        assert.equal(cache.liveBlocks, 2, "only the test's two buffers are left");
      },
    ),
    { numRuns: 60 },
  );
});
