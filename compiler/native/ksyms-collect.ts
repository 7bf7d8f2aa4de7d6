/**
 * Collects what a backtrace needs from a linked kernel: functions, and the source line of every
 * call, found by its return address.
 *
 * Neighbours: `elf.ts`, `dwarf-lines.ts`; `ksyms.ts` packs the result.
 */
import { readFileSync } from "node:fs";
import { findRow, type LineRow, readLineTable } from "./dwarf-lines.ts";
import { ElfFile } from "./elf.ts";
import { runTool } from "./toolchain.ts";

/** A return address and the line of the call before it. Offsets count from the start of .text. */
export interface CallSite {
  offset: number;
  file: string;
  line: number;
}

export interface SymbolFunction {
  /** Name to be shown, such as `Thread#wake`. */
  name: string;
  offset: number;
  file: string;
  line: number;
  calls: CallSite[];
}

/** Marks a `.cold` or similar part of a function that gcc split off. */
const GCC_SUFFIX = /\.(isra|part|constprop|cold|lto_priv|localalias)(\.\d+)?/g;

/** `List<kernel/sched/thread/Thread>#push` becomes `List<Thread>#push`. */
export function displayName(name: string): string {
  if (name.startsWith("start:")) return "initialise";
  return name.replace(/[~\w.-]+\//g, "").replace(/~anonymous\|(\d+)/g, " function $1");
}

/** Return addresses of all calls: the instruction after each. */
async function returnAddresses(file: string): Promise<bigint[]> {
  const args = ["-d", "--no-show-raw-insn", "--section=.text", file];
  const listing = await runTool("objdump", args);
  const addresses: bigint[] = [];
  let afterCall = false;
  for (const [, address = "", mnemonic = ""] of listing.matchAll(/^\s*([0-9a-f]+):\t(\w+)/gm)) {
    if (afterCall) addresses.push(BigInt(`0x${address}`));
    afterCall = mnemonic === "call";
  }
  return addresses;
}

/**
 * Reads a linked kernel with debug information.
 * @param names source names of functions by C identifier or symbol
 */
export async function collectSymbols(
  file: string,
  names: Readonly<Record<string, string>>,
): Promise<{ functions: SymbolFunction[]; textSize: number }> {
  const elf = new ElfFile(readFileSync(file));
  const index = elf.sections.findIndex((section) => section.name === ".text");
  const text = elf.sections[index];
  if (!text) throw new Error(`${file} has no .text section`);
  const rows = readLineTable(elf);
  const functions: SymbolFunction[] = [];
  const symbols = elf
    .symbols()
    .filter((symbol) => symbol.section === index && symbol.name !== "" && symbol.name[0] !== "$")
    .sort((a, b) => Number(a.address - b.address) || Number(b.isFunction) - Number(a.isFunction));
  for (const symbol of symbols) {
    const offset = Number(symbol.address - text.address);
    if (functions.at(-1)?.offset === offset || offset >= text.size) continue;
    const base = symbol.name.replace(GCC_SUFFIX, "");
    const row = findRow(rows, symbol.address);
    functions.push({
      name: displayName(names[base] ?? base),
      offset,
      file: row?.file ?? "",
      line: row?.line ?? 0,
      calls: [],
    });
  }
  attachCalls(functions, await returnAddresses(file), rows, text.address);
  return { functions, textSize: text.size };
}

function attachCalls(
  functions: readonly SymbolFunction[],
  addresses: readonly bigint[],
  rows: readonly LineRow[],
  base: bigint,
): void {
  let current = 0;
  for (const address of addresses) {
    // One less: after a call that does not return, the next function may begin.
    const inside = Number(address - base) - 1;
    while ((functions[current + 1]?.offset ?? Number.POSITIVE_INFINITY) <= inside) current++;
    const row = findRow(rows, address - 1n);
    const target = functions[current];
    if (row && target && target.offset <= inside) {
      target.calls.push({ offset: inside + 1, file: row.file, line: row.line });
    }
  }
}
