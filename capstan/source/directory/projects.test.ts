import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { withScratch } from "../../image/erofs/testing.ts";
import { makeElf } from "../../package/elf-fixtures.ts";
import { rejectionOf } from "../../package/testing.ts";
import { sourceOptions } from "../testing.ts";
import { ignoreRules } from "./ignore.ts";
import { ProjectDirectory } from "./project.ts";
import { recogniseProject } from "./projects.ts";

const elf = makeElf({ type: 2 });

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Makes a directory of these files and does something with it. */
function withFiles(files: Files, body: (cwd: string) => Promise<void>): Promise<void> {
  return withScratch(async (cwd) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), content, { mode: 0o755 });
    }
    await body(cwd);
  });
}

const pkg = (fields: object): string => JSON.stringify(fields);

const recognised: readonly (readonly [what: string, files: Files, command: string])[] = [
  ["a lone script of Node.js", { "index.js": "" }, "node index.js"],
  [
    "package.json with main",
    { "package.json": pkg({ main: "lib/a" }), "lib/a.js": "" },
    "node lib/a.js",
  ],
  [
    "a directory as main",
    { "package.json": pkg({ main: "lib" }), "lib/index.js": "" },
    "node lib/index.js",
  ],
  [
    "a start script",
    { "package.json": pkg({ scripts: { start: "node --no-warnings 'my app.js'" } }) },
    "node --no-warnings my app.js",
  ],
  [
    "a start script for a shell does not count",
    { "package.json": pkg({ scripts: { start: "A=1 node x.js && y" } }), "server.js": "" },
    "node server.js",
  ],
  ["a Python script", { "main.py": "", "other.py": "" }, "python3 main.py"],
  ["the only Python script", { "tool.py": "" }, "python3 tool.py"],
  [
    "a virtual environment",
    { "app.py": "", "requirements.txt": "", ".venv/bin/python": elf },
    "./.venv/bin/python app.py",
  ],
  [
    "what Maven built",
    {
      "pom.xml": "",
      "target/x-1.jar": "",
      "target/x-1-sources.jar": "",
      "target/original-x-1.jar": "",
    },
    "java -jar target/x-1.jar",
  ],
  ["a Java source", { "Main.java": "", "Other.java": "" }, "java Main.java"],
  ["a Java class", { "Main.class": "" }, "java -cp . Main"],
  ["a Ruby script", { Gemfile: "", "app.rb": "", "lib.rb": "" }, "ruby app.rb"],
  ["a PHP site", { "public/index.php": "" }, "php -S 0.0.0.0:8080 -t public"],
  ["an Erlang script", { "x.escript": "" }, "escript x.escript"],
  [
    "a Go binary",
    { "go.mod": "module example.com/you/tool/v2\n", "main.go": "", tool: elf },
    "./tool",
  ],
  ["a program", { program: elf, "README.md": "" }, "./program"],
  ["a program in bin", { "bin/program": elf }, "./bin/program"],
];

for (const [what, files, command] of recognised) {
  test(`recognised: ${what}`, () =>
    withFiles(files, async (cwd) => {
      const found = await recogniseProject(new ProjectDirectory(cwd), sourceOptions({ cwd }));
      assert.equal([found.program, ...found.args].join(" "), command);
    }));
}

const refused: readonly (readonly [what: string, files: Files, code: string, fix: RegExp])[] = [
  ["an empty directory", {}, "ProjectUnknown", /Capstanfile/],
  ["broken JSON", { "package.json": "{" }, "ProjectIncomplete", /package\.json/],
  ["no main", { "package.json": "{}" }, "ProjectIncomplete", /start/],
  [
    "dependencies that are not installed",
    { "package.json": pkg({ dependencies: { x: "1" } }), "index.js": "" },
    "ProjectIncomplete",
    /npm install/,
  ],
  ["requirements alone", { "requirements.txt": "" }, "ProjectIncomplete", /python3 FILE/],
  ["a pom that built nothing", { "pom.xml": "" }, "ProjectIncomplete", /mvn package/],
  ["two jars", { "a.jar": "", "b.jar": "" }, "ProjectIncomplete", /java -jar/],
  ["two programs", { a: elf, b: elf }, "ProjectIncomplete", /capstan run -- \.\/a/],
  ["a Gemfile alone", { Gemfile: "" }, "ProjectIncomplete", /ruby FILE/],
  ["Cargo without a build", { "Cargo.toml": "" }, "ProjectIncomplete", /cargo build/],
];

for (const [what, files, code, fix] of refused) {
  test(`refused with a way out: ${what}`, () =>
    withFiles(files, async (cwd) => {
      const found = recogniseProject(new ProjectDirectory(cwd), sourceOptions({ cwd }));
      assert.match((await rejectionOf(found, code)).fix, fix);
    }));
}

test("what stays out of the image", () =>
  withFiles({ ".capstanignore": "*.log\n/data/\n" }, async (cwd) => {
    const { leavesOut } = ignoreRules(cwd);
    const cases: Record<string, boolean> = {
      "a.log": true,
      "sub/a.log": true,
      "data/": true,
      "sub/data/": false,
      "meta/": true,
      "sub/meta/": false,
      ".git/": true,
      "main.py": false,
    };
    for (const [path, isOut] of Object.entries(cases)) {
      const full = join(cwd, path);
      assert.equal(leavesOut("", full, path.endsWith("/")), isOut, path);
    }
  }));
