/**
 * Lists of buffers, of the application or the kernel, as the socket calls get them:
 *
 *     +-----------+-----------+----------------------+ ...
 *     | count u64 | total u64 | base u64, length u64 |
 *     +-----------+-----------+----------------------+ ...
 *
 * The layout is that of `linux/io-vector.ts`, which makes and checks them. Bytes are moved with
 * `copyUser`, never with a spin lock held.
 */
import { copyUser } from "../arch/cpu";

const HEADER: usize = 16;
const ENTRY: usize = 16;

/** Bytes in all buffers together. */
export function listTotal(list: usize): usize {
  return load<usize>(list, 8);
}

/** Copies `length` bytes, after the first `skip`, from the list to the kernel; false = fault. */
export function copyFromList(list: usize, skip: usize, destination: usize, length: usize): bool {
  return move(list, skip, destination, length, true);
}

/** Copies `length` bytes from the kernel to the list after its first `skip` bytes; false = fault. */
export function copyToList(list: usize, skip: usize, source: usize, length: usize): bool {
  return move(list, skip, source, length, false);
}

function move(list: usize, skip: usize, kernel: usize, length: usize, toKernel: bool): bool {
  const end = list + HEADER + load<usize>(list) * ENTRY;
  let skipped = skip;
  let done: usize = 0;
  for (let entry = list + HEADER; done < length && entry < end; entry += ENTRY) {
    const whole = load<usize>(entry, 8);
    if (skipped >= whole) {
      skipped -= whole;
      continue;
    }
    const base = load<usize>(entry) + skipped;
    const part = min(whole - skipped, length - done);
    skipped = 0;
    const left = toKernel
      ? copyUser(kernel + done, base, part)
      : copyUser(base, kernel + done, part);
    if (left != 0) return false;
    done += part;
  }
  return true;
}
