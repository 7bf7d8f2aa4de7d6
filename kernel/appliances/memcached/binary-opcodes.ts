/**
 * Commands and statuses of the binary protocol (protocol_binary.xml, sections "Response Status" and
 * "Command Opcodes"). Neighbours: `binary-protocol.ts` carries the commands out.
 */

export const GET: u32 = 0x00;
export const SET: u32 = 0x01;
export const ADD: u32 = 0x02;
export const REPLACE: u32 = 0x03;
export const DELETE: u32 = 0x04;
export const INCREMENT: u32 = 0x05;
export const DECREMENT: u32 = 0x06;
export const QUIT: u32 = 0x07;
export const FLUSH: u32 = 0x08;
const GETQ: u32 = 0x09;
export const NOOP: u32 = 0x0a;
export const VERSION_OPCODE: u32 = 0x0b;
const GETK: u32 = 0x0c;
const GETKQ: u32 = 0x0d;
export const APPEND: u32 = 0x0e;
export const PREPEND: u32 = 0x0f;
export const STAT: u32 = 0x10;
/** SETQ … FLUSHQ follow in the order of SET … FLUSH. */
const SETQ: u32 = 0x11;
const FLUSHQ: u32 = 0x18;
const APPENDQ: u32 = 0x19;
const PREPENDQ: u32 = 0x1a;
export const VERBOSITY: u32 = 0x1b;
export const TOUCH: u32 = 0x1c;
export const GAT: u32 = 0x1d;
const GATQ: u32 = 0x1e;
const GATK: u32 = 0x23;
const GATKQ: u32 = 0x24;
/** What `plainOpcode` says of all others. */
export const UNKNOWN: u32 = 0xff;

export const STATUS_OK: u32 = 0x00;
export const STATUS_NOT_FOUND: u32 = 0x01;
export const STATUS_EXISTS: u32 = 0x02;
export const STATUS_TOO_LARGE: u32 = 0x03;
export const STATUS_INVALID: u32 = 0x04;
export const STATUS_NOT_STORED: u32 = 0x05;
export const STATUS_NOT_A_NUMBER: u32 = 0x06;
export const STATUS_UNKNOWN_COMMAND: u32 = 0x81;
export const STATUS_NO_MEMORY: u32 = 0x82;

/** The command that an opcode asks for, without the variants that are quiet or return the key. */
export function plainOpcode(opcode: u32): u32 {
  if (opcode >= SETQ && opcode <= FLUSHQ) return opcode - SETQ + SET;
  switch (opcode) {
    case GETQ:
    case GETK:
    case GETKQ:
      return GET;
    case GATQ:
    case GATK:
    case GATKQ:
      return GAT;
    case APPENDQ:
      return APPEND;
    case PREPENDQ:
      return PREPEND;
    default:
      return opcode <= GAT ? opcode : UNKNOWN;
  }
}

/** Whether a success, or a miss of get, is not answered. */
export function isQuietOpcode(opcode: u32): bool {
  return (
    (opcode >= SETQ && opcode <= PREPENDQ) ||
    opcode == GETQ ||
    opcode == GETKQ ||
    opcode == GATQ ||
    opcode == GATKQ
  );
}

/** Whether get and gat return the key. */
export function returnsKey(opcode: u32): bool {
  return opcode == GETK || opcode == GETKQ || opcode == GATK || opcode == GATKQ;
}
