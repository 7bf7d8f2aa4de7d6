/** Surface of `siphash.ts` for its unit test. */
import { heapAllocate } from "../mm/heap";
import { SipHash } from "./siphash";

export function allocate(bytes: usize): usize {
  return heapAllocate(bytes);
}

export function hash(key0: u64, key1: u64, address: usize, length: usize): u64 {
  const made = new SipHash(key0, key1);
  made.begin();
  const wholeBytes = length & ~7;
  for (let i: usize = 0; i < wholeBytes; i += 8) made.word(load<u64>(address + i));
  let last: u64 = 0;
  for (let i = wholeBytes; i < length; i++) {
    last |= (<u64>load<u8>(address + i)) << (8 * (i - wholeBytes));
  }
  const value = made.end(last, length);
  __free(changetype<usize>(made));
  return value;
}
