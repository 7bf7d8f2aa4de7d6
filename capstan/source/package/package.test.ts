import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { withScratch } from "../../image/erofs/testing.ts";
import { rejectionOf } from "../../package/testing.ts";
import { resolveSource, sourceRequest } from "../resolve.ts";
import type { SourceOptions } from "../source.ts";
import { sourceOptions } from "../testing.ts";
import { textInTree } from "../tree-launch.ts";
import { buildPackage, collectPackage, initPackage } from "./build.ts";
import { openPackage } from "./metadata.ts";
import { RemotePackages } from "./remote.ts";
import { PackageRepository } from "./repository.ts";

type Files = Readonly<Record<string, string>>;

function write(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text, { mode: 0o755 });
  }
}

const about = (name: string, require: readonly string[] = [], version = "1"): string =>
  `name: ${name}\ntitle: ${name}\nauthor: me\nversion: '${version}'\nrequire: [${require}]\n`;

/** Makes a package out of files and puts it into the repository of the options. */
async function addPackage(options: SourceOptions, name: string, files: Files): Promise<string> {
  const directory = join(options.cwd, "packages-to-be", name);
  write(directory, files);
  const archive = await buildPackage(directory);
  await new PackageRepository(options.host).import(archive);
  return directory;
}

const run = (options: SourceOptions, ...words: string[]) =>
  resolveSource(sourceRequest(words, false), options);

test("init, build, import, list, describe; the archive is reproducible", () =>
  withScratch(async (cwd) => {
    const options = sourceOptions({ cwd });
    const directory = join(cwd, "web");
    write(directory, { "srv/page": "p", "x.log": "", ".capstanignore": "*.log\n" });
    const fields = { name: "web", title: "A: site", author: "me", version: "1.0", require: [] };
    initPackage(directory, fields);
    assert.throws(() => initPackage(directory, fields), /already/);
    const archive = await buildPackage(directory);
    const first = readFileSync(archive);
    await buildPackage(directory);
    assert.deepEqual(readFileSync(archive), first);
    const repository = new PackageRepository(options.host);
    await repository.import(archive);
    assert.deepEqual(
      repository.list().map(({ name, title, version }) => [name, title, version]),
      [["web", "A: site", "1.0"]],
    );
    const { path } = await repository.open("web");
    assert.equal(readFileSync(join(path, "srv/page"), "utf8"), "p");
    assert.throws(() => readFileSync(join(path, "x.log")), /ENOENT/);
    await rejectionOf(repository.import(join(cwd, "none.mpm")), "FileNotFound");
    writeFileSync(join(cwd, "bad.mpm"), "not an archive");
    await rejectionOf(repository.import(join(cwd, "bad.mpm")), "BadArchive");
  }));

test("a package and what it requires are one root; its own files win", () =>
  withScratch(async (cwd) => {
    const options = sourceOptions({ cwd });
    await addPackage(options, "base", {
      "meta/package.yaml": about("base"),
      "etc/a": "1",
      "etc/b": "1",
    });
    await addPackage(options, "lib", {
      "meta/package.yaml": about("lib", ["base"]),
      "meta/run.yaml":
        "runtime: native\nconfig_set:\n  tool: { bootcmd: /tool x, env: { A: lib, B: lib } }\n",
      "etc/b": "2",
    });
    const app = join(cwd, "app");
    write(app, {
      "meta/package.yaml": about("app", ["lib"]),
      "meta/run.yaml":
        "runtime: native\nconfig_set:\n  one: { base: 'lib:tool', env: { A: app } }\n" +
        "  two: { bootcmd: /tool two }\nconfig_set_default: one\n",
      "etc/c": "3",
    });
    copyFileSync("/bin/echo", join(app, "tool"));
    const { tree, launch } = await run({ ...options, env: { C: "user" } }, "./app", "more");
    assert.equal(launch.executable, "/tool");
    assert.deepEqual(launch.args, ["x", "more"]);
    assert.deepEqual([launch.env.A, launch.env.B, launch.env.C], ["app", "lib", "user"]);
    assert.deepEqual(
      ["a", "b", "c"].map((name) => textInTree(tree, `/etc/${name}`)),
      ["1", "2", "3"],
    );
    assert.equal(tree.get("/meta"), undefined);
    assert.equal(tree.get(app), undefined);
    const other = await run({ ...options, boot: ["two"], env: { A: "user" } }, "./app");
    assert.deepEqual(other.launch.args, ["two"]);
    assert.equal(other.launch.env.A, "user");
    await rejectionOf(run({ ...options, boot: ["three"] }, "./app"), "NoConfigSet");
    const collected = await collectPackage(app, { host: options.host });
    assert.equal(readFileSync(join(collected, "etc/b"), "utf8"), "2");
    const again = await collectPackage(app, { host: options.host });
    assert.throws(() => readFileSync(join(again, "mpm-pkg/etc/b")), /ENOENT/);
  }));

test("meta/run.yaml alone is enough; runtimes make their command lines", () =>
  withScratch(async (cwd) => {
    const commands: readonly (readonly [settings: string, command: readonly string[]])[] = [
      [
        "python\nconfig_set: { d: { main: /main.py, python_args: [-u], args: [1, b] } }",
        ["-u", "/main.py", "1", "b"],
      ],
      ["python\nconfig_set: { d: { main: main.py } }", ["/main.py"]],
    ];
    for (const [settings, args] of commands) {
      write(cwd, { "meta/run.yaml": `runtime: ${settings}\n`, "main.py": "print(1)" });
      const { launch, tree } = await run(sourceOptions({ cwd }), ".");
      assert.deepEqual(launch.args, args);
      assert.match(launch.executable, /python3/);
      assert.equal(textInTree(tree, "/main.py"), "print(1)");
    }
  }));

test("missing and cyclic requirements are named with the way to them", () =>
  withScratch(async (cwd) => {
    const options = sourceOptions({ cwd });
    const meta = "meta/package.yaml";
    await addPackage(options, "a", { [meta]: about("a", ["b"]) });
    const missing = await rejectionOf(run(options, "package:a", "x"), "PackageMissing");
    assert.match(missing.what + missing.why, /b is not on this machine.*a requires it/);
    await addPackage(options, "b", { [meta]: about("b", ["c"]) });
    await addPackage(options, "c", { [meta]: about("c", ["b"]) });
    const cycle = await rejectionOf(run(options, "a"), "PackageCycle");
    assert.match(cycle.why, /a -> b -> c -> b/);
  }));

test("what is wrong in the files is said with line and column", () =>
  withScratch(async (cwd) => {
    const cases: readonly (readonly [Files, RegExp])[] = [
      [{ "meta/package.yaml": "name: [" }, /package\.yaml:\d+:\d+/],
      [{ "meta/package.yaml": "title: x\nname: a/b\n" }, /package\.yaml:2:/],
      [{ "meta/package.yaml": about("x"), "meta/run.yaml": "runtime: cobol\n" }, /run\.yaml:1:/],
      [{ "meta/run.yaml": "runtime: java\nconfig_set:\n  d:\n    args: [x]\n" }, /run\.yaml:\d:/],
      [
        { "meta/run.yaml": "runtime: node\nconfig_set:\n  d:\n    main: /x.js\n" },
        /run\.yaml:4:5:/,
      ],
    ];
    for (const [index, [files, message]] of cases.entries()) {
      const directory = join(cwd, String(index));
      write(directory, files);
      const found = await rejectionOf(run(sourceOptions({ cwd }), `./${index}`), "BadFile");
      assert.match(found.what, message);
    }
  }));

test("packages come from a repository elsewhere, with what they require", () =>
  withScratch(async (cwd) => {
    const there = sourceOptions({ cwd: join(cwd, "there") });
    const here = sourceOptions({ cwd: join(cwd, "here") });
    await addPackage(there, "a", { "meta/package.yaml": about("a", ["b"], "1.10"), x: "x" });
    await addPackage(there, "b", { "meta/package.yaml": about("b"), y: "y" });
    const root = there.host.CAPSTAN_ROOT ?? "";
    const index = ["a", "b"].map((name) =>
      readFileSync(join(root, `packages/${name}.yaml`), "utf8"),
    );
    writeFileSync(join(root, "packages/index.yaml"), index.map((text) => `---\n${text}`).join(""));
    const remote = new RemotePackages(root, here.host);
    assert.deepEqual(
      (await remote.list()).map(({ name }) => name),
      ["a", "b"],
    );
    const repository = new PackageRepository(here.host);
    assert.deepEqual(await remote.pull("a", repository), ["a", "b"]);
    assert.deepEqual(await remote.pull("a", repository), ["a"]);
    assert.equal(openPackage((await repository.open("a")).path).metadata.version, "1.10");
    await rejectionOf(remote.pull("none", repository), "PackageMissing");
    assert.throws(() => new RemotePackages(undefined, {}), /no repository is named/);
  }));
