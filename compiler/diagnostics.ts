/**
 * Messages of the AssemblyScript library as `file:line:column: error: text`.
 *
 * Neighbours: `frontend.ts` collects them, `cli.ts` prints them.
 */
import type { AssemblyScript, Message, Program, SourceRange } from "./assemblyscript-api.ts";

/** One message about one place in the sources. */
export interface Diagnostic {
  file: string;
  /** 1-based. */
  line: number;
  /** 1-based. */
  column: number;
  severity: "error" | "warning" | "info";
  message: string;
}

/** `file:line:column: severity: message` */
export function formatDiagnostic(d: Diagnostic): string {
  return `${d.file}:${d.line}:${d.column}: ${d.severity}: ${d.message}`;
}

/** The sources do not compile; `message` has one line a diagnostic. */
export class CompileError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join("\n"));
    this.name = "CompileError";
    this.diagnostics = diagnostics;
  }
}

/** "Only variables, functions and enums become WebAssembly module exports": known, harmless. */
const CLASS_NOT_EXPORTED = 235;

function position(range: SourceRange | null): Pick<Diagnostic, "file" | "line" | "column"> {
  if (!range) return { file: "(no file)", line: 1, column: 1 };
  const source = range.source;
  const line = source.lineAt(range.start);
  return { file: source.normalizedPath, line, column: source.columnAt() };
}

function convert(library: AssemblyScript, message: Message): Diagnostic {
  const severity = library.isError(message)
    ? "error"
    : library.isWarning(message)
      ? "warning"
      : "info";
  const code = library.getDiagnosticCode(message);
  const text = `${library.getDiagnosticMessage(message)} (AS${code})`;
  const related = library.getDiagnosticRelatedRange(message);
  const place = related ? position(related) : null;
  return {
    ...position(library.getDiagnosticRange(message)),
    severity,
    message: place ? `${text}; see ${place.file}:${place.line}:${place.column}` : text,
  };
}

/**
 * Empties the library's queue of messages.
 * @param warnings receives those that are not errors
 * @throws {CompileError} if there is an error among them
 */
export function takeDiagnostics(
  library: AssemblyScript,
  program: Program,
  warnings: Diagnostic[],
): void {
  const errors: Diagnostic[] = [];
  const isWanted = (m: Message): boolean => library.getDiagnosticCode(m) !== CLASS_NOT_EXPORTED;
  for (let m = library.nextDiagnostic(program); m; m = library.nextDiagnostic(program)) {
    if (!isWanted(m)) continue;
    const diagnostic = convert(library, m);
    (diagnostic.severity === "error" ? errors : warnings).push(diagnostic);
  }
  if (errors.length > 0) throw new CompileError(errors);
}
