/** What `npm run conformance` reports about one case. Neighbours: `run.ts`, `postgresql.ts`. */
export interface CaseReport {
  /** For the case's line. */
  readonly summary: string;
  /** What is worse than it should be; empty if the case passed. */
  readonly complaints: readonly string[];
  /** What the guest said, to look for the reasons. */
  readonly output: string;
}
