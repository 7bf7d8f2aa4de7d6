import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import fc from "fast-check";
import { plainWords, splitWords } from "./words.ts";

test("words are those of a shell", () => {
  const piece = fc.constantFrom("a", "b c", '"', "'", " ", "\t", "\\\\", '\\"', "x=1", "-o");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const line = pieces.join("");
      const words = splitWords(line);
      if (words === undefined) return;
      const script = `printf '%s\\n' ${line === line.trim() ? line : `${line.trim()}`}`;
      if (line.trim() === "" || words.length === 0) return;
      const said = execFileSync("sh", ["-c", script], { encoding: "utf8" });
      assert.equal(said, words.map((word) => `${word}\n`).join(""), line);
    }),
    { numRuns: 60 },
  );
});

test("quotes that are not closed, and lines for a shell", () => {
  assert.equal(splitWords("a 'b"), undefined);
  assert.equal(splitWords('a "b'), undefined);
  assert.deepEqual(plainWords("a 'b c' \"d\""), ["a", "b c", "d"]);
  for (const line of ["a | b", "a && b", "echo $X", "ls *"])
    assert.equal(plainWords(line), undefined);
});
