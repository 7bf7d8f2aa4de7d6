import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { withScratch } from "../image/erofs/testing.ts";
import { rejectionOf } from "../package/testing.ts";
import { kindModules } from "./kinds.ts";
import { resolveSource, sourceRequest } from "./resolve.ts";
import { sourceOptions } from "./testing.ts";

test("the first word is the source, after a double dash the program", () => {
  const args = ["a", "b"];
  assert.deepEqual(sourceRequest(["x", ...args], false), { kind: "source", text: "x", args });
  assert.deepEqual(sourceRequest(["x", ...args], true), { kind: "program", program: "x", args });
  assert.deepEqual(sourceRequest([], false), { kind: "source", text: ".", args: [] });
});

test("a program of this machine brings its launch", () =>
  withScratch(async (cwd) => {
    const options = sourceOptions({ cwd, env: { A: "1" }, terminalType: "xterm" });
    const request = { kind: "program", program: "echo", args: ["x"] } as const;
    const { launch, origin, tree } = await resolveSource(request, options);
    assert.deepEqual(launch.args, ["x"]);
    assert.equal(launch.cwd, cwd);
    assert.equal(launch.env.A, "1");
    assert.equal(launch.env.TERM, "xterm");
    assert.equal(launch.env.HOME, "/root");
    assert.deepEqual(launch.user, { uid: 0, gid: 0 });
    assert.equal(origin.kind, "program");
    assert.ok(tree.get(launch.executable) !== undefined);
  }));

test("a source may be a program, by its path or its name", () =>
  withScratch(async (cwd) => {
    symlinkSync("/bin/echo", join(cwd, "tool"));
    for (const text of ["./tool", join(cwd, "tool"), "echo"]) {
      const { launch } = await resolveSource(sourceRequest([text], false), sourceOptions({ cwd }));
      assert.equal(launch.args.length, 0, text);
    }
  }));

test("each kind is found by the schemes that are listed for it", async () => {
  for (const { schemes, load } of kindModules) {
    const kinds = await load();
    assert.deepEqual(
      kinds.flatMap(({ scheme }) => scheme ?? []),
      schemes,
    );
  }
});

test("what does not exist is an error with a way out", () =>
  withScratch(async (cwd) => {
    const request = sourceRequest(["./nowhere"], false);
    const error = await rejectionOf(
      resolveSource(request, sourceOptions({ cwd })),
      "SourceNotFound",
    );
    assert.equal(error.exitStatus, 127);
    assert.match(error.fix, /capstan run -- /);
  }));

test("an option in the place of a source is said to be one", async () => {
  const request = { kind: "source", text: "--add", args: [] } as const;
  await assert.rejects(
    resolveSource(request, sourceOptions({ cwd: "/" })),
    /--add stands where a source is expected/,
  );
});
