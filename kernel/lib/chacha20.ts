/**
 * The ChaCha20 block function and key stream (RFC 8439, sections 2.1 to 2.4).
 *
 * A context is 64 bytes that the caller owns, the cipher's input state as in section 2.3:
 *
 *     constants (4 words) | key (8 words) | counter | nonce (3 words)
 *
 * Neighbours: `dev/random` uses it as a generator.
 */

/** Bytes of a context, and of a block of key stream. */
export const CHACHA20_BLOCK_BYTES: usize = 64;
export const CHACHA20_KEY_BYTES: usize = 32;
/** Where the key lies in a context. */
export const CHACHA20_KEY_OFFSET: usize = 16;

const CONSTANT_0: u32 = 0x61707865;
const CONSTANT_1: u32 = 0x3320646e;
const CONSTANT_2: u32 = 0x79622d32;
const CONSTANT_3: u32 = 0x6b206574;
const COUNTER_OFFSET: usize = 48;
const DOUBLE_ROUNDS: u32 = 10;

/** Sets up a context from 32 bytes of key and 12 bytes of nonce. */
export function chacha20Init(context: usize, key: usize, counter: u32, nonce: usize): void {
  store<u32>(context, CONSTANT_0, 0);
  store<u32>(context, CONSTANT_1, 4);
  store<u32>(context, CONSTANT_2, 8);
  store<u32>(context, CONSTANT_3, 12);
  memory.copy(context + CHACHA20_KEY_OFFSET, key, CHACHA20_KEY_BYTES);
  store<u32>(context + COUNTER_OFFSET, counter);
  memory.copy(context + COUNTER_OFFSET + 4, nonce, 12);
}

/** Writes the next 64 bytes of key stream to `output` and advances the counter. */
export function chacha20Block(context: usize, output: usize): void {
  memory.copy(output, context, CHACHA20_BLOCK_BYTES);
  for (let round: u32 = 0; round < DOUBLE_ROUNDS; round++) {
    // Columns, then diagonals. As loops, because every boot executes this code and first reads it.
    for (let at: usize = 0; at < 16; at += 4) quarterRound(output, at, at + 16, at + 32, at + 48);
    for (let at: usize = 0; at < 16; at += 4) {
      const b = 16 + ((at + 4) & 15);
      const c = 32 + ((at + 8) & 15);
      quarterRound(output, at, b, c, 48 + ((at + 12) & 15));
    }
  }
  for (let i: usize = 0; i < CHACHA20_BLOCK_BYTES; i += 4) {
    store<u32>(output + i, load<u32>(output + i) + load<u32>(context + i));
  }
  store<u32>(context + COUNTER_OFFSET, load<u32>(context + COUNTER_OFFSET) + 1);
}

/** Section 2.1 on the words at byte offsets `a` to `d` of `state`. */
function quarterRound(state: usize, a: usize, b: usize, c: usize, d: usize): void {
  let wordA = load<u32>(state + a);
  let wordB = load<u32>(state + b);
  let wordC = load<u32>(state + c);
  let wordD = load<u32>(state + d);
  wordA += wordB;
  wordD = rotl<u32>(wordD ^ wordA, 16);
  wordC += wordD;
  wordB = rotl<u32>(wordB ^ wordC, 12);
  wordA += wordB;
  wordD = rotl<u32>(wordD ^ wordA, 8);
  wordC += wordD;
  wordB = rotl<u32>(wordB ^ wordC, 7);
  store<u32>(state + a, wordA);
  store<u32>(state + b, wordB);
  store<u32>(state + c, wordC);
  store<u32>(state + d, wordD);
}
