/**
 * Who a process is: process, thread, group and session ids; users and groups (credentials(7)).
 *
 * The rules of setuid(2) and relatives for root apply while the capability for them is in force,
 * those for other users afterwards; besides them only the owner of new files depends on the outcome.
 */
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { CAP_SETGID, CAP_SETUID, Credentials } from "./credentials";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { familyLock, findProcess, groupExists } from "./process-table";
import { copyOut, store32 } from "./user-memory";

const UNCHANGED: u32 = 0xffff_ffff;
const GROUPS_MAX: i32 = 65536;

/** getpid(2). */
export function sysGetpid(): i64 {
  return currentProcess().id;
}

/** gettid(2). */
export function sysGettid(): i64 {
  return currentLinuxThread().id;
}

/** getppid(2): 0 for the first process, whose parent is outside the machine, as in a container. */
export function sysGetppid(): i64 {
  return currentProcess().parentId;
}

/** getpgrp(2). */
export function sysGetpgrp(): i64 {
  return currentProcess().groupId;
}

/** getpgid(2). */
export function sysGetpgid(pid: i32): i64 {
  familyLock.acquire();
  const process = pid == 0 ? currentProcess() : findProcess(pid);
  const result: i64 = process ? process.groupId : -ESRCH;
  familyLock.release();
  return result;
}

/** setpgid(2): the caller, or a child that has not executed a program yet. */
export function sysSetpgid(pid: i32, group: i32): i64 {
  if (group < 0) return -EINVAL;
  familyLock.acquire();
  const process = pid == 0 ? currentProcess() : findProcess(pid);
  const result: i64 = process ? setGroup(process, group) : -ESRCH;
  familyLock.release();
  return result;
}

function setGroup(process: LinuxProcess, group: i32): i64 {
  const self = currentProcess();
  if (process != self) {
    if (process.parent != self) return -ESRCH;
    if (process.sessionId != self.sessionId) return -EPERM;
    if (process.hasExecuted) return -EACCES;
  }
  if (process.sessionId == process.id) return -EPERM; // a session leader stays where it is
  const wanted = group == 0 ? process.id : group;
  if (wanted != process.id && !groupExists(wanted, process.sessionId)) return -EPERM;
  process.groupId = wanted;
  return 0;
}

/** getsid(2). */
export function sysGetsid(pid: i32): i64 {
  familyLock.acquire();
  const process = pid == 0 ? currentProcess() : findProcess(pid);
  const result: i64 = process ? process.sessionId : -ESRCH;
  familyLock.release();
  return result;
}

/** setsid(2): a new session, unless the caller leads a group. */
export function sysSetsid(): i64 {
  const process = currentProcess();
  if (process.groupId == process.id) return -EPERM;
  familyLock.acquire();
  process.sessionId = process.id;
  process.groupId = process.id;
  process.terminal = null;
  familyLock.release();
  return process.id;
}

export function sysGetuid(): i64 {
  return currentProcess().credentials.realUser;
}

export function sysGeteuid(): i64 {
  return currentProcess().credentials.effectiveUser;
}

export function sysGetgid(): i64 {
  return currentProcess().credentials.realGroup;
}

export function sysGetegid(): i64 {
  return currentProcess().credentials.effectiveGroup;
}

/** getresuid(2). */
export function sysGetresuid(real: usize, effective: usize, saved: usize): i64 {
  const identity = currentProcess().credentials;
  return storeThree(
    real,
    effective,
    saved,
    identity.realUser,
    identity.effectiveUser,
    identity.savedUser,
  );
}

/** getresgid(2). */
export function sysGetresgid(real: usize, effective: usize, saved: usize): i64 {
  const identity = currentProcess().credentials;
  return storeThree(
    real,
    effective,
    saved,
    identity.realGroup,
    identity.effectiveGroup,
    identity.savedGroup,
  );
}

function storeThree(a: usize, b: usize, c: usize, x: u32, y: u32, z: u32): i64 {
  if (store32(a, x) != 0 || store32(b, y) != 0) return -EFAULT;
  return store32(c, z);
}

/** setuid(2). */
export function sysSetuid(user: u32): i64 {
  const identity = currentProcess().credentials;
  if (identity.may(CAP_SETUID)) return setUsers(user, user, user);
  if (user != identity.realUser && user != identity.savedUser) return -EPERM;
  return setUsers(identity.realUser, user, identity.savedUser);
}

/** setgid(2). */
export function sysSetgid(group: u32): i64 {
  const identity = currentProcess().credentials;
  if (identity.may(CAP_SETGID)) return setGroups(group, group, group);
  if (group != identity.realGroup && group != identity.savedGroup) return -EPERM;
  return setGroups(identity.realGroup, group, identity.savedGroup);
}

/** setreuid(2). */
export function sysSetreuid(real: u32, effective: u32): i64 {
  const identity = currentProcess().credentials;
  const changesSaved =
    real != UNCHANGED || (effective != UNCHANGED && effective != identity.realUser);
  const saved = effective == UNCHANGED ? identity.effectiveUser : effective;
  if (!mayUseUser(identity, real) || !mayUseUser(identity, effective)) return -EPERM;
  return changeUsers(identity, real, effective, changesSaved ? saved : UNCHANGED);
}

/** setregid(2). */
export function sysSetregid(real: u32, effective: u32): i64 {
  const identity = currentProcess().credentials;
  const changesSaved =
    real != UNCHANGED || (effective != UNCHANGED && effective != identity.realGroup);
  const saved = effective == UNCHANGED ? identity.effectiveGroup : effective;
  if (!mayUseGroup(identity, real) || !mayUseGroup(identity, effective)) return -EPERM;
  return changeGroups(identity, real, effective, changesSaved ? saved : UNCHANGED);
}

/** setresuid(2). */
export function sysSetresuid(real: u32, effective: u32, saved: u32): i64 {
  const identity = currentProcess().credentials;
  if (!mayUseUser(identity, real) || !mayUseUser(identity, effective)) return -EPERM;
  if (!mayUseUser(identity, saved)) return -EPERM;
  return changeUsers(identity, real, effective, saved);
}

/** setresgid(2). */
export function sysSetresgid(real: u32, effective: u32, saved: u32): i64 {
  const identity = currentProcess().credentials;
  if (!mayUseGroup(identity, real) || !mayUseGroup(identity, effective)) return -EPERM;
  if (!mayUseGroup(identity, saved)) return -EPERM;
  return changeGroups(identity, real, effective, saved);
}

function changeUsers(identity: Credentials, real: u32, effective: u32, saved: u32): i64 {
  return setUsers(
    real == UNCHANGED ? identity.realUser : real,
    effective == UNCHANGED ? identity.effectiveUser : effective,
    saved == UNCHANGED ? identity.savedUser : saved,
  );
}

function changeGroups(identity: Credentials, real: u32, effective: u32, saved: u32): i64 {
  return setGroups(
    real == UNCHANGED ? identity.realGroup : real,
    effective == UNCHANGED ? identity.effectiveGroup : effective,
    saved == UNCHANGED ? identity.savedGroup : saved,
  );
}

function setUsers(real: u32, effective: u32, saved: u32): i64 {
  currentProcess().credentials.setUsers(real, effective, saved);
  currentProcess().fsContext.ownerUser = effective;
  return 0;
}

function setGroups(real: u32, effective: u32, saved: u32): i64 {
  currentProcess().credentials.setGroupIds(real, effective, saved);
  currentProcess().fsContext.ownerGroup = effective;
  return 0;
}

/** setfsuid(2): returns the previous value in any case. */
export function sysSetfsuid(user: u32): i64 {
  const identity = currentProcess().credentials;
  const previous = identity.fileUser;
  if (user != UNCHANGED && mayUseUser(identity, user)) {
    identity.fileUser = user;
    currentProcess().fsContext.ownerUser = user;
  }
  return previous;
}

/** setfsgid(2). */
export function sysSetfsgid(group: u32): i64 {
  const identity = currentProcess().credentials;
  const previous = identity.fileGroup;
  if (group != UNCHANGED && mayUseGroup(identity, group)) {
    identity.fileGroup = group;
    currentProcess().fsContext.ownerGroup = group;
  }
  return previous;
}

function mayUseUser(identity: Credentials, user: u32): bool {
  return (
    user == UNCHANGED ||
    identity.may(CAP_SETUID) ||
    user == identity.realUser ||
    user == identity.effectiveUser ||
    user == identity.savedUser
  );
}

function mayUseGroup(identity: Credentials, group: u32): bool {
  return (
    group == UNCHANGED ||
    identity.may(CAP_SETGID) ||
    group == identity.realGroup ||
    group == identity.effectiveGroup ||
    group == identity.savedGroup
  );
}

/** umask(2). */
export function sysUmask(mask: u32): i64 {
  const context = currentProcess().fsContext;
  const previous = context.umask;
  context.umask = mask & 0o777;
  return previous;
}

/** getgroups(2): root in a container is in group 0 only. */
export function sysGetgroups(size: i32, list: usize): i64 {
  if (size < 0) return -EINVAL;
  const identity = currentProcess().credentials;
  const count = identity.groupCount;
  if (size == 0) return count;
  if (<u32>size < count) return -EINVAL;
  if (copyOut(list, identity.groupList, <usize>count * 4) != 0) return -EFAULT;
  return count;
}

/** setgroups(2). */
export function sysSetgroups(size: i32, list: usize): i64 {
  const identity = currentProcess().credentials;
  if (size < 0 || size > GROUPS_MAX) return -EINVAL;
  if (!identity.may(CAP_SETGID)) return -EPERM;
  return identity.setGroups(list, <u32>size);
}
