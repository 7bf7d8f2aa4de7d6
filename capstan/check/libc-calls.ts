/**
 * Which system calls a function of the C library can make. The library as a whole makes nearly all
 * calls that Linux has; a program uses those behind the functions that it imports.
 *
 *     fopen -> __fopen_internal -> _IO_file_open -> openat
 *             (an edge: call, jump or lea to the start of another function)
 *
 * Function boundaries come from the unwind table, so that functions without a name count too.
 * Edges that lead through pointers are not seen; `implied` names those that matter.
 *
 * Neighbours: `code-file.ts` reads the library; `objects.ts` asks for the imports of each object.
 */
import type { CodeFile, CodeRegion } from "./code-file.ts";
import { findSyscalls } from "./syscall-sites.ts";

/** Standard streams and start-up reach these through tables of pointers. */
const implied = [
  "__libc_start_main",
  "_IO_file_read",
  "_IO_file_write",
  "_IO_file_seek",
  "_IO_file_stat",
  "_IO_file_close",
  "exit",
  "abort",
];

/** The C library as a graph of functions. */
export class LibcCalls {
  readonly path: string;
  readonly #exports: ReadonlyMap<string, number>;
  readonly #starts: readonly number[];
  readonly #known: ReadonlySet<number>;
  readonly #callsByFunction = new Map<number, Set<number>>();
  readonly #regions: readonly CodeRegion[];

  constructor(file: CodeFile) {
    this.path = file.path;
    this.#exports = file.exports;
    this.#starts = file.functionStarts;
    this.#known = new Set(file.functionStarts);
    this.#regions = file.code;
    for (const site of file.code.flatMap(findSyscalls)) {
      if (site.number === undefined) continue;
      const start = this.#functionOf(site.address);
      const calls = this.#callsByFunction.get(start) ?? new Set<number>();
      this.#callsByFunction.set(start, calls.add(site.number));
    }
  }

  /** The system calls behind the functions with these names, and behind start-up and streams. */
  reachedFrom(names: Iterable<string>): Set<number> {
    const calls = new Set<number>();
    const seen = new Set<number>();
    const pending = [...names, ...implied].flatMap((name) => this.#exports.get(name) ?? []);
    for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
      if (seen.has(start)) continue;
      seen.add(start);
      for (const number of this.#callsByFunction.get(start) ?? []) calls.add(number);
      pending.push(...this.#edgesOf(start));
    }
    return calls;
  }

  /** The start of the function that an address lies in. */
  #functionOf(address: number): number {
    return this.#starts[this.#indexOf(address)] ?? 0;
  }

  #indexOf(address: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #edgesOf(start: number): number[] {
    const region = this.#regions.find(
      ({ address, bytes }) => start >= address && start < address + bytes.length,
    );
    if (region === undefined) return [];
    const next = this.#starts[this.#indexOf(start) + 1] ?? Number.POSITIVE_INFINITY;
    const { address, bytes } = region;
    const end = Math.min(next - address, bytes.length);
    const edges: number[] = [];
    for (let at = start - address; at + 5 <= end; at += 1) {
      const length = opcodeLength(bytes, at);
      if (length === 0 || at + length + 4 > end) continue;
      const target = address + at + length + 4 + bytes.readInt32LE(at + length);
      if (this.#known.has(target)) edges.push(target);
    }
    return edges;
  }
}

/** Bytes before the 32-bit distance if a call, jump or lea relative to rip starts here, else 0. */
function opcodeLength(code: Buffer, at: number): number {
  const first = code[at] ?? 0;
  if (first === 0xe8 || first === 0xe9) return 1;
  const second = code[at + 1] ?? 0;
  if (first === 0x0f && second >= 0x80 && second <= 0x8f) return 2;
  const isLea = (first === 0x48 || first === 0x4c) && second === 0x8d;
  return isLea && ((code[at + 2] ?? 0) & 0xc7) === 0x05 ? 3 : 0;
}
