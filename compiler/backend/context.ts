/**
 * What a function needs to know while it is written as C, and the C text of types.
 *
 * Neighbours: `function.ts` writes functions, `emit.ts` supplies the context.
 */
import type { Body } from "../wasm/code.ts";
import type { FunctionType } from "../wasm/module.ts";
import type { ValueType } from "../wasm/opcodes.ts";
import type { Location, SourceMap } from "../wasm/source-map.ts";
import { C_TYPES } from "./expression.ts";

/** The sources use something that the native back end cannot express. */
export class BackendError extends Error {}

/** How a call of a function is written. */
export interface Callee {
  /** C function, or for `isValue` the expression that stands for the call. */
  text: string;
  type: FunctionType;
  /** The call is a constant (the address of a symbol). */
  isValue?: boolean;
  /** It never returns 0. */
  isNonZero?: boolean;
}

/** What a function needs to know about its module. */
export interface FunctionContext {
  callee(index: number): Callee;
  /** C text that reads or sets a global; a literal if it never changes. */
  global(index: number): { text: string; type: ValueType; constant?: bigint };
  /** Type of an indirect call by type index, and the number that identifies its signature. */
  signature(typeIndex: number): { type: FunctionType; id: number };
  sourceMap: SourceMap | null;
  allowFloats: boolean;
  /** Text of a static-data address, if `value` is one and such addresses are symbolic. */
  address?(value: bigint): string | null;
}

/** A function to be written. */
export interface FunctionInput {
  /** Name in the source, for messages. */
  name: string;
  identifier: string;
  type: FunctionType;
  body: Body;
  /** Where the function begins in the source, if known. */
  location: Location | null;
  localNames: ReadonlyMap<number, string>;
  /** It must not return; what would return traps. */
  noReturn: boolean;
}

/** C declarator of a function, without attributes. */
export function declarator(name: string, type: FunctionType, parameters?: string[]): string {
  const list = type.parameters.map((t, i) => C_TYPES[t] + (parameters ? ` ${parameters[i]}` : ""));
  return `${type.result ? C_TYPES[type.result] : "void"} ${name}(${list.join(", ") || "void"})`;
}

/** C type of a pointer to a function of this type. */
export function pointerType(type: FunctionType): string {
  const list = type.parameters.map((t) => C_TYPES[t]).join(", ") || "void";
  return `${type.result ? C_TYPES[type.result] : "void"} (*)(${list})`;
}

/** Without the outermost parentheses, where the context supplies its own. */
export function unwrap(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0 && i < text.length - 1) return text;
  }
  return text.slice(1, -1);
}
