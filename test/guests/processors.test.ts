/**
 * Threaded programs on several processors, once each; `npm run stress` runs them a hundred times.
 */
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { processorCounts, stressOptions, threadedPrograms } from "../stress/programs.ts";

for (const { name, argv, needs } of threadedPrograms) {
  for (const cpus of processorCounts) {
    guestTest(
      `threads of ${name} on ${cpus} processors`,
      () => assertSameAsHost({ argv: argv(), options: stressOptions(cpus), timeoutMs: 120_000 }),
      needs,
    );
  }
}
