/**
 * Divides a program among C files. A source module goes to a file as a whole, chosen by a hash of
 * its path, so that an edit changes one C file and the others are found in the object cache; small
 * functions are copied to wherever they are called.
 *
 * Neighbours: `program.ts` (input), `emit.ts` (writes each part).
 */
import { createHash } from "node:crypto";
import type { Program, ProgramFunction } from "./program.ts";

/** What goes into one C file. */
export interface Part {
  number: number;
  /** Functions defined here, and nowhere else. */
  owned: ProgramFunction[];
  /** Copies of small functions that the owned ones need. */
  inlined: ProgramFunction[];
  /** Globals used here. */
  globals: Set<number>;
  /** Functions of other parts called here. */
  external: Set<number>;
}

export interface Partition {
  parts: Part[];
  /** Functions only called within the part that defines them. */
  privateFunctions: Set<number>;
  /** Globals used by one part only. */
  privateGlobals: Set<number>;
  /** Number of the part that defines each global. */
  globalOwners: Map<number, number>;
}

/** Aimed-at size of a C file: one to two seconds of gcc -O2. */
const INSTRUCTIONS_A_PART = 12_000;
/** Few different numbers, because another number of parts means that all change. */
const PART_COUNTS = [1, 2, 4, 8, 16];

function partCount(instructions: number): number {
  const wanted = instructions / INSTRUCTIONS_A_PART;
  return PART_COUNTS.find((count) => count >= wanted) ?? Math.max(...PART_COUNTS);
}

const hashOf = (text: string): number => createHash("sha256").update(text).digest().readUInt32LE(0);

function fillPart(part: Part, program: Program): void {
  const inlined = new Set<number>();
  const queue = [...part.owned];
  for (let next = queue.pop(); next; next = queue.pop()) {
    for (const global of next.globals) part.globals.add(global);
    for (const index of next.calls) {
      const callee = program.functions.get(index);
      if (!callee) continue; // imported
      if (!callee.isInline) {
        part.external.add(index);
      } else if (!inlined.has(index)) {
        inlined.add(index);
        queue.push(callee);
      }
    }
  }
  part.inlined = [...program.functions.values()].filter((f) => inlined.has(f.index));
  for (const { index } of part.owned) part.external.delete(index);
}

/** Divides the functions; `count` fixes the number of files. */
export function partition(program: Program, count?: number): Partition {
  const total = count ?? partCount(program.instructionCount);
  const parts: Part[] = Array.from({ length: total }, (_, number) => ({
    number,
    owned: [],
    inlined: [],
    globals: new Set(),
    external: new Set(),
  }));
  for (const entry of program.functions.values()) {
    if (entry.isInline) continue;
    parts[hashOf(entry.sourceModule) % total]?.owned.push(entry);
  }
  for (const part of parts) fillPart(part, program);

  const globalOwners = new Map<number, number>();
  const sharedGlobals = new Set<number>();
  const calledFromOutside = new Set<number>();
  for (const part of parts) {
    for (const global of part.globals) {
      if (globalOwners.has(global)) sharedGlobals.add(global);
      else globalOwners.set(global, part.number);
    }
    for (const index of part.external) calledFromOutside.add(index);
  }
  const privateFunctions = new Set<number>();
  for (const { index, exportNames, isInTable } of program.functions.values()) {
    if (!calledFromOutside.has(index) && exportNames.length === 0 && !isInTable) {
      privateFunctions.add(index);
    }
  }
  const privateGlobals = new Set([...globalOwners.keys()].filter((g) => !sharedGlobals.has(g)));
  return { parts, privateFunctions, privateGlobals, globalOwners };
}
