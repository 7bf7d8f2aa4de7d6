/**
 * What CPython's test runner says about each test: read from the JUnit report that it writes with
 * `--junit-xml`, which stands somewhere among the rest of its output. Neighbour: `verdict.ts`.
 */
import { SaxesParser } from "saxes";

/** How a test ended; a test with several subtests is as bad as the worst of them. */
export type Outcome = "passed" | "skipped" | "failed";

/** Name of each test (`test.test_os.FileTests.test_read`) and how it ended. */
export type Results = ReadonlyMap<string, Outcome>;

/** Elements inside `testcase` that say that the test did not pass. */
const OUTCOMES = new Map<string, Outcome>([
  ["skipped", "skipped"],
  ["failure", "failed"],
  ["error", "failed"],
]);

const WORSE: readonly Outcome[] = ["skipped", "passed", "failed"];

/** The report in a run's output; undefined if the run ended before it wrote one. */
export function resultsIn(output: string): Results | undefined {
  const start = output.lastIndexOf("<testsuites");
  const end = output.lastIndexOf("</testsuites>");
  if (start === -1 || end < start) return undefined;
  const results = new Map<string, Outcome>();
  const parser = new SaxesParser();
  let name = "";
  let outcome: Outcome = "passed";
  parser.on("opentag", (tag) => {
    if (tag.name === "testcase") {
      name = testName(tag.attributes.name ?? "");
      outcome = "passed";
    } else outcome = OUTCOMES.get(tag.name) ?? outcome;
  });
  parser.on("closetag", (tag) => {
    if (tag.name !== "testcase") return;
    const before = results.get(name) ?? outcome;
    results.set(name, WORSE.indexOf(outcome) > WORSE.indexOf(before) ? outcome : before);
  });
  parser.write(output.slice(start, end + "</testsuites>".length)).close();
  return results;
}

/** Without the values that tell subtests apart, which may differ between two runs. */
function testName(id: string): string {
  return id.replace(/ [([].*$/s, "");
}
