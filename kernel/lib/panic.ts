/**
 * Where the kernel stops when it finds itself broken. The hook (set by `kernel/panic-screen`, which
 * sees registers, symbols and consoles) prints the report and powers off; nothing here allocates.
 */

let hook: ((message: string) => void) | null = null;

/** Registers the function that reports a panic and powers the machine off; it must not return. */
export function setPanicHook(report: (message: string) => void): void {
  hook = report;
}

/** Stops the machine with a message. Never returns. */
export function panic(message: string): void {
  const report = hook;
  if (report) report(message);
  unreachable();
}
