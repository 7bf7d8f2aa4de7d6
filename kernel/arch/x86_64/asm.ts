/**
 * Functions written in assembly (`*.S` in this folder), where the processor leaves no choice.
 * SysV calling convention.
 */

/**
 * Copies `length` bytes between any two addresses, of the application or of the kernel.
 * A fault that cannot be resolved ends the copy.
 * @returns the number of bytes not copied; 0 means all
 */
export declare function copyUser(destination: usize, source: usize, length: usize): usize;

/** Writes `length` zero bytes; returns the number of bytes not written. */
export declare function clearUser(destination: usize, length: usize): usize;

/**
 * Length of the zero-terminated string at `source`, at most `limit`; a fault yields -1 (as usize).
 */
export declare function lengthUser(source: usize, limit: usize): usize;

/** Reads 4 bytes atomically from `source` to `out`; returns 0, or non-zero after a fault. */
export declare function loadUser32(source: usize, out: usize): usize;

/**
 * Compares and exchanges 4 bytes at a user address; the old value goes to `oldOut`.
 * @returns 0, or non-zero after a fault
 */
export declare function compareExchangeUser32(
  address: usize,
  expected: u32,
  desired: u32,
  oldOut: usize,
): usize;

/**
 * Saves the callee-saved registers on the current stack, stores the stack pointer to
 * `*previousSpOut` and continues on `nextSp`.
 */
export declare function switchStack(previousSpOut: usize, nextSp: usize): void;

/** Leaves the kernel for user mode with the registers of the trap frame at `frame`. Never returns. */
export declare function enterUser(frame: usize): void;

/** Loads the GDT's segment selectors (CS by far return) after `lgdt`. */
export declare function reloadSegments(codeSelector: u64, dataSelector: u64): void;

/** Resets the machine by a triple fault. Never returns. */
export declare function tripleFault(): void;
