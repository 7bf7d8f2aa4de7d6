/**
 * Copies argv and envp of execve(2) from the application: arrays of pointers to strings, ended by a
 * null pointer. The strings land back to back in one heap block.
 *
 * Neighbours: `exec-call.ts`, `initial-stack.ts`.
 */
import { E2BIG, EFAULT, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { ProgramStrings } from "./initial-stack";
import { ARGUMENTS_LIMIT } from "./script";
import { copyIn, load64, loadedValue, userStringLength } from "./user-memory";

/** Longest single string with its terminator (execve(2), MAX_ARG_STRLEN). */
const STRING_LIMIT: usize = 131072;
const FIRST_CAPACITY: usize = 4096;

/**
 * Copies both arrays. An empty argv becomes one empty string, as Linux does since 5.18.
 * @returns 0, -EFAULT, -E2BIG, -ENOMEM; free the result with `freeProgramStrings` in any case
 */
export function copyArgumentStrings(argv: usize, envp: usize, out: ProgramStrings): i64 {
  const block = new GrowingBlock();
  let count = copyArray(argv, block);
  if (count == 0) {
    count = block.reserve(1) ? 1 : -ENOMEM;
    if (count == 1) {
      store<u8>(block.address + block.used, 0);
      block.used++;
    }
  }
  const environment = count < 0 ? count : copyArray(envp, block);
  out.strings = block.address;
  out.stringsBytes = block.used;
  free(block);
  if (environment < 0) return environment;
  out.argumentCount = <u32>count;
  out.environmentCount = <u32>environment;
  return 0;
}

/** Frees strings and object. */
export function freeProgramStrings(program: ProgramStrings): void {
  if (program.strings != 0) heapFree(program.strings);
  free(program);
}

/** A heap block that grows by doubling. */
class GrowingBlock {
  address: usize = 0;
  used: usize = 0;
  private capacity: usize = 0;

  /** Makes room for `bytes` more; false if there is no memory. */
  reserve(bytes: usize): bool {
    if (this.used + bytes <= this.capacity) return true;
    let capacity = max(this.capacity, FIRST_CAPACITY);
    while (capacity < this.used + bytes) capacity *= 2;
    const address = heapAllocate(capacity);
    if (address == 0) return false;
    if (this.address != 0) {
      memory.copy(address, this.address, this.used);
      heapFree(this.address);
    }
    this.address = address;
    this.capacity = capacity;
    return true;
  }
}

/** Copies the strings of one array; their number or an error. A null array is an empty one. */
function copyArray(array: usize, block: GrowingBlock): i64 {
  if (array == 0) return 0;
  let count: usize = 0;
  while (true) {
    if (load64(array + count * 8) != 0) return -EFAULT;
    const text = <usize>loadedValue();
    if (text == 0) return count;
    const length = userStringLength(text, STRING_LIMIT);
    if (length < 0) return length;
    const bytes = <usize>length + 1;
    if (bytes > STRING_LIMIT || block.used + bytes > ARGUMENTS_LIMIT) return -E2BIG;
    if (!block.reserve(bytes)) return -ENOMEM;
    if (copyIn(block.address + block.used, text, bytes - 1) != 0) return -EFAULT;
    store<u8>(block.address + block.used + bytes - 1, 0);
    block.used += bytes;
    count++;
  }
}
