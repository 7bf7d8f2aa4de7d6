/**
 * The exit statuses of `capstan run`, in one table: code uses the constants, `docs/exit-status.md`
 * is checked against the table, and `--help` prints it. The numbers follow timeout(1) and the
 * shells (POSIX.1-2017, Shell Command Language, 2.8.2) where those have one.
 */

/** Statuses that capstan itself gives, by name. */
export const ExitStatus = {
  /** The guest ended without saying how. */
  noReport: 122,
  /** The guest's kernel panicked. */
  kernelPanic: 123,
  /** The time limit of `--timeout` ran out. */
  timeout: 124,
  /** Wrong usage, or the VM could not be prepared or started. */
  usage: 125,
  /** The program exists but cannot be executed. */
  notExecutable: 126,
  /** The program does not exist. */
  notFound: 127,
} as const;

/** One row of the table for the user. */
export interface ExitStatusRow {
  readonly status: string;
  readonly meaning: string;
}

/** Every status that `capstan run` can end with, in ascending order. */
export const exitStatusTable: readonly ExitStatusRow[] = [
  { status: "0-121", meaning: "the program's own exit status (it may use any other number too)" },
  {
    status: String(ExitStatus.noReport),
    meaning: "the virtual machine ended without reporting a status: QEMU crashed or was killed",
  },
  {
    status: String(ExitStatus.kernelPanic),
    meaning: "the kernel in the guest panicked; its message and backtrace are on stderr",
  },
  { status: String(ExitStatus.timeout), meaning: "the time limit given by --timeout ran out" },
  {
    status: String(ExitStatus.usage),
    meaning: "wrong usage, or the image or the virtual machine could not be made; nothing ran",
  },
  { status: String(ExitStatus.notExecutable), meaning: "the program cannot be executed" },
  { status: String(ExitStatus.notFound), meaning: "the program was not found" },
  {
    status: "128+n",
    meaning: "signal n ended the program, or ended capstan itself (130 for Ctrl-C)",
  },
];

/**
 * The status that shells give to a process ended by a signal.
 * @param signal Linux signal number, 1 to 64
 */
export function signalStatus(signal: number): number {
  return 128 + signal;
}
