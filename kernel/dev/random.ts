/**
 * Random numbers: a ChaCha20 generator (RFC 8439 block function, with fast key erasure: every output
 * block also replaces the key) seeded from RDSEED, RDRAND, the host's `entropy=` option, virtio-rng
 * and the time-stamp counter.
 *
 * Neighbours: `lib/chacha20` is the cipher; `dev/virtio/rng` adds entropy; /dev/urandom, getrandom(2)
 * and AT_RANDOM read it.
 */

/** Fills `length` bytes at `address` (kernel memory) with random bytes. Any context; never sleeps. */
export function randomBytes(address: usize, length: usize): void {
  abort("unwritten");
}

/** A random number of 64 bits. */
export function randomU64(): u64 {
  abort("unwritten");
  return 0;
}

/** Mixes `length` bytes at `address` into the generator's key. Any context. */
export function addEntropy(address: usize, length: usize): void {
  abort("unwritten");
}

/** Seeds the generator from the processor and the `entropy=` option of the command line. */
export function initRandom(): void {
  abort("unwritten");
}
