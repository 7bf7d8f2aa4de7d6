/** Does work on several things at once, so many at a time. */

/**
 * Calls `work` for each item, at most `limit` at once. The first error is thrown when all that was
 * begun has ended; nothing new is begun after it.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const pending = [...items];
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined && !failed; next = pending.shift()) {
      try {
        await work(next);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: limit }, worker));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
