/**
 * The cache on TCP: a session for each connection, answers written straight into the send buffer.
 *
 * Lock: the connection's. Neighbours: `session.ts`; `kernel/net/stream-service.ts`, which calls.
 */
import { free } from "../../lib/object";
import { chunkBytes, freeChunks, newChunk, setChunkLength } from "../../net/send-buffer";
import { StreamService } from "../../net/stream-service";
import { TcpConnection } from "../../net/tcp-connection";
import { Reply, RESERVE_MAX } from "./reply";
import { Session } from "./session";
import { Settings } from "./settings";
import { Store } from "./store";
import { storeSeconds } from "./time";

/** The first chunk of an answer is as small as most answers, further ones are large. */
const SMALL_CHUNK: u32 = 2048 - 24;
const LARGE_CHUNK: u32 = 16384 - 24;
/** Answers that may wait to be sent before requests have to. */
const FULL_BYTES: u32 = 1 << 20;
/** Where a reply goes that no memory was found for. */
const wasteland = memory.data(512);

class StreamReply extends Reply {
  private chunk: usize = 0;
  private used: u32 = 0;
  private capacity: u32 = 0;
  /** The connection, while it is served. */
  stream: usize = 0;

  protected reserve(bytes: u32): usize {
    assert(bytes <= RESERVE_MAX, "a reply is written in small pieces");
    if (this.used + bytes > this.capacity && !this.startChunk()) return wasteland;
    return chunkBytes(this.chunk) + this.used;
  }

  protected commit(bytes: u32): void {
    if (this.chunk != 0) this.used += bytes;
  }

  writeBytes(address: usize, bytes: usize): void {
    let at = address;
    let left = <u32>bytes;
    while (left > 0) {
      if (this.used == this.capacity && !this.startChunk()) return;
      const part = min(left, this.capacity - this.used);
      memory.copy(chunkBytes(this.chunk) + this.used, at, part);
      this.used += part;
      at += part;
      left -= part;
    }
  }

  /** Hands the chunk over and begins another one; false without memory. */
  private startChunk(): bool {
    const size = this.chunk == 0 ? SMALL_CHUNK : LARGE_CHUNK;
    this.flush();
    const chunk = newChunk(size);
    if (chunk == 0) {
      this.isLost = true;
      return false;
    }
    this.chunk = chunk;
    this.used = 0;
    this.capacity = size;
    return true;
  }

  /** Gives what has been written to the connection; returns how many bytes. */
  flush(): u32 {
    const chunk = this.chunk;
    const bytes = this.used;
    this.chunk = 0;
    this.used = 0;
    this.capacity = 0;
    if (chunk == 0) return 0;
    if (bytes == 0) {
      freeChunks(chunk);
      return 0;
    }
    setChunkLength(chunk, bytes);
    changetype<TcpConnection>(this.stream).outgoing.append(chunk);
    this.written += bytes;
    return bytes;
  }

  get isFull(): bool {
    return changetype<TcpConnection>(this.stream).outgoing.length >= FULL_BYTES;
  }

  dispose(): void {
    if (this.chunk != 0) freeChunks(this.chunk);
    free(this);
  }
}

export class MemcachedStreams extends StreamService {
  constructor(
    private store: Store,
    private settings: Settings,
  ) {
    super();
  }

  opened(stream: TcpConnection): usize {
    stream.noDelay = true;
    this.store.statistics.opened();
    return changetype<usize>(new Session(this.store, this.settings, new StreamReply()));
  }

  received(stream: TcpConnection, own: usize, address: usize, bytes: u32): void {
    const session = changetype<Session>(own);
    this.store.nowSeconds = storeSeconds();
    changetype<StreamReply>(session.reply).stream = changetype<usize>(stream);
    if (bytes == 0) session.resume();
    else session.feed(address, bytes);
    stream.answersWait = session.isHeldUp;
    this.store.statistics.moved(bytes, 0);
  }

  settled(stream: TcpConnection, own: usize): void {
    const session = changetype<Session>(own);
    const reply = changetype<StreamReply>(session.reply);
    reply.flush();
    this.store.statistics.moved(0, reply.written);
    reply.written = 0;
    // Half an answer would be taken for another one: the client must see the connection end.
    if (session.isOver || reply.isLost) stream.endInOrder();
  }

  closed(own: usize): void {
    const session = changetype<Session>(own);
    this.store.statistics.closed();
    changetype<StreamReply>(session.reply).dispose();
    session.dispose();
  }
}
