/**
 * System V semaphores (semget(2), semop(2), semctl(2)).
 *
 * Neighbours: `ipc-semaphore-set.ts` (the values), `ipc-table.ts`, `process-end.ts` (undoes).
 */
import {
  E2BIG,
  EAGAIN,
  EFAULT,
  EFBIG,
  EIDRM,
  EINTR,
  EINVAL,
  ENOMEM,
  ENOSPC,
  ERANGE,
  ETIMEDOUT,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER } from "../sched/wait";
import { CLOCK_MONOTONIC } from "./clocks";
import {
  amountOf,
  DONE,
  isImpatient,
  SEMBUF_BYTES,
  semaphoreOf,
  SemaphoreSet,
  TOO_LARGE,
  VALUE_MAX,
  wantsUndo,
} from "./ipc-semaphore-set";
import {
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_SLOTS,
  IPC_STAT,
  IpcObject,
  IpcTable,
  ipcLock,
  lookUpKey,
  nowSeconds,
  PERM_BYTES,
} from "./ipc-table";
import { LinuxProcess, currentProcess } from "./process";
import { deadlineFrom, readTimespec } from "./timespec";
import { copyIn, copyOut, scratch } from "./user-memory";

const GETPID: i32 = 11;
const GETVAL: i32 = 12;
const GETALL: i32 = 13;
const GETNCNT: i32 = 14;
const GETZCNT: i32 = 15;
const SETVAL: i32 = 16;
const SETALL: i32 = 17;
const SEM_STAT: i32 = 18;
const SEM_INFO: i32 = 19;
const SEM_STAT_ANY: i32 = 20;

/** Most semaphores in a set, and operations in one call (/proc/sys/kernel/sem). */
const SEMAPHORES_MAX: i32 = 32000;
const OPERATIONS_MAX: usize = 500;

/** struct semid64_ds after the permissions. */
const SEMID_BYTES: usize = 104;
const OPERATED_AT: usize = 48;
const CHANGED_AT: usize = 64;
const COUNT: usize = 80;
/** struct seminfo: ten i32. */
const SEMINFO_BYTES: usize = 40;

const table = new IpcTable();

/** semget(2). */
export function sysSemget(key: i32, count: i32, flags: u32): i64 {
  if (count < 0 || count > SEMAPHORES_MAX) return -EINVAL;
  if (!table.makeRoom()) return -ENOMEM;
  let made: SemaphoreSet | null = null;
  ipcLock.acquire();
  let found = lookUpKey(table, key, flags);
  if (found == 0) {
    ipcLock.release();
    if (count == 0) return -EINVAL;
    made = new SemaphoreSet(<u32>count);
    if (!made.isUsable) {
      made.destroy();
      return -ENOMEM;
    }
    ipcLock.acquire();
    found = lookUpKey(table, key, flags);
  }
  let result = <i64>found;
  let isUsed = false;
  if (found == 0 && made) {
    isUsed = table.add(made, key, flags);
    result = isUsed ? made.id : -ENOSPC;
  } else if (!isError(found)) {
    const set = changetype<SemaphoreSet>(found);
    result = <u32>count > set.count ? -EINVAL : <i64>set.id;
  }
  ipcLock.release();
  if (made && !isUsed) made.destroy();
  return result;
}

/** semop(2). */
export function sysSemop(id: i32, operations: usize, count: usize): i64 {
  return operate(id, operations, count, FOREVER);
}

/** semtimedop(2). @param timeout relative, struct timespec; 0 = none */
export function sysSemtimedop(id: i32, operations: usize, count: usize, timeout: usize): i64 {
  let deadlineNs = FOREVER;
  if (timeout != 0) {
    const error = readTimespec(timeout);
    if (error != 0) return error;
    deadlineNs = deadlineFrom(CLOCK_MONOTONIC, false);
  }
  return operate(id, operations, count, deadlineNs);
}

function operate(id: i32, userOperations: usize, count: usize, deadlineNs: u64): i64 {
  if (count == 0 || id < 0) return -EINVAL;
  if (count > OPERATIONS_MAX) return -E2BIG;
  const block = heapAllocate(count * SEMBUF_BYTES);
  if (block == 0) return -ENOMEM;
  let result = copyIn(block, userOperations, count * SEMBUF_BYTES);
  if (result == 0) result = operateOn(id, block, <u32>count, deadlineNs);
  heapFree(block);
  return result;
}

function operateOn(id: i32, operations: usize, count: u32, deadlineNs: u64): i64 {
  const process = currentProcess();
  // Memory for the amounts to undo cannot be had under the lock.
  let spare: usize = 0;
  if (wantsUndo(operations, count)) {
    const bytes = <usize>setSize(id) * 4;
    spare = bytes == 0 ? 0 : heapAllocate(bytes);
    if (bytes != 0 && spare == 0) return -ENOMEM;
    if (spare != 0) memory.fill(spare, 0, bytes);
  }
  ipcLock.acquire();
  const object = table.find(id);
  const set = changetype<SemaphoreSet>(changetype<usize>(object));
  let result: i64 = object ? checkNumbers(set, operations, count) : -EINVAL;
  let undo: usize = 0;
  if (result == 0 && spare != 0) {
    undo = set.undoOf(process, spare);
    if (undo == spare) spare = 0;
    process.undoesSemaphores = true;
  }
  if (result == 0) result = wait(set, operations, count, undo, deadlineNs);
  ipcLock.release();
  if (spare != 0) heapFree(spare);
  return result;
}

/** How many semaphores a set has; 0 if there is no such set. */
function setSize(id: i32): u32 {
  ipcLock.acquire();
  const object = table.find(id);
  const count: u32 = object ? changetype<SemaphoreSet>(changetype<usize>(object)).count : 0;
  ipcLock.release();
  return count;
}

function checkNumbers(set: SemaphoreSet, operations: usize, count: u32): i64 {
  for (let i: u32 = 0; i < count; i++) {
    if (semaphoreOf(operations, i) >= set.count) return -EFBIG;
  }
  return 0;
}

/** Tries until the operations can be done. Hold `ipcLock`. */
function wait(set: SemaphoreSet, operations: usize, count: u32, undo: usize, deadlineNs: u64): i64 {
  const process = currentProcess();
  while (true) {
    const blocked = set.apply(operations, count, process.id, undo);
    if (blocked == TOO_LARGE) return -ERANGE;
    if (blocked == DONE) {
      set.operatedAt = nowSeconds();
      set.changed.wakeAll();
      return 0;
    }
    const index = <u32>blocked;
    if (isImpatient(operations, index)) return -EAGAIN;
    const semaphore = semaphoreOf(operations, index);
    const forZero = amountOf(operations, index) == 0;
    set.countWaiting(semaphore, forZero, 1);
    set.sleepers++;
    const woken = set.changed.sleep(ipcLock, deadlineNs, true);
    set.sleepers--;
    set.countWaiting(semaphore, forZero, -1);
    if (set.isRemoved) {
      if (set.sleepers == 0) set.destroy();
      return -EIDRM;
    }
    if (woken == -ETIMEDOUT) return -EAGAIN;
    if (woken != 0) return -EINTR;
  }
}

/** The process ends: what its operations with SEM_UNDO did is undone. */
export function undoSemaphores(process: LinuxProcess): void {
  if (!process.undoesSemaphores) return;
  ipcLock.acquire();
  for (let slot: u32 = 0; slot < table.end; slot++) {
    const object = table.at(slot);
    if (!object) continue;
    const set = changetype<SemaphoreSet>(changetype<usize>(object));
    if (set.undoAll(process)) set.changed.wakeAll();
  }
  ipcLock.release();
}

/** semctl(2). */
export function sysSemctl(id: i32, number: i32, command: i32, argument: usize): i64 {
  if (id < 0) return -EINVAL;
  if (command == IPC_INFO || command == SEM_INFO) return writeInfo(argument, command == SEM_INFO);
  if (command == GETALL || command == SETALL) return moveAll(id, command == SETALL, argument);
  if (command == IPC_SET) {
    const error = copyIn(scratch(), argument, PERM_BYTES);
    if (error != 0) return error;
  }
  const isIndex = command == SEM_STAT || command == SEM_STAT_ANY;
  ipcLock.acquire();
  const object: IpcObject | null = isIndex ? table.at(<u32>id) : table.find(id);
  let result: i64 = -EINVAL;
  let writes = false;
  if (object) {
    const set = changetype<SemaphoreSet>(changetype<usize>(object));
    writes = isIndex || command == IPC_STAT;
    if (writes) {
      fillStatus(set, scratch());
      result = isIndex ? set.id : 0;
    } else if (command == IPC_RMID) {
      table.remove(set);
      if (set.sleepers == 0) set.destroy();
      else set.changed.wakeAll();
      result = 0;
    } else if (command == IPC_SET) {
      set.takePermissions(scratch());
      result = 0;
    } else if (number >= 0 && <u32>number < set.count) {
      result = controlOne(set, <u32>number, command, <i32>argument);
    }
  }
  ipcLock.release();
  if (!writes) return result;
  const error = copyOut(argument, scratch(), SEMID_BYTES);
  return error != 0 ? error : result;
}

/** The commands about one semaphore. Hold `ipcLock`. */
function controlOne(set: SemaphoreSet, index: u32, command: i32, value: i32): i64 {
  switch (command) {
    case GETVAL:
      return set.value(index);
    case GETPID:
      return set.lastUser(index);
    case GETNCNT:
      return set.waiting(index, false);
    case GETZCNT:
      return set.waiting(index, true);
    case SETVAL:
      if (value < 0 || value > VALUE_MAX) return -ERANGE;
      set.setValue(index, value, currentProcess().id);
      set.changedAt = nowSeconds();
      set.changed.wakeAll();
      return 0;
    default:
      return -EINVAL;
  }
}

/** GETALL and SETALL: one u16 for each semaphore. */
function moveAll(id: i32, sets: bool, array: usize): i64 {
  const count = setSize(id);
  if (count == 0) return -EINVAL;
  const bytes = <usize>count * 2;
  const block = heapAllocate(bytes);
  if (block == 0) return -ENOMEM;
  let result: i64 = sets && copyIn(block, array, bytes) != 0 ? -EFAULT : 0;
  for (let i: u32 = 0; i < count && sets && result == 0; i++) {
    if (load<u16>(block + <usize>i * 2) > <u16>VALUE_MAX) result = -ERANGE;
  }
  ipcLock.acquire();
  const object = table.find(id);
  const set = changetype<SemaphoreSet>(changetype<usize>(object));
  if (!object || set.count != count) result = -EIDRM;
  for (let i: u32 = 0; i < count && result == 0; i++) {
    const word = block + <usize>i * 2;
    if (sets) set.setValue(i, load<u16>(word), currentProcess().id);
    else store<u16>(word, <u16>set.value(i));
  }
  if (result == 0 && sets) {
    set.changedAt = nowSeconds();
    set.changed.wakeAll();
  }
  ipcLock.release();
  if (result == 0 && !sets) result = copyOut(array, block, bytes);
  heapFree(block);
  return result;
}

/** struct semid64_ds. */
function fillStatus(set: SemaphoreSet, out: usize): void {
  memory.fill(out, 0, SEMID_BYTES);
  set.writePermissions(out);
  store<i64>(out, set.operatedAt, OPERATED_AT);
  store<i64>(out, set.changedAt, CHANGED_AT);
  store<u64>(out, set.count, COUNT);
}

/** struct seminfo: map, sets, semaphores, undos, a set, operations, undos a process, usz, largest value, aem. */
function writeInfo(buffer: usize, countsUse: bool): i64 {
  const out = scratch();
  let semaphores: u32 = 0;
  ipcLock.acquire();
  for (let slot: u32 = 0; slot < table.end; slot++) {
    const object = table.at(slot);
    if (object) semaphores += changetype<SemaphoreSet>(changetype<usize>(object)).count;
  }
  const sets = table.count;
  const highest: i64 = table.end == 0 ? 0 : <i64>table.end - 1;
  ipcLock.release();
  memory.fill(out, 0, SEMINFO_BYTES);
  store<i32>(out, SEMAPHORES_MAX * <i32>IPC_SLOTS);
  store<i32>(out, <i32>IPC_SLOTS, 4);
  store<i32>(out, SEMAPHORES_MAX * <i32>IPC_SLOTS, 8);
  store<i32>(out, SEMAPHORES_MAX, 16);
  store<i32>(out, <i32>OPERATIONS_MAX, 20);
  store<i32>(out, <i32>OPERATIONS_MAX, 24);
  store<u32>(out, countsUse ? sets : 20, 28);
  store<i32>(out, VALUE_MAX, 32);
  store<u32>(out, countsUse ? semaphores : <u32>VALUE_MAX, 36);
  const error = copyOut(buffer, out, SEMINFO_BYTES);
  return error != 0 ? error : highest;
}
