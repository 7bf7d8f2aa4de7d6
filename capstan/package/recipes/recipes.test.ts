import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { withScratch } from "../../image/erofs/testing.ts";
import { cannotRunImages, collect, guestEnv, type Outcome, runImage } from "../testing.ts";

/** Tests of a runtime are skipped where it is not installed. */
function needs(program: string) {
  const isThere = spawnSync("which", [program]).status === 0;
  return { skip: cannotRunImages || (isThere ? false : `${program} is not installed`) };
}

async function run(program: string, args: string[], files: Record<string, string>) {
  let outcome: (Outcome & { cwd: string }) | undefined;
  await withScratch(async (cwd) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), text, { mode: 0o755 });
    }
    await withScratch(async (scratch) => {
      outcome = { ...(await runImage(await collect(program, args, cwd), scratch)), cwd };
    });
  });
  assert.ok(outcome !== undefined);
  return outcome;
}

const pythonProgram = `
import ctypes, decimal, hashlib, json, sqlite3, ssl, sys, threading, zlib
import helper, pack.part
totals = []
threads = [threading.Thread(target=lambda n=n: totals.append(n * n)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(totals), hashlib.sha256(b"x").hexdigest()[:8], json.dumps({"a": helper.value}))
print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone(), pack.part.value)
print(ssl.create_default_context().verify_mode.name, sys.argv, sys.flags.utf8_mode)
sys.exit(3)
`;

test(
  "Python: a script with modules beside it, extension modules and threads",
  needs("python3"),
  async () => {
    const files = {
      "main.py": pythonProgram,
      "helper.py": "value = 5\n",
      "pack/__init__.py": "",
      "pack/part.py": "from . import other\nvalue = other.value\n",
      "pack/other.py": "value = 'other'\n",
      "unrelated.py": "",
    };
    const { stdout, stderr, status } = await run("python3", ["main.py", "a b"], files);
    assert.equal(stderr, "");
    assert.match(stdout, /^140 2d711642 \{"a": 5\}\n\(42,\) other\n.*CERT_REQUIRED.*'a b'/);
    assert.equal(status, 3);
  },
);

test("Python: only what a script imports comes along from beside it", needs("python3"), () =>
  withScratch(async (cwd) => {
    for (const name of ["main.py", "used.py", "unused.py"]) {
      writeFileSync(join(cwd, name), name === "main.py" ? "import used\n" : "");
    }
    const { tree } = await collect("python3", ["main.py"], cwd);
    assert.equal(tree.get(join(cwd, "used.py"))?.kind, "file");
    assert.equal(tree.get(join(cwd, "unused.py")), undefined);
  }),
);

test("Python: a virtual environment with a package that requires another", needs("python3"), () =>
  withScratch(async (cwd) => {
    const made = spawnSync("python3", ["-m", "venv", "--without-pip", "env"], { cwd });
    assert.equal(made.status, 0, made.stderr.toString());
    const python = join(cwd, "env/bin/python");
    const find = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"];
    const site = spawnSync(python, find, { encoding: "utf8" }).stdout.trim();
    assert.ok(site.startsWith(cwd));
    const put = (path: string, text: string): void => {
      mkdirSync(dirname(join(site, path)), { recursive: true });
      writeFileSync(join(site, path), text);
    };
    put("first/__init__.py", "import importlib\nsecond = importlib.import_module('sec' + 'ond')\n");
    put("first-1.0.dist-info/METADATA", "Name: first\nRequires-Dist: Sec_ond.Dist (>=1)\n\n");
    put("first-1.0.dist-info/RECORD", "first/__init__.py,,\nfirst.libs/data,,\n");
    put("first.libs/data", "");
    put("sec_ond_dist-2.dist-info/METADATA", "Name: sec-ond-dist\n\n");
    put("sec_ond_dist-2.dist-info/RECORD", "second.py,,\n__pycache__/second.pyc,,\n");
    put("second.py", "value = 'second'\n");
    put("third-1.dist-info/RECORD", "third.py,,\n__pycache__/third.pyc,,\n");
    put("third.py", "");
    const code = "import sys, first; print(first.second.value, sys.prefix != sys.base_prefix)";
    const collected = await collect("env/bin/python", ["-c", code], cwd);
    assert.equal(collected.tree.get(join(site, "first.libs/data"))?.kind, "file");
    assert.equal(collected.tree.get(join(site, "third.py")), undefined);
    await withScratch(async (scratch) => {
      const { stdout, stderr } = await runImage(collected, scratch);
      assert.deepEqual([stdout, stderr], ["second True\n", ""]);
    });
  }),
);

test("Python: a script found through its #! line", needs("python3"), async () => {
  const files = { tool: "#!/usr/bin/env -S python3 -u\nimport sys; print(sys.argv)\n" };
  const { stdout } = await run("./tool", ["x"], files);
  assert.equal(stdout, "['./tool', 'x']\n");
});

test(
  "Python: pyenv's oldest and newest versions find their libraries",
  needs("python3"),
  async () => {
    const versions = spawnSync("sh", ["-c", "ls -d ~/.pyenv/versions/*/bin/python"], {
      encoding: "utf8",
    })
      .stdout.split("\n")
      .filter((path) => path !== "");
    const chosen = new Set([...versions.slice(0, 1), ...versions.slice(-1)]);
    for (const python of chosen) {
      const { stdout, stderr } = await run(
        python,
        ["-c", "import sys, ssl, json; print(sys.executable)"],
        {},
      );
      assert.equal(stdout, `${python}\n`, stderr);
    }
  },
);

test(
  "Node: modules by relative path, packages with dependencies, both module systems",
  needs("node"),
  async () => {
    const files = {
      "package.json": '{"type": "module"}',
      "main.js": `
      import { createHash } from "node:crypto";
      import { gzipSync, gunzipSync } from "zlib";
      import { readFileSync } from "fs";
      import { one } from "./lib/one.js";
      import two from "two";
      const later = await import("./lib/later.cjs");
      console.log(one, two, later.default, createHash("sha256").update("x").digest("hex").slice(0, 8));
      console.log(gunzipSync(gzipSync("zip")).toString(), readFileSync(process.argv[2], "utf8"));
      process.exit(5);`,
      "lib/one.js": 'export { one } from "./deep/index.js";',
      "lib/deep/index.js": "export const one = 'one';",
      "lib/later.cjs": 'module.exports = require("./data.json").value + require("./extra").value;',
      "lib/data.json": '{"value": "json"}',
      "lib/extra.json": '{"value": "extra"}',
      "lib/extra/index.js": "",
      "node_modules/two/package.json":
        '{"name": "two", "main": "m.js", "dependencies": {"@scope/three": "1"}}',
      "node_modules/two/m.js":
        'const p = ["@scope", "three"]; module.exports = require(p.join("/"));',
      "node_modules/@scope/three/package.json": '{"name": "@scope/three"}',
      "node_modules/@scope/three/index.js": "module.exports = 'three';",
      "node_modules/four/index.js": "",
      "input.txt": "text",
    };
    const { stdout, status, stderr } = await run("node", ["./main.js", "input.txt"], files);
    assert.equal(stderr, "");
    assert.equal(stdout, "one three jsonextra 2d711642\nzip text\n");
    assert.equal(status, 5);
  },
);

test("Node: code on the command line", needs("node"), async () => {
  const files = { "m.cjs": "module.exports = 'local'" };
  const { stdout, stderr } = await run(
    "node",
    ["-p", 'require("./m.cjs") + process.argv.length'],
    files,
  );
  assert.deepEqual([stdout, stderr], ["local1\n", ""]);
});

test("Perl: modules in Perl, with native parts, and beside the script", needs("perl"), async () => {
  const files = {
    "main.pl": `use strict; use warnings; use FindBin; use lib "$FindBin::Bin/lib";
      use POSIX qw(floor); use List::Util qw(sum); use Data::Dumper; use Local;
      print floor(3.7), sum(1, 2, 3), Local::value(), " @ARGV\\n"; exit 6;`,
    "lib/Local.pm": "package Local; sub value { return 'local' } 1;",
  };
  const { stdout, stderr, status } = await run("perl", ["main.pl", "x"], files);
  assert.deepEqual([stdout, stderr, status], ["36local x\n", "", 6]);
});

test("a locale that the environment asks for comes along", needs("python3"), () =>
  withScratch(async (cwd) => {
    if (!existsSync("/usr/lib/locale/C.utf8")) return;
    const env = { ...guestEnv, LC_ALL: "C.UTF-8" };
    const { tree } = await collect("ls", [], cwd, { env });
    assert.equal(tree.get("/usr/lib/locale/C.utf8/LC_CTYPE")?.kind, "file");
    const plain = await collect("ls", [], cwd);
    assert.equal(plain.tree.get("/usr/lib/locale/C.utf8"), undefined);
  }),
);

test("files of the time zone and certificates are the host's", needs("python3"), () =>
  withScratch(async (cwd) => {
    const { tree } = await collect("python3", ["-c", "import ssl"], cwd);
    const path = "/etc/ssl/certs/ca-certificates.crt";
    if (!existsSync(path)) return;
    const node = tree.get(path);
    assert.ok(node?.kind === "file" && node.content.from === "host");
    assert.equal(node.content.sizeBytes, readFileSync(path).length);
  }),
);

test(
  "shell code brings the files of the compilers that it starts, and the shell",
  needs("gcc"),
  () =>
    withScratch(async (cwd) => {
      const { tree } = await collect("bash", ["-c", "gcc -c x.c"], cwd);
      for (const path of ["/usr/include/stdio.h", "/usr/bin/ld", "/usr/bin/sh"]) {
        assert.notEqual(tree.get(path), undefined, path);
      }
      const names = [...tree.walk()].map(([path]) => path);
      for (const name of ["cc1", "crt1.o", "libgcc.a", "libc.so"]) {
        assert.ok(
          names.some((path) => path.endsWith(`/${name}`)),
          name,
        );
      }
      assert.ok(!names.some((path) => path.endsWith("/cc1plus")));
    }),
);
