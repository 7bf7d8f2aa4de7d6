/**
 * Writes one function as C: structured control flow becomes `if`, labels and `goto`; operands are
 * folded into expressions; locals are C variables.
 *
 * Neighbours: `context.ts` (what it needs to know), `expression.ts` (the operand stack), `operators.ts` (C text of operators),
 * `module.ts` (everything around functions).
 */
import type { Instruction } from "../wasm/code.ts";
import type { FunctionType } from "../wasm/module.ts";
import type { ValueType } from "../wasm/opcodes.ts";
import type { Location } from "../wasm/source-map.ts";
import {
  BackendError,
  declarator,
  type FunctionContext,
  type FunctionInput,
  pointerType,
  unwrap,
} from "./context.ts";
import {
  C_TYPES,
  combine,
  type Expression,
  ExpressionStack,
  integerLiteral,
  type Line,
  operandText,
} from "./expression.ts";
import { NameSpace } from "./mangle.ts";
import { fill, OPERATORS } from "./operators.ts";

/** A block, loop or if that is open. */
interface Frame {
  kind: "function" | "block" | "loop" | "if";
  label: string;
  isTarget: boolean;
  /** Variable of the result. */
  result: string | null;
  type: ValueType | null;
  height: number;
  /** Whether the end can be reached other than by falling into it. */
  endReachable: boolean;
}

const isFloat = (type: ValueType | null | undefined): boolean => type === "f32" || type === "f64";

/** Writes functions; one object a function. */
export class FunctionWriter {
  readonly #input: FunctionInput;
  readonly #context: FunctionContext;
  readonly #lines: Line[] = [];
  readonly #stack: ExpressionStack;
  readonly #frames: Frame[] = [];
  readonly #locals: { name: string; type: ValueType }[] = [];
  #labels = 0;
  #location: Location | null = null;
  /** The code at hand cannot be reached; `#deadDepth` counts the blocks opened in it. */
  #dead = false;
  #deadDepth = 0;

  constructor(input: FunctionInput, context: FunctionContext) {
    this.#input = input;
    this.#context = context;
    this.#stack = new ExpressionStack((line) => this.#lines.push(line));
  }

  /**
   * Writes the function.
   * @returns its lines, the declarator first
   * @throws {BackendError} for floating point in a build without it
   */
  write(): Line[] {
    const { type, body } = this.#input;
    this.#nameLocals();
    this.#location = this.#input.location;
    this.#frames.push(this.#newFrame("function", type.result));
    for (const instruction of body.instructions) {
      const found = this.#context.sourceMap?.find(instruction.offset);
      if (found) this.#location = found;
      this.#checkFloat(instruction);
      if (this.#dead) this.#skip(instruction);
      else this.#instruction(instruction);
    }
    const first = this.#input.location;
    const parameters = this.#locals.slice(0, type.parameters.length).map((local) => local.name);
    const head = [
      `${declarator(this.#input.identifier, type, parameters)} {`,
      this.#declarations(),
    ];
    return [
      ...head.filter(Boolean).map((text) => ({ text, location: first })),
      ...this.#lines,
      { text: "}", location: this.#lines.at(-1)?.location ?? first },
    ];
  }

  #nameLocals(): void {
    const names = new NameSpace();
    const types = [...this.#input.type.parameters, ...this.#input.body.locals];
    for (const [i, type] of types.entries()) {
      const name = names.local(this.#input.localNames.get(i) ?? `v${i}`);
      this.#locals.push({ name, type });
    }
  }

  #declarations(): string {
    const locals = this.#locals.slice(this.#input.type.parameters.length);
    const groups = new Map<ValueType, string[]>();
    for (const { name, type } of locals) {
      groups.set(type, [...(groups.get(type) ?? []), `${name} = 0`]);
    }
    return [...groups].map(([type, list]) => `${C_TYPES[type]} ${list.join(", ")};`).join(" ");
  }

  #checkFloat({ opcode }: Instruction): void {
    if (this.#context.allowFloats) return;
    const uses =
      isFloat(opcode.pushes) ||
      opcode.pops?.some(isFloat) ||
      this.#locals.some((local) => isFloat(local.type)) ||
      isFloat(this.#input.type.result);
    if (!uses) return;
    const place = this.#location ? ` (${this.#location.file}:${this.#location.line})` : "";
    throw new BackendError(
      `${this.#input.name}${place} uses floating point, which the kernel must not: ` +
        "write it with integers (check literals such as 0.5 and calls of Math)",
    );
  }

  #emit(text: string): void {
    this.#lines.push({ text, location: this.#location });
  }

  #newFrame(kind: Frame["kind"], type: ValueType | null): Frame {
    const needsVariable = type !== null && kind !== "function";
    return {
      kind,
      label: `L${this.#labels++}`,
      isTarget: false,
      result: needsVariable ? this.#stack.newTemporary() : null,
      type,
      height: this.#stack.height,
      endReachable: false,
    };
  }

  #push(expression: Omit<Expression, "location">): void {
    this.#stack.push({ ...expression, location: this.#location });
  }

  #pushConstant(value: bigint, type: "i32" | "i64"): void {
    const unsigned = BigInt.asUintN(type === "i32" ? 32 : 64, value);
    const symbolic = type === "i64" ? this.#context.address?.(unsigned) : null;
    const text = symbolic ?? integerLiteral(unsigned, type);
    this.#push({ text, type, constant: unsigned });
  }

  #instruction(instruction: Instruction): void {
    const { opcode, index } = instruction;
    switch (opcode.name) {
      case "nop":
        return;
      case "unreachable":
        this.#emit("W_UNREACHABLE();");
        this.#die();
        return;
      case "block":
      case "loop":
      case "if":
        this.#open(opcode.name, instruction.blockType);
        return;
      case "else":
        this.#else(false);
        return;
      case "end":
        this.#end(false);
        return;
      case "br":
        this.#branch(index, "");
        this.#die();
        return;
      case "br_if":
        this.#branchIf(index);
        return;
      case "br_table":
        this.#branchTable(instruction.labels);
        return;
      case "return":
        this.#return();
        return;
      case "call":
        this.#call(index);
        return;
      case "call_indirect":
        this.#callIndirect(index);
        return;
      case "drop":
        this.#stack.truncate(this.#stack.height - 1);
        return;
      case "select":
        this.#select();
        return;
      case "local.get":
      case "local.set":
      case "local.tee":
        this.#local(opcode.name, index);
        return;
      case "global.get":
      case "global.set":
        this.#global(opcode.name, index);
        return;
      case "i32.const":
        this.#pushConstant(instruction.value, "i32");
        return;
      case "i64.const":
        this.#pushConstant(instruction.value, "i64");
        return;
      case "f32.const":
        this.#push({ text: `w_f32(0x${instruction.value.toString(16)}u)`, type: "f32" });
        return;
      case "f64.const":
        this.#push({ text: `w_f64(0x${instruction.value.toString(16)}ul)`, type: "f64" });
        return;
      default:
        this.#operator(instruction);
        return;
    }
  }

  #operator({ opcode, value }: Instruction): void {
    const operator = OPERATORS.get(opcode.name);
    if (!operator || !opcode.pops) {
      const place = this.#location ? ` (${this.#location.file}:${this.#location.line})` : "";
      throw new BackendError(
        `${this.#input.name}${place} uses ${opcode.name}, which has no native counterpart`,
      );
    }
    const operands = this.#stack.popMany(opcode.pops.length);
    const texts = operands.map(operandText);
    let { template } = operator;
    const shift = operands[1];
    if (shift?.constant !== undefined && /\(\$1 & (31|63)\)/.test(template)) {
      const count = shift.constant & (opcode.name.startsWith("i32") ? 31n : 63n);
      template = template.replace(/\(\$1 & (31|63)\)/, String(count));
    }
    const isMemory = template.includes("$a");
    const text = isMemory
      ? fill(template, texts.slice(1), this.#address(operands[0], value))
      : fill(template, texts);
    const type = opcode.pushes;
    if (!type) {
      this.#stack.settleForEffect();
      this.#emit(`${text};`);
      return;
    }
    const expression: Omit<Expression, "location"> = { text, type, ...combine(operands) };
    if (operator.isTest) expression.isTest = true;
    if (operator.effect === "reads") expression.reads = true;
    if (operator.effect === "effect") expression.effect = true;
    this.#push(expression);
  }

  /** Sum of an address operand and a constant offset. */
  #address(base: Expression | undefined, offset: bigint): string {
    if (!base) throw new Error("a memory access without an address");
    if (base.constant !== undefined) {
      const sum = BigInt.asUintN(64, base.constant + offset);
      return this.#context.address?.(sum) ?? integerLiteral(sum, "i64");
    }
    const text = base.type === "i32" ? `(u64)${operandText(base)}` : base.text;
    return `W_AT(${text}, ${offset})`;
  }

  #local(name: string, index: number): void {
    const local = this.#locals[index];
    if (!local) throw new Error(`${this.#input.name} has no local ${index}`);
    if (name === "local.get") {
      this.#push({ text: local.name, type: local.type, locals: [index] });
      return;
    }
    const value = this.#stack.pop();
    this.#stack.settleForLocal(index);
    if (value.text !== local.name) this.#emit(`${local.name} = ${value.text};`);
    if (name === "local.tee") {
      this.#push({ text: local.name, type: local.type, locals: [index] });
    }
  }

  #global(name: string, index: number): void {
    const global = this.#context.global(index);
    if (name === "global.get") {
      const { text, type, constant } = global;
      if (constant !== undefined) this.#push({ text, type, constant });
      else this.#push({ text, type, reads: true });
      return;
    }
    const value = this.#stack.pop();
    this.#stack.settleForEffect();
    this.#emit(`${global.text} = ${value.text};`);
  }

  #select(): void {
    const [first, second, condition] = this.#stack.popMany(3);
    if (!first || !second || !condition) throw new Error("select without operands");
    // Only one arm of C's conditional is evaluated, so arms with effects go first.
    const now = (e: Expression): Expression => (e.effect ? this.#stack.toVariable(e) : e);
    const arms = [now(first), now(second)] as const;
    const [yes, no] = arms.map(operandText);
    this.#push({
      text: `(${condition.text} ? ${yes} : ${no})`,
      type: first.type,
      ...combine([...arms, condition]),
    });
  }

  #call(index: number): void {
    const callee = this.#context.callee(index);
    const operands = this.#stack.popMany(callee.type.parameters.length);
    if (callee.isValue) {
      this.#push({ text: callee.text, type: callee.type.result ?? "i64" });
      return;
    }
    this.#finishCall(callee.text, callee.type, operands, operands, callee.isNonZero);
  }

  #callIndirect(typeIndex: number): void {
    const { type, id } = this.#context.signature(typeIndex);
    const index = this.#stack.pop();
    const operands = this.#stack.popMany(type.parameters.length);
    const target = `((${pointerType(type)})w_callee(${operandText(index)}, ${id}))`;
    this.#finishCall(target, type, operands, [...operands, index]);
  }

  #finishCall(
    target: string,
    type: FunctionType,
    operands: Expression[],
    parts: Expression[],
    isNonZero = false,
  ): void {
    const call = `${target}(${operands.map((e) => e.text).join(", ")})`;
    const text = isNonZero ? `w_nonzero(${call})` : call;
    if (type.result) {
      this.#push({ ...combine(parts), text, type: type.result, effect: true });
      return;
    }
    this.#stack.settleForEffect();
    this.#emit(`${text};`);
  }

  // Control flow.

  #open(kind: "block" | "loop" | "if", type: ValueType | null): void {
    const condition = kind === "if" ? this.#stack.pop() : null;
    this.#stack.settleAll();
    const frame = this.#newFrame(kind, type);
    if (frame.result && type) this.#emit(`${C_TYPES[type]} ${frame.result};`);
    if (condition) {
      this.#emit(`if (${unwrap(condition.text)}) {`);
      frame.endReachable = true; // until there is an `else`
    }
    this.#frames.push(frame);
    if (kind === "loop") this.#emit(`${frame.label}:;`);
  }

  #top(): Frame {
    const frame = this.#frames.at(-1);
    if (!frame) throw new Error(`${this.#input.name}: more ends than blocks`);
    return frame;
  }

  /** Stores the value that falls out of the open block. */
  #fallThrough(frame: Frame): void {
    if (frame.type === null) return;
    const value = this.#stack.pop();
    this.#stack.truncate(frame.height);
    if (frame.kind === "function") {
      this.#emit(this.#input.noReturn ? "__builtin_trap();" : `return ${value.text};`);
    } else this.#emit(`${frame.result} = ${value.text};`);
  }

  #else(wasDead: boolean): void {
    const frame = this.#top();
    if (!wasDead) this.#fallThrough(frame);
    this.#stack.truncate(frame.height);
    frame.endReachable = !wasDead;
    this.#emit("} else {");
  }

  #end(wasDead: boolean): void {
    const frame = this.#top();
    if (!wasDead) this.#fallThrough(frame);
    this.#stack.truncate(frame.height);
    this.#frames.pop();
    if (frame.kind === "function") {
      if (frame.isTarget) this.#emit(`${frame.label}:;`);
      if (this.#input.noReturn && (!wasDead || frame.isTarget)) this.#emit("__builtin_trap();");
      return;
    }
    if (frame.kind === "if") this.#emit("}");
    if (frame.isTarget && frame.kind !== "loop") this.#emit(`${frame.label}:;`);
    const targeted = frame.isTarget && frame.kind !== "loop";
    if (wasDead && !targeted && !frame.endReachable) this.#die();
    else if (frame.result && frame.type) this.#push({ text: frame.result, type: frame.type });
  }

  /** Goes to the block `depth` levels out, with its result if it has one. */
  #branch(depth: number, prefix: string): void {
    const frame = this.#frames.at(-1 - depth);
    if (!frame) throw new Error(`${this.#input.name}: branch out of the function`);
    if (frame.kind === "function") {
      const value = frame.type ? this.#stack.pop().text : null;
      this.#emit(`${prefix}${this.#returnText(value)}`);
      return;
    }
    const hasValue = frame.type !== null && frame.kind !== "loop";
    const value = hasValue ? this.#stack.pop() : null;
    frame.isTarget = true;
    const assign = value ? `${frame.result} = ${value.text}; ` : "";
    const jump = `${assign}goto ${frame.label};`;
    this.#emit(prefix && assign ? `${prefix}{ ${jump} }` : prefix + jump);
  }

  #branchIf(depth: number): void {
    const condition = this.#stack.pop();
    this.#stack.settleAll();
    const frame = this.#frames.at(-1 - depth);
    const hasValue = frame !== undefined && frame.type !== null && frame.kind !== "loop";
    const value = hasValue ? this.#stack.pop() : null;
    if (value) this.#stack.push(value);
    this.#branch(depth, `if (${unwrap(condition.text)}) `);
    if (value) this.#stack.push(value);
  }

  #branchTable(labels: readonly number[]): void {
    const index = this.#stack.pop();
    this.#stack.settleAll();
    const top = this.#frames.at(-1 - (labels[0] ?? 0));
    const hasValue = top !== undefined && top.type !== null && top.kind !== "loop";
    const value = hasValue ? this.#stack.pop() : null;
    this.#emit(`switch (${unwrap(operandText(index))}) {`);
    for (const [i, depth] of labels.entries()) {
      if (value) this.#stack.push(value);
      this.#branch(depth, i === labels.length - 1 ? "default: " : `case ${i}: `);
    }
    this.#emit("}");
    this.#die();
  }

  #returnText(value: string | null): string {
    if (this.#input.noReturn) return "__builtin_trap();";
    return value === null ? "return;" : `return ${value};`;
  }

  #return(): void {
    const value = this.#input.type.result ? this.#stack.pop() : null;
    this.#stack.truncate(this.#top().height);
    this.#emit(this.#returnText(value ? unwrap(value.text) : null));
    this.#die();
  }

  /** What follows cannot be reached, up to the end of the block. */
  #die(): void {
    this.#stack.truncate(this.#top().height);
    this.#dead = true;
    this.#deadDepth = 0;
  }

  #skip({ opcode }: Instruction): void {
    if (opcode.immediate === "block") this.#deadDepth++;
    else if (opcode.name === "end" && this.#deadDepth > 0) this.#deadDepth--;
    else if (this.#deadDepth === 0 && (opcode.name === "else" || opcode.name === "end")) {
      this.#dead = false;
      if (opcode.name === "else") this.#else(true);
      else this.#end(true);
    }
  }
}
