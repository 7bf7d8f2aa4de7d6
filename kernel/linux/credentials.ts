/**
 * User and group identities of a process, and its capabilities. The guest has no users to separate:
 * a program starts as the user that the command line names (root has all capabilities), files are
 * open to everybody, and the calls only keep the rules by which identities change, so that programs
 * which drop privileges see what they expect (credentials(7), capabilities(7)).
 *
 * Neighbours: `identity.ts`, `capabilities.ts` (the system calls).
 */
import { EFAULT, ENOMEM } from "../lib/errno";
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { copyIn } from "./user-memory";

/** Capabilities 0 to 40, a bit for each. */
export const ALL_CAPABILITIES: u64 = 0x1ff_ffff_ffff;
export const LAST_CAPABILITY: u64 = 40;
export const CAP_SETGID: u64 = 6;
export const CAP_SETUID: u64 = 7;
export const CAP_SETPCAP: u64 = 8;
export const CAP_SYS_RESOURCE: u64 = 24;

/** Guards the lists of supplementary groups of all processes, which /proc reads. */
const groupsLock = new SpinLock();

export class Credentials {
  realUser: u32 = 0;
  effectiveUser: u32 = 0;
  savedUser: u32 = 0;
  fileUser: u32 = 0;
  realGroup: u32 = 0;
  effectiveGroup: u32 = 0;
  savedGroup: u32 = 0;
  fileGroup: u32 = 0;
  /** Sets of capabilities, a bit for each. */
  permitted: u64 = ALL_CAPABILITIES;
  effective: u64 = ALL_CAPABILITIES;
  inheritable: u64 = 0;
  bounding: u64 = ALL_CAPABILITIES;
  /** Capabilities that execve(2) leaves to who is not root: permitted and inheritable ones. */
  ambient: u64 = 0;
  /** Whether giving up user 0 leaves the permitted set as it is (PR_SET_KEEPCAPS). */
  keepsCapabilities: bool = false;
  /** Supplementary groups: `groupCount` numbers of 4 bytes in a heap block. */
  groupCount: u32 = 0;
  groupList: usize = 0;

  /** Makes all identities this user and group, as login(1) does. */
  setAll(user: u32, group: u32): void {
    this.setGroupIds(group, group, group);
    this.setUsers(user, user, user);
  }

  /** Takes over all identities of `other`; false if there is no memory. */
  copyFrom(other: Credentials): bool {
    const bytes = <usize>other.groupCount * 4;
    const list = bytes == 0 ? 0 : heapAllocate(bytes);
    if (bytes != 0 && list == 0) return false;
    memory.copy(changetype<usize>(this), changetype<usize>(other), offsetof<Credentials>());
    memory.copy(list, other.groupList, bytes);
    this.groupList = list;
    return true;
  }

  /** Whether a capability is in force. */
  may(capability: u64): bool {
    return (this.effective & (1 << capability)) != 0;
  }

  private get hasRootUser(): bool {
    return this.realUser == 0 || this.effectiveUser == 0 || this.savedUser == 0;
  }

  /**
   * Sets the three users and the file-system user, and what that does to the capabilities
   * (capabilities(7), "Effect of user ID changes on capabilities").
   */
  setUsers(real: u32, effective: u32, saved: u32): void {
    const hadRootUser = this.hasRootUser;
    const wasRoot = this.effectiveUser == 0;
    this.realUser = real;
    this.effectiveUser = effective;
    this.savedUser = saved;
    this.fileUser = effective;
    if (hadRootUser && !this.hasRootUser) {
      if (!this.keepsCapabilities) this.permitted = 0;
      this.ambient = 0;
    }
    if (wasRoot && effective != 0) this.effective = 0;
    if (!wasRoot && effective == 0) this.effective = this.permitted;
    this.effective &= this.permitted;
  }

  /** Sets the three groups and the file-system group. */
  setGroupIds(real: u32, effective: u32, saved: u32): void {
    this.realGroup = real;
    this.effectiveGroup = effective;
    this.savedGroup = saved;
    this.fileGroup = effective;
  }

  /** Changes the three sets that capset(2) names; what is not in two of them leaves the ambient set. */
  setCapabilities(effective: u64, permitted: u64, inheritable: u64): void {
    this.effective = effective;
    this.permitted = permitted;
    this.inheritable = inheritable;
    this.ambient &= permitted & inheritable;
  }

  /** What execve(2) does: root gets all capabilities, anybody else keeps the ambient ones. */
  executed(): void {
    const isRoot = this.realUser == 0 || this.effectiveUser == 0;
    this.permitted = isRoot ? this.inheritable | this.bounding | this.ambient : this.ambient;
    this.effective = this.effectiveUser == 0 ? this.permitted : this.ambient;
    this.savedUser = this.effectiveUser;
    this.savedGroup = this.effectiveGroup;
    this.keepsCapabilities = false;
  }

  /** Frees the object and what it owns. */
  destroy(): void {
    if (this.groupList != 0) heapFree(this.groupList);
    free(this);
  }

  /** The supplementary group at a place of the list, or -1 behind its end. */
  group(index: u32): i64 {
    groupsLock.acquire();
    const group = index < this.groupCount ? <i64>load<u32>(this.groupList + <usize>index * 4) : -1;
    groupsLock.release();
    return group;
  }

  /** Replaces the supplementary groups by those at a user address; 0, -EFAULT or -ENOMEM. */
  setGroups(userList: usize, count: u32): i64 {
    const bytes = <usize>count * 4;
    const list = count == 0 ? 0 : heapAllocate(bytes);
    if (count != 0) {
      if (list == 0) return -ENOMEM;
      if (copyIn(list, userList, bytes) != 0) {
        heapFree(list);
        return -EFAULT;
      }
    }
    groupsLock.acquire();
    const old = this.groupList;
    this.groupList = list;
    this.groupCount = count;
    groupsLock.release();
    if (old != 0) heapFree(old);
    return 0;
  }
}
