/**
 * Where exec(2) put things in the application's memory, for /proc (cmdline, environ, stat, auxv).
 */
export class ProgramMemory {
  argumentsStart: usize = 0;
  argumentsEnd: usize = 0;
  environmentStart: usize = 0;
  environmentEnd: usize = 0;
  /** Stack pointer at the program's start. */
  stackStart: usize = 0;
  codeStart: usize = 0;
  codeEnd: usize = 0;
  /** The auxiliary vector. */
  auxiliary: usize = 0;
  auxiliaryBytes: usize = 0;
}
