/**
 * pipe(2), pipe2(2).
 */
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../fs/constants";
import { File } from "../fs/file";
import { createPipe } from "../fs/pipe";
import { EINVAL } from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { installPair } from "./install";
import { scratch } from "./user-memory";

/** O_NOTIFICATION_PIPE of pipe2(2) is O_EXCL: watch queues do not exist here (EINVAL). */
const KNOWN_FLAGS: u32 = O_CLOEXEC | O_NONBLOCK | O_DIRECT;

/** pipe(2). */
export function sysPipe(fds: usize): i64 {
  return sysPipe2(fds, 0);
}

/** pipe2(2). */
export function sysPipe2(fds: usize, flags: u32): i64 {
  if ((flags & ~KNOWN_FLAGS) != 0) return -EINVAL;
  const ends = scratch();
  const made = createPipe(flags & (O_NONBLOCK | O_DIRECT), ends);
  if (made < 0) return made;
  const reader = changetype<File>(load<usize>(ends));
  const writer = changetype<File>(load<usize>(ends, 8));
  return installPair(reader, writer, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0, fds);
}
