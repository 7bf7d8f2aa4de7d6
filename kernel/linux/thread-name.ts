/**
 * Names of threads (prctl(PR_SET_NAME), /proc/self/comm): at most 15 bytes.
 */
import { LinuxThread } from "./thread";

/** Bytes of a name with its terminating zero. */
export const COMM_BYTES: usize = 16;

/** Names a thread after `length` bytes at `name` (kernel memory), cut to 15. */
export function setThreadName(thread: LinuxThread, name: usize, length: usize): void {
  const kept = min(length, COMM_BYTES - 1);
  const address = thread.commAddress();
  memory.fill(address, 0, COMM_BYTES);
  memory.copy(address, name, kept);
}

/** Length of a thread's name in bytes. */
export function threadNameLength(thread: LinuxThread): usize {
  const address = thread.commAddress();
  let length: usize = 0;
  while (length < COMM_BYTES - 1 && load<u8>(address + length) != 0) length++;
  return length;
}
