/**
 * The buffer lists of readv(2), writev(2), sendmsg(2) and the like: copied from the application
 * once, checked as a whole, then walked.
 *
 *     what `takeVectors` returns:   +-----------+-----------+----------------------+ ...
 *                                   | count u64 | total u64 | base u64, length u64 |
 *                                   +-----------+-----------+----------------------+ ...
 *
 * Neighbours: `file-io-vector.ts`, `socket-calls.ts`.
 */
import { copyUser } from "../arch/cpu";
import { EFAULT, EINVAL, ENOMEM, asError } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { TRANSFER_MAX } from "./file-io";
import { checkRange, copyIn } from "./user-memory";

/** Most buffers in one call (UIO_MAXIOV, readv(2)). */
export const VECTORS_MAX: usize = 1024;

const HEADER: usize = 16;
const ENTRY: usize = 16;

/**
 * Copies and checks a list of buffers; the total is cut at TRANSFER_MAX.
 * @returns what the functions below take, or -EINVAL (too many, or a negative length), -EFAULT,
 *   -ENOMEM
 */
export function takeVectors(userVectors: usize, count: usize): usize {
  if (count > VECTORS_MAX) return asError(-EINVAL);
  const list = heapAllocate(HEADER + count * ENTRY);
  if (list == 0) return asError(-ENOMEM);
  let error = copyIn(list + HEADER, userVectors, count * ENTRY);
  let total: usize = 0;
  for (let i: usize = 0; error == 0 && i < count; i++) {
    const entry = list + HEADER + i * ENTRY;
    const length = load<usize>(entry, 8);
    if (<isize>length < 0) error = -EINVAL;
    else if (!checkRange(load<usize>(entry), length)) error = -EFAULT;
    const cut = min(length, TRANSFER_MAX - total);
    store<usize>(entry, cut, 8);
    total += cut;
  }
  if (error != 0) {
    heapFree(list);
    return asError(error);
  }
  store<usize>(list, count);
  store<usize>(list, total, 8);
  return list;
}

/** A list of one buffer, already checked; 0 if there is no memory. */
export function makeVector(base: usize, length: usize): usize {
  const list = heapAllocate(HEADER + ENTRY);
  if (list == 0) return 0;
  store<usize>(list, 1);
  store<usize>(list, length, 8);
  store<usize>(list + HEADER, base);
  store<usize>(list + HEADER, length, 8);
  return list;
}

/** Frees a list. */
export function dropVectors(list: usize): void {
  heapFree(list);
}

/** Number of buffers. */
export function vectorCount(list: usize): usize {
  return load<usize>(list);
}

/** Bytes in all buffers together. */
export function vectorTotal(list: usize): usize {
  return load<usize>(list, 8);
}

/** Address of buffer `index`. */
export function vectorBase(list: usize, index: usize): usize {
  return load<usize>(list + HEADER + index * ENTRY);
}

/** Length of buffer `index` in bytes. */
export function vectorLength(list: usize, index: usize): usize {
  return load<usize>(list + HEADER + index * ENTRY, 8);
}

/** The only buffer that is not empty, or -1 if there are several or none. */
export function soleVector(list: usize): isize {
  const total = vectorTotal(list);
  for (let i: usize = 0; i < vectorCount(list); i++) {
    const length = vectorLength(list, i);
    if (length != 0) return length == total ? <isize>i : -1;
  }
  return -1;
}

/** Collects the first `length` bytes of the buffers at `destination`; 0 or -EFAULT. */
export function gather(list: usize, skip: usize, destination: usize, length: usize): i64 {
  return walk(list, skip, destination, length, true);
}

/** Spreads `length` bytes from `source` over the buffers; 0 or -EFAULT. */
export function scatter(list: usize, skip: usize, source: usize, length: usize): i64 {
  return walk(list, skip, source, length, false);
}

function walk(list: usize, skip: usize, kernel: usize, length: usize, toKernel: bool): i64 {
  let skipped = skip;
  let done: usize = 0;
  for (let i: usize = 0; done < length && i < vectorCount(list); i++) {
    const whole = vectorLength(list, i);
    if (skipped >= whole) {
      skipped -= whole;
      continue;
    }
    const user = vectorBase(list, i) + skipped;
    const part = min(whole - skipped, length - done);
    skipped = 0;
    const left = toKernel
      ? copyUser(kernel + done, user, part)
      : copyUser(user, kernel + done, part);
    if (left != 0) return -EFAULT;
    done += part;
  }
  return 0;
}
