/** Programs at a terminal. script(1) of util-linux gives capstan a pseudo-terminal. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher, repositoryRoot } from "../harness/paths.ts";

/** A capstan at a pseudo-terminal, with what it has written so far. */
class Terminal {
  readonly #child: ChildProcess;
  #text = "";
  /** Its device, which it says first. */
  #device = "";

  /** @param words of capstan's command line */
  constructor(words: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const command = [process.execPath, capstanLauncher, ...words];
    const quoted = command.map((word) => `'${word}'`).join(" ");
    this.#child = spawn("script", ["-qefc", `tty; exec ${quoted}`, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...env, TERM: "xterm" },
      timeout: 5 * 60_000,
    });
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      this.#text += bytes.toString("utf8");
      this.#device ||= /^(\/dev\/\S+)\r\n/.exec(this.#text)?.[1] ?? "";
    });
  }

  /** Changes the size of its window: first the rows, then the columns. */
  resize(columns: number, rows: number): void {
    const size = ["rows", String(rows), "cols", String(columns)];
    execFileSync("stty", ["-F", this.#device, ...size]);
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits until the text appears after what was expected before, and forgets all up to it. */
  async expect(wanted: string): Promise<void> {
    while (!this.#text.includes(wanted)) {
      const output = this.#child.stdout;
      assert.ok(output && !output.readableEnded, `no "${wanted}" in: ${this.#text}`);
      await Promise.race([once(output, "data"), once(output, "end")]);
    }
    this.#text = this.#text.slice(this.#text.indexOf(wanted) + wanted.length);
  }

  async status(): Promise<number | null> {
    const [status] = await once(this.#child, "close");
    return status;
  }
}

guestTest("an interactive python3", async () => {
  const terminal = new Terminal(["run", "-m", "1G", "--", "/usr/bin/python3", "-q"]);
  await terminal.expect(">>> ");
  terminal.type("6 * 7\r");
  await terminal.expect("42");
  await terminal.expect(">>> ");
  // Line editing: type 1234, go left twice, put 56 in between.
  terminal.type("1234\x1b[D\x1b[D56\r");
  await terminal.expect("125634");
  await terminal.expect(">>> ");
  // Ctrl-C only after the loop has begun: before a prompt, Python itself may overlook it.
  terminal.type(`exec("print('be' + 'gun')\\nwhile True: pass")\r`);
  await terminal.expect("begun\r\n");
  terminal.type("\x03");
  await terminal.expect("KeyboardInterrupt");
  await terminal.expect(">>> ");
  terminal.type("import sys; sys.exit(7)\r");
  assert.equal(await terminal.status(), 7);
});

guestTest("cat at a terminal: echo, erase, end of file", async () => {
  const terminal = new Terminal([
    "run",
    "--add",
    "/bin/cat",
    "--",
    "/bin/sh",
    "-c",
    "echo ready; exec cat",
  ]);
  await terminal.expect("ready");
  terminal.type("hellp\x7fo\r");
  await terminal.expect("o\r\nhello\r\n");
  terminal.type("\x04");
  assert.equal(await terminal.status(), 0);
});

/** Says the size of its terminal at the start, and again when it changes; ends at 50 columns. */
const watchSize = `
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])
while True:
    size = os.get_terminal_size()
    print("size", size.columns, size.lines, flush=True)
    if size.columns == 50: sys.exit(3)
    signal.sigwait([signal.SIGWINCH])`;

guestTest("a program learns that its window has another size", async () => {
  const terminal = new Terminal(["run", "--", "/usr/bin/python3", "-c", watchSize]);
  await terminal.expect("size 80 24");
  terminal.resize(132, 43);
  await terminal.expect("size 132 43");
  terminal.resize(50, 10);
  await terminal.expect("size 50 10");
  assert.equal(await terminal.status(), 3);
});

guestTest("a program in the background has the size of the window that is attached", async () => {
  const root = mkdtempSync(join(tmpdir(), "capstan-size-"));
  const env = { ...process.env, CAPSTAN_ROOT: root };
  const started = ["run", "-d", "--rm", "--name", "sized", "--console", "virtio", "--"];
  const program = ["/usr/bin/python3", "-c", watchSize];
  execFileSync(process.execPath, [capstanLauncher, ...started, ...program], { env });
  const terminal = new Terminal(["attach", "sized"], env);
  try {
    await terminal.expect("attached to sized");
    terminal.resize(132, 43);
    await terminal.expect("size 132 43");
    terminal.resize(50, 10);
    await terminal.expect("size 50 10");
    await terminal.expect("sized has ended");
    await terminal.status();
  } finally {
    spawnSync(process.execPath, [capstanLauncher, "delete", "--force", "sized"], { env });
    rmSync(root, { recursive: true });
  }
});

guestTest("the escape key ends the machine", async () => {
  const terminal = new Terminal([
    "run",
    "--add",
    "/bin/cat",
    "--",
    "/bin/sh",
    "-c",
    "echo ready; exec cat",
  ]);
  await terminal.expect("ready");
  terminal.type("\x1d");
  assert.equal(await terminal.status(), 130);
});

for (const console of ["serial", "virtio"]) {
  guestTest(`the ${console} console passes input and output`, () =>
    assertSameAsHost({
      argv: ["/bin/sh", "-c", 'read line; echo "got $line"; exit 3'],
      options: ["--console", console],
      stdin: Buffer.from("some input\n"),
      // The guest's terminal echoes the input and ends lines with carriage return and line feed.
      normalise: (text) => text.replace(/^some input\r\n/, "").replaceAll("\r", ""),
    }),
  );
}

const terminalTools = ["--add", "/bin/sh", "--add", "/usr/bin/tty", "--add", "/usr/bin/stty"];
/** Numbers of pseudo-terminals differ; on the host others may be open. */
const withoutNumbers = (text: string): string => text.replace(/pts\/\d+/g, "pts/N");

guestTest(
  "script: a shell on a pseudo-terminal",
  () =>
    assertSameAsHost({
      argv: ["/usr/bin/script", "-qc", "tty; stty -a; test -t 0 && echo terminal", "/dev/null"],
      options: terminalTools,
      normalise: withoutNumbers,
    }),
  ["/usr/bin/script"],
);

guestTest("python3: pty.spawn and openpty", () =>
  assertSameAsHost({
    argv: ["/usr/bin/python3", join(repositoryRoot, "test/scripts/pty.py")],
    options: [...terminalTools, "--add", "/usr/bin/echo"],
    normalise: withoutNumbers,
  }),
);
