/**
 * Shortens names by pair encoding: the most frequent pair of symbols becomes a new symbol, up to
 * the number of byte values that ASCII leaves free. A symbol stands for one character or for two
 * other symbols.
 *
 * Neighbours: `ksyms.ts` writes names and pairs; `kernel/lib/ksyms.ts` expands them.
 */

/** First byte value that stands for a pair. */
export const FIRST_PAIR = 0x80;
const PAIRS_MAX = 0x100 - FIRST_PAIR;
/** A pair must save more than it costs. */
const USES_MIN = 4;

export interface PackedNames {
  /** Two symbols a pair; pair i is symbol FIRST_PAIR + i. */
  pairs: [number, number][];
  /** The names in symbols, in the order given. */
  names: number[][];
}

function mostFrequentPair(names: readonly number[][]): { key: number; count: number } {
  const counts = new Uint32Array(1 << 16);
  for (const name of names) {
    for (let i = 1; i < name.length; i++) {
      const key = ((name[i - 1] ?? 0) << 8) | (name[i] ?? 0);
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  let best = { key: 0, count: 0 };
  for (const [key, count] of counts.entries()) if (count > best.count) best = { key, count };
  return best;
}

function replacePair(name: number[], key: number, symbol: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < name.length; i++) {
    const current = name[i] ?? 0;
    if (i + 1 < name.length && ((current << 8) | (name[i + 1] ?? 0)) === key) {
      result.push(symbol);
      i++;
    } else result.push(current);
  }
  return result;
}

/** Packs names of ASCII characters; others become `?`. */
export function packNames(texts: readonly string[]): PackedNames {
  let names = texts.map((text) =>
    [...text].map((c) => (c.charCodeAt(0) < FIRST_PAIR ? c.charCodeAt(0) : 0x3f)),
  );
  const pairs: [number, number][] = [];
  while (pairs.length < PAIRS_MAX) {
    const { key, count } = mostFrequentPair(names);
    if (count < USES_MIN) break;
    const symbol = FIRST_PAIR + pairs.length;
    pairs.push([key >> 8, key & 0xff]);
    names = names.map((name) => replacePair(name, key, symbol));
  }
  return { pairs, names };
}

/** What `packNames` packed, for tests. */
export function unpackName(symbols: readonly number[], pairs: PackedNames["pairs"]): string {
  const expand = (symbol: number): string => {
    const pair = pairs[symbol - FIRST_PAIR];
    return pair ? expand(pair[0]) + expand(pair[1]) : String.fromCharCode(symbol);
  };
  return symbols.map(expand).join("");
}
