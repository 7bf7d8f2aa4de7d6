/**
 * Source maps (ECMA-426) of WebAssembly: one generated line whose columns are file offsets.
 *
 * Neighbour: `../backend/function.ts` asks for the place of each instruction.
 */

/** A place in the sources; `line` counts from 1. */
export interface Location {
  file: string;
  line: number;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGIT_VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < DIGITS.length; i++) DIGIT_VALUES[DIGITS.charCodeAt(i)] = i;

const CONTINUES = 32;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;

/** Ends of decoded fields of one segment, for the caller to add up. */
function decodeSegment(text: string, start: number, fields: number[]): number {
  fields.length = 0;
  let value = 0;
  let shift = 0;
  let i = start;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COMMA || code === SEMICOLON) break;
    const digit = DIGIT_VALUES[code] ?? -1;
    if (digit < 0) throw new SyntaxError(`source map: '${text[i]}' is not a base 64 digit`);
    value += (digit & 31) * 2 ** shift;
    if (digit & CONTINUES) {
      shift += 5;
      continue;
    }
    fields.push(value % 2 === 1 ? -(value - 1) / 2 : value / 2);
    value = 0;
    shift = 0;
  }
  return i;
}

/** Looks places up by file offset. */
export class SourceMap {
  readonly #offsets: number[] = [];
  readonly #locations: (Location | null)[] = [];

  /** @param json text of the source map */
  constructor(json: string) {
    const { sources, mappings } = JSON.parse(json) as { sources: string[]; mappings: string };
    let offset = 0;
    let source = 0;
    let line = 0;
    const fields: number[] = [];
    for (let i = 0; i < mappings.length; i++) {
      i = decodeSegment(mappings, i, fields);
      const [offsetStep, sourceStep, lineStep] = fields;
      if (offsetStep === undefined) continue;
      offset += offsetStep;
      this.#offsets.push(offset);
      if (sourceStep === undefined || lineStep === undefined) {
        this.#locations.push(null);
        continue;
      }
      source += sourceStep;
      line += lineStep;
      const file = sources[source];
      this.#locations.push(file === undefined ? null : { file, line: line + 1 });
    }
  }

  /** The place that the instruction at `offset` comes from; null if the map says none. */
  find(offset: number): Location | null {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#offsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.#locations[low - 1] ?? null;
  }
}
