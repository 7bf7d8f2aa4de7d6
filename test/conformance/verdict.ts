/**
 * Compares a module's results in a guest with those on the host. Neighbour: `results.ts`.
 */
import type { Outcome, Results } from "./results.ts";

/** A test that ended worse in the guest. */
export interface Difference {
  readonly test: string;
  readonly host: Outcome;
  readonly guest: Outcome | "missing";
}

/**
 * Every test that the host passes has to pass in the guest, and no test may fail there that does
 * not fail on the host. What the host skips, the guest may run.
 */
export function differences(host: Results, guest: Results): Difference[] {
  const found: Difference[] = [];
  for (const [test, onHost] of host) {
    const inGuest = guest.get(test) ?? "missing";
    const isWorse =
      onHost === "passed" ? inGuest !== "passed" : onHost === "skipped" && inGuest === "failed";
    if (isWorse) found.push({ test, host: onHost, guest: inGuest });
  }
  for (const [test, inGuest] of guest) {
    if (!host.has(test) && inGuest === "failed") {
      found.push({ test, host: "skipped", guest: inGuest });
    }
  }
  return found;
}
