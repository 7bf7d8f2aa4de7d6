/**
 * Decodes the body of a function to a list of instructions.
 *
 * Neighbours: `opcodes.ts` is the table, `module.ts` finds the bodies, `../backend/function.ts`
 * writes C from the list.
 */
import { Cursor } from "./cursor.ts";
import {
  OPCODES,
  type Opcode,
  PREFIX_ATOMIC,
  PREFIX_SATURATING_AND_BULK,
  type ValueType,
} from "./opcodes.ts";

/** One instruction with its immediates. */
export interface Instruction {
  opcode: Opcode;
  /** Offset in the file; the source map refers to it. */
  offset: number;
  /** Index, label depth, or type index of an indirect call. */
  index: number;
  /** Constant (for floats: the IEEE bits) or memory offset. */
  value: bigint;
  /** Targets of br_table, the default last. */
  labels: readonly number[];
  /** Result of a block. */
  blockType: ValueType | null;
}

/** A function's locals beyond its parameters, and its instructions. */
export interface Body {
  locals: ValueType[];
  instructions: Instruction[];
}

const VALUE_TYPES: Record<number, ValueType> = { 127: "i32", 126: "i64", 125: "f32", 124: "f64" };
const EMPTY_BLOCK = 0x40;
/** Bit of a memory immediate's alignment that says a memory index follows. */
const HAS_MEMORY_INDEX = 0x40;
const NO_LABELS: readonly number[] = [];

/** Reads a value type. */
export function readValueType(cursor: Cursor): ValueType {
  const byte = cursor.u8();
  const type = VALUE_TYPES[byte];
  if (!type) cursor.fail(`value type 0x${byte.toString(16)} is not supported`);
  return type;
}

function readOpcode(cursor: Cursor): Opcode {
  const first = cursor.u8();
  const isPrefix = first === PREFIX_SATURATING_AND_BULK || first === PREFIX_ATOMIC;
  const code = isPrefix ? (first << 16) | cursor.u32() : first;
  const opcode = OPCODES.get(code);
  if (!opcode) {
    const text = isPrefix ? `0x${first.toString(16)} ${code & 0xffff}` : `0x${first.toString(16)}`;
    cursor.fail(`instruction ${text} is not supported by the compiler (compiler/wasm/opcodes.ts)`);
  }
  return opcode;
}

function readBlockType(cursor: Cursor): ValueType | null {
  if (cursor.bytes[cursor.position] === EMPTY_BLOCK) {
    cursor.position++;
    return null;
  }
  return readValueType(cursor);
}

function readMemoryImmediate(cursor: Cursor, instruction: Instruction): void {
  const alignment = cursor.u32();
  if (alignment & HAS_MEMORY_INDEX && cursor.u32() !== 0) {
    cursor.fail("a second memory is not supported");
  }
  instruction.value = cursor.u64();
}

function readImmediates(cursor: Cursor, instruction: Instruction): void {
  switch (instruction.opcode.immediate) {
    case "none":
      return;
    case "block":
      instruction.blockType = readBlockType(cursor);
      return;
    case "label":
    case "index":
      instruction.index = cursor.u32();
      return;
    case "labels":
      instruction.labels = [...cursor.vector(() => cursor.u32()), cursor.u32()];
      return;
    case "indirect":
      instruction.index = cursor.u32();
      if (cursor.u32() !== 0) cursor.fail("a second table is not supported");
      return;
    case "memory":
      readMemoryImmediate(cursor, instruction);
      return;
    case "memoryIndices":
      if (cursor.u8() !== 0) cursor.fail("a second memory is not supported");
      if (cursor.u8() !== 0) cursor.fail("a second memory is not supported");
      return;
    case "memoryIndex":
      if (cursor.u8() !== 0) cursor.fail("a second memory is not supported");
      return;
    case "select":
      cursor.vector(() => readValueType(cursor));
      return;
    case "i32":
      instruction.value = BigInt(cursor.s32());
      return;
    case "i64":
      instruction.value = cursor.s64();
      return;
    case "f32":
      instruction.value = BigInt(cursor.f32Bits());
      return;
    case "f64":
      instruction.value = cursor.f64Bits();
      return;
  }
}

/** Decodes one instruction. */
export function readInstruction(cursor: Cursor): Instruction {
  const offset = cursor.position;
  const instruction: Instruction = {
    opcode: readOpcode(cursor),
    offset,
    index: 0,
    value: 0n,
    labels: NO_LABELS,
    blockType: null,
  };
  readImmediates(cursor, instruction);
  return instruction;
}

/**
 * Decodes the function body at [start, end) of the file.
 * @throws {WasmFormatError} for an instruction outside the table
 */
export function readBody(bytes: Uint8Array, start: number, end: number): Body {
  const cursor = new Cursor(bytes, start, end);
  const locals: ValueType[] = [];
  cursor.vector(() => {
    const count = cursor.u32();
    const type = readValueType(cursor);
    for (let i = 0; i < count; i++) locals.push(type);
  });
  const instructions: Instruction[] = [];
  while (!cursor.atEnd) instructions.push(readInstruction(cursor));
  return { locals, instructions };
}
