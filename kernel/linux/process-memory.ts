/**
 * Memory of other processes: process_vm_readv(2), process_vm_writev(2), process_madvise(2).
 *
 * Neighbours: `vm/foreign` copies, `io-vector.ts` (the lists), `pidfd.ts`.
 */
import { EBADF, EFAULT, EINVAL, ENOMEM, ESRCH, isError } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import {
  AddressSpace,
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_PAGEOUT,
  MADV_WILLNEED,
} from "../vm/address-space";
import { readSpace, writeSpace } from "../vm/foreign";
import {
  dropVectors,
  gather,
  scatter,
  takeVectors,
  vectorBase,
  vectorCount,
  vectorLength,
  vectorTotal,
} from "./io-vector";
import { holdSpace, holdThreadOwner } from "./other-process";
import { holdPidFd } from "./pidfd";
import { LinuxProcess } from "./process";

/** Bytes that pass through the kernel at a time. */
const BUFFER_BYTES: usize = 16384;

/** process_vm_readv(2). */
export function sysProcessVmReadv(
  pid: i32,
  local: usize,
  localCount: usize,
  remote: usize,
  remoteCount: usize,
  flags: u64,
): i64 {
  return transferCall(pid, local, localCount, remote, remoteCount, flags, false);
}

/** process_vm_writev(2). */
export function sysProcessVmWritev(
  pid: i32,
  local: usize,
  localCount: usize,
  remote: usize,
  remoteCount: usize,
  flags: u64,
): i64 {
  return transferCall(pid, local, localCount, remote, remoteCount, flags, true);
}

function transferCall(
  pid: i32,
  local: usize,
  localCount: usize,
  remote: usize,
  remoteCount: usize,
  flags: u64,
  isWrite: bool,
): i64 {
  if (flags != 0) return -EINVAL;
  const ours = takeVectors(local, localCount);
  if (isError(ours)) return <i64>ours;
  let result: i64 = 0;
  if (vectorTotal(ours) != 0) {
    const theirs = takeVectors(remote, remoteCount);
    if (isError(theirs)) result = <i64>theirs;
    else {
      if (vectorTotal(theirs) != 0) result = transferWith(pid, ours, theirs, isWrite);
      dropVectors(theirs);
    }
  }
  dropVectors(ours);
  return result;
}

function transferWith(pid: i32, ours: usize, theirs: usize, isWrite: bool): i64 {
  const process = holdThreadOwner(pid);
  if (!process) return -ESRCH;
  const space = holdSpace(process.id);
  process.letGo();
  if (!space) return -ESRCH;
  const buffer = heapAllocate(BUFFER_BYTES);
  let result: i64 = -ENOMEM;
  if (buffer != 0) result = transfer(space, buffer, ours, theirs, isWrite);
  if (buffer != 0) heapFree(buffer);
  space.release();
  return result;
}

/** Bytes moved until one of the lists ends or a page cannot be had; -EFAULT if it is the first. */
function transfer(
  space: AddressSpace,
  buffer: usize,
  ours: usize,
  theirs: usize,
  isWrite: bool,
): i64 {
  const total = vectorTotal(ours);
  let done: usize = 0;
  for (let i: usize = 0; i < vectorCount(theirs) && done < total; i++) {
    const length = min(vectorLength(theirs, i), total - done);
    let part: usize = 0;
    for (let at: usize = 0; at < length; at += part) {
      const wanted = min(length - at, BUFFER_BYTES);
      const address = vectorBase(theirs, i) + at;
      if (isWrite) {
        if (gather(ours, done, buffer, wanted) != 0) return ending(done);
        part = writeSpace(space, address, buffer, wanted);
      } else {
        part = readSpace(space, buffer, address, wanted);
        if (scatter(ours, done, buffer, part) != 0) return ending(done);
      }
      done += part;
      if (part < wanted) return ending(done);
    }
  }
  return done;
}

function ending(done: usize): i64 {
  return done == 0 ? -EFAULT : <i64>done;
}

/** process_madvise(2): advice that does not change what the other process sees. */
export function sysProcessMadvise(
  pidFd: i32,
  vectors: usize,
  count: usize,
  advice: i32,
  flags: u32,
): i64 {
  if (flags != 0) return -EINVAL;
  const list = takeVectors(vectors, count);
  if (isError(list)) return <i64>list;
  const held = holdPidFd(pidFd);
  let result: i64 = -EBADF;
  if (held != 0) {
    const process = changetype<LinuxProcess>(held);
    result = isHarmless(advice) ? advise(process.id, list, advice) : -EINVAL;
    process.letGo();
  }
  dropVectors(list);
  return result;
}

function isHarmless(advice: i32): bool {
  return (
    advice == MADV_COLD ||
    advice == MADV_PAGEOUT ||
    advice == MADV_WILLNEED ||
    advice == MADV_COLLAPSE
  );
}

/** @returns bytes advised, or the error of the first range */
function advise(pid: i32, list: usize, advice: i32): i64 {
  const space = holdSpace(pid);
  if (!space) return -ESRCH;
  let done: i64 = 0;
  for (let i: usize = 0; i < vectorCount(list); i++) {
    const length = vectorLength(list, i);
    const result = space.advise(vectorBase(list, i), length, advice);
    if (result != 0) {
      if (done == 0) done = result;
      break;
    }
    done += length;
  }
  space.release();
  return done;
}
