/**
 * Executes functions of a module, instruction by instruction, as the WebAssembly specification's
 * abstract machine does: a stack of operands, a stack of labels.
 *
 * Values are unsigned numbers of their type's width. Only what initialisers of the kernel need is
 * here; anything else (floats, imports, memory.grow) ends the evaluation with its reason.
 *
 * https://webassembly.github.io/spec/core/exec/instructions.html
 * Neighbours: `numbers.ts`, `image-memory.ts`; `evaluate.ts` starts it.
 */
import { type Body, type Instruction, readBody } from "../wasm/code.ts";
import type { WasmModule } from "../wasm/module.ts";
import { typeOfFunction } from "../wasm/module.ts";
import { accessOf, type ImageMemory } from "./image-memory.ts";
import { EvaluationTrap, NUMBERS } from "./numbers.ts";

/** A function as it is executed: where each block of it ends. */
interface Code extends Body {
  /** By the position of a block, loop or if: position of its `else`, or of its `end`. */
  elses: Map<number, number>;
  ends: Map<number, number>;
}

/** A block that is being executed. */
interface Label {
  /** Operands below the block's own. */
  height: number;
  /** Values that a branch to it carries: 0 or 1. */
  arity: number;
  /** Position where a branch to it goes on. */
  target: number;
  isLoop: boolean;
}

/** A function that stands in for one of the module. Takes and returns values. */
export type Substitute = (args: bigint[]) => bigint | null;

/** So many instructions in one evaluation are an endless loop. */
const STEPS_MAX = 50_000_000;
const DEPTH_MAX = 500;

function findBlocks(body: Body): Code {
  const elses = new Map<number, number>();
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (const [position, { opcode }] of body.instructions.entries()) {
    if (opcode.immediate === "block") open.push(position);
    else if (opcode.name === "else") elses.set(open.at(-1) ?? -1, position);
    else if (opcode.name === "end") ends.set(open.pop() ?? -1, position);
  }
  return { ...body, elses, ends };
}

/** What an atomic operation leaves where `before` was. `other` replaces what equals `value`. */
function modified(operation: string, before: bigint, value: bigint, other: bigint): bigint {
  if (operation === "xchg") return value;
  if (operation === "cmpxchg") return before === value ? other : before;
  return NUMBERS.get(`i64.${operation}`)?.(before, value) ?? before;
}

/** The operands and labels of one call. */
class Frame {
  readonly stack: bigint[] = [];
  readonly labels: Label[] = [];
  readonly locals: bigint[];

  constructor(locals: bigint[]) {
    this.locals = locals;
  }

  pop(): bigint {
    const value = this.stack.pop();
    if (value === undefined) throw new Error("the operand stack is empty: not a valid module");
    return value;
  }

  popMany(count: number): bigint[] {
    return count === 0 ? [] : this.stack.splice(-count);
  }

  /** Leaves blocks up to the one `depth` levels out; null: the function. */
  branch(depth: number): number | null {
    const index = this.labels.length - 1 - depth;
    const label = this.labels[index];
    if (!label) return null;
    const carried = this.popMany(label.arity);
    this.stack.length = label.height;
    this.stack.push(...carried);
    this.labels.length = label.isLoop ? index + 1 : index;
    return label.target;
  }
}

export class Interpreter {
  readonly #module: WasmModule;
  readonly #memory: ImageMemory;
  readonly #substitutes: ReadonlyMap<number, Substitute>;
  readonly #codes = new Map<number, Code>();
  readonly #table = new Map<number, number>();
  /** Values of the globals by index. */
  readonly globals: bigint[];
  #steps = 0;
  #depth = 0;

  constructor(
    module: WasmModule,
    memory: ImageMemory,
    globals: bigint[],
    substitutes: ReadonlyMap<number, Substitute>,
  ) {
    this.#module = module;
    this.#memory = memory;
    this.globals = globals;
    this.#substitutes = substitutes;
    for (const { offset, functions } of module.elements) {
      for (const [i, index] of functions.entries()) this.#table.set(offset + i, index);
    }
  }

  #nameOf(index: number): string {
    const imported = this.#module.imports[index];
    if (imported) return `${imported.module}.${imported.name}`;
    return this.#module.names.functions.get(index) ?? `function ${index}`;
  }

  #codeOf(index: number): Code {
    const known = this.#codes.get(index);
    if (known) return known;
    const definition = this.#module.functions[index - this.#module.imports.length];
    if (!definition) {
      throw new EvaluationTrap(`a call of ${this.#nameOf(index)}, which exists when it runs only`);
    }
    const made = findBlocks(readBody(this.#module.bytes, definition.start, definition.end));
    this.#codes.set(index, made);
    return made;
  }

  /**
   * Calls a function.
   * @throws {EvaluationTrap} with the call chain, innermost first, for what cannot be evaluated
   */
  call(index: number, args: bigint[]): bigint | null {
    const substitute = this.#substitutes.get(index);
    if (substitute) return substitute(args);
    if (++this.#depth > DEPTH_MAX) throw new EvaluationTrap("endless recursion");
    try {
      const code = this.#codeOf(index);
      const frame = new Frame([...args, ...code.locals.map(() => 0n)]);
      this.#run(code, frame);
      return typeOfFunction(this.#module, index).result === null ? null : frame.pop();
    } catch (error) {
      if (error instanceof EvaluationTrap) error.message += `\n    in ${this.#nameOf(index)}`;
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #callInFrame(frame: Frame, index: number): void {
    const { parameters } = typeOfFunction(this.#module, index);
    const result = this.call(index, frame.popMany(parameters.length));
    if (result !== null) frame.stack.push(result);
  }

  #callIndirect(frame: Frame, typeIndex: number): void {
    const index = this.#table.get(Number(frame.pop()));
    const wanted = JSON.stringify(this.#module.types[typeIndex]);
    if (index === undefined || JSON.stringify(typeOfFunction(this.#module, index)) !== wanted) {
      throw new EvaluationTrap("an indirect call of no such function");
    }
    this.#callInFrame(frame, index);
  }

  #run(code: Code, frame: Frame): void {
    let position: number | null = 0;
    while (position !== null) {
      const instruction: Instruction | undefined = code.instructions[position];
      if (!instruction) return;
      if (++this.#steps > STEPS_MAX) throw new EvaluationTrap("a loop without end");
      position = this.#step(code, frame, instruction, position);
    }
  }

  /** Executes one instruction; returns the next one's position, null to return. */
  #step(code: Code, frame: Frame, instruction: Instruction, position: number): number | null {
    const { stack, labels } = frame;
    switch (instruction.opcode.name) {
      case "block":
      case "loop":
      case "if":
        return this.#enter(code, frame, instruction, position);
      case "else": // the end of an executed `then`
        return labels.pop()?.target ?? null;
      case "end":
        return labels.pop() ? position + 1 : null;
      case "br":
        return frame.branch(instruction.index);
      case "br_if":
        return frame.pop() ? frame.branch(instruction.index) : position + 1;
      case "br_table": {
        const chosen = Number(frame.pop());
        const last = instruction.labels.length - 1;
        return frame.branch(instruction.labels[Math.min(chosen, last)] ?? 0);
      }
      case "return":
        return null;
      case "call":
        this.#callInFrame(frame, instruction.index);
        break;
      case "call_indirect":
        this.#callIndirect(frame, instruction.index);
        break;
      case "drop":
        frame.pop();
        break;
      case "select": {
        const [first = 0n, second = 0n, condition] = frame.popMany(3);
        stack.push(condition ? first : second);
        break;
      }
      case "local.get":
        stack.push(frame.locals[instruction.index] ?? 0n);
        break;
      case "local.set":
        frame.locals[instruction.index] = frame.pop();
        break;
      case "local.tee":
        frame.locals[instruction.index] = stack.at(-1) ?? 0n;
        break;
      case "global.get":
        stack.push(this.globals[instruction.index] ?? 0n);
        break;
      case "global.set":
        this.globals[instruction.index] = frame.pop();
        break;
      case "i32.const":
        stack.push(BigInt.asUintN(32, instruction.value));
        break;
      case "i64.const":
        stack.push(BigInt.asUintN(64, instruction.value));
        break;
      default:
        this.#operate(frame, instruction);
    }
    return position + 1;
  }

  #enter(code: Code, frame: Frame, instruction: Instruction, position: number): number {
    const isLoop = instruction.opcode.name === "loop";
    const isTaken = instruction.opcode.name !== "if" || frame.pop() !== 0n;
    const end = code.ends.get(position) ?? 0;
    const otherwise = code.elses.get(position);
    if (!isTaken && otherwise === undefined) return end + 1;
    frame.labels.push({
      height: frame.stack.length,
      arity: isLoop || instruction.blockType === null ? 0 : 1,
      target: isLoop ? position + 1 : end + 1,
      isLoop,
    });
    return isTaken ? position + 1 : (otherwise ?? end) + 1;
  }

  /** Instructions on operands and memory. */
  #operate(frame: Frame, { opcode, value: offset }: Instruction): void {
    const { name } = opcode;
    const operands = frame.popMany(opcode.pops?.length ?? 0);
    const [first = 0n, second = 0n, third = 0n] = operands;
    const compute = NUMBERS.get(name);
    if (compute) frame.stack.push(compute(first, second));
    else if (name === "memory.fill") this.#memory.fill(first, second, third);
    else if (name === "memory.copy") this.#memory.copy(first, second, third);
    else if (/^i(32|64)\.(atomic\.)?(load|store|rmw)/.test(name)) {
      this.#access(frame, name, BigInt.asUintN(64, first + offset), second, third);
    } else if (name !== "nop" && name !== "atomic.fence") {
      throw new EvaluationTrap(name === "unreachable" ? "a failed assertion" : `a ${name}`);
    }
  }

  #access(frame: Frame, name: string, address: bigint, value: bigint, other: bigint): void {
    const access = accessOf(name);
    if (name.includes("store")) {
      this.#memory.store(address, value, access.bytes);
      return;
    }
    const bits = name.startsWith("i32") ? 32 : 64;
    const before = BigInt.asUintN(bits, this.#memory.load(address, access));
    frame.stack.push(before);
    const operation = /rmw(?:8|16|32)?\.(\w+?)(?:_u)?$/.exec(name)?.[1];
    if (!operation) return;
    const narrow = BigInt.asUintN(access.bytes * 8, value);
    const after = modified(operation, before, narrow, other);
    this.#memory.store(address, after, access.bytes);
  }
}
