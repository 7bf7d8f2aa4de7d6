/**
 * Classic BPF (Linux Documentation/networking/filter.rst): checking and running the programs that seccomp
 * filters are written in. A program reads a small block of data and ends with a number.
 *
 *     one instruction: | code u16 | jump if true u8 | jump if false u8 | k u32 |
 *
 * Jumps only go forward, so every program ends. No kernel state; programs and data are kernel memory.
 */

/** Size of an instruction. */
export const BPF_INSTRUCTION_BYTES: usize = 8;
/** Longest program. */
export const BPF_PROGRAM_MAX: u32 = 4096;
/** Words of scratch memory, M[0] … M[15]. */
const MEMORY_WORDS: u32 = 16;

// Classes, sizes, modes and operations of the code.
const LD: u32 = 0x00;
const LDX: u32 = 0x01;
const ST: u32 = 0x02;
const STX: u32 = 0x03;
const ALU: u32 = 0x04;
const JMP: u32 = 0x05;
const RET: u32 = 0x06;
const MISC: u32 = 0x07;
const IMM: u32 = 0x00;
const ABS: u32 = 0x20;
const MEM: u32 = 0x60;
const LEN: u32 = 0x80;
/** The operand is X instead of k. */
const X: u32 = 0x08;
const ADD: u32 = 0x00;
const SUB: u32 = 0x10;
const MUL: u32 = 0x20;
const DIV: u32 = 0x30;
const OR: u32 = 0x40;
const AND: u32 = 0x50;
const LSH: u32 = 0x60;
const RSH: u32 = 0x70;
const NEG: u32 = 0x80;
const XOR: u32 = 0xa0;
const JA: u32 = 0x00;
const JEQ: u32 = 0x10;
const JGT: u32 = 0x20;
const JGE: u32 = 0x30;
const JSET: u32 = 0x40;
const RET_A: u32 = 0x10;
const TAX: u32 = 0x00;
const TXA: u32 = 0x80;

const CLASS_MASK: u32 = 0x07;
const OPERATION_MASK: u32 = 0xf0;
const MODE_MASK: u32 = 0xe0;

function codeAt(program: usize, at: u32): u32 {
  return load<u16>(program + <usize>at * BPF_INSTRUCTION_BYTES);
}

function operandAt(program: usize, at: u32): u32 {
  return load<u32>(program + <usize>at * BPF_INSTRUCTION_BYTES, 4);
}

/** Distance of the jump that is taken if the condition holds, or does not. */
function jumpAt(program: usize, at: u32, holds: bool): u32 {
  return load<u8>(program + <usize>at * BPF_INSTRUCTION_BYTES + (holds ? 2 : 3));
}

/**
 * True if the program has only instructions that exist, reads whole words inside `dataBytes` bytes, jumps
 * inside itself and ends with a return.
 */
export function isBpfProgram(program: usize, count: u32, dataBytes: u32): bool {
  if (count == 0 || count > BPF_PROGRAM_MAX) return false;
  for (let at: u32 = 0; at < count; at++) {
    if (!isInstruction(program, at, count, dataBytes)) return false;
  }
  const last = codeAt(program, count - 1);
  return (last & CLASS_MASK) == RET;
}

function isInstruction(program: usize, at: u32, count: u32, dataBytes: u32): bool {
  const code = codeAt(program, at);
  const k = operandAt(program, at);
  const left = count - at - 1;
  switch (code & CLASS_MASK) {
    case LD:
      if (code == (LD | ABS)) return (k & 3) == 0 && k < dataBytes;
      return code == (LD | IMM) || code == (LD | LEN) || (code == (LD | MEM) && k < MEMORY_WORDS);
    case LDX:
      return (
        code == (LDX | IMM) || code == (LDX | LEN) || (code == (LDX | MEM) && k < MEMORY_WORDS)
      );
    case ST:
    case STX:
      return (code == ST || code == STX) && k < MEMORY_WORDS;
    case ALU:
      return isArithmetic(code, k);
    case JMP:
      if (code == (JMP | JA)) return k < left;
      if (!isCondition(code & OPERATION_MASK) || code & ~(CLASS_MASK | OPERATION_MASK | X))
        return false;
      return jumpAt(program, at, true) < left && jumpAt(program, at, false) < left;
    case RET:
      return code == RET || code == (RET | RET_A);
    default:
      return code == (MISC | TAX) || code == (MISC | TXA);
  }
}

function isArithmetic(code: u32, k: u32): bool {
  const operation = code & OPERATION_MASK;
  if (code & ~(CLASS_MASK | OPERATION_MASK | X)) return false;
  const usesK = (code & X) == 0;
  if (operation == NEG) return usesK;
  if (operation == DIV) return !usesK || k != 0;
  if (operation == LSH || operation == RSH) return !usesK || k < 32;
  return operation <= AND || operation == XOR;
}

function isCondition(operation: u32): bool {
  return operation >= JEQ && operation <= JSET;
}

/**
 * Runs a program that `isBpfProgram` accepted.
 * @param data what it reads; words as they lie in memory
 * @param memoryWords 64 bytes for its scratch memory
 * @returns what it returns
 */
export function runBpf(program: usize, data: usize, dataBytes: u32, memoryWords: usize): u32 {
  let a: u32 = 0;
  let x: u32 = 0;
  let at: u32 = 0;
  memory.fill(memoryWords, 0, <usize>MEMORY_WORDS * 4);
  while (true) {
    const code = codeAt(program, at);
    const k = operandAt(program, at);
    const slot = memoryWords + ((<usize>k) << 2);
    switch (code & CLASS_MASK) {
      case LD:
        a = loaded(code, k, data, dataBytes, slot);
        break;
      case LDX:
        x = loaded(code, k, data, dataBytes, slot);
        break;
      case ST:
        store<u32>(slot, a);
        break;
      case STX:
        store<u32>(slot, x);
        break;
      case ALU: {
        const operand = code & X ? x : k;
        // A division by zero in X ends the program with 0.
        if ((code & OPERATION_MASK) == DIV && operand == 0) return 0;
        a = calculate(code & OPERATION_MASK, a, operand);
        break;
      }
      case JMP:
        if ((code & OPERATION_MASK) == JA) at += k;
        else at += jumpAt(program, at, holds(code & OPERATION_MASK, a, code & X ? x : k));
        break;
      case RET:
        return code & RET_A ? a : k;
      default:
        if ((code & 0xf8) == TXA) a = x;
        else x = a;
    }
    at++;
  }
}

function loaded(code: u32, k: u32, data: usize, dataBytes: u32, slot: usize): u32 {
  switch (code & MODE_MASK) {
    case ABS:
      return load<u32>(data + k);
    case MEM:
      return load<u32>(slot);
    case LEN:
      return dataBytes;
    default:
      return k;
  }
}

function calculate(operation: u32, a: u32, operand: u32): u32 {
  switch (operation) {
    case ADD:
      return a + operand;
    case SUB:
      return a - operand;
    case MUL:
      return a * operand;
    case DIV:
      return a / operand;
    case OR:
      return a | operand;
    case AND:
      return a & operand;
    case XOR:
      return a ^ operand;
    case LSH:
      return operand < 32 ? a << operand : 0;
    case RSH:
      return operand < 32 ? a >> operand : 0;
    default:
      return <u32>-(<i32>a);
  }
}

function holds(operation: u32, a: u32, operand: u32): bool {
  switch (operation) {
    case JEQ:
      return a == operand;
    case JGT:
      return a > operand;
    case JGE:
      return a >= operand;
    default:
      return (a & operand) != 0;
  }
}
