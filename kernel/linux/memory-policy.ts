/**
 * NUMA policies (set_mempolicy(2), mbind(2), move_pages(2) …) on a machine with one memory node: every
 * policy puts every page on node 0. Arguments are checked; the thread's policy is kept to be read back.
 *
 * Neighbours: `thread.ts` (keeps the policy), `other-process.ts`.
 */
import { EFAULT, EINVAL, ENODEV, ENOENT, ESRCH } from "../lib/errno";
import { PAGE_MASK, pageRoundUp } from "../mm/layout";
import { findEntry } from "../mm/user-tables";
import { AddressSpace } from "../vm/address-space";
import { hasHole } from "../vm/advise";
import { holdProcess, holdSpace } from "./other-process";
import { currentLinuxThread, currentProcess } from "./process";
import {
  checkRange,
  copyOut,
  load32,
  load64,
  loadedValue,
  scratch,
  store32,
  zeroOut,
} from "./user-memory";

const MPOL_DEFAULT: u32 = 0;
const MPOL_PREFERRED: u32 = 1;
const MPOL_LOCAL: u32 = 4;
const MPOL_LAST: u32 = 6;
const MPOL_F_STATIC_NODES: u32 = 1 << 15;
const MPOL_F_RELATIVE_NODES: u32 = 1 << 14;
const MPOL_F_NUMA_BALANCING: u32 = 1 << 13;
const MODE_FLAGS: u32 = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING;

/** Flags of get_mempolicy(2). */
const MPOL_F_NODE: u64 = 1;
const MPOL_F_ADDR: u64 = 2;
const MPOL_F_MEMS_ALLOWED: u64 = 4;

/** Flags of mbind(2) and move_pages(2). */
const MPOL_MF_STRICT: u32 = 1;
const MPOL_MF_MOVE: u32 = 2;
const MPOL_MF_MOVE_ALL: u32 = 4;

/** Bits that a node mask may have (MAX_NUMNODES of Linux distributions). */
const MAX_NODES: u64 = 1024;
const NODE_0: u64 = 1;

/**
 * Reads a node mask of `maxNode - 1` bits; the part that counts, node 0 and whether there are
 * others, is then in `loadedValue()` (bit 0, any other bit).
 * @returns 0, -EINVAL, -EFAULT
 */
function readNodes(mask: usize, maxNode: u64): i64 {
  if (maxNode > 32768) return -EINVAL;
  let nodes: u64 = 0;
  if (mask != 0 && maxNode > 1) {
    const bits = maxNode - 1;
    for (let first: u64 = 0; first < bits; first += 64) {
      const error = load64(mask + <usize>(first >> 3));
      if (error != 0) return error;
      let word = loadedValue();
      if (bits - first < 64) word &= ((<u64>1) << (bits - first)) - 1;
      if (first == 0) nodes |= word;
      else if (word != 0) nodes |= 2;
    }
  }
  return nodes > NODE_0 && (nodes & NODE_0) == 0 ? -EINVAL : <i64>(nodes & NODE_0);
}

/** 0, or -EINVAL for a mode that does not exist or a mask that does not suit it. */
function checkPolicy(mode: u32, mask: usize, maxNode: u64): i64 {
  const plain = mode & ~MODE_FLAGS;
  if (plain > MPOL_LAST) return -EINVAL;
  const isStatic = (mode & MPOL_F_STATIC_NODES) != 0;
  if (isStatic && (mode & MPOL_F_RELATIVE_NODES) != 0) return -EINVAL;
  const nodes = readNodes(mask, maxNode);
  if (nodes < 0) return nodes;
  if (plain == MPOL_DEFAULT || plain == MPOL_LOCAL) return nodes != 0 ? -EINVAL : 0;
  return nodes == 0 && plain != MPOL_PREFERRED ? -EINVAL : 0;
}

/** set_mempolicy(2). */
export function sysSetMempolicy(mode: i32, mask: usize, maxNode: u64): i64 {
  const error = checkPolicy(<u32>mode, mask, maxNode);
  if (error != 0) return error;
  // To prefer no node means the local one.
  const isLocal = (mode & ~MODE_FLAGS) == MPOL_PREFERRED && readNodes(mask, maxNode) == 0;
  currentLinuxThread().memoryPolicy = isLocal ? MPOL_LOCAL : <u32>mode;
  return 0;
}

/** get_mempolicy(2). */
export function sysGetMempolicy(
  mode: usize,
  mask: usize,
  maxNode: u64,
  address: usize,
  flags: u64,
): i64 {
  if ((flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)) != 0) return -EINVAL;
  if (mask != 0 && maxNode < 1) return -EINVAL;
  let value: u32 = currentLinuxThread().memoryPolicy;
  let nodes: u64 = 0;
  if ((flags & MPOL_F_MEMS_ALLOWED) != 0) {
    if ((flags & (MPOL_F_NODE | MPOL_F_ADDR)) != 0) return -EINVAL;
    value = 0;
    nodes = NODE_0;
  } else if ((flags & MPOL_F_ADDR) != 0) {
    if (!isMapped(currentProcess().addressSpace, address)) return -EFAULT;
    value = 0; // the default policy, or node 0
  } else {
    if (address != 0) return -EINVAL;
    if ((flags & MPOL_F_NODE) != 0) return -EINVAL;
    const plain = value & ~MODE_FLAGS;
    if (plain != MPOL_DEFAULT && plain != MPOL_LOCAL) nodes = NODE_0;
  }
  if (mode != 0 && store32(mode, value) != 0) return -EFAULT;
  return mask == 0 ? 0 : writeNodes(mask, maxNode, nodes);
}

function writeNodes(mask: usize, maxNode: u64, nodes: u64): i64 {
  const bytes = <usize>min<u64>(((maxNode - 1 + 63) >> 6) << 3, MAX_NODES >> 3);
  if (bytes == 0) return 0;
  if (zeroOut(mask, bytes) != 0) return -EFAULT;
  store<u64>(scratch(), nodes);
  return copyOut(mask, scratch(), 8);
}

function isMapped(space: AddressSpace, address: usize): bool {
  if (!checkRange(address, 1)) return false;
  space.lock();
  const mapped = !hasHole(space, address, address + 1);
  space.unlock();
  return mapped;
}

/** mbind(2): the policy of a range, which changes nothing on one node and is not kept. */
export function sysMbind(
  address: usize,
  length: usize,
  mode: u64,
  mask: usize,
  maxNode: u64,
  flags: u32,
): i64 {
  if ((flags & ~(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) != 0) return -EINVAL;
  if ((address & PAGE_MASK) != 0 || mode >> 32 != 0) return -EINVAL;
  const bytes = pageRoundUp(length);
  if (bytes < length || !checkRange(address, bytes)) return -EINVAL;
  const error = checkPolicy(<u32>mode, mask, maxNode);
  if (error != 0 || bytes == 0) return error;
  const space = currentProcess().addressSpace;
  space.lock();
  const hole = hasHole(space, address, address + bytes);
  space.unlock();
  return hole ? -EFAULT : 0;
}

/** set_mempolicy_home_node(2): only mappings with a policy of their own have one; none has. */
export function sysSetMempolicyHomeNode(address: usize, length: usize, node: u64, flags: u64): i64 {
  if (flags != 0 || (address & PAGE_MASK) != 0 || node != 0) return -EINVAL;
  const bytes = pageRoundUp(length);
  if (bytes < length || !checkRange(address, bytes)) return -EINVAL;
  return bytes == 0 ? 0 : -ENOENT;
}

/** migrate_pages(2): there is nowhere to go, so no page stays behind. */
export function sysMigratePages(pid: i32, maxNode: u64, from: usize, to: usize): i64 {
  const source = readNodes(from, maxNode);
  if (source < 0) return source;
  const target = readNodes(to, maxNode);
  if (target < 0) return target;
  const process = pid == 0 ? currentProcess() : holdProcess(pid);
  if (!process) return -ESRCH;
  if (pid != 0) process.letGo();
  return target == 0 ? -EINVAL : 0;
}

/** move_pages(2): tells for each page that it is on node 0, or why it is nowhere. */
export function sysMovePages(
  pid: i32,
  count: u64,
  pages: usize,
  nodes: usize,
  status: usize,
  flags: u32,
): i64 {
  if ((flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) != 0) return -EINVAL;
  const space = holdSpace(pid == 0 ? currentProcess().id : pid);
  if (!space) return -ESRCH;
  let result: i64 = 0;
  for (let i: u64 = 0; i < count && result == 0; i++) {
    if (load64(pages + <usize>i * 8) != 0) result = -EFAULT;
    else result = reportPage(space, <usize>loadedValue(), <usize>i, nodes, status);
  }
  space.release();
  return result;
}

function reportPage(
  space: AddressSpace,
  address: usize,
  index: usize,
  nodes: usize,
  status: usize,
): i64 {
  if (nodes != 0) {
    const error = load32(nodes + index * 4);
    if (error != 0) return error;
    if (loadedValue() != 0) return -ENODEV;
  }
  let state: i32 = -EFAULT;
  if (checkRange(address, 1)) {
    space.lock();
    if (!hasHole(space, address, address + 1)) state = findEntry(space.root, address) ? 0 : -ENOENT;
    space.unlock();
  }
  return store32(status + index * 4, <u32>state);
}
