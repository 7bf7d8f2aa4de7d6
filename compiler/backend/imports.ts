/**
 * What imported functions mean natively. The import module is the basename of the declaring file:
 *
 * - `hw`: an inline function of `../runtime/intrinsics.h`
 * - `asm`: a function of that name in an assembly file
 * - `sym`: the address of the linker symbol of that name
 * - `env`: the kernel's own export of that name (`abort`)
 *
 * Neighbour: `emit.ts`.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionType, WasmModule } from "../wasm/module.ts";
import { typeOfFunction } from "../wasm/module.ts";
import { BackendError, type Callee, declarator } from "./context.ts";

/** Folder with the C headers and assembly of the runtime. */
export const RUNTIME_FOLDER = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  "../runtime",
);

const INTRINSIC = /^(?:HW \w+|#define) hw_(\w+)\(([^)]*)\)/gm;

let intrinsics: Map<string, number> | null = null;

/** Number of parameters of each intrinsic of `intrinsics.h`. */
export function loadIntrinsics(): Map<string, number> {
  if (intrinsics) return intrinsics;
  const text = readFileSync(path.join(RUNTIME_FOLDER, "intrinsics.h"), "utf8");
  intrinsics = new Map();
  for (const [, name = "", parameters = ""] of text.matchAll(INTRINSIC)) {
    intrinsics.set(name, parameters === "void" ? 0 : parameters.split(",").length);
  }
  return intrinsics;
}

/** An import made callable, and the C declaration it needs. */
export interface NativeImport {
  callee: Callee;
  declaration: string;
}

function intrinsic(name: string, type: FunctionType): NativeImport {
  const parameters = loadIntrinsics().get(name);
  if (parameters === undefined) {
    throw new BackendError(
      `hw.${name} is declared in hw.ts but not implemented: add hw_${name} to ` +
        "compiler/runtime/intrinsics.h (and a double to compiler/testing/hardware.ts)",
    );
  }
  if (parameters !== type.parameters.length) {
    throw new BackendError(
      `hw.${name} has ${type.parameters.length} parameters in hw.ts and ${parameters} in ` +
        "compiler/runtime/intrinsics.h",
    );
  }
  return { callee: { text: `hw_${name}`, type }, declaration: "" };
}

/** Resolves the import at `index`. `exported` finds an export of the program by name. */
export function nativeImport(
  module: WasmModule,
  index: number,
  exported: (name: string) => string | undefined,
): NativeImport {
  const entry = module.imports[index];
  if (!entry) throw new RangeError(`the module has no import ${index}`);
  const { module: from, name } = entry;
  const type = typeOfFunction(module, index);
  switch (from) {
    case "hw":
      return intrinsic(name, type);
    case "asm":
      return {
        callee: { text: `asm_${name}`, type },
        declaration: `${declarator(`asm_${name}`, type)} __asm__("${name}");`,
      };
    case "sym":
      if (type.parameters.length > 0 || type.result !== "i64") {
        throw new BackendError(`sym.${name} must be declared as (): usize; it is an address`);
      }
      return {
        callee: { text: `((u64)&sym_${name})`, type, isValue: true },
        declaration: `extern u8 sym_${name} __asm__("${name}");`,
      };
    case "env": {
      const target = exported(name);
      if (target) return { callee: { text: target, type }, declaration: "" };
      throw new BackendError(
        `the sources use ${name}() of AssemblyScript, but the entry file exports no function ` +
          `of that name: export one with the signature of ${name}`,
      );
    }
    default:
      throw new BackendError(
        `${from}.${name} is declared without a body in a file named ${from}.ts: only hw.ts ` +
          "(instructions), asm.ts (assembly) and sym.ts (linker symbols) may do that",
      );
  }
}
