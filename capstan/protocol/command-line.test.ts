import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeConfiguration, encodeWord, type GuestConfiguration } from "./command-line.ts";

const plain: GuestConfiguration = {
  console: "ports",
  executable: "/bin/echo",
  argv0: "/bin/echo",
  args: [],
  cwd: "/",
  env: {},
  verbose: false,
  epochNs: 1_700_000_000_000_000_042n,
  entropy: Buffer.alloc(32, 0xab),
};

/** Decodes a word as the kernel does. */
function decodeWord(word: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < word.length; at += 1) {
    if (word[at] === "%") {
      bytes.push(Number.parseInt(word.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(word.charCodeAt(at));
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

/** Text as an argument can be: any Unicode without the zero character. */
const argument = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));

test("the user is told unless it is root", () => {
  const words = (user: { uid: number; gid: number }) =>
    encodeConfiguration({ ...plain, user }).split(" ");
  assert.ok(words({ uid: 70, gid: 71 }).includes("user=70:71"));
  assert.ok(!words({ uid: 0, gid: 0 }).some((word) => word.startsWith("user=")));
});

test("a configuration without anything special", () => {
  assert.equal(
    encodeConfiguration(plain),
    `root=/dev/vda console=ports epoch=1700000000.000000042 entropy=${"ab".repeat(32)} cwd=/ -- /bin/echo`,
  );
});

test("verbose, terminal, argv0 and environment appear when they are set", () => {
  const text = encodeConfiguration({
    ...plain,
    verbose: true,
    console: "hvc",
    terminal: { rows: 24, columns: 80 },
    argv0: "-echo",
    env: { A: "1 2", B: "" },
  });
  const options = text.slice(0, text.indexOf(" -- ")).split(" ");
  for (const word of ["verbose", "rows=24", "cols=80", "argv0=-echo", "env=A=1%202", "env=B="]) {
    assert.ok(options.includes(word), `${word} in ${text}`);
  }
});

test("every argument comes back as it was, whatever it holds", () => {
  fc.assert(
    fc.property(fc.array(argument), (args) => {
      const text = encodeConfiguration({ ...plain, args });
      const words = text.slice(text.indexOf(" -- ") + 4).split(" ");
      assert.deepEqual(words.slice(1).map(decodeWord), args);
    }),
  );
});

test("an encoded word is printable ASCII without space, quotation mark", () => {
  fc.assert(
    fc.property(argument, (text) => {
      assert.match(encodeWord(text), /^[\x21\x23-\x7e]*$/);
      assert.equal(decodeWord(encodeWord(text)), text);
    }),
  );
});

test("an argument can not pass for a device word of microvm", () => {
  const text = encodeConfiguration({ ...plain, args: ["virtio_mmio.device=512@0xfeb00000:5"] });
  assert.ok(!text.includes(" virtio_mmio."));
  assert.equal(decodeWord(text.split(" ").at(-1) ?? ""), "virtio_mmio.device=512@0xfeb00000:5");
});

test("a trace is asked for in words of its own", () => {
  assert.ok(!encodeConfiguration(plain).includes("trace"));
  assert.match(encodeConfiguration({ ...plain, trace: "" }), / trace /);
  assert.match(encodeConfiguration({ ...plain, trace: "0-3,257" }), / trace=0-3,257 /);
});
