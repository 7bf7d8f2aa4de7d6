/**
 * Packs functions and call sites into the table that the kernel reads in a panic. Numbers are
 * little-endian; `varint` is LEB128; offsets of code count from the start of .text.
 *
 *     header     u32 magic "KSY1", functions, blocks, files; u32 start of: blocks, file names, pairs
 *     blocks     one for every 16 functions: u32 code offset of its first function, u32 start of its
 *                functions in the table
 *     functions  varint distance from the previous function's start (0 for a block's first)
 *                u8 length of the name, and the name in symbols (see ksyms-names.ts)
 *                varint file, varint line, varint number of calls
 *     calls      varint distance of the return address from the previous one (first: from the
 *                function's start), then one varint:
 *                even: zigzag line step, in the same file as the previous call (first: the function's)
 *                odd: number of another file, followed by varint line
 *     files      for each: u8 length, name in symbols
 *     pairs      two bytes a pair
 *
 * Neighbours: `ksyms-collect.ts` supplies the facts, `kernel/lib/ksyms.ts` reads the table.
 */
import type { SymbolFunction } from "./ksyms-collect.ts";
import { packNames } from "./ksyms-names.ts";

export const KSYMS_MAGIC = 0x3159534b; // "KSY1"
const HEADER_BYTES = 28;
const BLOCK_FUNCTIONS = 16;
const NAME_MAX = 255;

/** A growing array of bytes. */
class ByteWriter {
  readonly bytes: number[] = [];

  u8(value: number): void {
    this.bytes.push(value & 0xff);
  }

  u32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.u8(value >>> shift);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.u8((rest & 0x7f) | 0x80);
    this.u8(rest);
  }

  name(symbols: readonly number[]): void {
    const length = Math.min(symbols.length, NAME_MAX);
    this.u8(length);
    this.bytes.push(...symbols.slice(0, length));
  }
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2);

function writeCalls(writer: ByteWriter, entry: SymbolFunction, fileIds: Map<string, number>): void {
  writer.varint(entry.calls.length);
  let { offset, file, line } = entry;
  for (const call of entry.calls) {
    writer.varint(call.offset - offset);
    if (call.file === file) writer.varint(zigzag(call.line - line) * 2);
    else {
      writer.varint((fileIds.get(call.file) ?? 0) * 2 + 1);
      writer.varint(call.line);
    }
    ({ offset, file, line } = call);
  }
}

/** Makes the table. */
export function packSymbols(functions: readonly SymbolFunction[]): Uint8Array {
  const fileIds = new Map<string, number>();
  for (const entry of functions) {
    for (const { file } of [entry, ...entry.calls]) {
      if (!fileIds.has(file)) fileIds.set(file, fileIds.size);
    }
  }
  const texts = [...functions.map((entry) => entry.name), ...fileIds.keys()];
  const { names, pairs } = packNames(texts);
  const blockCount = Math.ceil(functions.length / BLOCK_FUNCTIONS);
  const streamStart = HEADER_BYTES + blockCount * 8;

  const blocks = new ByteWriter();
  const stream = new ByteWriter();
  for (const [i, entry] of functions.entries()) {
    const isFirst = i % BLOCK_FUNCTIONS === 0;
    if (isFirst) {
      blocks.u32(entry.offset);
      blocks.u32(streamStart + stream.bytes.length);
    }
    stream.varint(isFirst ? 0 : entry.offset - (functions[i - 1]?.offset ?? 0));
    stream.name(names[i] ?? []);
    stream.varint(fileIds.get(entry.file) ?? 0);
    stream.varint(entry.line);
    writeCalls(stream, entry, fileIds);
  }
  const filesStart = streamStart + stream.bytes.length;
  for (const name of names.slice(functions.length)) stream.name(name);
  const pairsStart = streamStart + stream.bytes.length;
  for (const pair of pairs) {
    stream.u8(pair[0]);
    stream.u8(pair[1]);
  }
  const header = new ByteWriter();
  for (const value of [
    KSYMS_MAGIC,
    functions.length,
    blockCount,
    fileIds.size,
    HEADER_BYTES,
    filesStart,
    pairsStart,
  ]) {
    header.u32(value);
  }
  return Uint8Array.from([...header.bytes, ...blocks.bytes, ...stream.bytes]);
}
