/**
 * The operand stack of a function while it is written as C: expressions that are not evaluated yet.
 *
 * WebAssembly evaluates in order; C operands have none. So whatever might change the meaning of a
 * pending expression first turns that expression into a variable:
 *
 * - a call or store: every pending expression that reads memory or globals, or has an effect;
 * - reading memory: every pending expression with an effect;
 * - setting a local: every pending expression that reads it;
 * - control flow: everything but constants.
 *
 * Neighbour: `function.ts` drives it.
 */

import type { ValueType } from "../wasm/opcodes.ts";
import type { Location } from "../wasm/source-map.ts";

/** C types of WebAssembly types. */
export const C_TYPES: Record<ValueType, string> = {
  i32: "u32",
  i64: "u64",
  f32: "f32",
  f64: "f64",
};

/** A pending expression. */
export interface Expression {
  /** C text; a primary or cast expression, so that it can be an operand of anything. */
  text: string;
  type: ValueType;
  location: Location | null;
  /** Known value, as an unsigned number of the type's width. */
  constant?: bigint;
  /** The C type is int, 0 or 1. */
  isTest?: boolean;
  /** Depends on memory or globals. */
  reads?: boolean;
  /** Evaluating it changes something. */
  effect?: boolean;
  /** Indices of the locals it reads. */
  locals?: readonly number[];
}

/** One line of C with the place it comes from. */
export interface Line {
  text: string;
  location: Location | null;
}

const NO_LOCALS: readonly number[] = [];

/** Text as an operand of the WebAssembly type: tests are made unsigned. */
export function operandText(expression: Expression): string {
  return expression.isTest ? `(u32)${expression.text}` : expression.text;
}

/** C literal of an integer constant. */
export function integerLiteral(value: bigint, type: "i32" | "i64"): string {
  const suffix = type === "i32" ? "u" : "ul";
  return value < 1024n ? `${value}${suffix}` : `0x${value.toString(16)}${suffix}`;
}

/** What an expression made of `parts` reads and does. */
export function combine(parts: readonly Expression[]): Partial<Expression> {
  const result: Partial<Expression> = {};
  let locals: readonly number[] = NO_LOCALS;
  for (const part of parts) {
    if (part.reads) result.reads = true;
    if (part.effect) result.effect = true;
    if (part.locals?.length) locals = locals.length ? [...locals, ...part.locals] : part.locals;
  }
  if (locals.length) result.locals = locals;
  return result;
}

/** The stack. `emit` receives the statements that turn expressions into variables. */
export class ExpressionStack {
  readonly #stack: Expression[] = [];
  readonly #emit: (line: Line) => void;
  #temporaries = 0;

  constructor(emit: (line: Line) => void) {
    this.#emit = emit;
  }

  get height(): number {
    return this.#stack.length;
  }

  /** Name of a new variable. */
  newTemporary(): string {
    this.#temporaries++;
    return `t${this.#temporaries}`;
  }

  /** Pushes an expression; settles effects that must come before it. */
  push(expression: Expression): void {
    if (expression.effect) this.settle((e) => e.reads === true || e.effect === true);
    else if (expression.reads) this.settle((e) => e.effect === true);
    this.#stack.push(expression);
  }

  pop(): Expression {
    const top = this.#stack.pop();
    if (!top) throw new Error("the operand stack is empty: the module is not valid WebAssembly");
    return top;
  }

  /** Pops `count` operands, deepest first. */
  popMany(count: number): Expression[] {
    if (count > this.#stack.length) this.pop();
    return count === 0 ? [] : this.#stack.splice(-count);
  }

  /** Turns every matching expression into a variable. */
  settle(matches: (expression: Expression) => boolean): void {
    for (let i = 0; i < this.#stack.length; i++) {
      const expression = this.#stack[i];
      if (expression && expression.constant === undefined && matches(expression)) {
        this.#stack[i] = this.toVariable(expression);
      }
    }
  }

  /** Before control flow: everything but constants becomes a variable. */
  settleAll(): void {
    this.settle((e) => !/^t\d+$/.test(e.text));
  }

  /** Before a store or call: what it could change. */
  settleForEffect(): void {
    this.settle((e) => e.reads === true || e.effect === true);
  }

  /** Before local `index` changes. */
  settleForLocal(index: number): void {
    this.settle((e) => e.locals?.includes(index) === true);
  }

  /** Drops expressions above `height`, evaluating those with effects. */
  truncate(height: number): void {
    for (const { effect, text, location } of this.#stack.splice(height)) {
      if (effect) this.#emit({ text: `(void)${text};`, location });
    }
  }

  /** Evaluates an expression now. */
  toVariable(expression: Expression): Expression {
    const name = this.newTemporary();
    const { type, location, text } = expression;
    this.#emit({ text: `const ${C_TYPES[type]} ${name} = ${text};`, location });
    return { text: name, type, location };
  }
}
