/**
 * A string of the kernel as bytes, for names of files that the kernel makes. ASCII only.
 */
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";

export class Literal {
  bytes: usize;
  length: usize;

  constructor(text: string) {
    const length = text.length;
    this.length = <usize>length;
    this.bytes = heapAllocate(<usize>length + 1);
    assert(this.bytes != 0, "out of kernel memory");
    for (let i = 0; i < length; i++) store<u8>(this.bytes + i, <u8>text.charCodeAt(i));
  }

  /** Frees the bytes and the object. */
  dispose(): void {
    heapFree(this.bytes);
    free(this);
  }
}
