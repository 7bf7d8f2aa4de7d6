/**
 * A local socket below the file layer (unix(7)): what was sent to it, whom it is connected with,
 * who waits to be accepted.
 *
 *     socket A ──peer──► end B:  incoming messages, flags, changed (readers, poll), room (senders)
 *     socket B ──peer──► end A
 *
 * A sender works on the end it sends to and takes that end's lock only; nothing is shared between
 * connections. Ends of a connection hold a reference of each other until they are closed.
 *
 * Locks: `lock` guards everything of an end but the bytes of messages; no two ends' locks are held
 * at once. `receiving` lets one reader at a time take bytes, so that a stream keeps its order; it
 * is not held while asleep. Order: receive mutex, then `lock`, then wait queues.
 */
import { SpinLock } from "../../arch/spinlock";
import { ECONNRESET, EINVAL } from "../../lib/errno";
import { Counted, free } from "../../lib/object";
import { Mutex } from "../../sched/mutex";
import { WaitEntry, WaitLink, WaitQueue } from "../../sched/wait";
import { MessageQueue, dropMessage } from "./message-queue";
import { UnixName, leaveName } from "./unix-name";

/** Type of datagram sockets (SOCK_DGRAM). */
const DATAGRAM: i32 = 2;
/** Identity of a peer that is not known (SO_PEERCRED). */
const NOBODY: u32 = 0xffff_ffff;

/** Tells those who wait for an end that there is room again in the one it sends to. */
class RoomRelay extends WaitEntry {
  constructor(private end: UnixEnd) {
    super();
  }

  onWake(events: u32): bool {
    return this.end.changed.wakeAll(events);
  }
}

export class UnixEnd extends Counted {
  lock: SpinLock = new SpinLock();
  receiving: Mutex = new Mutex();
  incoming: MessageQueue = new MessageQueue();
  /** Woken when something arrives, or the state changes: readers, accept(2), poll(2). */
  changed: WaitQueue = new WaitQueue();
  /** Woken when others can send to this end again, or never will. */
  room: WaitQueue = new WaitQueue();

  /** The end this one sends to, with a reference. */
  peer: UnixEnd | null = null;
  /** With a reference; null until bind(2). */
  name: UnixName | null = null;
  isReadShut: bool = false;
  isWriteShut: bool = false;
  isClosed: bool = false;
  /** connect(2) is under way. */
  isConnecting: bool = false;
  /** Error to report once (SO_ERROR). */
  pendingError: i32 = 0;

  /** After listen(2): connections that wait to be accepted, and one less than may. */
  isListening: bool = false;
  backlog: u32 = 0;
  pendingCount: u32 = 0;
  private firstPending: UnixEnd | null = null;
  private lastPending: UnixEnd | null = null;
  private nextPending: UnixEnd | null = null;

  /** Who is at the other end (SO_PEERCRED); of a listening socket: who called listen(2). */
  peerProcess: i32 = 0;
  peerUser: u32 = NOBODY;
  peerGroup: u32 = NOBODY;

  private relay: RoomRelay | null = null;
  private relayLink: WaitLink | null = null;
  private relayedFrom: UnixEnd | null = null;

  /** @param type SOCK_* without flags */
  constructor(readonly type: i32) {
    super();
  }

  setPeerIdentity(process: i32, user: u32, group: u32): void {
    this.peerProcess = process;
    this.peerUser = user;
    this.peerGroup = group;
  }

  /** The peer with a reference, or null. */
  takePeer(): UnixEnd | null {
    this.lock.acquire();
    const peer = this.peer;
    if (peer) peer.retain();
    this.lock.release();
    return peer;
  }

  /** Sends to `peer` from now on; takes over the reference. */
  setPeer(peer: UnixEnd | null): void {
    this.lock.acquire();
    const before = this.peer;
    this.peer = peer;
    this.lock.release();
    if (before) before.release();
    this.changed.wakeAll();
  }

  /** Begins connect(2) of a connection; false if another one is under way or done. (lock) */
  mayConnect(): bool {
    return !this.isConnecting && !this.peer && !this.isListening;
  }

  /** Makes poll(2) of this end hear of room in `target`, which was full. */
  watchRoom(target: UnixEnd): void {
    this.lock.acquire();
    let before: UnixEnd | null = null;
    if (this.relayedFrom != target && !this.isClosed) {
      before = this.dropRelay();
      const relay = new RoomRelay(this);
      const link = new WaitLink(relay);
      this.relay = relay;
      this.relayLink = link;
      target.retain();
      this.relayedFrom = target;
      target.room.add(link);
    }
    this.lock.release();
    if (before) before.release();
  }

  /** Stops listening for room. (lock) @returns the end that was watched; its reference goes over */
  private dropRelay(): UnixEnd | null {
    const before = this.relayedFrom;
    const link = this.relayLink;
    const relay = this.relay;
    if (before && link && relay) {
      before.room.remove(link);
      free(link);
      free(relay);
    }
    this.relay = null;
    this.relayLink = null;
    this.relayedFrom = null;
    return before;
  }

  /** listen(2). @param backlog further connections that may wait besides one */
  listen(backlog: u32): i64 {
    this.lock.acquire();
    const mayListen = this.name != null && !this.peer && !this.isConnecting;
    if (mayListen) {
      this.isListening = true;
      this.backlog = backlog;
      this.room.wakeAll();
    }
    this.lock.release();
    return mayListen ? 0 : -EINVAL;
  }

  /** Adds a connection that waits to be accepted; takes over the reference. (lock) */
  addPending(end: UnixEnd): void {
    const last = this.lastPending;
    if (last) last.nextPending = end;
    else this.firstPending = end;
    this.lastPending = end;
    this.pendingCount++;
  }

  /** Takes the connection that has waited longest; its reference is the caller's. (lock) */
  takePending(): UnixEnd | null {
    const end = this.firstPending;
    if (!end) return null;
    this.firstPending = end.nextPending;
    if (!this.firstPending) this.lastPending = null;
    end.nextPending = null;
    this.pendingCount--;
    return end;
  }

  /** Ends directions of this end and tells everybody who waits. */
  private markShut(reading: bool, writing: bool, error: i32): void {
    this.lock.acquire();
    if (reading) this.isReadShut = true;
    if (writing) this.isWriteShut = true;
    if (error != 0) this.pendingError = error;
    this.room.wakeAll();
    this.lock.release();
    this.changed.wakeAll();
  }

  /** shutdown(2) of one or both directions; the other end of a connection sees it. */
  shutDown(reading: bool, writing: bool): void {
    this.markShut(reading, writing, 0);
    const peer = this.takePeer();
    if (!peer) return;
    if (this.type != DATAGRAM) peer.markShut(writing, reading, 0);
    // A thread that is asleep in send on this end waits in the peer's queue.
    peer.lock.acquire();
    peer.room.wakeAll();
    peer.lock.release();
    peer.release();
  }

  /**
   * The socket is closed: its connection ends, what was not received is dropped. May sleep.
   * @param wasAccepted false for a connection that nobody has accepted
   */
  close(wasAccepted: bool): void {
    const name = this.name;
    if (name) leaveName(name, this);
    this.lock.acquire();
    this.isClosed = true;
    this.isReadShut = true;
    this.isWriteShut = true;
    const watched = this.dropRelay();
    const hadUnread = !this.incoming.isEmpty;
    const peer = this.peer;
    this.peer = null;
    this.room.wakeAll();
    this.lock.release();
    this.changed.wakeAll();
    if (watched) watched.release();
    if (peer) {
      const error = hadUnread || !wasAccepted ? ECONNRESET : 0;
      if (this.type != DATAGRAM) peer.markShut(true, true, error);
      peer.release();
    }
    this.discard();
  }

  /** Drops what waits here. Nothing can be added any more. */
  private discard(): void {
    while (true) {
      this.lock.acquire();
      const message: usize = this.incoming.isEmpty ? 0 : this.incoming.removeFirst();
      const pending = this.takePending();
      this.lock.release();
      if (message != 0) dropMessage(message);
      if (pending) {
        pending.close(false);
        pending.release();
      }
      if (message == 0 && !pending) break;
    }
  }

  destroy(): void {
    const name = this.name;
    if (name) name.release();
    this.receiving.dispose();
    this.changed.dispose();
    this.room.dispose();
    free(this.receiving);
    free(this.incoming);
    free(this.changed);
    free(this.room);
    free(this.lock);
    free(this);
  }
}
