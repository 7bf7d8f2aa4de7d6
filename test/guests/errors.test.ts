/** Mistakes get one clear message before anything boots; these tests need no kernel. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { statusOf } from "../harness/compare.ts";
import { runCapstan } from "../harness/process.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-errors-"));
after(() => rmSync(scratch, { recursive: true }));

function file(name: string, content: Buffer | string, mode = 0o755): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A real program with some bytes replaced. */
function patchedElf(name: string, patch: (elf: Buffer) => Buffer): string {
  return file(name, patch(readFileSync("/bin/true")));
}

interface Mistake {
  readonly name: string;
  readonly argv: readonly string[];
  readonly status: number;
  readonly says: RegExp;
  readonly env?: Record<string, string>;
}

const aarch64 = patchedElf("aarch64", (elf) => {
  elf.writeUInt16LE(183, 18);
  return elf;
});
mkdirSync(join(scratch, "empty"));
/** A sparse file: it takes no room on the host, and more than any image may hold. */
const enormous = file("enormous", "");
truncateSync(enormous, 2 ** 40);

const mistakes: readonly Mistake[] = [
  {
    name: "a missing program on PATH",
    argv: ["--", "no-such-program"],
    status: 127,
    says: /no-such-program/,
  },
  {
    name: "a missing program by path",
    argv: ["--", "/no/such/program"],
    status: 127,
    says: /\/no\/such\/program/,
  },
  { name: "a directory", argv: ["--", scratch], status: 126, says: /director/ },
  {
    name: "a text file without an interpreter",
    argv: ["--", file("text", "just some text\n")],
    status: 126,
    says: /text/,
  },
  {
    name: "a file that is not executable",
    argv: ["--", file("plain", readFileSync("/bin/true"), 0o644)],
    status: 126,
    says: /plain/,
  },
  { name: "an AArch64 program", argv: ["--", aarch64], status: 126, says: /AArch64|aarch64/ },
  {
    name: "a truncated program",
    argv: ["--", patchedElf("short", (elf) => elf.subarray(0, 100))],
    status: 126,
    says: /the rest of it is missing/,
  },
  {
    name: "a missing interpreter",
    argv: ["--", file("script", "#!/no/such/interpreter\n")],
    status: 127,
    says: /\/no\/such\/interpreter/,
  },
  {
    name: "no QEMU on the machine",
    argv: ["--", "/bin/true"],
    status: 125,
    says: /QEMU was not found[\s\S]*apt-get install qemu-system-x86/,
    env: { PATH: join(scratch, "empty") },
  },
  { name: "no program", argv: ["--"], status: 127, says: /program without a name/ },
  { name: "an unknown option", argv: ["--fast", "ls"], status: 125, says: /--fast/ },
  {
    name: "a wrong memory size",
    argv: ["-m", "much", "ls"],
    status: 125,
    says: /number with a unit/,
  },
  {
    name: "a kernel that does not exist",
    argv: ["--kernel", "/no/kernel", "--", "/bin/true"],
    status: 125,
    says: /\/no\/kernel/,
  },
  {
    name: "an image over the limit",
    argv: ["--add", `${enormous}:/enormous`, "--", "/bin/true"],
    status: 125,
    says: /limit|large|room|space/,
  },
  {
    name: "an added file that does not exist",
    argv: ["--add", "/no/such/file", "--", "/bin/true"],
    status: 125,
    says: /\/no\/such\/file/,
  },
];

for (const { name, argv, status, says, env } of mistakes) {
  test(name, { timeout: 120_000 }, async () => {
    const finished = await runCapstan(argv, env === undefined ? {} : { env });
    const text = finished.stderr.toString("utf8");
    assert.equal(statusOf(finished), status, text);
    assert.match(text, says);
    assert.match(text, /^capstan: .+\n {2}why: .+\n {2}fix: .+\n$/, "one message of three lines");
    assert.equal(finished.stdout.length, 0);
  });
}

test("errors as JSON", { timeout: 120_000 }, async () => {
  const finished = await runCapstan(["--json", "--", "no-such-program"]);
  const report = JSON.parse(finished.stdout.toString("utf8"));
  assert.equal(report.status, 127);
  assert.ok(report.error.why !== "" && report.error.fix !== "");
});
