import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { withScratch } from "../../image/erofs/testing.ts";
import { rejectionOf } from "../../package/testing.ts";
import { resolveSource, sourceRequest } from "../resolve.ts";
import { sourceOptions } from "../testing.ts";
import { textInTree } from "../tree-launch.ts";

function withFiles(
  files: Readonly<Record<string, string>>,
  body: (cwd: string) => Promise<void>,
): Promise<void> {
  return withScratch(async (cwd) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), text, { mode: 0o755 });
    }
    await body(cwd);
  });
}

const source = (cwd: string, ...args: string[]) =>
  resolveSource(sourceRequest([".", ...args], false), sourceOptions({ cwd }));

test("files are in their places, libraries come along, the host's paths are gone", () =>
  withFiles(
    {
      Capstanfile:
        "cmdline: /app/tool 'a b'\nfiles:\n  /app/tool: out/tool\n  /etc/x.conf: '&'\n" +
        "env: { N: 1 }\nports: [80, 53/udp]\n",
      "etc/x.conf": "conf",
      "ROOTFS/srv/page": "page",
      "out/other": "",
    },
    async (cwd) => {
      copyFileSync("/bin/echo", join(cwd, "out/tool"));
      const { launch, tree } = await source(cwd, "more");
      assert.equal(launch.executable, "/app/tool");
      assert.deepEqual([launch.argv0, ...launch.args], ["/app/tool", "a b", "more"]);
      assert.equal(launch.cwd, "/");
      assert.equal(launch.env.N, "1");
      assert.deepEqual(launch.ports, [
        { port: 80, protocol: "tcp" },
        { port: 53, protocol: "udp" },
      ]);
      assert.equal(textInTree(tree, "/etc/x.conf"), "conf");
      assert.equal(textInTree(tree, "/srv/page"), "page");
      assert.equal(tree.get(cwd), undefined);
      assert.ok([...tree.walk()].some(([path]) => path.endsWith("/libc.so.6")));
    },
  ));

test("the build command runs first; what it makes may be an interpreter's script", () =>
  withFiles(
    {
      Capstanfile:
        "build: mkdir -p out && echo 'print(1)' > out/main.py\ncmdline: python3 /main.py\nrootfs: out\n",
      "out/keep": "",
    },
    async (cwd) => {
      const { launch, tree } = await source(cwd);
      assert.deepEqual(launch.args, ["/main.py"]);
      assert.equal(textInTree(tree, "/main.py"), "print(1)\n");
    },
  ));

const broken: readonly (readonly [what: string, text: string, code: string, message: RegExp])[] = [
  ["no YAML", "cmdline: [a\nb: }", "BadFile", /Capstanfile:2:\d/],
  ["a wrong type", "cmdline: /x\nfiles: 3\n", "BadFile", /Capstanfile:2:\d/],
  ["an unknown key", "cmdline: /x\ncmd: y\n", "BadFile", /Capstanfile:2:1/],
  ["no cmdline", "base: x\n", "BadFile", /Capstanfile:1:/],
  ["a relative guest path", "cmdline: /x\nfiles:\n  etc/x: y\n", "BadFile", /Capstanfile:3:/],
  ["a file that is not there", "cmdline: /x\nfiles:\n  /x: y\n", "BadCapstanfile", /Capstanfile/],
  ["a quote that is not closed", 'cmdline: "/x \'a"\n', "BadCapstanfile", /Capstanfile/],
  ["a build that fails", "cmdline: /x\nbuild: exit 3\n", "BuildFailed", /build/],
];

for (const [what, text, code, message] of broken) {
  test(`an error that says where: ${what}`, () =>
    withFiles({ Capstanfile: text }, async (cwd) => {
      assert.match((await rejectionOf(source(cwd), code)).what, message);
    }));
}
