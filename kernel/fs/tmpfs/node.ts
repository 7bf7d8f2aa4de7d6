/**
 * What all files of tmpfs have in common: owner, times, number of names, extended attributes.
 *
 * A node of the overlay has a file of the image below it, which it was made from. As long as it is
 * unchanged it can be made again, so it lives only while it is used; once changed it holds a
 * reference to itself, until its last name goes.
 * Neighbours: `attributes`, `directory`, `file`, `other`; `overlay/` for what lies below.
 */
import { SpinLock } from "../../arch/spinlock";
import { ENODATA } from "../../lib/errno";
import { free } from "../../lib/object";
import { totalFrameCount } from "../../mm/frames";
import { realtimeNs } from "../../sched/clock";
import { Counter } from "../counter";
import { kernelMemoryIsShort } from "../page-cache";
import { PAGE_BYTES, S_IFMT, S_PERMISSIONS } from "../constants";
import {
  AttributeChange,
  CHANGE_ACCESS_TIME,
  CHANGE_GID,
  CHANGE_MODE,
  CHANGE_MODIFY_TIME,
  CHANGE_UID,
  Stat,
} from "../stat";
import { Vnode } from "../vnode";
import { AttributeSet, checkAttributeName } from "./attributes";
import { TmpfsFileSystem } from "./file-system";

const NS_PER_SECOND: i64 = 1_000_000_000;

/** Guards `attachment` of files that lie below an overlay: the node above, without a reference. */
export const attachmentLock = new SpinLock();

/** Nodes of all file systems in memory. */
const nodeCount = new Counter();

/** How many nodes there may be: half as many as frames, which is what tmpfs of Linux allows. */
export function nodeLimit(): u64 {
  return totalFrameCount() / 2;
}

/** How many nodes there are. */
export function nodesInUse(): u64 {
  return nodeCount.current;
}

/** True if one more file can be made. */
export function mayMakeNode(): bool {
  return nodeCount.current < nodeLimit() && !kernelMemoryIsShort();
}

export abstract class TmpfsNode extends Vnode {
  uid: u32 = 0;
  gid: u32 = 0;
  linkCount: u32 = 1;
  /** Times in nanoseconds since 1970. */
  accessNs: i64;
  modifyNs: i64;
  changeNs: i64;
  birthNs: i64;
  /** The file of the image it was made from, with a reference; null for what was made here. */
  lower: Vnode | null = null;
  /** Extended attributes, made when the first one is set; `TmpfsFileSystem.attributesLock`. */
  private extended: AttributeSet | null = null;
  /** 1 once the node keeps itself alive. */
  private isPinned: u32 = 0;

  constructor(
    readonly tmpfs: TmpfsFileSystem,
    mode: u32,
    inode: u64,
  ) {
    super(tmpfs, mode, inode);
    nodeCount.add(1);
    const now = <i64>realtimeNs();
    this.accessNs = now;
    this.modifyNs = now;
    this.changeNs = now;
    this.birthNs = now;
  }

  attributes(out: Stat): i64 {
    out.device = this.fs.device;
    out.inode = this.inode;
    out.mode = this.mode;
    out.linkCount = this.linkCount;
    out.uid = this.uid;
    out.gid = this.gid;
    out.nodeDevice = this.nodeDevice();
    out.sizeBytes = this.isDirectory ? PAGE_BYTES : this.sizeBytes();
    out.blocks512 = this.usedPages() * (PAGE_BYTES / 512);
    out.accessSeconds = secondsOf(this.accessNs);
    out.accessNs = restOf(this.accessNs);
    out.modifySeconds = secondsOf(this.modifyNs);
    out.modifyNs = restOf(this.modifyNs);
    out.changeSeconds = secondsOf(this.changeNs);
    out.changeNs = restOf(this.changeNs);
    out.birthSeconds = secondsOf(this.birthNs);
    out.birthNs = restOf(this.birthNs);
    return 0;
  }

  setAttributes(change: AttributeChange): i64 {
    if (change.valid & CHANGE_MODE) {
      this.mode = (this.mode & S_IFMT) | (change.mode & S_PERMISSIONS);
    }
    if (change.valid & CHANGE_UID) this.uid = change.uid;
    if (change.valid & CHANGE_GID) this.gid = change.gid;
    if (change.valid & CHANGE_ACCESS_TIME) {
      this.accessNs = change.accessSeconds * NS_PER_SECOND + change.accessNs;
    }
    if (change.valid & CHANGE_MODIFY_TIME) {
      this.modifyNs = change.modifySeconds * NS_PER_SECOND + change.modifyNs;
    }
    this.changeNs = <i64>realtimeNs();
    this.changed();
    return 0;
  }

  setOwner(user: u32, group: u32): void {
    this.uid = user;
    this.gid = group;
  }

  getExtendedAttribute(name: usize, nameLength: usize, buffer: usize, capacity: usize): i64 {
    const checked = checkAttributeName(name, nameLength);
    if (checked < 0) return checked;
    this.tmpfs.attributesLock.lock();
    const set = this.extended;
    const result = set ? set.get(name, nameLength, buffer, capacity) : -ENODATA;
    this.tmpfs.attributesLock.unlock();
    return result;
  }

  listExtendedAttributes(buffer: usize, capacity: usize): i64 {
    this.tmpfs.attributesLock.lock();
    const set = this.extended;
    const result = set ? set.names(buffer, capacity) : 0;
    this.tmpfs.attributesLock.unlock();
    return result;
  }

  setExtendedAttribute(
    name: usize,
    nameLength: usize,
    value: usize,
    length: usize,
    flags: u32,
  ): i64 {
    const checked = checkAttributeName(name, nameLength);
    if (checked < 0) return checked;
    this.tmpfs.attributesLock.lock();
    let set = this.extended;
    if (!set) {
      set = new AttributeSet();
      this.extended = set;
    }
    const result = set.set(name, nameLength, value, length, flags);
    this.tmpfs.attributesLock.unlock();
    return this.attributesChanged(result);
  }

  removeExtendedAttribute(name: usize, nameLength: usize): i64 {
    const checked = checkAttributeName(name, nameLength);
    if (checked < 0) return checked;
    this.tmpfs.attributesLock.lock();
    const set = this.extended;
    const result = set ? set.remove(name, nameLength) : -ENODATA;
    this.tmpfs.attributesLock.unlock();
    return this.attributesChanged(result);
  }

  private attributesChanged(result: i64): i64 {
    if (result == 0) {
      this.changeNs = <i64>realtimeNs();
      this.changed();
    }
    return result;
  }

  /** Pages in memory. */
  usedPages(): u64 {
    return 0;
  }

  /** The contents changed. */
  touch(): void {
    const now = <i64>realtimeNs();
    this.modifyNs = now;
    this.changeNs = now;
    this.changed();
  }

  /** A name was added (1) or removed (-1). */
  changeLinks(by: i32): void {
    this.linkCount += by;
    this.changeNs = <i64>realtimeNs();
    if (this.linkCount == 0) this.nameless();
    else this.changed();
  }

  /** Something differs now from the file below. */
  changed(): void {
    if (!this.lower || this.linkCount == 0) return;
    const pin = changetype<usize>(this) + offsetof<TmpfsNode>("isPinned");
    if (atomic.xchg<u32>(pin, 1) == 0) this.retain();
  }

  /** The last name is gone; the node lives on while it is open. */
  private nameless(): void {
    const pin = changetype<usize>(this) + offsetof<TmpfsNode>("isPinned");
    if (atomic.xchg<u32>(pin, 0) != 0) this.release();
  }

  destroy(): void {
    this.dispose();
    const extended = this.extended;
    if (extended) extended.dispose();
    this.releaseLower();
    nodeCount.add(-1);
    free(this);
  }

  /** Frees what the kind of node owns; the node itself and the file below follow. */
  dispose(): void {}

  /** Leaves the file below, which may then get a new node. */
  private releaseLower(): void {
    const lower = this.lower;
    if (!lower) return;
    attachmentLock.acquire();
    if (lower.attachment == changetype<usize>(this)) lower.attachment = 0;
    attachmentLock.release();
    this.lower = null;
    lower.release();
  }
}

/** Whole seconds of a time, rounded towards the past as tv_nsec is never negative. */
function secondsOf(ns: i64): i64 {
  const seconds = ns / NS_PER_SECOND;
  return ns % NS_PER_SECOND < 0 ? seconds - 1 : seconds;
}

function restOf(ns: i64): u32 {
  const rest = ns % NS_PER_SECOND;
  return <u32>(rest < 0 ? rest + NS_PER_SECOND : rest);
}
