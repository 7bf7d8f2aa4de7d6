/**
 * How a system call borrows the file behind a descriptor for as long as the call lasts, so that a
 * close(2) by another thread, and the reuse of the number, cannot pull it away.
 *
 * `hold` returns the File's address; bit 0 says whether a reference was taken. None is needed while
 * the process has one thread and its table is its own: nobody but the caller can close the file.
 * Every successful `hold` is paired with one `drop`.
 *
 * Neighbours: `fd-table.ts`; `position-lock.ts` orders calls that use the file offset.
 */
import { O_PATH } from "../fs/constants";
import { File } from "../fs/file";
import { FdTable } from "./fd-table";
import { RLIMIT_NOFILE } from "./limits";
import { currentProcess, LinuxProcess } from "./process";

const COUNTED: usize = 1;

/** The descriptor table of the running process. */
export function currentFiles(): FdTable {
  return currentProcess().files;
}

/** RLIMIT_NOFILE of the running process: descriptors stay below it. */
export function descriptorLimit(): u32 {
  return <u32>min<u64>(currentProcess().limits.softLimit(RLIMIT_NOFILE), <u64>i32.MAX_VALUE);
}

/**
 * Borrows the file of `fd` for reading, writing and the like.
 * @returns 0 if the descriptor is not open or was opened with O_PATH (EBADF), else what
 *   `heldFile` and `drop` take
 */
export function hold(fd: i32): usize {
  const held = holdAny(fd);
  if (held != 0 && (heldFile(held).flags & O_PATH) != 0) {
    drop(held);
    return 0;
  }
  return held;
}

/** As `hold`, also for O_PATH descriptors (fstat, fchdir, the *at calls: open(2)). */
export function holdAny(fd: i32): usize {
  const process = currentProcess();
  const files = process.files;
  if (isOnlyUser(process, files)) return changetype<usize>(files.peek(fd));
  const file = files.get(fd);
  return file ? changetype<usize>(file) | COUNTED : 0;
}

/** True if only the caller can change the table until the call ends. */
function isOnlyUser(process: LinuxProcess, files: FdTable): bool {
  return process.threadCount == 1 && files.referenceCount() == 1;
}

/** The file of a successful `hold`. */
export function heldFile(held: usize): File {
  return changetype<File>(held & ~COUNTED);
}

/** Ends a `hold`; 0 is allowed. */
export function drop(held: usize): void {
  if (held & COUNTED) changetype<File>(held & ~COUNTED).release();
}
