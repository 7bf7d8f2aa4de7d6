/**
 * The messages on their way to one end of a pair of local sockets. Each message is one heap block;
 * a stream reader may take part of one, everybody else takes it whole.
 *
 *     first ─► +------+--------+-------+-------------------+
 *              | next | length | taken | bytes …           | ─► next message
 *              +------+--------+-------+-------------------+
 *
 * Lock: the pair's (`unix-pair.ts`) for the links and counts. Bytes of the first message are read
 * without it by the one reader that holds the receive mutex; only that reader removes messages.
 */
import { heapAllocate, heapFree } from "../mm/heap";

@unmanaged
class Message {
  next: usize;
  length: usize;
  taken: usize;
}

/** Bytes before the contents of a message. */
const HEADER: usize = 24;

/** Makes a message with room for `length` bytes; 0 if there is no memory. */
export function newMessage(length: usize): usize {
  const address = heapAllocate(HEADER + length);
  if (address == 0) return 0;
  const message = changetype<Message>(address);
  message.next = 0;
  message.length = length;
  message.taken = 0;
  return address;
}

/** Where the contents of a message begin that nobody has taken yet. */
export function messageBytes(message: usize): usize {
  return message + HEADER + changetype<Message>(message).taken;
}

/** Bytes of a message that nobody has taken yet. */
export function messageLength(message: usize): usize {
  return changetype<Message>(message).length - changetype<Message>(message).taken;
}

/** Frees a message that is in no queue. */
export function dropMessage(message: usize): void {
  heapFree(message);
}

/** Messages in order of sending. */
export class MessageQueue {
  first: usize = 0;
  private last: usize = 0;
  /** Bytes of all messages that nobody has taken yet. */
  bytes: usize = 0;

  get isEmpty(): bool {
    return this.first == 0;
  }

  /** The message after `message`, or 0. */
  after(message: usize): usize {
    return changetype<Message>(message).next;
  }

  append(message: usize): void {
    if (this.last != 0) changetype<Message>(this.last).next = message;
    else this.first = message;
    this.last = message;
    this.bytes += changetype<Message>(message).length;
  }

  /** Takes `length` bytes off the first message; the message stays while some are left. */
  consume(length: usize): void {
    changetype<Message>(this.first).taken += length;
    this.bytes -= length;
  }

  /** Takes the first message off, whatever is left of it. */
  removeFirst(): void {
    const message = this.first;
    this.bytes -= messageLength(message);
    this.first = changetype<Message>(message).next;
    if (this.first == 0) this.last = 0;
    heapFree(message);
  }

  /** Frees all messages. */
  clear(): void {
    while (this.first != 0) this.removeFirst();
  }
}
