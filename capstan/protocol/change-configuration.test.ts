import assert from "node:assert/strict";
import { test } from "node:test";
import { changeConfiguration } from "./change-configuration.ts";

const before = "root=x cwd=/a env=A=1 env=AB=2 -- /bin/p old  last";

test("variables, directory and arguments are replaced, the rest stays", () => {
  assert.equal(changeConfiguration(before, { env: {} }), before);
  assert.equal(
    changeConfiguration(before, { env: { A: "x y", C: "" }, cwd: "/b c", args: ["--", "", "%"] }),
    "root=x env=AB=2 cwd=/b%20c env=A=x%20y env=C= -- /bin/p --  %25",
  );
  assert.equal(changeConfiguration(before, { env: {}, args: [] }).endsWith(" -- /bin/p"), true);
});
