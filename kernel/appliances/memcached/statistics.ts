/**
 * What is counted, named as memcached's `stats` names it (doc/protocol.txt, "General-purpose
 * statistics"). Counted under the store's lock, but for connections and bytes, which are atomic.
 *
 * Neighbours: `store.ts` and the services count, `stats-report.ts` tells.
 */
export class Statistics {
  connections: u32 = 0;
  totalConnections: u64 = 0;
  bytesRead: u64 = 0;
  bytesWritten: u64 = 0;

  gets: u64 = 0;
  sets: u64 = 0;
  flushes: u64 = 0;
  touches: u64 = 0;
  getHits: u64 = 0;
  getMisses: u64 = 0;
  getExpired: u64 = 0;
  getFlushed: u64 = 0;
  deleteHits: u64 = 0;
  deleteMisses: u64 = 0;
  incrementHits: u64 = 0;
  incrementMisses: u64 = 0;
  decrementHits: u64 = 0;
  decrementMisses: u64 = 0;
  casHits: u64 = 0;
  casMisses: u64 = 0;
  casBad: u64 = 0;
  touchHits: u64 = 0;
  touchMisses: u64 = 0;
  totalItems: u64 = 0;
  evictions: u64 = 0;
  reclaimed: u64 = 0;

  opened(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<Statistics>("connections"), 1);
    atomic.add<u64>(changetype<usize>(this) + offsetof<Statistics>("totalConnections"), 1);
  }

  closed(): void {
    atomic.sub<u32>(changetype<usize>(this) + offsetof<Statistics>("connections"), 1);
  }

  moved(read: u64, written: u64): void {
    if (read != 0) {
      atomic.add<u64>(changetype<usize>(this) + offsetof<Statistics>("bytesRead"), read);
    }
    if (written != 0) {
      atomic.add<u64>(changetype<usize>(this) + offsetof<Statistics>("bytesWritten"), written);
    }
  }

  /** `stats reset`: everything but what is true now. */
  reset(): void {
    const connections = this.connections;
    memory.fill(changetype<usize>(this), 0, offsetof<Statistics>());
    this.connections = connections;
  }
}
