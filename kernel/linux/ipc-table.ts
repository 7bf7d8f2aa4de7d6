/**
 * What the objects of System V IPC (sysvipc(7)) have in common: keys, identifiers, owners, removal.
 *
 *     identifier = sequence number << 15 | slot         a slot's next object has another identifier
 *
 * Lock: `ipcLock` guards the tables and everything in their objects; threads sleep with it as the
 * condition's lock. It is a spin lock: application memory is never touched under it.
 * Neighbours: `ipc-shared-memory.ts`, `ipc-semaphores.ts`, `ipc-messages.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { EEXIST, EIDRM, ENOENT, asError } from "../lib/errno";
import { heapAllocate } from "../mm/heap";
import { realtimeNs } from "../sched/clock";
import { currentProcess } from "./process";
import { NS_PER_SECOND } from "./timespec";

export const IPC_PRIVATE: i32 = 0;
export const IPC_CREAT: u32 = 0o1000;
export const IPC_EXCL: u32 = 0o2000;
export const IPC_NOWAIT: u32 = 0o4000;

/** Commands of semctl(2), msgctl(2), shmctl(2). */
export const IPC_RMID: i32 = 0;
export const IPC_SET: i32 = 1;
export const IPC_STAT: i32 = 2;
export const IPC_INFO: i32 = 3;

/** struct ipc64_perm. */
export const PERM_BYTES: usize = 48;
const PERM_UID: usize = 4;
const PERM_GID: usize = 8;
const PERM_CREATOR_UID: usize = 12;
const PERM_CREATOR_GID: usize = 16;
const PERM_MODE: usize = 20;
const PERM_SEQUENCE: usize = 24;

const PERMISSIONS: u32 = 0o777;
/** Objects of one kind at a time (/proc/sys/kernel/shmmni and relatives). */
export const IPC_SLOTS: u32 = 4096;
const SLOT_BITS: u32 = 15;

export const ipcLock = new SpinLock();

/** One shared memory segment, set of semaphores or message queue. */
export abstract class IpcObject {
  id: i32 = 0;
  key: i32 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  creatorUid: u32 = 0;
  creatorGid: u32 = 0;
  /** Permission bits; whatever else `shm_perm.mode` shows. */
  mode: u32 = 0;
  /** Seconds since 1970 of the last change by IPC_SET. */
  changedAt: i64 = 0;
  /** Its identifier is no longer valid. */
  isRemoved: bool = false;

  /** Writes struct ipc64_perm to kernel memory. */
  writePermissions(out: usize): void {
    memory.fill(out, 0, PERM_BYTES);
    store<i32>(out, this.key);
    store<u32>(out, this.uid, PERM_UID);
    store<u32>(out, this.gid, PERM_GID);
    store<u32>(out, this.creatorUid, PERM_CREATOR_UID);
    store<u32>(out, this.creatorGid, PERM_CREATOR_GID);
    store<u32>(out, this.mode, PERM_MODE);
    store<u16>(out, <u16>(this.id >> SLOT_BITS), PERM_SEQUENCE);
  }

  /** IPC_SET: takes owner and permissions from a struct ipc64_perm in kernel memory. */
  takePermissions(source: usize): void {
    this.uid = load<u32>(source, PERM_UID);
    this.gid = load<u32>(source, PERM_GID);
    this.mode = (this.mode & ~PERMISSIONS) | (load<u32>(source, PERM_MODE) & PERMISSIONS);
    this.changedAt = nowSeconds();
  }
}

/** Seconds since 1970. */
export function nowSeconds(): i64 {
  return realtimeNs() / NS_PER_SECOND;
}

/** All objects of one kind. Hold `ipcLock` for everything but `makeRoom`. */
export class IpcTable {
  private slots: usize = 0;
  private sequence: i32 = 0;
  count: u32 = 0;
  /** One past the highest slot that was ever used. */
  end: u32 = 0;

  /** Allocates the table at the first use; false without memory. Under no lock. */
  makeRoom(): bool {
    if (this.slots != 0) return true;
    const slots = heapAllocate(<usize>IPC_SLOTS * 8);
    if (slots == 0) return false;
    memory.fill(slots, 0, <usize>IPC_SLOTS * 8);
    ipcLock.acquire();
    if (this.slots == 0) this.slots = slots;
    ipcLock.release();
    return true;
  }

  /** The object in a slot, or null. */
  at(slot: u32): IpcObject | null {
    if (slot >= this.end) return null;
    return changetype<IpcObject | null>(load<usize>(this.slots + <usize>slot * 8));
  }

  /** The object with this identifier, or null. */
  find(id: i32): IpcObject | null {
    if (id < 0) return null;
    const object = this.at(<u32>id & ((1 << SLOT_BITS) - 1));
    return object && object.id == id ? object : null;
  }

  /** The object with this key, or null. */
  findKey(key: i32): IpcObject | null {
    if (key == IPC_PRIVATE) return null;
    for (let slot: u32 = 0; slot < this.end; slot++) {
      const object = this.at(slot);
      if (object && object.key == key) return object;
    }
    return null;
  }

  /** Gives a new object its identifier and owner; false if the table is full. */
  add(object: IpcObject, key: i32, mode: u32): bool {
    let slot: u32 = 0;
    while (slot < this.end && this.at(slot) != null) slot++;
    if (slot >= IPC_SLOTS) return false;
    const identity = currentProcess().credentials;
    object.id = <i32>(((<u32>this.sequence) << SLOT_BITS) | slot);
    this.sequence = (this.sequence + 1) & 0xffff;
    object.key = key;
    object.mode = mode & PERMISSIONS;
    object.uid = object.creatorUid = identity.effectiveUser;
    object.gid = object.creatorGid = identity.effectiveGroup;
    object.changedAt = nowSeconds();
    store<usize>(this.slots + <usize>slot * 8, changetype<usize>(object));
    this.end = max(this.end, slot + 1);
    this.count++;
    return true;
  }

  /** Makes the identifier invalid. */
  remove(object: IpcObject): void {
    const slot = <u32>object.id & ((1 << SLOT_BITS) - 1);
    store<usize>(this.slots + <usize>slot * 8, 0);
    object.isRemoved = true;
    this.count--;
  }
}

/**
 * The beginning of every get call: finds the object of a key.
 * @returns its address; 0 if one has to be made; -ENOENT, -EEXIST
 */
export function lookUpKey(table: IpcTable, key: i32, flags: u32): usize {
  const known = table.findKey(key);
  if (!known) {
    return key == IPC_PRIVATE || (flags & IPC_CREAT) != 0 ? 0 : asError(-ENOENT);
  }
  const isExclusive = (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL);
  return isExclusive ? asError(-EEXIST) : changetype<usize>(known);
}

/** The object of an identifier after a sleep: -EIDRM if it was removed meanwhile. */
export function removedError(object: IpcObject): i64 {
  return object.isRemoved ? -EIDRM : 0;
}
