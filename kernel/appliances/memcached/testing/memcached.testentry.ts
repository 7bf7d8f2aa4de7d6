/** A session with the cache for tests: bytes in, bytes out, no network. */
import { free } from "../../../lib/object";
import { heapAllocate } from "../../../mm/heap";
import { Reply } from "../reply";
import { Session } from "../session";
import { Settings } from "../settings";
import { Store } from "../store";

const BUFFER_BYTES: usize = 4 << 20;

/** Writes to one buffer. */
class BufferReply extends Reply {
  used: usize = 0;
  limit: usize = BUFFER_BYTES;

  constructor(private buffer: usize) {
    super();
  }

  protected reserve(_bytes: u32): usize {
    return this.buffer + this.used;
  }

  protected commit(bytes: u32): void {
    this.used += bytes;
  }

  writeBytes(address: usize, bytes: usize): void {
    memory.copy(this.buffer + this.used, address, bytes);
    this.used += bytes;
  }

  get isFull(): bool {
    return this.used >= this.limit;
  }
}

let settings: Settings | null = null;
let cache: Store | null = null;
let session: Session | null = null;
let reply: BufferReply | null = null;
let input: usize = 0;
let output: usize = 0;

/** Makes a cache of `memoryBytes` and a session with it. */
export function start(memoryBytes: u64, itemBytes: u32, keepsEverything: bool): void {
  if (input == 0) {
    input = heapAllocate(BUFFER_BYTES);
    output = heapAllocate(BUFFER_BYTES + 4096);
  }
  const given = new Settings();
  given.memoryBytes = memoryBytes;
  given.itemBytes = itemBytes;
  settings = given;
  const made = new Store(memoryBytes, itemBytes, given.growthPercent, 0x1234567);
  made.keepsEverything = keepsEverything;
  made.nowSeconds = 100;
  cache = made;
  const written = new BufferReply(output);
  reply = written;
  session = new Session(made, given, written);
}

/** Where `feed` finds its bytes, and what was answered. */
export function inputAddress(): usize {
  return input;
}

export function outputAddress(): usize {
  return output;
}

/** Feeds bytes of the input; returns the length of the answer since the last call. */
export function feed(offset: u32, bytes: u32): u32 {
  changetype<BufferReply>(reply).used = 0;
  changetype<Session>(session).feed(input + offset, bytes);
  return <u32>changetype<BufferReply>(reply).used;
}

/** Goes on after an answer that had to wait. */
export function resume(): u32 {
  changetype<BufferReply>(reply).used = 0;
  changetype<Session>(session).resume();
  return <u32>changetype<BufferReply>(reply).used;
}

/** Says that an answer of so many bytes is as much as can wait. */
export function limitAnswers(bytes: u32): void {
  changetype<BufferReply>(reply).limit = bytes;
}

export function isHeldUp(): bool {
  return changetype<Session>(session).isHeldUp;
}

export function isOver(): bool {
  return changetype<Session>(session).isOver;
}

/** Sets the cache's clock. */
export function setSeconds(now: u32): void {
  changetype<Store>(cache).nowSeconds = now;
}

export function evictions(): u64 {
  return changetype<Store>(cache).statistics.evictions;
}

/** Frees all but the buffers. */
export function stop(): void {
  changetype<Session>(session).dispose();
  free(changetype<BufferReply>(reply));
  changetype<Store>(cache).dispose();
  free(changetype<Settings>(settings));
}
