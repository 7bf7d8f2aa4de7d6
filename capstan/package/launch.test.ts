import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { type ElfFixture, makeElf } from "./elf-fixtures.ts";
import { planLaunch } from "./launch.ts";
import { rejectionOf } from "./testing.ts";

function putProgram(path: string, contents: string | ElfFixture): string {
  writeFileSync(path, typeof contents === "string" ? contents : makeElf(contents));
  chmodSync(path, 0o755);
  return path;
}

/** Plans as if `bin` below the scratch directory were the host's only PATH. */
function plan(scratch: string, program: string, args: string[] = [], guestPath = "/usr/bin") {
  return planLaunch({
    program,
    args,
    cwd: scratch,
    env: { PATH: guestPath },
    add: [],
    searchPath: `${scratch}/missing:${scratch}/bin`,
  });
}

async function withBin(run: (scratch: string, bin: string) => Promise<void>): Promise<void> {
  await withScratch(async (scratch) => {
    mkdirSync(join(scratch, "bin"));
    await run(scratch, join(scratch, "bin"));
  });
}

test("a program in PATH keeps its name if the guest's PATH leads there, too", () =>
  withBin(async (scratch, bin) => {
    const path = putProgram(join(bin, "tool"), { type: 2 });
    const elsewhere = await plan(scratch, "tool", ["a"]);
    assert.deepEqual([elsewhere.executable, elsewhere.argv0], [path, path]);
    assert.deepEqual(elsewhere.args, ["a"]);
    const same = await plan(scratch, "tool", [], `/usr/bin:${bin}`);
    assert.equal(same.argv0, "tool");
    const typed = await plan(scratch, "./bin/tool");
    assert.deepEqual([typed.executable, typed.argv0], [path, "./bin/tool"]);
  }));

test("symbolic links are not resolved: programs look at the name they are called by", () =>
  withBin(async (scratch, bin) => {
    putProgram(join(bin, "real"), { type: 2 });
    symlinkSync("real", join(bin, "alias"));
    assert.equal((await plan(scratch, "alias")).executable, join(bin, "alias"));
  }));

test("a script becomes its interpreter with the arguments that execve would make", () =>
  withBin(async (scratch, bin) => {
    const interpreter = putProgram(join(bin, "interp"), { type: 2 });
    putProgram(join(scratch, "script"), `#! ${interpreter} -x  -y \nbody`);
    const launch = await plan(scratch, "./script", ["a", "b c"]);
    assert.equal(launch.executable, interpreter);
    assert.equal(launch.argv0, interpreter);
    assert.deepEqual(launch.args, ["-x  -y", "./script", "a", "b c"]);
    assert.deepEqual(launch.scripts, [join(scratch, "script")]);
  }));

test("a script whose interpreter is a script", () =>
  withBin(async (scratch, bin) => {
    const interpreter = putProgram(join(bin, "interp"), { type: 2 });
    const middle = putProgram(join(bin, "middle"), `#!${interpreter} -m\n`);
    putProgram(join(bin, "outer"), `#!${middle}\n`);
    const launch = await plan(scratch, "outer", ["a"]);
    assert.equal(launch.executable, interpreter);
    assert.deepEqual(launch.args, ["-m", middle, join(bin, "outer"), "a"]);
  }));

test("env in a #! line is replaced by the program that it would find", () =>
  withBin(async (scratch, bin) => {
    const interpreter = putProgram(join(bin, "interp"), { type: 2 });
    putProgram(join(scratch, "plain"), "#!/usr/bin/env interp\n");
    putProgram(join(scratch, "split"), "#!/usr/bin/env -S interp -u -v\n");
    const plain = await plan(scratch, "./plain", ["a"]);
    assert.deepEqual([plain.executable, plain.args], [interpreter, ["./plain", "a"]]);
    const split = await plan(scratch, "./split");
    assert.deepEqual(split.args, ["-u", "-v", "./split"]);
    putProgram(join(scratch, "none"), "#!/usr/bin/env nonesuch\n");
    await rejectionOf(plan(scratch, "./none"), "ProgramNotFound");
  }));

test("a version manager's stand-in leads to the program behind it", () =>
  withBin(async (scratch, bin) => {
    const shims = join(scratch, "shims");
    mkdirSync(shims);
    const real = putProgram(join(bin, "real-tool"), { type: 2 });
    // A manager that answers `which` and runs nothing.
    const manager = putProgram(
      join(bin, "fakeenv"),
      `#!/bin/sh\n[ "$1" = which ] && echo ${real}\n`,
    );
    const shim = `#!/bin/sh\nprogram="\${0##*/}"\nexec "${manager}" exec "$program" "$@"\n`;
    putProgram(join(shims, "tool"), shim);
    const launch = await plan(scratch, join(shims, "tool"), ["a"]);
    assert.deepEqual([launch.executable, launch.argv0, launch.args], [real, real, ["a"]]);
    putProgram(join(scratch, "script"), `#!${shims}/tool -q\n`);
    const script = await plan(scratch, "./script", ["a"]);
    assert.equal(script.executable, real);
    assert.deepEqual(script.args, ["-q", "./script", "a"]);
    putProgram(join(bin, "fakeenv"), "#!/bin/sh\necho no version chosen >&2; exit 1\n");
    const error = await rejectionOf(plan(scratch, join(shims, "tool")), "ShimUnresolved");
    assert.match(error.why, /no version chosen/);
  }));

test("each thing that cannot be run has an error of its own", () =>
  withBin(async (scratch, bin) => {
    const put = (name: string, contents: string | ElfFixture): string =>
      putProgram(join(scratch, name), contents);
    put("text", "echo hello\n");
    put("empty", "");
    put("binary", "\0\x01\x02");
    put("arm", { type: 2, machine: 183 });
    put("library", { soname: "libx.so.1" });
    put("bad-script", "#!\n");
    put("long-script", `#!/${"x".repeat(300)}\n`);
    put("orphan", "#!/no/such/interpreter\n");
    put("loop", `#!${scratch}/loop\n`);
    writeFileSync(join(scratch, "truncated"), makeElf({ type: 2 }).subarray(0, 150));
    chmodSync(join(scratch, "truncated"), 0o755);
    writeFileSync(join(scratch, "locked"), makeElf({ type: 2 }), { mode: 0o644 });
    writeFileSync(join(bin, "locked-in-path"), makeElf({ type: 2 }), { mode: 0o644 });
    const cases: [program: string, code: string, status: number][] = [
      ["nonesuch", "ProgramNotFound", 127],
      ["", "ProgramNotFound", 127],
      ["./nonesuch", "ProgramNotFound", 127],
      ["./text/x", "ProgramNotFound", 127],
      [".", "IsADirectory", 126],
      ["./", "IsADirectory", 126],
      ["bin", "IsADirectory", 126],
      ["/dev/null", "NotARegularFile", 126],
      ["./locked", "PermissionDenied", 126],
      ["locked-in-path", "PermissionDenied", 126],
      ["./text", "TextWithoutShebang", 126],
      ["./empty", "NotElf", 126],
      ["./binary", "NotElf", 126],
      ["./arm", "WrongMachine", 126],
      ["./truncated", "Truncated", 126],
      ["./library", "NotExecutable", 126],
      ["./bad-script", "BadShebang", 126],
      ["./long-script", "BadShebang", 126],
      ["./orphan", "InterpreterMissing", 127],
      ["./loop", "TooManyInterpreters", 126],
    ];
    for (const [program, code, status] of cases) {
      const error = await rejectionOf(plan(scratch, program), code);
      assert.equal(error.exitStatus, status, program);
    }
  }));

test("a program in the current directory is not found without ./, and the error says so", () =>
  withBin(async (scratch) => {
    putProgram(join(scratch, "here"), { type: 2 });
    const error = await rejectionOf(plan(scratch, "here"), "ProgramNotFound");
    assert.match(error.fix, /\.\/here/);
  }));
