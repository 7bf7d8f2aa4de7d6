/** Medians and ratios: the only statistics that the table shows. */

/** The middle value; the mean of the two middle ones of an even number. Null for no values. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/** Which direction is good. */
export type Better = "lower" | "higher";

/** How many times better we are than Linux; above 1 is better. Null when either is missing. */
export function ratio(linux: number | null, ours: number | null, better: Better): number | null {
  if (linux === null || ours === null || linux === 0 || ours === 0) return null;
  return better === "lower" ? linux / ours : ours / linux;
}
