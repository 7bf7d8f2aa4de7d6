import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { readElf } from "./elf.ts";
import { type ElfFixture, makeElf } from "./elf-fixtures.ts";
import { LibraryClosure, missingLibrariesError } from "./libraries.ts";

const glibc = "/lib64/ld-linux-x86-64.so.2";
const musl = "/lib/ld-musl-x86_64.so.1";

/** Writes made-up ELF files below a directory. */
function put(root: string, files: Readonly<Record<string, ElfFixture>>): void {
  for (const [name, fixture] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, makeElf(fixture));
  }
}

/** Resolves a program; gives the found files relative to `root`, and the missing names. */
function resolveIn(root: string, program: string, ldLibraryPath?: string): [string[], string[]] {
  const closure = new LibraryClosure(readElf(join(root, program)), ldLibraryPath, root);
  const missing = closure.addProgram().map(({ name }) => name);
  return [[...closure.files].map((path) => path.replace(`${root}/`, "")), missing];
}

test("RUNPATH serves only the object that has it, RPATH also what it loads", () =>
  withScratch(async (root) => {
    put(root, {
      "lib/libfirst.so": { needed: ["libsecond.so"] },
      "lib/libsecond.so": {},
      runpath: { interpreter: glibc, needed: ["libfirst.so"], runpath: "$ORIGIN/lib" },
      rpath: { interpreter: glibc, needed: ["libfirst.so"], rpath: `\${ORIGIN}/lib` },
    });
    assert.deepEqual(resolveIn(root, "runpath"), [["lib/libfirst.so"], ["libsecond.so"]]);
    assert.deepEqual(resolveIn(root, "rpath"), [["lib/libfirst.so", "lib/libsecond.so"], []]);
  }));

test("RPATH is ignored beside RUNPATH; LD_LIBRARY_PATH comes between the two", () =>
  withScratch(async (root) => {
    put(root, {
      "a/libx.so": {},
      "b/libx.so": {},
      both: {
        interpreter: glibc,
        needed: ["libx.so"],
        rpath: "$ORIGIN/a",
        runpath: "$ORIGIN/none",
      },
      rpath: { interpreter: glibc, needed: ["libx.so"], rpath: "$ORIGIN/a" },
      runpath: { interpreter: glibc, needed: ["libx.so"], runpath: "$ORIGIN/a" },
    });
    assert.deepEqual(resolveIn(root, "both"), [[], ["libx.so"]]);
    assert.deepEqual(resolveIn(root, "rpath", join(root, "b")), [["a/libx.so"], []]);
    assert.deepEqual(resolveIn(root, "runpath", "b"), [["b/libx.so"], []]);
  }));

test("musl uses run paths of the whole chain, after LD_LIBRARY_PATH", () =>
  withScratch(async (root) => {
    put(root, {
      "lib/libfirst.so": { needed: ["libsecond.so", "libc.so"] },
      "lib/libsecond.so": {},
      program: { interpreter: musl, needed: ["libfirst.so", "libc.so"], runpath: "$ORIGIN/lib" },
      "b/libfirst.so": {},
    });
    const both = ["lib/libfirst.so", "lib/libsecond.so"];
    assert.deepEqual(resolveIn(root, "program"), [both, []]);
    assert.deepEqual(resolveIn(root, "program", "b"), [["b/libfirst.so"], []]);
  }));

test("$ORIGIN is the place of the program itself, not of a link to it", () =>
  withScratch(async (root) => {
    put(root, {
      "app/lib/libx.so": {},
      "app/program": { interpreter: glibc, needed: ["libx.so"], runpath: "$ORIGIN/lib" },
    });
    symlinkSync("app/program", join(root, "link"));
    const [[library], missing] = resolveIn(root, "link");
    assert.ok(library?.endsWith("app/lib/libx.so"));
    assert.deepEqual(missing, []);
  }));

test("a library of another machine is passed over", () =>
  withScratch(async (root) => {
    put(root, {
      "arm/libx.so": { machine: 183 },
      "x86/libx.so": {},
      program: { interpreter: glibc, needed: ["libx.so"], runpath: "$ORIGIN/arm:$ORIGIN/x86" },
    });
    assert.deepEqual(resolveIn(root, "program"), [["x86/libx.so"], []]);
  }));

test("variants for newer processors come along with the plain library", () =>
  withScratch(async (root) => {
    put(root, {
      "lib/libx.so": {},
      "lib/glibc-hwcaps/x86-64-v3/libx.so": { needed: ["liby.so"], runpath: "$ORIGIN/../.." },
      "lib/liby.so": {},
      program: { interpreter: glibc, needed: ["libx.so"], runpath: "$ORIGIN/lib" },
    });
    const [files, missing] = resolveIn(root, "program");
    assert.deepEqual(files.sort(), [
      "lib/glibc-hwcaps/x86-64-v3/libx.so",
      "lib/libx.so",
      "lib/liby.so",
    ]);
    assert.deepEqual(missing, []);
  }));

test("a name that is loaded already is not searched again, also under its soname", () =>
  withScratch(async (root) => {
    put(root, {
      "lib/libx.so": { soname: "libx.so.1" },
      "lib/liby.so": { needed: ["libx.so.1"] },
      program: { interpreter: glibc, needed: ["libx.so", "liby.so"], runpath: "$ORIGIN/lib" },
    });
    assert.deepEqual(resolveIn(root, "program"), [["lib/libx.so", "lib/liby.so"], []]);
  }));

test("all missing libraries are named in one error", () =>
  withScratch(async (root) => {
    put(root, { program: { interpreter: glibc, needed: ["libno.so.1", "libnono.so.2"] } });
    const closure = new LibraryClosure(readElf(join(root, "program")), undefined, root);
    const error = missingLibrariesError("program", closure.addProgram());
    assert.match(error.why, /libno\.so\.1 .*libnono\.so\.2/);
    assert.equal(error.exitStatus, 127);
  }));

test("the libraries of this machine's programs are those that ldd lists", () => {
  const programs = ["/bin/ls", "/bin/bash", "/usr/bin/perl", "/usr/bin/git", process.execPath];
  for (const program of programs.filter((path) => existsSync(path))) {
    const elf = readElf(realpathSync(program));
    if (elf.interpreter === undefined) continue;
    const closure = new LibraryClosure(elf, undefined, "/");
    assert.deepEqual(closure.addProgram(), []);
    const listed = execFileSync("ldd", [program], { encoding: "utf8" });
    const wanted = [...listed.matchAll(/=> (\S+)/g)].map((match) => realpathSync(match[1] ?? ""));
    // ldd lists the loader, which libc needs by name, without an arrow.
    const found = [...closure.files].map((path) => realpathSync(path));
    const loader = realpathSync(elf.interpreter);
    assert.deepEqual(new Set(found.filter((path) => path !== loader)), new Set(wanted), program);
  }
});
