/**
 * The part of the AssemblyScript library's interface that we use, spelled out: its own declaration
 * files describe AssemblyScript's globals too (`console`, `i32` …) and would replace Node's.
 *
 * Neighbours: `binaryen-patches.ts` loads the library, `frontend.ts` and `diagnostics.ts` use it.
 */

/** Opaque handles. */
export interface Options {
  readonly optionsBrand: never;
}
export interface Program {
  readonly programBrand: never;
}
export interface WasmModule {
  readonly moduleBrand: never;
}
export interface Message {
  readonly messageBrand: never;
}

/** A place in a source; `columnAt` belongs to the last `lineAt`. */
export interface SourceRange {
  start: number;
  source: { normalizedPath: string; lineAt(position: number): number; columnAt(): number };
}

export interface AssemblyScript {
  readonly FEATURE_SIGN_EXTENSION: number;
  readonly FEATURE_MUTABLE_GLOBALS: number;
  readonly FEATURE_NONTRAPPING_F2I: number;
  readonly FEATURE_BULK_MEMORY: number;
  readonly FEATURE_THREADS: number;
  readonly FEATURE_MEMORY64: number;
  newOptions(): Options;
  /** 1 is Wasm32, 2 Wasm64. */
  setTarget(options: Options, target: number): void;
  /** 0: no shadow stack, no garbage collector. */
  setRuntime(options: Options, runtime: number): void;
  setDebugInfo(options: Options, on: boolean): void;
  setSourceMap(options: Options, on: boolean): void;
  setStackSize(options: Options, bytes: number): void;
  setExportMemory(options: Options, on: boolean): void;
  setExportTable(options: Options, on: boolean): void;
  setMemoryBase(options: Options, base: number): void;
  setInitialMemory(options: Options, pages: number): void;
  setExportStart(options: Options, name: string): void;
  setOptimizeLevelHints(options: Options, optimize: number, shrink: number): void;
  setFeature(options: Options, feature: number, on: boolean): void;
  newProgram(options: Options): Program;
  parse(program: Program, text: string | null, path: string, isEntry: boolean): void;
  /** Next file to be parsed because another imports it; without extension; null at the end. */
  nextFile(program: Program): string | null;
  initializeProgram(program: Program): void;
  compile(program: Program): WasmModule;
  validate(module: WasmModule): boolean;
  optimize(
    module: WasmModule,
    level: number,
    shrink: number,
    debug: boolean,
    zeroFilled: boolean,
  ): void;
  getBinaryenModuleRef(module: WasmModule): number;
  nextDiagnostic(program: Program): Message | null;
  isError(message: Message): boolean;
  isWarning(message: Message): boolean;
  getDiagnosticCode(message: Message): number;
  getDiagnosticMessage(message: Message): string;
  getDiagnosticRange(message: Message): SourceRange | null;
  getDiagnosticRelatedRange(message: Message): SourceRange | null;
}
