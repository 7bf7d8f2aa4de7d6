import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import type { OutputSink } from "../console/output.ts";
import type { MachineSpec } from "../hypervisor/hypervisor.ts";
import { type GuestSide, hypervisorDouble } from "../hypervisor/hypervisor-double.ts";
import { exitStatusOf, type Stop } from "./outcome.ts";
import { runSession, type SessionOptions } from "./session.ts";

const spec: MachineSpec = {
  machine: "microvm",
  accelerator: "tcg",
  kernelPath: "/kernel",
  commandLine: "-- /bin/true",
  memoryBytes: 2 ** 26,
  cpus: 1,
  console: "ports",
};

class MemorySink implements OutputSink {
  readonly isBusy = false;
  text = "";

  async write(bytes: Buffer): Promise<boolean> {
    this.text += bytes.toString("latin1");
    return true;
  }
}

/** Runs a guest; input is empty and output is kept unless the options say otherwise. */
async function runGuest(guest: (side: GuestSide) => void, options: Partial<SessionOptions> = {}) {
  const stdout = new MemorySink();
  const stderr = new MemorySink();
  const result = await runSession(hypervisorDouble(guest), spec, {
    input: Readable.from([]),
    hasTerminal: false,
    stdout,
    stderr,
    log: null,
    ...options,
  });
  return { result, status: exitStatusOf(result.ending), stdout: stdout.text, stderr: stderr.text };
}

test("both outputs arrive apart and whole, with the status of the program", async () => {
  const run = await runGuest((guest) => {
    guest.stdout.write("out\0\xff");
    guest.stderr.write("err");
    guest.control.write('{"event":"exit","status":9}\n');
    guest.end();
  });
  assert.deepEqual([run.stdout, run.stderr, run.status], ["out\0\xc3\xbf", "err", 9]);
  assert.ok(run.result.firstOutputMs !== null);
});

test("input reaches the guest, and its end too", async () => {
  const run = await runGuest(
    async (guest) => {
      const pieces: Buffer[] = [];
      for await (const piece of guest.stdin) pieces.push(piece);
      guest.stdout.write(Buffer.concat(pieces));
      guest.control.write('{"event":"exit","status":0}\n');
      guest.end();
    },
    { input: Readable.from([Buffer.from("one "), Buffer.from("two")]) },
  );
  assert.equal(run.stdout, "one two");
});

test("keys reach the terminal; the escape key ends the machine", async () => {
  const input = new PassThrough();
  const run = await runGuest(
    (guest) => {
      guest.stdin.once("data", (keys: Buffer) => {
        guest.stdout.write(keys);
        input.write(Buffer.from([0x41, 0x1d, 0x42]));
        guest.stdin.once("data", (more: Buffer) => guest.stdout.write(more));
      });
      input.write(Buffer.from([0x03]));
    },
    { input, hasTerminal: true },
  );
  assert.equal(run.status, 130);
  assert.ok(!run.stdout.includes("B"));
  assert.ok(run.stdout.startsWith("\x03"));
});

test("the end of input is the end-of-file key for a terminal", async () => {
  const run = await runGuest(
    (guest) => {
      guest.stdin.once("data", (keys: Buffer) => {
        guest.stdout.write(keys);
        guest.end();
      });
    },
    { hasTerminal: true },
  );
  assert.equal(run.stdout, "\x04");
});

test("input waits for the boot when a serial port would lose it", async () => {
  const run = await runGuest(
    (guest) => {
      assert.equal(guest.stdin.readableLength, 0);
      guest.stdin.once("data", (keys: Buffer) => {
        guest.stdout.write(keys);
        guest.end();
      });
      guest.control.write('{"event":"boot","ns":1}\n');
    },
    { hasTerminal: true, waitsForBoot: true, input: Readable.from([Buffer.from("early")]) },
  );
  assert.equal(run.stdout, "early");
});

test("a time limit ends the machine", async () => {
  const run = await runGuest(() => {}, { timeoutMs: 5 });
  assert.equal(run.status, 124);
});

test("a stop from outside ends the machine, also without a reader of its output", async () => {
  let stop: (reason: Stop) => void = () => {};
  const stuck: OutputSink = { isBusy: true, write: () => new Promise(() => {}) };
  const run = await runGuest(
    (guest) => {
      guest.stdout.write("nobody reads this");
      stop({ by: "signal", signal: "SIGTERM" });
    },
    {
      stdout: stuck,
      onStarted: (action) => {
        stop = action;
      },
    },
  );
  assert.equal(run.status, 143);
});

test("a reader that goes away closes the program's output", async () => {
  const gone: OutputSink = { isBusy: false, write: async () => false };
  const run = await runGuest(
    (guest) => {
      guest.stdout.once("close", () => {
        guest.control.write('{"event":"exit","signal":13}\n');
        guest.end();
      });
      guest.stdout.write("x");
    },
    { stdout: gone },
  );
  assert.equal(run.status, 141);
});

test("a guest that reports its end but never powers off is killed", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const run = await runGuest((guest) => {
    guest.control.write('{"event":"exit","status":4}\n');
    // The line is read in a later turn of the event loop.
    setImmediate(() => setImmediate(() => setImmediate(() => context.mock.timers.tick(60_000))));
  });
  assert.equal(run.status, 4);
});

test("the end of the kernel's log is kept, and shown while it is written if wanted", async () => {
  const log = new MemorySink();
  const guest = (side: GuestSide): void => {
    side.log.write(Buffer.alloc(70_000, "x"));
    side.log.write("last line\n");
    side.end({ status: 1 });
  };
  const { result, status } = await runGuest(guest, { log });
  assert.equal(status, 122);
  assert.equal(result.log.length, 65_536);
  assert.ok(result.log.endsWith("last line\n"));
  assert.equal(log.text.length, 70_010);
});
