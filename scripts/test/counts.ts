/**
 * What a suite of tests came to, and the closing line of `npm test`, which continuous integration
 * reads. Used by every suite under `scripts/test/`.
 */

/** Numbers of tests, and one line for each failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

/** The counts of no test. */
export const noTests: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** Adds up the counts of several suites. */
export function sum(all: readonly Counts[]): Counts {
  return {
    passed: all.reduce((total, each) => total + each.passed, 0),
    failed: all.reduce((total, each) => total + each.failed, 0),
    skipped: all.reduce((total, each) => total + each.skipped, 0),
    failures: all.flatMap((each) => each.failures),
  };
}

/** The closing line: `N passed, N failed`, and `, N skipped` when tests were skipped. */
export function closingLine(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
