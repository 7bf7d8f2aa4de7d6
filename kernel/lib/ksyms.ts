/**
 * Names and source lines for code addresses, from the table that the build links into the kernel.
 * Allocates nothing: a panic calls it.
 *
 * Neighbours: `compiler/native/ksyms.ts` writes the table and documents its format; the panic
 * screen prints backtraces with it.
 */
import { __ksyms_end, __ksyms_start, __text_end, __text_start } from "../arch/x86_64/sym";

const MAGIC: u32 = 0x3159534b;
const HEADER_FUNCTIONS: usize = 4;
const HEADER_BLOCKS: usize = 8;
const HEADER_FILES: usize = 12;
const HEADER_BLOCK_TABLE: usize = 16;
const HEADER_FILE_NAMES: usize = 20;
const HEADER_PAIRS: usize = 24;
const HEADER_BYTES: usize = 28;
const BLOCK_BYTES: usize = 8;
const BLOCK_FUNCTIONS: u32 = 16;
/** Symbols of a name from here on stand for a pair of symbols. */
const FIRST_PAIR: u8 = 0x80;

const TEXT_MAX: u32 = 160;
/** Where names are expanded to; overwritten by the next call. */
const nameText: usize = memory.data(160);
const fileText: usize = memory.data(160);

/** The function and line that an address belongs to. Texts are bytes, valid until the next look-up. */
export class SymbolInfo {
  functionName: usize = 0;
  functionNameLength: u32 = 0;
  fileName: usize = 0;
  fileNameLength: u32 = 0;
  line: u32 = 0;
  /** Distance of the address from the start of the function. */
  offset: u32 = 0;
}

/** Position in the table while it is read. */
let cursor: usize = 0;

function readVarint(): u32 {
  let result: u32 = 0;
  for (let shift: u32 = 0; shift < 32; shift += 7) {
    const byte = load<u8>(cursor++);
    result |= (<u32>byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return result;
}

function skipName(): void {
  cursor += <usize>load<u8>(cursor) + 1;
}

/** Appends what `symbol` stands for; returns the new length. Pairs only refer to earlier pairs. */
function expand(symbol: u8, out: usize, length: u32): u32 {
  if (symbol < FIRST_PAIR) {
    if (length < TEXT_MAX) store<u8>(out + length, symbol);
    return min(length + 1, TEXT_MAX);
  }
  const table = __ksyms_start();
  const pair = table + load<u32>(table + HEADER_PAIRS) + <usize>(symbol - FIRST_PAIR) * 2;
  return expand(load<u8>(pair + 1), out, expand(load<u8>(pair), out, length));
}

/** Expands the name at the table address `name` to `out`; returns its length. */
function expandName(name: usize, out: usize): u32 {
  const end = name + 1 + <usize>load<u8>(name);
  let length: u32 = 0;
  for (let at = name + 1; at < end; at++) length = expand(load<u8>(at), out, length);
  return length;
}

/** Table address of the name of file `index`. */
function fileName(table: usize, index: u32): usize {
  cursor = table + load<u32>(table + HEADER_FILE_NAMES);
  for (; index > 0; index--) skipName();
  return cursor;
}

/** Entry of the last block that starts at or before `offset`; 0 if there is none. */
function findBlock(table: usize, offset: u32): usize {
  const blocks = table + load<u32>(table + HEADER_BLOCK_TABLE);
  let low: u32 = 0;
  let high = load<u32>(table + HEADER_BLOCKS);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(blocks + <usize>middle * BLOCK_BYTES) <= offset) low = middle + 1;
    else high = middle;
  }
  return low == 0 ? 0 : blocks + <usize>(low - 1) * BLOCK_BYTES;
}

/** True if the build filled the table in. */
export function hasSymbols(): bool {
  const table = __ksyms_start();
  return __ksyms_end() >= table + HEADER_BYTES && load<u32>(table) == MAGIC;
}

/**
 * Looks an address up. For a return address (of a call) the line is that of the call; for any other
 * address it is that of the last call before it in the function, or of the function itself.
 * @returns false if the address is not kernel code or the kernel has no table
 */
export function symbolise(address: usize, out: SymbolInfo): bool {
  if (address < __text_start() || address > __text_end() || !hasSymbols()) return false;
  const table = __ksyms_start();
  const offset = <u32>(address - __text_start());
  // A call that never returns may end its function: then the address is the next function's.
  const inside: u32 = offset == 0 ? 0 : offset - 1;
  const block = findBlock(table, inside);
  if (block == 0) return false;
  let start = load<u32>(block);
  cursor = table + load<u32>(block + 4);
  const index = <u32>((block - table - load<u32>(table + HEADER_BLOCK_TABLE)) / BLOCK_BYTES);
  let left: u32 = min<u32>(
    BLOCK_FUNCTIONS,
    load<u32>(table + HEADER_FUNCTIONS) - index * BLOCK_FUNCTIONS,
  );
  let found = false;
  let name: usize = 0;
  let file: u32 = 0;
  for (; left > 0; left--) {
    start += readVarint();
    if (start > inside) break;
    found = true;
    name = cursor;
    skipName();
    file = readVarint();
    out.line = readVarint();
    out.offset = offset - start;
    file = readCalls(start, offset, file, out);
  }
  if (!found) return false;
  out.functionName = nameText;
  out.functionNameLength = expandName(name, nameText);
  out.fileName = fileText;
  out.fileNameLength = expandName(fileName(table, file), fileText);
  return true;
}

/** Reads a function's calls; sets the line of the last one up to `offset` and returns its file. */
function readCalls(start: u32, offset: u32, functionFile: u32, out: SymbolInfo): u32 {
  let file = functionFile;
  let line = out.line;
  let result = functionFile;
  let at = start;
  for (let left = readVarint(); left != 0; left--) {
    at += readVarint();
    const step = readVarint();
    if (step & 1) {
      file = step >> 1;
      line = readVarint();
    } else {
      const zigzag = step >> 1;
      line += zigzag & 1 ? -(<i32>(zigzag >> 1) + 1) : <i32>(zigzag >> 1);
    }
    if (at <= offset) {
      out.line = line;
      result = file;
    }
  }
  return result;
}
