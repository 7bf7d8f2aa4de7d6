/**
 * RLIMIT_FSIZE: how long a regular file may become by the calls of this process (getrlimit(2)). A
 * write that begins below the limit is cut at it; one that begins beyond fails and raises SIGXFSZ.
 *
 * Neighbours: `file-io.ts`, `file-io-vector.ts`, `file-size.ts`.
 */
import { O_APPEND } from "../fs/constants";
import { File } from "../fs/file";
import { EFBIG } from "../lib/errno";
import { RLIMIT_FSIZE, RLIM_INFINITY } from "./limits";
import { currentLinuxThread, currentProcess } from "./process";
import { SIGXFSZ } from "./signal-numbers";
import { sendToThread } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { scratch } from "./user-memory";

/**
 * How many of `length` bytes may be written.
 * @param offset where the write begins; negative: at the file offset
 * @returns `length` or less, or -EFBIG
 */
export function limitedLength(file: File, offset: i64, length: usize): i64 {
  const limit = currentProcess().limits.softLimit(RLIMIT_FSIZE);
  if (limit == RLIM_INFINITY) return <i64>length;
  const vnode = file.vnode;
  if (!vnode || !vnode.isRegular || length == 0) return <i64>length;
  let start = offset < 0 ? file.offset : <u64>offset;
  if ((file.flags & O_APPEND) != 0) start = vnode.sizeBytes();
  if (start >= limit) return tooLarge();
  return <i64>min<u64>(length, limit - start);
}

/** 0 if a regular file may become `sizeBytes` long, else -EFBIG. */
export function checkFileSize(sizeBytes: u64, currentBytes: u64): i64 {
  const limit = currentProcess().limits.softLimit(RLIMIT_FSIZE);
  return sizeBytes > limit && sizeBytes > currentBytes ? tooLarge() : 0;
}

function tooLarge(): i64 {
  const info = scratch();
  memory.fill(info, 0, SIGINFO_BYTES);
  changetype<SignalInfo>(info).signo = SIGXFSZ;
  changetype<SignalInfo>(info).first = <u64>currentProcess().id;
  sendToThread(currentLinuxThread(), info);
  return -EFBIG;
}
