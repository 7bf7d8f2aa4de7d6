/**
 * Tests that are not run in a guest, each with a property of the environment as the reason: never
 * a fault of the kernel. Neighbour: `run.ts`.
 */

/** One test left out. */
export interface Skip {
  /** As CPython's `--ignore` takes it: the full name, or with `*`. */
  readonly test: string;
  readonly reason: string;
}

/** All tests left out. */
export const skips: readonly Skip[] = [
  {
    test: "*VSOCK*",
    reason: "the machine has no vsock device; on a host that has one, they wait for its other end",
  },
];
