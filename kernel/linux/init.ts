/**
 * Starts the one program this machine exists for: reads the command line, opens its standard
 * files, loads it and lets it run.
 *
 * Neighbours: `command-line.ts` (decoding), `exec.ts`, `exit.ts`, `kernel/main.ts` (calls in).
 */

/** Starts the program named on the kernel command line. Returns once its thread is runnable. */
export function startInit(): void {
  abort("unwritten");
}
