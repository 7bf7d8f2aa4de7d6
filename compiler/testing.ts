/**
 * Loads kernel modules into Node for unit tests.
 *
 *     const kernel = await loadKernelModule<{ add(a: bigint, b: bigint): bigint }>(
 *       "kernel/mm/buddy.ts",
 *     );
 *     assert.equal(kernel.exports.add(1n, 2n), 3n);
 *
 * The entry's exported functions (not methods of classes) can be called: `i32`, `u32`, `bool` are
 * numbers (signed 32-bit), `i64`, `u64`, `usize` and objects bigints (signed 64-bit; use
 * `BigInt.asUintN`). A small `x.testentry.ts` beside the module gives tests a handier surface.
 *
 * Neighbours: `frontend.ts` compiles; `testing/` holds the doubles of heap and hardware;
 * `testing/cache.ts` keeps compiled modules.
 */
import { setFlagsFromString } from "node:v8";
import { compileCached } from "./testing/cache.ts";
import { Hardware } from "./testing/hardware.ts";
import { TestHeap } from "./testing/heap.ts";
import { TestMemory } from "./testing/memory.ts";
import { UserMemory } from "./testing/user-memory.ts";

// Node 20 knows 64-bit memories behind this flag; setting it here spares the command line.
setFlagsFromString("--experimental-wasm-memory64");

export { type Device, Halted, Hardware, type PortAccess } from "./testing/hardware.ts";
export { TestHeap } from "./testing/heap.ts";
export { TestMemory } from "./testing/memory.ts";
export { UserMemory } from "./testing/user-memory.ts";

/** `abort()` of the module under test: a failed assertion, bounds check or `throw`. */
export class KernelAbort extends Error {
  readonly file: string;
  readonly line: number;

  constructor(message: string, file: string, line: number, column: number) {
    super(`${message} (${file}:${line}:${column})`);
    this.name = "KernelAbort";
    this.file = file;
    this.line = line;
  }
}

/** A function of the module under test. */
export type KernelFunction = (...args: never[]) => unknown;
type HostFunction = (...args: never[]) => unknown;

/** How a test deviates from the defaults. */
export interface LoadOptions {
  /** Functions by import module (file basename) and name; take precedence over the doubles. */
  imports?: (instance: KernelInstanceParts) => Record<string, Record<string, HostFunction>>;
  /** Addresses of linker symbols (`kernel/arch/x86_64/sym.ts`). */
  symbols?: Record<string, bigint> | ((parts: KernelInstanceParts) => Record<string, bigint>);
  /** Module with `heapAllocate` and `heapFree`, such as `kernel/mm/heap`; default: test heap. */
  heap?: string;
  /**
   * Modules whose place others take, as paths without extension. `{ "kernel/mm/heap":
   * "compiler/runtime/testheap" }` lets direct calls of the heap go to the test heap too.
   */
  replace?: Record<string, string>;
  /** Memory in 64 KiB pages; default 1024 (64 MiB, touched only where used). */
  pages?: number;
}

/** What the doubles of one instance consist of. */
export interface KernelInstanceParts {
  memory: TestMemory;
  heap: TestHeap;
  hardware: Hardware;
  user: UserMemory;
}

/** A loaded module with everything around it. */
export interface KernelModule<E> extends KernelInstanceParts {
  exports: E & { memory: WebAssembly.Memory };
  /** A second instance with memory, globals and doubles of its own; no compilation. */
  fresh(): KernelModule<E>;
}

/**
 * Imports call into memory that exists only after instantiation, so they are reached through
 * `parts`, filled in later.
 */
function link(
  module: WebAssembly.Module,
  parts: () => KernelInstanceParts,
  options: LoadOptions,
): WebAssembly.Imports {
  let tables: Record<string, Record<string, HostFunction>> | null = null;
  const symbol = (name: string): bigint => {
    const given = options.symbols;
    const address = (typeof given === "function" ? given(parts()) : given)?.[name];
    if (address === undefined) {
      throw new Error(`linker symbol ${name} has no address here: pass symbols: { ${name}: … }`);
    }
    return address;
  };
  const buildTables = (): Record<string, Record<string, HostFunction>> => {
    const { memory, heap, hardware, user } = parts();
    const tables: Record<string, Record<string, HostFunction>> = {
      testheap: {
        heapAllocate: (size: bigint) => heap.allocate(size),
        heapFree: (pointer: bigint) => heap.free(pointer),
        heapSize: (pointer: bigint) => heap.size(pointer),
      },
      hw: hardware.imports(),
      asm: user.imports(),
      env: {
        abort: (message: bigint, file: bigint, line: number, column: number) => {
          throw new KernelAbort(
            message === 0n ? "abort" : memory.readString(message),
            file === 0n ? "?" : memory.readString(file),
            line,
            column,
          );
        },
      },
    };
    for (const [name, functions] of Object.entries(options.imports?.(parts()) ?? {})) {
      tables[name] = { ...tables[name], ...functions };
    }
    return tables;
  };
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const stub = (...args: never[]): unknown => {
      tables ??= buildTables();
      const target = tables[from]?.[name];
      if (target) return target(...args);
      if (from === "sym") return symbol(name);
      throw new Error(
        `${from}.${name} has no test double: pass imports: () => ({ ${from}: { ${name}: … } })`,
      );
    };
    imports[from] ??= {};
    (imports[from] as Record<string, WebAssembly.ImportValue>)[name] = stub;
  }
  return imports;
}

function instantiate<E>(module: WebAssembly.Module, options: LoadOptions): KernelModule<E> {
  let parts: KernelInstanceParts | null = null;
  const instance = new WebAssembly.Instance(
    module,
    link(
      module,
      () => {
        if (!parts) throw new Error("an import was called before the module was ready");
        return parts;
      },
      options,
    ),
  );
  const exports = instance.exports as KernelModule<E>["exports"] & { moduleInit?: () => void };
  const memory = new TestMemory(exports.memory);
  parts = {
    memory,
    heap: new TestHeap(memory),
    hardware: new Hardware(memory),
    user: new UserMemory(memory),
  };
  exports.moduleInit?.();
  return { ...parts, exports, fresh: () => instantiate<E>(module, options) };
}

/**
 * Compiles an AssemblyScript file as Wasm64 and instantiates it with test doubles for its imports.
 * Global initialisers have run when it returns.
 * @param entry path relative to the repository, or absolute
 * @throws {CompileError} if it does not compile
 */
export async function loadKernelModule<E = Record<string, KernelFunction>>(
  entry: string,
  options: LoadOptions = {},
): Promise<KernelModule<E>> {
  const wasm = await compileCached({
    entries: [entry],
    layout: "node",
    exportStart: "moduleInit",
    initialPages: options.pages ?? 1024,
    ...(options.heap ? { heap: options.heap } : {}),
    ...(options.replace ? { replace: options.replace } : {}),
  });
  return instantiate<E>(new WebAssembly.Module(wasm), options);
}
