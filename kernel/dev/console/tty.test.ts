/** Terminals: the table of cases, and what a table does not show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";
import { withEarlyHeap } from "../testing/early-heap.ts";
import { constants as c } from "./termios-constants.ts";
import { type TtyCase, ttyCases } from "./tty-cases.ts";

interface Exports {
  open(): number;
  feed(bytes: bigint, length: bigint): bigint;
  hangUp(): void;
  resize(columns: number, rows: number): void;
  read(buffer: bigint, length: bigint): bigint;
  write(buffer: bigint, length: bigint): bigint;
  ioctl(request: number, argument: bigint): bigint;
  poll(): number;
  screenAddress(): bigint;
  takeScreen(): number;
  setScreenRoom(room: number): void;
  takeSignals(): number;
  settingsAddress(): bigint;
}

const EAGAIN = -11n;
const EFAULT = -14n;
const EINVAL = -22n;
const ENOTTY = -25n;
const EIO = -5n;
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCXONC = 0x540a;
const TCFLSH = 0x540b;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCOUTQ = 0x5411;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const FIONREAD = 0x541b;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;

const load = () =>
  loadKernelModule<Exports>("kernel/dev/console/tty.testentry.ts", withEarlyHeap());

/** A terminal with helpers around it. */
class Terminal {
  readonly #buffer: bigint;

  constructor(readonly module: KernelModule<Exports>) {
    this.#buffer = module.heap.reserve(16384);
    assert.equal(module.exports.open(), 1);
  }

  #place(text: string): bigint {
    this.module.memory.bytes(this.#buffer, text.length).set(Buffer.from(text, "latin1"));
    return BigInt(text.length);
  }

  #text(address: bigint, length: number): string {
    return Buffer.from(this.module.memory.bytes(address, length)).toString("latin1");
  }

  type(text: string): number {
    const length = this.#place(text);
    return Number(this.module.exports.feed(this.#buffer, length));
  }

  /** What one read returns: text, or the error number. */
  read(size = 100): string | bigint {
    const result = this.module.exports.read(this.#buffer, BigInt(size));
    return result < 0n ? result : this.#text(this.#buffer, Number(result));
  }

  readAll(size?: number): string[] {
    const texts: string[] = [];
    for (;;) {
      const text = this.read(size);
      if (typeof text !== "string") {
        assert.equal(text, EAGAIN);
        return texts;
      }
      texts.push(text);
    }
  }

  write(text: string): bigint {
    const length = this.#place(text);
    return this.module.exports.write(this.#buffer, length);
  }

  screen(): string {
    return this.#text(this.module.exports.screenAddress(), this.module.exports.takeScreen());
  }

  signals(): number[] {
    const bits = this.module.exports.takeSignals();
    return Array.from({ length: 32 }, (_, signal) => signal).filter(
      (signal) => bits & (1 << signal),
    );
  }

  /** ioctl whose argument is `bytes`, in and out. */
  control(request: number, bytes: Uint8Array): { result: bigint; bytes: Buffer } {
    const at = this.#buffer + 8192n;
    this.module.memory.bytes(at, bytes.length).set(bytes);
    const result = this.module.exports.ioctl(request, at);
    return { result, bytes: Buffer.from(this.module.memory.bytes(at, bytes.length)) };
  }

  /** Changes settings as a program does: TCGETS, edit, TCSETS. */
  configure({ set, clear, characters }: Pick<TtyCase, "set" | "clear" | "characters">): void {
    const { result, bytes } = this.control(TCGETS, new Uint8Array(36));
    assert.equal(result, 0n);
    for (const [key, offset] of [
      ["i", 0],
      ["o", 4],
      ["l", 12],
    ] as const) {
      const flags = (bytes.readUInt32LE(offset) & ~(clear?.[key] ?? 0)) | (set?.[key] ?? 0);
      bytes.writeUInt32LE(flags >>> 0, offset);
    }
    for (const [index, value] of Object.entries(characters ?? {})) {
      bytes.writeUInt8(value, 17 + Number(index));
    }
    assert.equal(this.control(TCSETS, bytes).result, 0n);
  }
}

const open = async (): Promise<Terminal> => new Terminal(await load());
const RAW = { clear: { i: c.ICRNL | c.IXON, l: c.ISIG | c.ICANON | c.ECHO | c.IEXTEN } };

test("typed input", async (context) => {
  const module = await load();
  for (const entry of ttyCases) {
    await context.test(entry.name, () => {
      const terminal = new Terminal(module.fresh());
      terminal.configure(entry);
      assert.equal(terminal.type(entry.input), entry.input.length);
      assert.deepEqual(terminal.readAll(entry.readSize), entry.reads);
      assert.equal(terminal.screen(), entry.screen);
      assert.deepEqual(terminal.signals(), entry.signals ?? []);
    });
  }
});

test("the settings of a fresh terminal are Linux's", async () => {
  const terminal = await open();
  const { bytes } = terminal.control(TCGETS, new Uint8Array(36));
  assert.equal(
    bytes.toString("hex"),
    "00050000" +
      "05000000" +
      "bf040000" +
      "3b8a0000" +
      "00" +
      "031c7f150400010011131a00120f1716000000",
  );
});

test("a queue full of lines takes no more until one is read", async () => {
  const terminal = await open();
  const line = `${"y".repeat(99)}\n`;
  let typed = 0;
  for (let taken = 100; taken === 100; typed += taken) taken = terminal.type(line);
  assert.equal(typed, 4095);
  assert.equal(terminal.type("\n"), 1);
  assert.equal(terminal.type("\n"), 0);
  assert.equal(terminal.read(), line);
  assert.equal(terminal.type(line), 100);
});

test("whatever is typed raw comes out unchanged, whatever the pieces", async () => {
  const module = await load();
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)) }),
        { maxLength: 60, size: "max" },
      ),
      fc.integer({ min: 1, max: 50 }),
      (pieces, readSize) => {
        const terminal = new Terminal(module.fresh());
        terminal.configure(RAW);
        let output = "";
        for (const [index, piece] of pieces.entries()) {
          assert.equal(terminal.type(piece), piece.length);
          if (index % 3 === 0) output += terminal.readAll(readSize).join("");
        }
        output += terminal.readAll(readSize).join("");
        assert.equal(output, pieces.join(""));
      },
    ),
    { numRuns: 100 },
  );
});

test("whatever is typed, reads end at line ends and the queue stays sound", async () => {
  const module = await load();
  const key = fc.constantFrom(
    ..."ab \t\n\r\x03\x04\x15\x16\x17\x7f\x12\x13\x11\xc3\xa4\0".split(""),
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 500, size: "max" }), fc.boolean(), (keys, utf8) => {
      const terminal = new Terminal(module.fresh());
      terminal.configure(utf8 ? { set: { i: c.IUTF8 } } : {});
      terminal.type(keys.join(""));
      for (const text of terminal.readAll(4096)) {
        assert.ok(text.length <= keys.length);
      }
      terminal.type("\x15done\n");
      assert.equal(terminal.readAll(4096).at(-1)?.slice(-5), "done\n");
    }),
    { numRuns: 200 },
  );
});

test("switching between modes keeps what was typed", async () => {
  const terminal = await open();
  terminal.type("abc");
  assert.equal(terminal.read(), EAGAIN);
  terminal.configure(RAW);
  assert.equal(terminal.read(2), "ab");
  terminal.type("de");
  terminal.configure({ set: { l: c.ICANON } });
  assert.equal(terminal.read(), "cde");
  terminal.type("x\n");
  assert.equal(terminal.read(), "x\n");
});

test("VMIN and VTIME of 0: a read never waits, and finds nothing", async () => {
  const terminal = await open();
  terminal.configure({ ...RAW, characters: { 6: 0 } });
  assert.equal(terminal.read(), "");
  terminal.type("a");
  assert.equal(terminal.read(), "a");
});

test("output is processed, and written in full or not at all when the screen stalls", async () => {
  const terminal = await open();
  assert.equal(terminal.write("one\ntwo\tx\n"), 10n);
  assert.equal(terminal.screen(), "one\r\ntwo\tx\r\n");
  terminal.module.exports.setScreenRoom(0);
  let written = 0n;
  for (;;) {
    const result = terminal.write("\n".repeat(224));
    if (result < 0n) {
      assert.equal(result, EAGAIN);
      break;
    }
    written += result;
  }
  assert.equal(terminal.module.exports.poll() & POLLOUT, POLLOUT);
  terminal.module.exports.setScreenRoom(60000);
  assert.equal(terminal.screen(), "\r\n".repeat(Number(written)));
});

test("stopped output waits; restarted it goes on", async () => {
  const terminal = await open();
  terminal.type("\x13");
  assert.equal(terminal.write("a"), EAGAIN);
  assert.equal(terminal.module.exports.poll() & POLLOUT, 0);
  terminal.type("\x11");
  assert.equal(terminal.write("a"), 1n);
  terminal.module.exports.ioctl(TCXONC, 0n);
  assert.equal(terminal.write("b"), EAGAIN);
  terminal.module.exports.ioctl(TCXONC, 1n);
  assert.equal(terminal.write("c"), 1n);
  assert.equal(terminal.screen(), "ac");
});

test("a hung-up terminal reads as ended and takes no output", async () => {
  const terminal = await open();
  terminal.type("last\n");
  terminal.module.exports.hangUp();
  assert.equal(terminal.read(), "last\n");
  assert.equal(terminal.read(), "");
  assert.equal(terminal.write("x"), EIO);
  assert.equal(terminal.module.exports.poll() & POLLHUP, POLLHUP);
});

test("poll says what reads and writes would do", async () => {
  const terminal = await open();
  assert.equal(terminal.module.exports.poll() & (POLLIN | POLLOUT), POLLOUT);
  terminal.type("ab");
  assert.equal(terminal.module.exports.poll() & POLLIN, 0);
  terminal.type("\n");
  assert.equal(terminal.module.exports.poll() & POLLIN, POLLIN);
});

test("window size: set, read, announced when it changes", async () => {
  const terminal = await open();
  const size = (rows: number, columns: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(rows, 0);
    bytes.writeUInt16LE(columns, 2);
    return bytes;
  };
  terminal.module.exports.resize(80, 24);
  assert.deepEqual(terminal.signals(), [28]);
  assert.deepEqual(terminal.control(TIOCGWINSZ, new Uint8Array(8)).bytes, size(24, 80));
  terminal.module.exports.resize(100, 24);
  assert.deepEqual(terminal.signals(), [28]);
  assert.equal(terminal.control(TIOCSWINSZ, size(50, 132)).result, 0n);
  assert.deepEqual(terminal.signals(), [28]);
  assert.deepEqual(terminal.control(TIOCGWINSZ, new Uint8Array(8)).bytes, size(50, 132));
});

test("other requests, and arguments that are not the application's", async () => {
  const terminal = await open();
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  terminal.type("abc\nde");
  assert.deepEqual(terminal.control(FIONREAD, word(0)).bytes, word(4));
  assert.deepEqual(terminal.control(TIOCOUTQ, word(9)).bytes, word(0));
  assert.equal(terminal.control(TIOCSPGRP, word(77)).result, 0n);
  assert.deepEqual(terminal.control(TIOCGPGRP, word(0)).bytes, word(77));
  assert.equal(terminal.control(TIOCSPGRP, word(-1)).result, EINVAL);
  const { exports, user, heap } = terminal.module;
  assert.equal(exports.ioctl(TCFLSH, 0n), 0n);
  assert.equal(terminal.read(), EAGAIN);
  assert.equal(exports.ioctl(TCFLSH, 9n), EINVAL);
  assert.equal(exports.ioctl(0x1234, 0n), ENOTTY);
  assert.equal(exports.ioctl(TCGETS, -4096n), EFAULT);
  assert.equal(exports.ioctl(TCSETS, 0x7fffffffeff0n), EFAULT);
  const page = heap.reserve(4096, 4096);
  user.forbid(page, 4096);
  assert.equal(exports.ioctl(TCGETS, page - 4n), EFAULT);
  terminal.type("abc\n");
  assert.equal(exports.read(page, 100n), EFAULT);
  assert.equal(exports.write(page, 10n), EFAULT);
});
