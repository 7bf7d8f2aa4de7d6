/**
 * User and group identities of a process. The guest has no users to separate: a program starts as
 * the user that the command line names, and the calls only remember what they were told, so that programs which drop privileges see
 * what they expect (credentials(7)).
 *
 * Neighbours: `identity.ts` (the system calls).
 */
import { EFAULT, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { copyIn } from "./user-memory";

export class Credentials {
  realUser: u32 = 0;
  effectiveUser: u32 = 0;
  savedUser: u32 = 0;
  fileUser: u32 = 0;
  realGroup: u32 = 0;
  effectiveGroup: u32 = 0;
  savedGroup: u32 = 0;
  fileGroup: u32 = 0;
  /** Supplementary groups: `groupCount` numbers of 4 bytes in a heap block. */
  groupCount: u32 = 0;
  groupList: usize = 0;

  /** Makes all identities this user and group, as login(1) does. */
  setAll(user: u32, group: u32): void {
    this.realUser = user;
    this.effectiveUser = user;
    this.savedUser = user;
    this.fileUser = user;
    this.realGroup = group;
    this.effectiveGroup = group;
    this.savedGroup = group;
    this.fileGroup = group;
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

  /** Frees the object and what it owns. */
  destroy(): void {
    if (this.groupList != 0) heapFree(this.groupList);
    free(this);
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
    if (this.groupList != 0) heapFree(this.groupList);
    this.groupList = list;
    this.groupCount = count;
    return 0;
  }
}
