/**
 * A ring buffer of bytes: pipes, terminals, consoles.
 *
 *       read position           write position      both count all bytes ever moved; the low bits
 *            ▼                        ▼             index the buffer, whose size is a power of two
 *   ┌────────┬────────────────────────┬────────┐
 *   │ free   │ bytes to be read       │ free   │
 *   └────────┴────────────────────────┴────────┘
 *
 * One reader and one writer may work at the same time without a lock; otherwise the lock is the
 * owner's.
 */
import { heapAllocate, heapFree } from "../mm/heap";

export class ByteRing {
  private buffer: usize = 0;
  private mask: usize = 0;
  private readPosition: usize = 0;
  private writePosition: usize = 0;

  /**
   * @param buffer memory of the owner's; 0 = from the heap (then check `isReady`)
   * @param capacity size in bytes, a power of two
   */
  constructor(
    capacity: usize,
    buffer: usize = 0,
    private owned: bool = buffer == 0,
  ) {
    assert((capacity & (capacity - 1)) == 0, "the size of a ring must be a power of two");
    this.buffer = buffer ? buffer : heapAllocate(capacity);
    this.mask = capacity - 1;
  }

  /** False if there was no memory for the buffer. */
  get isReady(): bool {
    return this.buffer != 0;
  }

  get capacity(): usize {
    return this.mask + 1;
  }

  /** Bytes that can be read. */
  get length(): usize {
    return atomicLoad(this.writeAddress()) - this.readPosition;
  }

  /** Bytes that can be written. */
  get space(): usize {
    return this.capacity - (this.writePosition - atomicLoad(this.readAddress()));
  }

  /** Appends a byte; false if the ring is full. */
  put(byte: u8): bool {
    if (this.space == 0) return false;
    store<u8>(this.buffer + (this.writePosition & this.mask), byte);
    atomicStore(this.writeAddress(), this.writePosition + 1);
    return true;
  }

  /** Takes the oldest byte; -1 if the ring is empty. */
  take(): i32 {
    if (this.length == 0) return -1;
    const byte = load<u8>(this.buffer + (this.readPosition & this.mask));
    atomicStore(this.readAddress(), this.readPosition + 1);
    return <i32>byte;
  }

  /** The byte `index` places after the oldest; it must be there. */
  peek(index: usize): u8 {
    return load<u8>(this.buffer + ((this.readPosition + index) & this.mask));
  }

  /** Takes back the byte written last; -1 if the ring is empty. Only without a concurrent reader. */
  takeLast(): i32 {
    if (this.length == 0) return -1;
    this.writePosition--;
    return <i32>load<u8>(this.buffer + (this.writePosition & this.mask));
  }

  /** Appends as many bytes as fit; returns their number. */
  write(source: usize, length: usize): usize {
    let done: usize = 0;
    while (done < length) {
      const piece = min(this.writableLength(), length - done);
      if (piece == 0) break;
      memory.copy(this.writableAddress(), source + done, piece);
      this.written(piece);
      done += piece;
    }
    return done;
  }

  /** Takes as many bytes as there are; returns their number. */
  read(destination: usize, length: usize): usize {
    let done: usize = 0;
    while (done < length) {
      const piece = min(this.readableLength(), length - done);
      if (piece == 0) break;
      memory.copy(destination + done, this.readableAddress(), piece);
      this.consumed(piece);
      done += piece;
    }
    return done;
  }

  /** The oldest bytes that lie in one piece; after using some, call `consumed`. */
  readableAddress(): usize {
    return this.buffer + (this.readPosition & this.mask);
  }

  readableLength(): usize {
    return min(this.length, this.capacity - (this.readPosition & this.mask));
  }

  consumed(length: usize): void {
    atomicStore(this.readAddress(), this.readPosition + length);
  }

  /** Free space that lies in one piece; after filling some, call `written`. */
  writableAddress(): usize {
    return this.buffer + (this.writePosition & this.mask);
  }

  writableLength(): usize {
    return min(this.space, this.capacity - (this.writePosition & this.mask));
  }

  written(length: usize): void {
    atomicStore(this.writeAddress(), this.writePosition + length);
  }

  /** Forgets everything in the ring. */
  clear(): void {
    this.readPosition = this.writePosition;
  }

  /** Gives the buffer back if it came from the heap; call before `free(ring)`. */
  dispose(): void {
    if (this.owned && this.buffer) heapFree(this.buffer);
    this.buffer = 0;
  }

  private readAddress(): usize {
    return changetype<usize>(this) + offsetof<ByteRing>("readPosition");
  }

  private writeAddress(): usize {
    return changetype<usize>(this) + offsetof<ByteRing>("writePosition");
  }
}

function atomicLoad(address: usize): usize {
  return atomic.load<usize>(address);
}

function atomicStore(address: usize, value: usize): void {
  atomic.store<usize>(address, value);
}
