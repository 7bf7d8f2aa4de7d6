/**
 * The name section: what functions, locals and globals are called in the source.
 *
 * https://webassembly.github.io/spec/core/appendix/custom.html#name-section
 * Neighbour: `module.ts`.
 */
import { Cursor } from "./cursor.ts";

export interface Names {
  functions: Map<number, string>;
  /** By function, then by local. */
  locals: Map<number, Map<number, string>>;
  globals: Map<number, string>;
}

const FUNCTION_NAMES = 1;
const LOCAL_NAMES = 2;
const GLOBAL_NAMES = 7;

function readNameMap(cursor: Cursor): Map<number, string> {
  return new Map(cursor.vector((): [number, string] => [cursor.u32(), cursor.name()]));
}

/** Reads the section behind its own name. Subsections we have no use for are passed over. */
export function readNames(cursor: Cursor): Names {
  const names: Names = { functions: new Map(), locals: new Map(), globals: new Map() };
  while (!cursor.atEnd) {
    const id = cursor.u8();
    const size = cursor.u32();
    const start = cursor.skip(size);
    const part = new Cursor(cursor.bytes, start, start + size);
    if (id === FUNCTION_NAMES) names.functions = readNameMap(part);
    else if (id === GLOBAL_NAMES) names.globals = readNameMap(part);
    else if (id === LOCAL_NAMES) {
      names.locals = new Map(
        part.vector((): [number, Map<number, string>] => [part.u32(), readNameMap(part)]),
      );
    }
  }
  return names;
}
