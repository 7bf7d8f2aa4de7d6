/**
 * Kernels booted in QEMU: the whole way from AssemblyScript to the machine, privileged instructions,
 * backtraces, and gdb on TypeScript lines.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { REPOSITORY } from "../frontend.ts";
import { bootTestKernel, buildTestKernel, qemuArguments, runToEnd } from "../testing/guest.ts";
import { findRow, readLineTable } from "./dwarf-lines.ts";
import { ElfFile } from "./elf.ts";

const MAIN = "compiler/testdata/kernel/main.ts";

/** 1-based number of the first line of the test kernel that contains `text`. */
function lineOf(text: string): number {
  const lines = readFileSync(path.join(REPOSITORY, MAIN), "utf8").split("\n");
  const index = lines.findIndex((line) => line.includes(text));
  assert.ok(index >= 0, `the test kernel has no line with ${text}`);
  return index + 1;
}

test("a kernel boots, computes, and prints a backtrace in TypeScript lines", async () => {
  const report = await buildTestKernel("main");
  const output = await bootTestKernel(report.output);
  const assertion = lineOf("assert(value == 0");
  const [total, abort, ...frames] = output.trim().split("\n");
  assert.equal(total, "total 33");
  assert.equal(abort, `abort: as it should be ${MAIN}:${assertion}`);
  assert.match(frames[0] ?? "", new RegExp(`at (kmain|Checker#check) ${MAIN}:${assertion}$`));
  assert.match(frames.at(-1) ?? "", /at upper compiler\/testdata\/kernel\/boot\.S:\d+$/);
});

test("privileged instructions do what they should", async () => {
  const report = await buildTestKernel("privileged");
  const lines = (await bootTestKernel(report.output)).trim().split("\n");
  assert.equal(lines.pop(), "done");
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(" ok")),
    [],
  );
  assert.ok(lines.length >= 16, `only ${lines.length} instructions were tested`);
});

test("the kernel file has the layout that loaders and the kernel expect", async () => {
  const { output, debugOutput } = await buildTestKernel("main");
  const elf = new ElfFile(readFileSync(debugOutput));
  assert.equal(elf.section(".asdata")?.address, 0xffffffff80100000n);
  const symbols = new Map(elf.symbols().map((symbol) => [symbol.name, symbol.address]));
  const order = [
    "__image_start __data_start __data_end __text_start __text_end __rodata_start __ksyms_start",
    "__ksyms_end __rodata_end __bss_start __early_heap_start __early_heap_end __bss_end __image_end",
  ].flatMap((names) => names.split(" "));
  const addresses = order.map((name) => symbols.get(name) ?? -1n);
  assert.deepEqual(
    addresses,
    [...addresses].sort((a, b) => Number(a - b)),
  );
  const distance = (from: string, to: string): bigint =>
    (symbols.get(to) ?? 0n) - (symbols.get(from) ?? 0n);
  assert.equal(distance("__early_heap_start", "__early_heap_end"), 128n << 10n);
  for (const name of ["__text_start", "__rodata_start", "__bss_start"]) {
    assert.equal((symbols.get(name) ?? 1n) % 4096n, 0n, `${name} is page aligned`);
  }
  const stripped = new ElfFile(readFileSync(output));
  assert.equal(stripped.section(".debug_info"), undefined);
  // Segments: physical address = virtual address - base, except the identity-mapped boot code.
  const file = readFileSync(output);
  const headers = Number(file.readBigUInt64LE(32));
  for (let i = 0; i < file.readUInt16LE(56); i++) {
    const at = headers + i * 56;
    if (file.readUInt32LE(at) !== 1) continue;
    const [virtual, physical] = [file.readBigUInt64LE(at + 16), file.readBigUInt64LE(at + 24)];
    const base = virtual >> 63n ? 0xffffffff80000000n : 0n;
    assert.equal(virtual - base, physical);
  }
});

test("line numbers agree with addr2line", async () => {
  const { debugOutput } = await buildTestKernel("main");
  const elf = new ElfFile(readFileSync(debugOutput));
  const rows = readLineTable(elf);
  const functions = elf.symbols().filter((s) => s.isFunction && s.address >> 63n && s.size > 0);
  const tenths = Array.from({ length: 10 }, (_, i) => i / 10);
  const addresses = functions.flatMap(({ address, size }) =>
    tenths.map((part) => address + BigInt(Math.floor(size * part))),
  );
  assert.ok(addresses.length > 60);
  const hex = addresses.map((address) => `0x${address.toString(16)}`);
  const output = await runToEnd("addr2line", ["-e", debugOutput, ...hex]);
  const expected = output
    .trim()
    .split("\n")
    .map((line) => line.replace(/^\.\//, "").replace(/ \(discriminator \d+\)$/, ""));
  const actual = addresses.map((address) => {
    const row = findRow(rows, address);
    return row ? `${row.file}:${row.line}` : "??:0";
  });
  assert.deepEqual(actual, expected);
  assert.ok(actual.some((place) => place === `${MAIN}:${lineOf("total += value")}`));
});

test("gdb breaks, steps and prints backtraces in TypeScript", async () => {
  const { output, debugOutput } = await buildTestKernel("main");
  const breakLine = lineOf("total += value");
  const qemu = [
    "qemu-system-x86_64",
    ...qemuArguments(output),
    "-serial",
    "none",
    "-no-shutdown",
    "-S",
  ];
  // gdb starts QEMU and speaks to it through a pipe; QEMU stays until gdb ends it, even when the
  // guest is done, because gdb reports a failure if QEMU goes first.
  const commands = [
    "set pagination off",
    "set confirm off",
    "set remotetimeout 60", // QEMU may start slowly on a busy machine
    `target remote | exec ${[...qemu, "-gdb", "stdio"].join(" ")}`,
    `hbreak ${MAIN}:${breakLine}`,
    "continue",
    "backtrace",
    "print value",
    "delete",
    "next",
    "detach",
  ];
  const args = commands.flatMap((command) => ["-ex", command]);
  const text = await runToEnd("gdb", ["-nx", "-batch", ...args, debugOutput]);
  const loop = lineOf("visit(shapes[i], add)");
  assert.match(text, new RegExp(`\\(value=9\\) at ${MAIN}:${breakLine}`));
  assert.match(text, new RegExp(`#1 .*visit .*${MAIN}:${lineOf("report(shape.area")}`));
  assert.match(text, new RegExp(`#2 .*kmain \\(\\) at ${MAIN}:${loop}`));
  assert.match(text, /\$1 = 9/);
  assert.match(text, new RegExp(`\\n${loop}\\t.*visit`));
});
