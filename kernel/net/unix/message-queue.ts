/**
 * The messages on their way to a local socket. Each message is one heap block; a stream reader may
 * take part of one, everybody else takes it whole.
 *
 *     first ─► +------+--------+-------+--------+------+-------------+---------+
 *              | next | length | taken | rights | name | pid uid gid | bytes … | ─► next message
 *              +------+--------+-------+--------+------+-------------+---------+
 *
 * A message owns its bundle of files (`rights.ts`) and a reference of the sender's name
 * (`unix-name.ts`), if it has them.
 *
 * Lock: the end's (`unix-end.ts`) for the links and counts. Bytes of the first message are read
 * without it by the one reader that holds the receive mutex; only that reader removes messages.
 */
import { heapAllocate, heapFree } from "../../mm/heap";
import { Rights, dropRights } from "./rights";
import { UnixEnd } from "./unix-end";
import { UnixName } from "./unix-name";

@unmanaged
class Message {
  next: usize;
  length: usize;
  taken: usize;
  rights: usize;
  sender: usize;
  process: i32;
  user: u32;
  group: u32;
  unused: u32;
}

/** Bytes before the contents of a message; each message is charged for them too. */
const HEADER: usize = 56;

/** Makes a message with room for `length` bytes; 0 if there is no memory. */
export function newMessage(length: usize): usize {
  const address = heapAllocate(HEADER + length);
  if (address == 0) return 0;
  memory.fill(address, 0, HEADER);
  changetype<Message>(address).length = length;
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

/** Says who sent a message; takes a reference of the end. */
export function setSender(message: usize, sender: UnixEnd, process: i32): void {
  sender.retain();
  changetype<Message>(message).sender = changetype<usize>(sender);
  changetype<Message>(message).process = process;
}

/** Says for which user and group it was sent. */
export function setSenderIdentity(message: usize, user: u32, group: u32): void {
  changetype<Message>(message).user = user;
  changetype<Message>(message).group = group;
}

export function senderProcess(message: usize): i32 {
  return changetype<Message>(message).process;
}

export function senderUser(message: usize): u32 {
  return changetype<Message>(message).user;
}

export function senderGroup(message: usize): u32 {
  return changetype<Message>(message).group;
}

/** The name of the sender, without a reference; null if it has none. */
export function senderName(message: usize): UnixName | null {
  return changetype<UnixEnd>(changetype<Message>(message).sender).name;
}

/** Attaches a bundle of files; the message takes it over. */
export function setRights(message: usize, rights: Rights | null): void {
  changetype<Message>(message).rights = changetype<usize>(rights);
}

export function hasRights(message: usize): bool {
  return changetype<Message>(message).rights != 0;
}

/** Takes the bundle off a message, or copies it; null if it has none. */
export function takeRights(message: usize, isPeek: bool): Rights | null {
  const rights = changetype<Rights | null>(changetype<Message>(message).rights);
  if (!rights) return null;
  if (isPeek) return rights.copy();
  changetype<Message>(message).rights = 0;
  return rights;
}

/** Frees a message that is in no queue. May sleep if it carries files. */
export function dropMessage(message: usize): void {
  const rights = takeRights(message, false);
  const sender = changetype<UnixEnd | null>(changetype<Message>(message).sender);
  heapFree(message);
  if (sender) sender.release();
  if (rights) dropRights(rights);
}

/** Messages in order of sending. */
export class MessageQueue {
  first: usize = 0;
  private last: usize = 0;
  /** Bytes of all messages that nobody has taken yet. */
  bytes: usize = 0;
  /** What the messages occupy. */
  charge: usize = 0;

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
    this.charge += changetype<Message>(message).length + HEADER;
  }

  /** Takes `length` bytes off the first message; the message stays while some are left. */
  consume(length: usize): void {
    changetype<Message>(this.first).taken += length;
    this.bytes -= length;
    this.charge -= length;
  }

  /** Takes the first message off, whatever is left of it; `dropMessage` is the caller's. */
  removeFirst(): usize {
    const message = this.first;
    this.bytes -= messageLength(message);
    this.charge -= messageLength(message) + HEADER;
    this.first = changetype<Message>(message).next;
    if (this.first == 0) this.last = 0;
    return message;
  }
}
