/**
 * Command line of the compiler.
 *
 *     node --import tsx compiler/cli.ts check [ENTRY.ts ...]
 *     node --import tsx compiler/cli.ts build
 *     node --import tsx compiler/cli.ts test-wasm ENTRY.ts -o OUT.wasm
 *
 * Neighbours: `frontend.ts` compiles, `native/build.ts` builds kernels, `diagnostics.ts` words the
 * messages.
 */
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BackendError } from "./backend/context.ts";
import { CompileError, formatDiagnostic } from "./diagnostics.ts";
import { compileToWasm, KERNEL_HEAP, REPOSITORY, TEST_HEAP } from "./frontend.ts";
import { buildKernel } from "./native/build.ts";
import { ToolError } from "./native/toolchain.ts";

const USAGE = `Usage:
  check [ENTRY.ts ...]           parse, type-check and compile to WebAssembly; default kernel/main.ts
  build                          build the kernel: build/kernel.elf and build/kernel.debug.elf
  test-wasm ENTRY.ts -o OUT      module that Node loads with --experimental-wasm-memory64
`;

/** A wrong command line; the message says what is expected. */
class UsageError extends Error {}

async function check(entries: string[]): Promise<void> {
  const started = performance.now();
  const chosen = entries.length > 0 ? entries : ["kernel/main.ts"];
  const hasHeap = existsSync(path.join(REPOSITORY, `${KERNEL_HEAP}.ts`));
  const result = await compileToWasm({
    entries: chosen.map((entry) => path.resolve(entry)),
    layout: "native",
    heap: hasHeap ? KERNEL_HEAP : TEST_HEAP,
    exportStart: "moduleInit",
  });
  for (const warning of result.warnings) console.error(formatDiagnostic(warning));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const own = result.files.filter((file) => !file.startsWith("~lib/")).length;
  console.log(`${own} files compile (${result.wasm.length} bytes of WebAssembly, ${seconds} s)`);
}

async function build(): Promise<void> {
  const report = await buildKernel();
  for (const warning of report.warnings) console.error(formatDiagnostic(warning));
  const steps = Object.entries(report.steps).map(([name, s]) => `${name} ${s.toFixed(1)}`);
  const output = path.relative(process.cwd(), report.output);
  const kilobytes = Math.ceil(report.sizeBytes / 1024);
  console.log(
    `${output}: ${kilobytes} KiB in ${report.seconds.toFixed(1)} s (${steps.join(", ")})`,
  );
}

async function testWasm(args: string[]): Promise<void> {
  const [entry, flag, output] = args;
  if (!entry || flag !== "-o" || !output) throw new UsageError("test-wasm needs ENTRY.ts -o OUT");
  const result = await compileToWasm({
    entries: [path.resolve(entry)],
    layout: "node",
    exportStart: "moduleInit",
  });
  writeFileSync(output, result.wasm);
  writeFileSync(`${output}.map`, result.sourceMap);
}

async function main(args: string[]): Promise<void> {
  const [command, ...rest] = args;
  switch (command) {
    case "check":
      return check(rest);
    case "build":
      return build();
    case "test-wasm":
      return testWasm(rest);
    default:
      throw new UsageError(command ? `unknown command '${command}'` : "no command given");
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isExpected = [CompileError, BackendError, ToolError].some((kind) => error instanceof kind);
  if (isExpected && error instanceof Error) console.error(error.message);
  else if (error instanceof UsageError) console.error(`${error.message}\n${USAGE}`);
  else throw error;
  process.exitCode = 1;
}
