import assert from "node:assert/strict";
import test from "node:test";
import { nodeStart } from "./node.ts";
import { packageOf, specifiersInText } from "./node-imports.ts";
import { importsInText, pythonStart } from "./python-imports.ts";

test("imports in Python text", () => {
  const text = `import a, b.c as d , e
from f.g import h; import i
    import j  # indented
if x: pass
from . import relative
from .k import relative
importlib.import_module("l.m")
__import__('n')
text = "import not_this"
`;
  assert.deepEqual([...importsInText(text)].sort(), ["a", "b", "e", "f", "i", "j", "l", "n"]);
});

test("what Python is told to run", () => {
  const cases: [string[], ReturnType<typeof pythonStart>][] = [
    [["x.py", "-c", "y"], { kind: "script", path: "x.py" }],
    [["-u", "-W", "ignore", "x.py"], { kind: "script", path: "x.py" }],
    [["-X", "dev", "-m", "http.server", "80"], { kind: "module", name: "http.server" }],
    [["-c", "import a", "b"], { kind: "code", text: "import a" }],
    [["-Bc", "import a"], { kind: "code", text: "import a" }],
    [["-mjson.tool"], { kind: "module", name: "json.tool" }],
    [[], { kind: "unknown" }],
    [["-i"], { kind: "unknown" }],
    [["-"], { kind: "unknown" }],
  ];
  for (const [args, start] of cases) assert.deepEqual(pythonStart(args), start, args.join(" "));
});

test("what JavaScript text loads", () => {
  const text = `
    const a = require("a"), b = require('./b');
    import c, { d } from "c";
    import * as e from '@scope/e/sub';
    import "f";
    export { g } from "./g.js";
    export * from "h";
    const i = await import("i");
    import type {
      J } from "j";
    console.log("from nowhere", x.require);
  `;
  const expected = ["./b", "./g.js", "@scope/e/sub", "a", "c", "f", "h", "i", "j"];
  assert.deepEqual([...specifiersInText(text)].sort(), expected);
  assert.equal(packageOf("@scope/e/sub"), "@scope/e");
  assert.equal(packageOf("a/b"), "a");
});

test("what Node is told to run", () => {
  const cases: [string[], ReturnType<typeof nodeStart>][] = [
    [["x.js", "-e", "y"], { script: "x.js", code: "", preloads: [] }],
    [["-r", "./p", "--title", "t", "x.js"], { script: "x.js", code: "", preloads: ["./p"] }],
    [["--import=p", "-e", "code"], { script: undefined, code: "code", preloads: ["p"] }],
    [["--print", "1"], { script: undefined, code: "1", preloads: [] }],
    [["--", "x.js"], { script: "x.js", code: "", preloads: [] }],
    [[], { script: undefined, code: "", preloads: [] }],
  ];
  for (const [args, start] of cases) assert.deepEqual(nodeStart(args), start, args.join(" "));
});
